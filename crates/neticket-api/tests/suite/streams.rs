//! The availability of an event, as it is pushed to open pages.

use std::time::{Duration, Instant};

use neticket_testkit::store::EventRecord;
use neticket_testkit::{Answer, TestEnv, TestServer, on_both};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::reservations::book;

/// The deadline of each wait in this file.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long a client that has gone may keep its slot if nothing changes: until the next comments, on a busy
/// machine.
const GONE_WITHIN: Duration = Duration::from_secs(25);

/// A client that reads a stream.
struct Listener {
    response: Response,
    unread: String,
}

fn path(event: &EventRecord) -> String {
    format!("/api/v1/events/{}/availability/stream", event.id)
}

async fn ask(server: &TestServer, event: &EventRecord) -> Response {
    let request = server.request(Method::GET, &path(event)).header("accept", "text/event-stream");
    // Browsers send this header. The stream must not be compressed all the same.
    request.header("accept-encoding", "gzip, br").send().await.unwrap()
}

impl Listener {
    async fn of(server: &TestServer, event: &EventRecord) -> Self {
        let response = ask(server, event).await;
        assert_eq!(response.status(), 200);
        Self { response, unread: String::new() }
    }

    /// The next block of lines, or `None` at the end of the stream.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.find("\n\n") {
                let block = self.unread.drain(..end + 2).collect::<String>();
                return Some(block.trim_end_matches('\n').to_owned());
            }
            let chunk = tokio::time::timeout(DEADLINE, self.response.chunk())
                .await
                .expect("the stream answers in time")
                .ok()??;
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The data of the next event, or `None` at the end of the stream.
    async fn next(&mut self) -> Option<Value> {
        loop {
            let block = self.block().await?;
            let mut lines = block.lines().filter(|line| !line.starts_with("retry: "));
            match lines.next() {
                Some(line) if line.starts_with(':') => {}
                line => {
                    assert_eq!(line, Some("event: availability"), "{block}");
                    let data = lines.next().unwrap().strip_prefix("data: ").unwrap();
                    assert_eq!(lines.next(), None, "{block}");
                    return Some(serde_json::from_str(data).unwrap());
                }
            }
        }
    }
}

async fn metrics(server: &TestServer) -> String {
    server.get("/metrics", None).await.text
}

