//! Clients that disconnect before they are answered.

use neticket_testkit::app::App;
use neticket_testkit::servers::Redis;
use neticket_testkit::tokio::io::AsyncWriteExt as _;
use neticket_testkit::tokio::net::TcpStream;
use neticket_testkit::{Backends, Locks, TestEnv, TestServer, sql, tokio, until};

/// How many connections of this database wait for row locks, or are about to.
const WAITING: &str = "SELECT COUNT(*) FROM information_schema.PROCESSLIST \
    WHERE DB = DATABASE() AND ID <> CONNECTION_ID() AND INFO LIKE '%FOR UPDATE%'";

/// The value of a metric on `/metrics`, by its name and labels.
async fn metric(server: &TestServer, name: &str) -> u64 {
    let metrics = server.get("/metrics", None).await.text;
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{name} is missing in {metrics}")).parse().unwrap()
}

const DISCONNECTS: &str = "neticket_http_disconnects_total";

/// Sends a request and does not read the answer.
async fn send(server: &TestServer, request: &str) -> TcpStream {
    let mut client = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

/// Closes the connection with a reset, as the operating system does for a client that has crashed.
fn reset(client: TcpStream) {
    client.set_zero_linger().unwrap();
    drop(client);
}

async fn queued(server: &TestServer) -> u64 {
    metric(server, "neticket_queued_reservations{stage=\"admit\"}").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_disconnects_before_its_turn_takes_no_seats() {
    let mut env = TestEnv::new(Backends::Shared).await;
    let redis = tokio::task::block_in_place(|| Redis::default().start()).expect("a Redis");
    env.config.redis_url = Some(redis.url());
    env.ledger = App::open_ledger(&env.config).expect("a ledger");
    // One booking is at the ledger and all others wait in the queue, in any order.
    env.config.engine.admit_batches_max = 1;
    env.config.engine.batch_len_max = 1;
    env.config.engine.ledger_timeout_ms = 30_000;
    env.config.engine.ack_deadline_ms = 30_000;
    env.config.engine.grace_ms = 60_000;
    let server = env.server().await;
    let event = env.event_on_sale(&[10], 4).await;
    let body = format!(r#"{{"ticket_type_id":{},"quantity":1}}"#, event.ticket_types[0].id);
    let mut requests = Vec::new();
    for n in 1..=4 {
        let token = server.person(n).await.token;
        let len = body.len();
        requests.push(format!(
            "POST /api/v1/reservations HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {len}\r\n\r\n{body}"
        ));
    }
    let first = send(&server, &requests[0]).await;
    let left = async || {
        let view = env.ledger.view(event.id).await.unwrap();
        view.filter(|view| view.journal_len == 0).map(|view| view.ticket_types[0].left)
    };
    until("the ledger is loaded and the first booking settled", async || left().await == Some(9)).await;
    drop(first);
    redis.pause().unwrap();
    let stay = [send(&server, &requests[0]).await, send(&server, &requests[1]).await];
    until("one is at the ledger, and one waits", async || queued(&server).await == 1).await;
    let third = send(&server, &requests[2]).await;
    until("the third one waits", async || queued(&server).await == 2).await;
    let last = send(&server, &requests[3]).await;
    until("the last one waits", async || queued(&server).await == 3).await;
    reset(third);
    until("the node has noticed", async || metric(&server, DISCONNECTS).await == 1).await;
    redis.resume().unwrap();
    // The node admits in order. When the last booking is settled, the earlier ones are admitted or dropped.
    until("the others are booked", async || left().await == Some(6)).await;
    assert_eq!(env.confirmed(&event).await, [4]);
    assert_eq!(metric(&server, "neticket_bookings_total{outcome=\"disconnected\"}").await, 1);
    drop((stay, last));
    env.finish().await;
}

/// A half-finished action would leave a pause that the ledger does not know of, and a lease that nobody gives
/// back.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_runs_to_its_end_after_its_client_disconnects() {
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.engine.task_interval_ms = 60_000; // no background task interferes
    let server = env.server().await;
    let token = server.admin(1).await.token;
    let event = env.event_on_sale(&[10], 4).await;
    env.install(&env.snapshot(event.id).await).await;
    let epoch = env.ledger.view(event.id).await.unwrap().unwrap().epoch;
    let locks = Locks::of(&env, event.id);
    let path = format!("/api/v1/admin/inventory/{}/pause", event.id);
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n"
    );
    let client = send(&server, &request).await;
    until("the pause waits for the rows", async || sql(&env, WAITING).trim() == "1").await;
    reset(client);
    until("the node has noticed", async || metric(&server, DISCONNECTS).await == 1).await;
    locks.release(&env);
    until("the ledger is of a pause", async || {
        env.ledger.view(event.id).await.unwrap().is_some_and(|view| view.paused && view.epoch > epoch)
    })
    .await;
    env.finish().await;
}
