//! What a node still answers while its database or its Redis does not: nobody waits for what they do not need.

use std::time::{Duration, Instant};

use neticket_testkit::app::App;
use neticket_testkit::servers::{MariaDb, Redis, Server, TestDatabase};
use neticket_testkit::store::Store;
use neticket_testkit::{Parts, Site, World};
use serde_json::json;

use crate::reservations::book;

/// Losers of each kind.
const PEOPLE: usize = 5;
/// What the ledger is given here to answer.
const LEDGER_TIMEOUT: Duration = Duration::from_secs(1);
/// What a reader gives it.
const READER_PATIENCE: Duration = Duration::from_millis(200);
/// Readers after the first.
const READERS: u32 = 50;
/// How long anything here may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// A database server of the test's own, so that it can be stopped.
async fn own_database() -> (Server, TestDatabase) {
    let start = || {
        let server = MariaDb::default().start().expect("a MariaDB");
        let database = TestDatabase::create_on(&server.url()).expect("a database");
        (server, database)
    };
    tokio::task::spawn_blocking(start).await.expect("it starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sold_out_answer_runs_no_query() {
    let (server, database) = own_database().await;
    let mut world = World::new(Parts::Shared).await;
    world.config.database_url = database.url();
    world.store = Store::connect(&App::store_options(&world.config)).await.unwrap();
    world.store.migrate().await.unwrap();
    let site = world.site().await;
    let event = world.event_on_sale(&[1], 4).await;
    let mut tokens = Vec::new();
    for n in 0..=PEOPLE {
        tokens.push(site.person(n).await.token);
    }
    let wish = json!({"ticket_type_id": event.ticket_types[0].id, "quantity": 1});
    assert_eq!(book(&site, &tokens[0], None, wish.clone()).await.status, 201);

    server.pause().unwrap();
    for token in &tokens[1..] {
        for key in [None, Some("key")] {
            assert_eq!(book(&site, token, key, wish.clone()).await.code(), "sold_out");
        }
    }
    server.resume().unwrap();
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_do_not_wait_for_the_ledger_timeout_while_the_ledger_is_down() {
    let redis = tokio::task::spawn_blocking(|| Redis::default().start().expect("a Redis")).await.unwrap();
    let mut world = World::new(Parts::Shared).await;
    world.config.redis_url = Some(redis.url());
    world.config.engine.ledger_timeout_ms = u64::try_from(LEDGER_TIMEOUT.as_millis()).unwrap();
    world.ledger = App::open_ledger(&world.config).unwrap();
    let site = world.site().await;
    let event = world.event_on_sale(&[7], 4).await;
    let path = format!("/api/v1/events/{}", event.id);
    assert_eq!(site.get(&path, None).await.status, 200);

    redis.pause().unwrap();
    // One finds out, for everyone, and does not wait for as long as a booking would.
    let deadline = Instant::now() + DEADLINE;
    loop {
        let took = time_of_a_read(&site, &path).await;
        assert!(took < LEDGER_TIMEOUT, "a reader waited for {took:?}");
        if took >= READER_PATIENCE {
            break;
        }
        assert!(Instant::now() < deadline, "nobody asked the ledger");
    }
    // If each waited, it would be a time-out for each; a busy machine is slow too, but not that slow.
    let begun = Instant::now();
    for _ in 0..READERS {
        let answer = site.get(&path, None).await;
        assert_eq!((answer.status, &answer.json()["ticket_types"][0]["left"]), (200, &json!(7)));
    }
    assert!(begun.elapsed() < READERS * LEDGER_TIMEOUT / 3, "{:?}", begun.elapsed());
    redis.resume().unwrap();
    world.finish().await;
}

async fn time_of_a_read(site: &Site, path: &str) -> Duration {
    let begun = Instant::now();
    assert_eq!(site.get(path, None).await.status, 200);
    begun.elapsed()
}
