//! The metrics of a running server, as a scrape reads them.

#![allow(clippy::float_cmp, reason = "what is counted here is whole and small")]

use std::collections::BTreeMap;
use std::time::Duration;

use neticket_testkit::{TestEnv, TestServer, on_both};
use serde_json::json;

use crate::reservations::book;

/// The deadline of each wait in this file.
const DEADLINE: Duration = Duration::from_secs(10);

/// The values of one scrape, by name and labels.
struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    async fn of(server: &TestServer) -> Self {
        let answer = server.get("/metrics", None).await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
        assert!(answer.text.ends_with("# EOF\n"));
        let values = answer.text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.strip_prefix("neticket_").expect("our prefix").to_owned(), value.parse().expect("a number"))
        });
        Self(values.collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The value of a metric, or 0 if the scrape does not have it.
    fn value(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(0.0)
    }

    fn bookings(&self, outcome: &str) -> f64 {
        self.value(&format!("bookings_total{{outcome=\"{outcome}\"}}"))
    }
}

/// Scrapes until `right` accepts the result.
async fn scraped(server: &TestServer, right: impl Fn(&Scrape) -> bool) -> Scrape {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let scrape = Scrape::of(server).await;
        if right(&scrape) {
            return scrape;
        }
        assert!(tokio::time::Instant::now() < deadline, "{:?}", scrape.0);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

on_both! {
    async fn the_metrics_count_bookings_by_outcome(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.grace_ms = 60_000; // recovery does not commit the bookings again
        let server = env.server().await;
        let event = env.event_on_sale(&[3], 2).await;
        let ticket_type = event.ticket_types[0].id;
        let booking_body = |quantity: u32| json!({"ticket_type_id": ticket_type, "quantity": quantity});
        let (ann, bob) = (server.person(1).await.token, server.person(2).await.token);
        for (token, key, quantity, status) in [
            (&ann, Some("a"), 2, 201),
            (&ann, Some("a"), 2, 201),
            (&ann, None, 1, 409),
            (&bob, None, 2, 409),
            (&bob, None, 1, 201),
        ] {
            assert_eq!(book(&server, token, key, booking_body(quantity)).await.status, status);
        }
        let scrape = Scrape::of(&server).await;
        let all: f64 =
            scrape.0.iter().filter(|(name, _)| name.starts_with("bookings_total")).map(|(_, n)| n).sum();
        let counts =
            ["confirmed", "replayed", "purchase_limit_exceeded", "sold_out"].map(|o| scrape.bookings(o));
        assert_eq!((counts, all), ([2.0, 1.0, 1.0, 1.0], 5.0));
        // Bookings that found no ledger were admitted again after it was loaded, and count again.
        assert!(scrape.value("batch_reservations_sum{stage=\"admit\"}") >= 5.0);
        assert_eq!(scrape.value("batch_reservations_sum{stage=\"commit\"}"), 2.0);
        assert_eq!(scrape.value("stage_duration_seconds_count{stage=\"commit\"}"), 2.0);
        assert_eq!(scrape.value("ledger_loads_total{outcome=\"loaded\"}"), 1.0);
        let posts = |status| {
            scrape.value(&format!(
            "http_request_duration_seconds_count{{route=\"/api/v1/reservations\",method=\"POST\",status=\"{status}\"}}"
        ))
        };
        assert_eq!((posts(201), posts(409)), (3.0, 2.0));
        assert!(scrape.value("http_connections") >= 1.0 && scrape.has("store_connections{state=\"idle\"}"));
        env.finish().await;
    }

    async fn only_loaded_events_have_journal_metrics(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let now = env.now().await;
        let open = env.event_on_sale(&[3], 2).await;
        let later = env.event(now.plus_millis(86_400_000), now.plus_millis(90_000_000), &[3], 4).await;
        let entries = |event| format!("journal_entries{{event=\"{event}\"}}");
        let age = |event| format!("journal_oldest_age_seconds{{event=\"{event}\"}}");
        let scrape = scraped(&server, |scrape| scrape.has(&entries(open.id))).await;
        assert_eq!((scrape.value(&entries(open.id)), scrape.value(&age(open.id))), (0.0, 0.0));
        assert!(!scrape.has(&entries(later.id)), "it is not loaded");
        env.finish().await;
    }

    async fn unknown_paths_share_one_label(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        for path in ["/api/v1/x1", "/api/v1/x2", "/y/z", "/api/v1/events/987654"] {
            assert_eq!(server.get(path, None).await.status, 404, "{path}");
        }
        let scrape = Scrape::of(&server).await;
        let of = |route| {
            scrape.value(&format!(
                "http_request_duration_seconds_count{{route=\"{route}\",method=\"GET\",status=\"404\"}}"
            ))
        };
        assert_eq!((of("other"), of("/api/v1/events/{id}")), (3.0, 1.0));
        assert!(
            !scrape.0.keys().any(|name| name.contains("x1") || name.contains("987654")),
            "{:?}",
            scrape.0
        );
        env.finish().await;
    }

    async fn metrics_with_their_own_listener_are_not_public(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
        let server = env.server().await;
        assert_eq!(server.get("/metrics", None).await.code(), "not_found");
        let metrics = server.metrics_url.clone().expect("a listener");
        let text = reqwest::get(format!("{metrics}/metrics")).await.unwrap().text().await.unwrap();
        assert!(text.contains("neticket_bookings_total") && text.ends_with("# EOF\n"), "{text}");
        let other = reqwest::get(format!("{metrics}/api/v1/events")).await.unwrap();
        assert_eq!(other.status(), 404, "the metrics listener serves another path");
        env.finish().await;
    }
}
