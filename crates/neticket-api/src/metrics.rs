//! The HTTP metrics. A request costs one search in a short list of its route and one histogram update. It
//! hashes no labels.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::{Method, StatusCode};
use neticket_app::Register;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

/// The bucket bounds of the latency histograms, in seconds.
const LATENCIES_S: [f64; 14] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0];
/// The route label of requests without a route: the files of the client, and unknown addresses.
pub(crate) const OTHER: &str = "other";

/// The labels of an answer. Route and method come from a fixed set, and the status is a number of three
/// digits, so the number of series is bounded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug)]
struct Latencies;

impl MetricConstructor<Histogram> for Latencies {
    fn new_metric(&self) -> Histogram {
        Histogram::new(LATENCIES_S)
    }
}

/// The workers of the server share one instance.
#[derive(Debug)]
pub(crate) struct HttpMetrics {
    register: Register,
    answered: Family<Answered, Histogram, Latencies>,
    /// Open connections, also idle ones.
    connections: Gauge,
    /// Open availability streams.
    streams: Gauge,
    pub(crate) streams_refused: Counter,
    /// Requests whose client disconnected before it got an answer.
    pub(crate) disconnects: Counter,
    /// Events that were sent on all availability streams together.
    pub(crate) frames: Counter,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        let mut register = Register::default();
        Self {
            answered: register.add_seconds(
                "http_request_duration",
                "Time from the head of a request to the head of its answer, by route, method and status",
                Family::new_with_constructor(Latencies),
            ),
            connections: register.add(
                "http_connections",
                "Open connections, idle ones included",
                Gauge::default(),
            ),
            streams: register.add("http_streams", "Open availability streams", Gauge::default()),
            disconnects: register.add(
                "http_disconnects",
                "Requests whose client disconnected before it got its answer",
                Counter::default(),
            ),
            streams_refused: register.add(
                "http_streams_refused",
                "Streams that were refused because the node or the caller's network had too many open",
                Counter::default(),
            ),
            frames: register.add(
                "http_stream_frames",
                "Messages sent to streams, counted for each stream",
                Counter::default(),
            ),
            register,
        }
    }
}

impl HttpMetrics {
    pub(crate) fn register(&self) -> &Register {
        &self.register
    }

    /// Counts an open stream, until the returned guard is dropped.
    pub(crate) fn streaming(&self) -> StreamGuard {
        self.streams.inc();
        StreamGuard(self.streams.clone())
    }

    /// Counts an open connection, until the returned guard is dropped.
    pub(crate) fn connected(&self) -> ConnectionGuard {
        self.connections.inc();
        ConnectionGuard(self.connections.clone())
    }
}

/// Guard of an open connection.
pub(crate) struct ConnectionGuard(Gauge);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Guard of an open stream.
pub(crate) struct StreamGuard(Gauge);

impl Drop for StreamGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The answers of one route in one worker: each combination of labels that has occurred, with its histogram.
#[derive(Clone)]
pub(crate) struct RouteMetrics {
    route: &'static str,
    kinds: Rc<RefCell<Vec<(Answered, Histogram)>>>,
}

impl RouteMetrics {
    pub(crate) fn of(route: &'static str) -> Self {
        Self { route, kinds: Rc::default() }
    }

    /// The path of the route, as the routing table states it.
    pub(crate) fn route(&self) -> &'static str {
        self.route
    }

    pub(crate) fn answered(
        &self,
        metrics: &HttpMetrics,
        method: &Method,
        status: StatusCode,
        latency: Duration,
    ) {
        let kind = Answered { route: self.route, method: method_word(method), status: status.as_u16() };
        let mut kinds = self.kinds.borrow_mut();
        let known = kinds.iter().position(|(known, _)| *known == kind);
        let index = known.unwrap_or_else(|| {
            let histogram = metrics.answered.get_or_create_owned(&kind);
            kinds.push((kind, histogram));
            kinds.len() - 1
        });
        if let Some((_, histogram)) = kinds.get(index) {
            histogram.observe(latency.as_secs_f64());
        }
    }
}

/// The name of a standard method, or [`OTHER`], because clients can invent methods.
fn method_word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => OTHER,
    }
}

/// The metrics of the request's route, or those of [`OTHER`] if it has no route.
pub(crate) fn route_metrics(request: &HttpRequest) -> Option<&RouteMetrics> {
    request.app_data::<RouteMetrics>()
}

#[cfg(test)]
mod tests {
    use neticket_app::Metrics;

    use super::*;

    /// Reads a file of the repository.
    fn read(path: &str) -> String {
        std::fs::read_to_string(format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    /// The rows of the tables of docs/metrics.md: name, type, and labels separated by commas.
    fn documented() -> Vec<[String; 3]> {
        let text = read("docs/metrics.md");
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `neticket_"));
        rows.map(|row| {
            let mut cells = row.split(" | ").map(|cell| cell.replace('`', ""));
            let mut cell = || cells.next().expect("a row of four cells");
            [format!("neticket_{}", cell()), cell(), cell()]
        })
        .collect()
    }

    /// One series in a query: its name, and each label that the query names with the values that it compares
    /// the label with.
    type Asked = (String, Vec<(String, Vec<String>)>);

