//! Callers who hang up while they are being served.

use neticket_testkit::tokio::io::AsyncWriteExt as _;
use neticket_testkit::tokio::net::TcpStream;
use neticket_testkit::{Locks, Parts, Site, World, sql, tokio, until};

/// How many of this database's connections wait for locks of rows, or are about to.
const WAITING: &str = "SELECT COUNT(*) FROM information_schema.PROCESSLIST \
    WHERE DB = DATABASE() AND ID <> CONNECTION_ID() AND INFO LIKE '%FOR UPDATE%'";

/// How many connections the node has, as it says it.
async fn connections(site: &Site) -> Option<String> {
    let numbers = site.get("/metrics", None).await.text;
    numbers.lines().find(|line| line.starts_with("neticket_http_connections ")).map(str::to_owned)
}

/// Half of it would be a pause that the ledger does not know of, under a lease that nobody gives back.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_is_done_to_its_end_though_whoever_asked_hangs_up() {
    let mut world = World::new(Parts::Shared).await;
    world.config.engine.task_interval_ms = 60_000; // nobody does anything unasked
    let site = world.site().await;
    let token = site.admin(1).await.token;
    let event = world.event_on_sale(&[10], 4).await;
    world.install(&world.snapshot(event.id).await).await;
    let epoch = world.ledger.view(event.id).await.unwrap().unwrap().epoch;
    let locks = Locks::of(&world, event.id);
    let before = connections(&site).await;
    let mut caller = TcpStream::connect(site.url.trim_start_matches("http://")).await.unwrap();
    let path = format!("/api/v1/admin/inventory/{}/pause", event.id);
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n"
    );
    caller.write_all(request.as_bytes()).await.unwrap();
    until("the pause waits for the rows", async || sql(&world, WAITING).trim() == "1").await;
    caller.set_zero_linger().unwrap();
    drop(caller); // with a reset, as by somebody whose machine has crashed
    until("the node has noticed", async || connections(&site).await == before).await;
    locks.let_go(&world);
    until("the ledger is of a pause", async || {
        world.ledger.view(event.id).await.unwrap().is_some_and(|view| view.paused && view.epoch > epoch)
    })
    .await;
    world.finish().await;
}