async fn until_metric(server: &TestServer, within: Duration, line: &str) {
    let deadline = Instant::now() + within;
    loop {
        let metrics = metrics(server).await;
        if metrics.lines().any(|metric| metric == line) {
            return;
        }
        assert!(Instant::now() < deadline, "{line} is missing in {metrics}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

on_both! {
    async fn an_edit_on_another_node_reaches_open_streams_and_its_revision_bypasses_every_cache(
        backends: Backends,
    ) {
        let mut env = TestEnv::new(backends).await;
        let servers = [env.server().await, env.server().await];
        let event = env.event_on_sale(&[10], 4).await;
        let admin = servers[0].admin(1).await.token;
        let path = format!("/api/v1/events/{}", event.id);
        let before = servers[1].get(&path, None).await.json();
        let mut listener = Listener::of(&servers[1], &event).await;
        assert_eq!(listener.next().await.unwrap()["revision"], before["revision"]);
        let ticket_type = &event.ticket_types[0];
        let dearer = json!({"ticket_types": [
            {"id": ticket_type.id, "name": ticket_type.name, "price": ticket_type.price + 1, "capacity": ticket_type.capacity}
        ]});
        let admin_path = format!("/api/v1/admin/events/{}", event.id);
        let edited = servers[0].ask(Method::PATCH, &admin_path, Some(&admin), Some(dearer)).await.json();
        let revision = edited["revision"].as_i64().unwrap();
        assert!(revision > before["revision"].as_i64().unwrap());
        // Requested at once: the cache of the other node may still contain the event from before the edit.
        let seen = servers[1].get(&format!("{path}?revision={revision}"), None).await.json();
        assert_eq!(
            (&seen["revision"], &seen["ticket_types"][0]["price"]),
            (&json!(revision), &json!(ticket_type.price + 1))
        );
        while listener.next().await.unwrap()["revision"] != revision {}
        // This revision does not exist yet, so the answer is the current one.
        let seen = servers[1].get(&format!("{path}?revision={}", revision + 1), None).await;
        assert_eq!((seen.status, seen.json()["revision"].as_i64()), (200, Some(revision)));
        for query in ["revision=-1", "revision=x", "revision=1.5", "reversion=1"] {
            let refused = servers[1].get(&format!("{path}?{query}"), None).await;
            assert_eq!((refused.status, refused.code().as_str()), (422, "validation_failed"), "{query}");
        }
        env.finish().await;
    }

    async fn a_stream_begins_with_the_availability_and_sends_every_change(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let event = env.event_on_sale(&[10, 20], 4).await;
        let token = server.person(1).await.token;
        let mut listener = Listener::of(&server, &event).await;
        let header = |name: &str| listener.response.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(
            ["content-type", "cache-control", "x-accel-buffering", "content-encoding"].map(header),
            [Some("text/event-stream"), Some("no-store"), Some("no"), None]
        );
        let first = listener.next().await.unwrap();
        let polled = server.get(&format!("/api/v1/events/{}/availability", event.id), None).await.json();
        let timeless = |mut answer: Value| {
            answer["server_time"].take();
            answer
        };
        assert_eq!(timeless(first), timeless(polled), "a stream event must equal the polled answer");
        let booking_body = json!({"ticket_type_id": event.ticket_types[1].id, "quantity": 3});
        assert_eq!(book(&server, &token, None, booking_body).await.status, 201);
        let booked = Instant::now();
        assert_eq!(listener.next().await.unwrap()["ticket_types"][1]["left"], 17);
        assert!(booked.elapsed() < Duration::from_secs(2), "{:?}", booked.elapsed());
        until_metric(&server, DEADLINE, "neticket_http_stream_frames_total 2").await;
        env.finish().await;
    }

    async fn an_open_stream_reports_the_opening_of_the_sale(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let opens_at = env.now().await.plus_millis(2_000);
        let event = env.event(opens_at, opens_at.plus_millis(86_400_000), &[10], 4).await;
        let mut listener = Listener::of(&server, &event).await;
        assert_eq!(listener.next().await.unwrap()["status"], "scheduled");
        let opened = listener.next().await.unwrap();
        let late_ms = env.now().await.millis_since(opens_at);
        assert_eq!(opened["status"], "on_sale", "{opened}");
        assert!((0..1_000).contains(&late_ms), "the stream reported the opening after {late_ms} ms");
        let token = server.person(1).await.token;
        let booking_body = json!({"ticket_type_id": event.ticket_types[0].id, "quantity": 1});
        assert_eq!(
            book(&server, &token, None, booking_body).await.status,
            201,
            "the sale is open as the stream reported"
        );
        env.finish().await;
    }

    async fn a_stream_over_the_limit_is_refused_and_a_closed_one_frees_its_slot(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.streams_max = 2;
        let server = env.server().await;
        let event = env.event_on_sale(&[10], 4).await;
        let (mut first, second) = (Listener::of(&server, &event).await, Listener::of(&server, &event).await);
        assert!(first.next().await.is_some());
        let refused = Answer::read(ask(&server, &event).await).await;
        assert_eq!((refused.status, refused.code().as_str()), (503, "overloaded"));
        assert!(refused.header("retry-after").parse::<u32>().is_ok());
        assert_eq!(server.get(&format!("/api/v1/events/{}/availability", event.id), None).await.status, 200);
        until_metric(&server, DEADLINE, "neticket_http_streams 2").await;
        until_metric(&server, DEADLINE, "neticket_http_streams_refused_total 1").await;
        drop(second);
        until_metric(&server, GONE_WITHIN, "neticket_http_streams 1").await;
        let mut third = Listener::of(&server, &event).await;
        assert!(third.next().await.is_some());
        drop((first, third));
        env.finish().await;
    }

    async fn one_network_cannot_take_all_stream_slots(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        (env.config.streams_max, env.config.rate_limit) = (20, true);
        env.config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        let server = env.server().await;
        let event = env.event_on_sale(&[10], 4).await;
        let from = async |address: &str| {
            server
                .request(Method::GET, &path(&event))
                .header("x-forwarded-for", address)
                .send()
                .await
                .unwrap()
        };
        let (first, _second) = (from("192.0.2.1").await, from("192.0.2.1").await);
        assert_eq!((first.status().as_u16(), from("192.0.2.1").await.status().as_u16()), (200, 503));
        assert_eq!(from("192.0.2.2").await.status(), 200, "another network must get a stream");
        drop(first);
        let deadline = tokio::time::Instant::now() + GONE_WITHIN;
        while from("192.0.2.1").await.status() != 200 {
            assert!(tokio::time::Instant::now() < deadline, "a closed stream must free its slot");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        env.finish().await;
    }

    async fn a_request_that_cannot_become_a_stream_is_refused_at_once(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let event = env.event_on_sale(&[10], 4).await;
        let nothing = server.get("/api/v1/events/987654/availability/stream", None).await;
        assert_eq!((nothing.status, nothing.code().as_str()), (404, "not_found"));
        for (accept, status) in
            [("text/event-stream", 200), ("*/*", 200), ("application/json", 406), ("text/html", 406)]
        {
            let answer =
                server.request(Method::HEAD, &path(&event)).header("accept", accept).send().await.unwrap();
            assert_eq!(answer.status(), status, "{accept}");
        }
        until_metric(&server, DEADLINE, "neticket_http_streams 0").await;
        env.finish().await;
    }

    async fn all_streams_end_when_the_node_stops(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let event = env.event_on_sale(&[10], 4).await;
        let mut listener = Listener::of(&server, &event).await;
        assert!(listener.next().await.is_some());
        server.app.begin_draining();
        until_metric(&server, DEADLINE, "neticket_http_streams 1").await;
        server.app.end_streams();
        assert_eq!(listener.next().await, None, "the stream must end cleanly");
        until_metric(&server, DEADLINE, "neticket_http_streams 0").await;
        assert_eq!(Answer::read(ask(&server, &event).await).await.code(), "overloaded");
        env.finish().await;
    }
}