    /// All series that `promql` names.
    fn asked_for(promql: &str) -> Vec<Asked> {
        let series = promql.match_indices("neticket_").map(|(at, _)| {
            let rest = &promql[at..];
            let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let (name, rest) = rest.split_at(rest.find(|c: char| !is_of_name(c)).unwrap_or(rest.len()));
            let matchers =
                rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or("", |found| found.0);
            let matchers = matchers.split(',').filter_map(|matcher| matcher.trim().split_once(['=', '!']));
            let mut labels: Vec<_> = matchers
                .map(|(label, values)| {
                    let values = values.trim_matches(['=', '~', '"']).split('|').map(str::to_owned);
                    (label.to_owned(), values.collect())
                })
                .collect();
            let line_before = promql[..at].rsplit('\n').next().unwrap();
            let by = line_before.split_once("by (").and_then(|(_, rest)| rest.split_once(')'));
            labels.extend(by.map(|(label, _)| (label.to_owned(), Vec::new())));
            (name.to_owned(), labels)
        });
        series.collect()
    }

    /// Whether this label of the metric can have this value.
    fn can_be(metric: &str, label: &str, value: &str) -> bool {
        match label {
            "route" => crate::openapi::document_text().contains(&format!("\"{value}\": {{")),
            "method" => {
                Method::from_bytes(value.as_bytes()).is_ok_and(|method| method_word(&method) == value)
            }
            "status" => value.parse().is_ok_and(|status| StatusCode::from_u16(status).is_ok()),
            _ => {
                let mut counted = String::new();
                Metrics::default().register().write(&mut counted);
                let (metric, label) = (format!("{metric}{{"), format!("{label}=\"{value}\""));
                counted.lines().any(|line| line.starts_with(&metric) && line.contains(&label))
            }
        }
    }

    #[test]
    fn every_metric_is_documented_and_every_documented_metric_exists() {
        let (app, http) = (Metrics::default(), HttpMetrics::default());
        let mut names = [app.register().names(), http.register.names()].concat();
        names.sort();
        let without_total = |name: &String| name.strip_suffix("_total").unwrap_or(name).to_owned();
        let mut documented_names: Vec<String> =
            documented().iter().map(|[name, _, _]| without_total(name)).collect();
        documented_names.sort();
        assert_eq!(names, documented_names);
    }

    #[test]
    fn alert_rules_and_documented_queries_use_only_existing_metrics() {
        let alerts = read("infra/alerts.yml");
        let rules: Vec<&str> = alerts.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        let document = read("docs/metrics.md");
        let examples = document.split("```promql").skip(1).filter_map(|rest| rest.split("```").next());
        let texts = [rules.join("\n")].into_iter().chain(examples.map(str::to_owned));
        let asked: Vec<Asked> = texts.flat_map(|text| asked_for(&text)).collect();
        assert!(asked.len() > 12, "too few queries were found: {asked:?}");
        let metrics = documented();
        for (series, labels) in asked {
            let is_of = |[name, kind, _]: &&[String; 3]| match kind.as_str() {
                "histogram" => {
                    ["_count", "_sum", "_bucket"].iter().any(|part| series == format!("{name}{part}"))
                }
                _ => series == *name,
            };
            let Some([metric, _, known]) = metrics.iter().find(is_of) else {
                panic!("{series} is not documented")
            };
            for (label, values) in labels {
                assert!(known.split(", ").any(|known| known == label), "{series} has no label {label}");
                for value in values {
                    assert!(can_be(metric, &label, &value), "{series} never has {label} {value:?}");
                }
            }
        }
    }

    #[test]
    fn series_and_labels_are_parsed_from_a_query() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let labels = vec![
            ("b".to_owned(), words(&["c", "d"])),
            ("e".to_owned(), words(&["/f"])),
            ("a".to_owned(), words(&[])),
        ];
        let asked = asked_for("sum by (a) (rate(neticket_x_total{b=~\"c|d\", e!=\"/f\"}[5m]))\n> neticket_y");
        assert_eq!(asked, [("neticket_x_total".to_owned(), labels), ("neticket_y".to_owned(), Vec::new())]);
        assert!(can_be("neticket_bookings_total", "outcome", "overloaded"));
        assert!(!can_be("neticket_bookings_total", "outcome", "overload"));
        assert!(!can_be("neticket_bookings_total", "status", "5xx") && !can_be("x", "route", "/readz"));
    }

    #[test]
    fn each_label_set_is_counted_separately_and_unknown_methods_together() {
        let metrics = HttpMetrics::default();
        let route = RouteMetrics::of("/a/{b}");
        for (method, status) in [("GET", 200), ("GET", 200), ("GET", 404), ("BREW", 405), ("WHEN", 405)] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let status = StatusCode::from_u16(status).unwrap();
            route.answered(&metrics, &method, status, Duration::from_millis(3));
        }
        let mut text = String::new();
        metrics.register.write(&mut text);
        let counts: Vec<&str> = text.lines().filter(|line| line.contains("_count{")).collect();
        assert_eq!(counts.len(), 3, "{text}");
        for (labels, count) in [
            ("route=\"/a/{b}\",method=\"GET\",status=\"200\"", 2),
            ("route=\"/a/{b}\",method=\"GET\",status=\"404\"", 1),
            ("route=\"/a/{b}\",method=\"other\",status=\"405\"", 2),
        ] {
            let line = format!("neticket_http_request_duration_seconds_count{{{labels}}} {count}");
            assert!(counts.contains(&line.as_str()), "{line} is missing in {text}");
        }
    }

    #[test]
    fn a_connection_is_counted_until_it_ends() {
        let metrics = HttpMetrics::default();
        let (one, two) = (metrics.connected(), metrics.connected());
        assert_eq!(metrics.connections.get(), 2);
        drop((one, two));
        assert_eq!(metrics.connections.get(), 0);
    }
}
