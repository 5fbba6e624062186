//! Clients that disconnect before they are answered.

use neticket_testkit::app::App;
use neticket_testkit::servers::Redis;
use neticket_testkit::tokio::io::AsyncWriteExt as _;
use neticket_testkit::tokio::net::TcpStream;
use neticket_testkit::{Locks, Parts, Site, World, sql, tokio, until};

/// How many connections of this database wait for row locks, or are about to.
const WAITING: &str = "SELECT COUNT(*) FROM information_schema.PROCESSLIST \
    WHERE DB = DATABASE() AND ID <> CONNECTION_ID() AND INFO LIKE '%FOR UPDATE%'";

/// The value of a metric on `/metrics`, by its name and labels.
async fn number(site: &Site, name: &str) -> u64 {
    let numbers = site.get("/metrics", None).await.text;
    let number = numbers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    number.unwrap_or_else(|| panic!("{name} in {numbers}")).parse().unwrap()
}

const DISCONNECTS: &str = "neticket_http_disconnects_total";

/// Sends a request and does not read the answer.
async fn send(site: &Site, request: &str) -> TcpStream {
    let mut client = TcpStream::connect(site.url.trim_start_matches("http://")).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

/// Closes the connection with a reset, as the operating system does for a client that has crashed.
fn reset(client: TcpStream) {
    client.set_zero_linger().unwrap();
    drop(client);
}

async fn queued(site: &Site) -> u64 {
    number(site, "neticket_queued_reservations{stage=\"admit\"}").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_disconnects_before_its_turn_takes_no_seats() {
    let mut world = World::new(Parts::Shared).await;
    let redis = tokio::task::block_in_place(|| Redis::default().start()).expect("a Redis");
    world.config.redis_url = Some(redis.url());
    world.ledger = App::open_ledger(&world.config).expect("a ledger");
    // One booking is at the ledger and all others wait in the queue, in any order.
    world.config.engine.admit_batches_max = 1;
    world.config.engine.batch_len_max = 1;
    world.config.engine.ledger_timeout_ms = 30_000;
    world.config.engine.ack_deadline_ms = 30_000;
    world.config.engine.grace_ms = 60_000;
    let site = world.site().await;
    let event = world.event_on_sale(&[10], 4).await;
    let body = format!(r#"{{"ticket_type_id":{},"quantity":1}}"#, event.ticket_types[0].id);
    let mut requests = Vec::new();
    for n in 1..=4 {
        let token = site.person(n).await.token;
        let len = body.len();
        requests.push(format!(
            "POST /api/v1/reservations HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {len}\r\n\r\n{body}"
        ));
    }
    let warm = send(&site, &requests[0]).await;
    let left = async || {
        let view = world.ledger.view(event.id).await.unwrap();
        view.filter(|view| view.pending == 0).map(|view| view.ticket_types[0].left)
    };
    until("the ledger is loaded and the first booking settled", async || left().await == Some(9)).await;
    drop(warm);
    redis.pause().unwrap();
    let stay = [send(&site, &requests[0]).await, send(&site, &requests[1]).await];
    until("one is at the ledger, and one waits", async || queued(&site).await == 1).await;
    let third = send(&site, &requests[2]).await;
    until("the third one waits", async || queued(&site).await == 2).await;
    let last = send(&site, &requests[3]).await;
    until("the last one waits", async || queued(&site).await == 3).await;
    reset(third);
    until("the node has noticed", async || number(&site, DISCONNECTS).await == 1).await;
    redis.resume().unwrap();
    // The node admits in order. When the last booking is settled, the earlier ones are admitted or dropped.
    until("the others are booked", async || left().await == Some(6)).await;
    assert_eq!(world.confirmed(&event).await, [4]);
    assert_eq!(number(&site, "neticket_bookings_total{outcome=\"disconnected\"}").await, 1);
    drop((stay, last));
    world.finish().await;
}

/// A half-finished action would leave a pause that the ledger does not know of, and a lease that nobody gives
/// back.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_is_done_to_its_end_though_whoever_asked_hangs_up() {
    let mut world = World::new(Parts::Shared).await;
    world.config.engine.task_interval_ms = 60_000; // no background task interferes
    let site = world.site().await;
    let token = site.admin(1).await.token;
    let event = world.event_on_sale(&[10], 4).await;
    world.install(&world.snapshot(event.id).await).await;
    let epoch = world.ledger.view(event.id).await.unwrap().unwrap().epoch;
    let locks = Locks::of(&world, event.id);
    let path = format!("/api/v1/admin/inventory/{}/pause", event.id);
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n"
    );
    let client = send(&site, &request).await;
    until("the pause waits for the rows", async || sql(&world, WAITING).trim() == "1").await;
    reset(client);
    until("the node has noticed", async || number(&site, DISCONNECTS).await == 1).await;
    locks.let_go(&world);
    until("the ledger is of a pause", async || {
        world.ledger.view(event.id).await.unwrap().is_some_and(|view| view.paused && view.epoch > epoch)
    })
    .await;
    world.finish().await;
}
