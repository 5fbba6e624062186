//! What the HTTP side counts and measures, and `/metrics`, which shows it with the application's numbers. A request costs
//! one look at a short list of its route and one histogram; no labels are hashed for it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use neticket_app::Register;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode_eof;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use crate::error::ApiError;
use crate::state::State;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Up to where latencies are told apart, in seconds.
const LATENCIES_S: [f64; 14] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0];
/// The route of whatever has none: the client's files, and addresses that lead nowhere.
pub(crate) const OTHER: &str = "other";

/// All values come from the program, but the status: and that is a number of three digits.
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

/// One for the whole server: its workers share it.
#[derive(Debug)]
pub(crate) struct HttpMetrics {
    register: Register,
    answered: Family<Answered, Histogram, Latencies>,
    /// Open connections, idle ones too.
    connections: Gauge,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        let mut register = Register::default();
        Self {
            answered: register.add_seconds(
                "http_request_duration",
                "From a request's head to its answer's, by route, method and status",
                Family::new_with_constructor(Latencies),
            ),
            connections: register.add("http_connections", "Open connections", Gauge::default()),
            register,
        }
    }
}

impl HttpMetrics {
    /// Counts a connection for as long as the answer lives.
    pub(crate) fn connected(&self) -> Connected {
        self.connections.inc();
        Connected(self.connections.clone())
    }
}

/// An open connection.
pub(crate) struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The answers of one route, as one worker knows them: each kind that has occurred, with where it is counted.
#[derive(Clone)]
pub(crate) struct RouteMetrics {
    route: &'static str,
    kinds: Rc<RefCell<Vec<(Answered, Histogram)>>>,
}

impl RouteMetrics {
    pub(crate) fn of(route: &'static str) -> Self {
        Self { route, kinds: Rc::default() }
    }

    /// The path as the routing table has it.
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

/// A method, or [`OTHER`]: anyone can make one up.
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

/// The metrics of the request's route; of [`OTHER`] where it has none.
pub(crate) fn route_metrics(request: &HttpRequest) -> Option<&RouteMetrics> {
    request.app_data::<RouteMetrics>()
}

/// All numbers, on the public listener: only where there is no other for them, and never in production.
pub(crate) async fn metrics_public(state: Data<State>) -> Result<HttpResponse, ApiError> {
    if state.metrics_public { Ok(answer(&state)) } else { Err(ApiError::not_found("There is nothing here.")) }
}

/// All numbers, on a listener that has nothing else.
pub(crate) async fn metrics_private(state: Data<State>) -> HttpResponse {
    answer(&state)
}

fn answer(state: &State) -> HttpResponse {
    let mut text = String::with_capacity(64 * 1024);
    state.app.metrics().register().write(&mut text);
    state.http.register.write(&mut text);
    // Writing to a String cannot fail.
    let _ = encode_eof(&mut text);
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, OPENMETRICS))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(text)
}

#[cfg(test)]
mod tests {
    use neticket_app::Metrics;

    use super::*;

    /// The names in the first column of the tables of docs/metrics.md.
    fn documented() -> Vec<String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
        let text = std::fs::read_to_string(path).unwrap();
        let mut names: Vec<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix("| `neticket_")?.split_once('`'))
            .map(|(name, _)| format!("neticket_{}", name.strip_suffix("_total").unwrap_or(name)))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn every_metric_is_documented_and_every_documented_metric_is_there() {
        let (app, http) = (Metrics::default(), HttpMetrics::default());
        let mut names = [app.register().names(), http.register.names()].concat();
        names.sort();
        assert_eq!(names, documented());
    }

    #[test]
    fn a_kind_of_answer_is_counted_on_its_own_and_made_up_methods_together() {
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
            assert!(counts.contains(&line.as_str()), "{line} in {text}");
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
