//! A server that stalls shows in the latency of everyone who came meanwhile.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep_until};

use crate::{loadtest, words};

/// Answers the event's page at once, and bookings only `stall` after the first of them came.
async fn stalling_server(stall: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let first = std::sync::Arc::new(tokio::sync::OnceCell::new());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let first = first.clone();
            tokio::spawn(async move {
                let mut buffer = vec![0; 4096];
                while let Ok(len @ 1..) = stream.read(&mut buffer).await {
                    let asked = String::from_utf8_lossy(&buffer[..len]).into_owned();
                    let answer = if asked.starts_with("POST") {
                        let first = *first.get_or_init(|| async { Instant::now() }).await;
                        sleep_until(first + stall).await;
                        booked(&asked)
                    } else {
                        page()
                    };
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    url
}

fn booked(asked: &str) -> String {
    let id = uuid::Uuid::new_v4();
    assert!(asked.contains("ticket_type_id\":7"), "{asked}");
    assert!(asked.contains("unit_price\":1"), "{asked}");
    let body = format!(
        r#"{{"id":"{id}","status":"confirmed","quantity":1,"unit_price":1,"ticket_type":{{"id":7,"name":"S"}}}}"#
    );
    format!("HTTP/1.1 201 Created\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn page() -> String {
    let body = r#"{"id":5,"title":"t","place":"p","starts_at":"2100-01-01T00:00:00Z",
        "opens_at":"2000-01-01T00:00:00Z","closes_at":"2100-01-01T00:00:00Z","status":"on_sale","price_from":1,
        "currency":"KRW","image_url":null,"description":"","max_per_user":4,"server_time":"2026-01-01T00:00:00Z",
        "ticket_types":[{"id":7,"name":"S","price":1,"capacity":1000,"left":1000}]}"#;
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_latency_during_a_stall_counts_from_the_planned_send_time() {
    let url = stalling_server(Duration::from_secs(1)).await;
    let folder = tempfile::tempdir().unwrap();
    let secret = "a secret for tests, 32 bytes or more";
    let (output, run) = loadtest(
        folder.path(),
        &[
            "rush",
            "--target",
            &url,
            "--event",
            "5",
            "--jwt-secret",
            secret,
            "--people",
            "100",
            "--ramp-ms",
            "1000",
            "--processes",
            "2",
            "--no-audit",
        ],
    )
    .await;
    assert!(output.status.success(), "{}", words(&output));
    let run = run.unwrap();
    assert_eq!(run.counts.confirmed, 100, "{:?}", run.counts);
    // People came evenly during the second in which the server answered nobody, so half of them have waited
    // for at least half a second. A client that waited for answers before it sent more would have measured
    // one long wait and 99 short ones.
    let waited = run.latency.winners;
    assert!(waited.p50_us >= 400_000, "{waited:?}");
    assert!(waited.max_us >= 950_000, "{waited:?}");
    assert!(run.audit.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unanswered_request_counts_as_an_error() {
    let url = stalling_server(Duration::from_hours(1)).await;
    let folder = tempfile::tempdir().unwrap();
    let secret = "a secret for tests, 32 bytes or more";
    let (output, run) = loadtest(
        folder.path(),
        &[
            "rush",
            "--target",
            &url,
            "--event",
            "5",
            "--jwt-secret",
            secret,
            "--people",
            "10",
            "--ramp-ms",
            "100",
            "--processes",
            "1",
            "--no-audit",
            "--patience-s",
            "1",
        ],
    )
    .await;
    assert!(output.status.success(), "{}", words(&output));
    let run = run.unwrap();
    assert_eq!((run.counts.confirmed, run.counts.final_errors), (0, 10), "{:?}", run.counts);
    assert_eq!(run.counts.errors["timed out"], 10, "{:?}", run.counts);
}
