//! A Redis Cluster of which one master loses its data. Bookings that are pending on the other masters are
//! finished.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use neticket_app::{App, AppError, ReservationState};
use neticket_testkit::domain::ReservationId;
use neticket_testkit::servers::{RedisCluster, Server};
use neticket_testkit::store::EventRecord;
use neticket_testkit::{Backends, TestEnv, until};
use tokio::task::block_in_place;
use uuid::Uuid;

use crate::own_servers::{admit, with_fast_recovery};

/// A timeout for tests that do not wait for it, because the machine may be busy.
const LONG_MS: u64 = 20_000;
/// A timeout for tests that wait for it.
const SHORT_MS: u64 = 2_000;

/// Gives the environment its own cluster.
fn own_cluster(env: &mut TestEnv, timeout_ms: u64) -> RedisCluster {
    let cluster = block_in_place(RedisCluster::start).expect("a cluster");
    env.config.redis_url = Some(cluster.url());
    env.config.engine.ledger_timeout_ms = timeout_ms;
    env.ledger = App::open_ledger(&env.config).expect("a ledger");
    cluster
}

/// Sends a command and returns the first line of the answer.
fn ask(server: &Server, command: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// The index of the master that has this key.
fn master_of(cluster: &RedisCluster, key: &str) -> usize {
    let slot = ask(&cluster.masters[0], &format!("CLUSTER KEYSLOT {key}"));
    match slot.trim_start_matches(':').parse().unwrap() {
        0..=5_460_u16 => 0,
        5_461..=10_922 => 1,
        _ => 2,
    }
}

/// The master that has the list of loaded events.
fn master_of_the_list<'a>(env: &TestEnv, cluster: &'a RedisCluster) -> &'a Server {
    &cluster.masters[master_of(cluster, &format!("{}:2:loaded", env.config.redis_prefix))]
}

/// An event that is on sale and loaded, and whose ledger is on another master than the list.
async fn event_elsewhere(env: &TestEnv, cluster: &RedisCluster) -> EventRecord {
    let list = master_of(cluster, &format!("{}:2:loaded", env.config.redis_prefix));
    loop {
        let event = env.event_on_sale(&[10], 4).await;
        if master_of(cluster, &format!("{{{}}}", event.id)) != list {
            env.install(&env.snapshot(event.id).await).await;
            return event;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_finishes_a_journal_after_the_master_with_the_event_list_lost_its_data() {
    let mut env = with_fast_recovery(Backends::Shared).await;
    let cluster = own_cluster(&mut env, LONG_MS);
    let event = event_elsewhere(&env, &cluster).await;
    let user = env.user(0).await;
    let id = admit(&env, event.id, user, event.ticket_types[0].id).await;
    assert_eq!(ask(master_of_the_list(&env, &cluster), "FLUSHALL"), "+OK");
    assert_eq!(env.ledger.view(event.id).await.unwrap().unwrap().journal_len, 1, "the ledger is intact");

    let app = env.node().await;
    until("the booking is confirmed", async || {
        app.reservation(user, id).await.is_ok_and(|found| found.state == ReservationState::Confirmed)
    })
    .await;
    until("the journal is empty", async || {
        env.ledger.view(event.id).await.unwrap().is_some_and(|view| view.journal_len == 0)
    })
    .await;
    assert_eq!(env.confirmed(&event).await, [2]);
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_reservation_is_found_after_the_master_with_the_event_list_lost_its_data() {
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.engine.task_interval_ms = 60_000; // no recovery
    let cluster = own_cluster(&mut env, LONG_MS);
    let event = event_elsewhere(&env, &cluster).await;
    let (app, user) = (env.node().await, env.user(0).await);
    let id = admit(&env, event.id, user, event.ticket_types[0].id).await;
    assert_eq!(ask(master_of_the_list(&env, &cluster), "FLUSHALL"), "+OK");
    assert_eq!(app.reservation(user, id).await.unwrap().state, ReservationState::Pending);
    let unknown = app.reservation(user, ReservationId(Uuid::new_v4())).await;
    assert!(matches!(unknown, Err(AppError::NotFound)), "{unknown:?}");
    let own = app.reservations_page(user, 1, 10).await.unwrap();
    assert_eq!(own.items.iter().map(|item| item.id).collect::<Vec<_>>(), [id]);
    env.ledger.drop_for_test(event.id).await.unwrap();
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_is_not_reported_missing_while_the_event_list_is_incomplete() {
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.engine.task_interval_ms = 60_000;
    let cluster = own_cluster(&mut env, SHORT_MS);
    let event = event_elsewhere(&env, &cluster).await;
    let (app, user) = (env.node().await, env.user(0).await);
    let id = admit(&env, event.id, user, event.ticket_types[0].id).await;
    let (list, ledger) =
        (master_of_the_list(&env, &cluster), master_of(&cluster, &format!("{{{}}}", event.id)));
    assert_eq!(ask(list, "FLUSHALL"), "+OK");
    let silent = &cluster.masters[ledger];
    silent.pause().unwrap();
    let unknown = app.reservation(user, id).await;
    silent.resume().unwrap();
    assert!(matches!(unknown, Err(AppError::LedgerUnavailable(_))), "{unknown:?}");
    until("the reservation is found", async || {
        app.reservation(user, id).await.is_ok_and(|found| found.state == ReservationState::Pending)
    })
    .await;
    env.ledger.drop_for_test(event.id).await.unwrap();
    env.finish().await;
}
