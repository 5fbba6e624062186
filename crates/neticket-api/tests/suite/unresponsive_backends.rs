//! What a node still answers while its database or its Redis does not answer. A request waits only for the
//! backends that it needs.

use std::time::{Duration, Instant};

use neticket_testkit::app::App;
use neticket_testkit::servers::{MariaDb, Redis, Server, TestDatabase};
use neticket_testkit::store::Store;
use neticket_testkit::{Backends, TestEnv, TestServer};
use serde_json::json;

use crate::reservations::book;

/// The number of people who find the event sold out. Each tries once without and once with a key.
const PEOPLE: usize = 5;
/// How long the ledger may take to answer in this test.
const LEDGER_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a reader waits for the ledger.
const READER_TIMEOUT: Duration = Duration::from_millis(200);
/// The number of readers after the first one.
const READERS: u32 = 50;
/// The deadline of each wait in this file.
const DEADLINE: Duration = Duration::from_secs(10);

/// A database server that belongs to this test, so that the test can stop it.
async fn own_database() -> (Server, TestDatabase) {
    let start = || {
        let mariadb = MariaDb::default().start().expect("a MariaDB");
        let database = TestDatabase::create_on(&mariadb.url()).expect("a database");
        (mariadb, database)
    };
    tokio::task::spawn_blocking(start).await.expect("the server starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sold_out_answer_runs_no_query() {
    let (mariadb, database) = own_database().await;
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.database_url = database.url();
    env.store = Store::connect(&App::store_options(&env.config)).await.unwrap();
    env.store.migrate().await.unwrap();
    let server = env.server().await;
    let event = env.event_on_sale(&[1], 4).await;
    let mut tokens = Vec::new();
    for n in 0..=PEOPLE {
        tokens.push(server.person(n).await.token);
    }
    let booking_body = json!({"ticket_type_id": event.ticket_types[0].id, "quantity": 1});
    assert_eq!(book(&server, &tokens[0], None, booking_body.clone()).await.status, 201);

    mariadb.pause().unwrap();
    for token in &tokens[1..] {
        for key in [None, Some("key")] {
            assert_eq!(book(&server, token, key, booking_body.clone()).await.code(), "sold_out");
        }
    }
    mariadb.resume().unwrap();
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_do_not_wait_for_the_ledger_timeout_while_the_ledger_is_down() {
    let redis = tokio::task::spawn_blocking(|| Redis::default().start().expect("a Redis")).await.unwrap();
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.redis_url = Some(redis.url());
    env.config.engine.ledger_timeout_ms = u64::try_from(LEDGER_TIMEOUT.as_millis()).unwrap();
    env.ledger = App::open_ledger(&env.config).unwrap();
    let server = env.server().await;
    let event = env.event_on_sale(&[7], 4).await;
    let path = format!("/api/v1/events/{}", event.id);
    assert_eq!(server.get(&path, None).await.status, 200);

    redis.pause().unwrap();
    // One reader discovers it for all, and waits less long than a booking would.
    let deadline = Instant::now() + DEADLINE;
    loop {
        let took = read_latency(&server, &path).await;
        assert!(took < LEDGER_TIMEOUT, "a reader waited for {took:?}");
        if took >= READER_TIMEOUT {
            break;
        }
        assert!(Instant::now() < deadline, "no read waited for the ledger in time");
    }
    // If each reader waited, each would take a whole timeout. A busy machine is slow too, but not that slow.
    let begun = Instant::now();
    for _ in 0..READERS {
        let answer = server.get(&path, None).await;
        assert_eq!((answer.status, &answer.json()["ticket_types"][0]["left"]), (200, &json!(7)));
    }
    assert!(begun.elapsed() < READERS * LEDGER_TIMEOUT / 3, "{:?}", begun.elapsed());
    redis.resume().unwrap();
    env.finish().await;
}

async fn read_latency(server: &TestServer, path: &str) -> Duration {
    let begun = Instant::now();
    assert_eq!(server.get(path, None).await.status, 200);
    begun.elapsed()
}
