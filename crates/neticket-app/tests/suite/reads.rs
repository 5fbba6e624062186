//! Reads by a crowd: one query for all concurrent readers, the same data on every node a moment after a
//! change, and no waiting for a Redis that does not answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use neticket_app::{App, AvailabilityFeed, EventSearch, EventView, Principal};
use neticket_domain::{EventId, EventStatus, Role, Timestamp};
use neticket_testkit::{Backends, TestEnv, on_both, sql, tickets_of, until};
use tokio::task::block_in_place;
use uuid::Uuid;

use crate::own_servers::{own_mariadb, own_redis};
use crate::query_counts::{Counts, with_own_mariadb};

/// How many readers ask concurrently.
const CROWD: usize = 1_000;
/// The queries of one read of an event: the event, and its ticket types.
const QUERIES_OF_AN_EVENT: u64 = 2;
/// How late another node may show a change.
const SEEN_WITHIN: Duration = Duration::from_secs(1);
/// How long a reader may wait while Redis does not answer: the timeout for readers.
const READER_TIMEOUT: Duration = Duration::from_millis(200);
/// How much longer it may take on a busy machine.
const SLACK: Duration = Duration::from_millis(400);

async fn crowd(app: &Arc<App>, event: EventId, count: usize) {
    let mut readers = Vec::new();
    for _ in 0..count {
        let app = Arc::clone(app);
        readers.push(tokio::spawn(async move { app.event(event).await.unwrap().summary.title }));
    }
    for title in join_all(readers).await {
        assert_eq!(title.unwrap(), "한여름 밤의 꿈");
    }
}

async fn admin(env: &TestEnv) -> Principal {
    Principal { user: env.user(99).await, role: Role::Admin, session: Uuid::nil() }
}

async fn title(app: &App, event: EventId) -> String {
    app.event(event).await.unwrap().summary.title
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_concurrent_cache_misses_run_one_query_for_all_nodes() {
    let (mut env, _mariadb) = with_own_mariadb().await;
    let (one, other) = (env.node().await, env.node().await);
    let event = env.event_on_sale(&[10], 4).await;
    let before = Counts::read(&env);
    crowd(&one, event.id, CROWD).await;
    let first = Counts::read(&env);
    assert_eq!(before.increase(&first, "select"), QUERIES_OF_AN_EVENT);
    crowd(&other, event.id, CROWD).await;
    let second = Counts::read(&env);
    assert_eq!(first.increase(&second, "select"), 0, "the other node uses the cached copy of the first");

    let event = env.event_on_sale(&[10], 4).await;
    let before = Counts::read(&env);
    tokio::join!(crowd(&one, event.id, CROWD), crowd(&other, event.id, CROWD));
    let both = Counts::read(&env);
    let queries = before.increase(&both, "select");
    assert!(
        (QUERIES_OF_AN_EVENT..=2 * QUERIES_OF_AN_EVENT).contains(&queries),
        "{queries} queries of two nodes"
    );

    let search = EventSearch { page: 1, size: 10, ..EventSearch::default() };
    let before = Counts::read(&env);
    join_all((0..CROWD).map(async |_| one.events_page(&search).await.unwrap().total_items)).await;
    let lists = before.increase(&Counts::read(&env), "select");
    assert_eq!(lists, 2, "one query for the page and one for the total");
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_visible_at_once_on_its_node_and_within_a_second_on_others() {
    let mut env = TestEnv::new(Backends::Shared).await;
    let (one, other) = (env.node().await, env.node().await);
    let event = env.event_on_sale(&[10], 4).await;
    let by = admin(&env).await;
    let search = EventSearch { page: 1, size: 10, ..EventSearch::default() };
    for (number, all) in [(1, false), (2, true), (3, false)] {
        for app in [&one, &other] {
            title(app, event.id).await;
            app.events_page(&search).await.unwrap();
        }
        let new = format!("제목 {number}");
        block_in_place(|| sql(&env, &format!("UPDATE events SET title = '{new}' WHERE id = {}", event.id)));
        let changed = Instant::now();
        if all { one.cache_clear(by, None).await } else { one.cache_clear_event(by, None, event.id).await }
            .unwrap();
        assert_eq!(title(&one, event.id).await, new);
        assert_eq!(one.events_page(&search).await.unwrap().items[0].title, new);
        until("the other node shows it", async || title(&other, event.id).await == new).await;
        until("the booking is in the list, too", async || {
            other.events_page(&search).await.unwrap().items[0].title == new
        })
        .await;
        assert!(changed.elapsed() < SEEN_WITHIN + SLACK, "{:?}", changed.elapsed());
    }
    let (entries, total) = env.store.audit_page(1, 10).await.unwrap();
    let actions: Vec<&str> = entries.iter().map(|record| record.entry.action.as_str()).collect();
    assert_eq!((actions, total), (vec!["cache_clear_event", "cache_clear", "cache_clear_event"], 3));
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clearing_the_cache_does_not_change_the_ledger() {
    let mut env = TestEnv::new(Backends::Shared).await;
    let app = env.node().await;
    let event = env.event_on_sale(&[10], 4).await;
    let (by, user) = (admin(&env).await, env.user(0).await);
    app.reservation_create(user, None, tickets_of(event.ticket_types[0].id, 2)).await.unwrap();
    let left = async || env.ledger.examine(event.id).await.unwrap().unwrap().view;
    until("the booking is settled", async || left().await.journal_len == 0).await;
    let before = left().await;
    app.cache_clear(by, None).await.unwrap();
    app.cache_clear_event(by, None, event.id).await.unwrap();
    assert_eq!(left().await, before, "the ledger is the same and has the same epoch");
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_redis_delays_only_the_first_readers_and_only_briefly() {
    let mut env = TestEnv::new(Backends::Shared).await;
    let redis = own_redis(&mut env);
    env.config.engine.task_interval_ms = 60_000;
    let app = env.node().await;
    let event = env.event_on_sale(&[10], 4).await;
    let user = env.user(0).await;
    app.reservation_create(user, None, tickets_of(event.ticket_types[0].id, 2)).await.unwrap();
    let left = async || app.event(event.id).await.unwrap().ticket_types[0].left;
    assert_eq!(left().await, 8);
    until("the booking is settled", async || {
        env.ledger.examine(event.id).await.unwrap().unwrap().view.journal_len == 0
    })
    .await;
    redis.pause().unwrap();
    let begun = Instant::now();
    let (mut reads, mut waits, mut longest) = (0_u32, 0_u32, Duration::ZERO);
    while begun.elapsed() < Duration::from_secs(10) {
        let asked = Instant::now();
        let shown = left().await;
        let took = asked.elapsed();
        assert_eq!(shown, 8, "the view is the last one of the ledger or the store's");
        reads += 1;
        waits += u32::from(took > READER_TIMEOUT / 2);
        longest = longest.max(took);
        tokio::time::sleep(Duration::from_millis(5)).await; // cached data expires meanwhile, repeatedly
    }
    assert!(
        reads > 100 && longest < 2 * READER_TIMEOUT + SLACK,
        "{reads} reads, the longest took {longest:?}"
    );
    // One wait for the ledger and one for the shared cache. A busy machine may be slow a few times.
    assert!(waits <= 5, "{waits} of {reads} readers waited");
    redis.resume().unwrap();
    let mut numbers = String::new();
    until("the node asks Redis again", async || {
        numbers.clear();
        app.metrics().register().write(&mut numbers);
        numbers
            .lines()
            .filter(|line| line.starts_with("neticket_breaker_open{"))
            .all(|line| line.ends_with(" 0"))
    })
    .await;
    app.reservation_create(user, None, tickets_of(event.ticket_types[0].id, 1)).await.unwrap();
    until("the seats left come from the ledger again", async || left().await == 7).await;
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_during_a_redis_outage_is_visible_at_once_on_its_node_and_later_on_others() {
    let mut env = TestEnv::new(Backends::Shared).await;
    let mariadb = own_mariadb(&mut env).await;
    let redis = own_redis(&mut env);
    env.config.engine.task_interval_ms = 60_000;
    let (one, other) = (env.node().await, env.node().await);
    let event = env.event_on_sale(&[10], 4).await;
    let by = admin(&env).await;
    title(&one, event.id).await;
    redis.pause().unwrap();
    sql(&env, &format!("UPDATE events SET title = 'new' WHERE id = {}", event.id));
    one.cache_clear_event(by, None, event.id).await.expect_err("the cache in Redis cannot be invalidated");
    assert_eq!(title(&one, event.id).await, "new");
    redis.resume().unwrap();
    let begun = Instant::now();
    until("the other node shows the change", async || {
        assert_eq!(
            title(&one, event.id).await,
            "new",
            "the old title never comes back, not even from the shared copy"
        );
        title(&other, event.id).await == "new"
    })
    .await;
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "the copy was replaced before it expired: {:?}",
        begun.elapsed()
    );
    env.finish().await;
    drop(mariadb);
}

/// What the watchers in these tests make of an event.
fn frame(view: &EventView, _now: Timestamp) -> (EventStatus, Vec<u32>) {
    (view.summary.status, view.ticket_types.iter().map(|t| t.left).collect())
}

fn ledger_reads(app: &App) -> u64 {
    let mut numbers = String::new();
    app.metrics().register().write(&mut numbers);
    let line =
        numbers.lines().find(|line| line.starts_with("neticket_ledger_views_total ")).expect("a count");
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

on_both! {
    async fn the_feed_reads_the_ledger_once_per_interval_while_anyone_watches(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[10], 4).await;
        let watchers = AvailabilityFeed::new(Arc::clone(&app), frame);
        let mut listeners = Vec::new();
        for _ in 0..CROWD {
            listeners.push(watchers.watch(event.id).await.unwrap());
        }
        assert_eq!(listeners[0].borrow().frame, (EventStatus::OnSale, vec![10]));
        let (before, begun) = (ledger_reads(&app), Instant::now());
        app.reservation_create(env.user(0).await, None, tickets_of(event.ticket_types[0].id, 3))
            .await
            .unwrap();
        for listener in &mut listeners {
            tokio::time::timeout(Duration::from_secs(10), listener.changed())
                .await
                .expect("the watcher is notified")
                .unwrap();
            assert_eq!(listener.borrow_and_update().frame.1, [7]);
        }
        until("some intervals have passed", async || begun.elapsed() > Duration::from_secs(2)).await;
        let reads = ledger_reads(&app) - before;
        let intervals = u64::try_from(begun.elapsed().as_millis() / 250).unwrap() + 1;
        assert!((2..=intervals).contains(&reads), "{reads} reads in {intervals} intervals");
        drop(listeners);
        let mut seen = ledger_reads(&app);
        let mut since = Instant::now();
        until("the feed stops reading the ledger", async || {
            if ledger_reads(&app) != seen {
                (seen, since) = (ledger_reads(&app), Instant::now());
            }
            since.elapsed() > Duration::from_secs(1)
        })
        .await;
        assert!(watchers.watch(EventId(987_654)).await.is_err(), "there is no such event");
        let again = watchers.watch(event.id).await.unwrap();
        assert_eq!(again.borrow().frame.1, [7]);
        env.finish().await;
    }

    async fn streams_end_when_the_node_stops(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[10], 4).await;
        let watchers = AvailabilityFeed::new(Arc::clone(&app), frame);
        let mut listener = watchers.watch(event.id).await.unwrap();
        app.end_streams();
        let end = async { while listener.changed().await.is_ok() {} };
        tokio::time::timeout(Duration::from_secs(5), end).await.expect("the stream ends");
        assert!(watchers.watch(event.id).await.is_err(), "no stream begins after the stop");
        env.finish().await;
    }

    async fn watchers_on_every_node_see_the_opening_within_a_second(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let nodes = [env.node().await, env.node().await];
        let opens_at = env.now().await.plus_millis(2_000);
        let event = env.event(opens_at, opens_at.plus_millis(86_400_000), &[10], 4).await;
        let watchers = nodes.each_ref().map(|app| AvailabilityFeed::new(Arc::clone(app), frame));
        for watchers in &watchers {
            let mut listener = watchers.watch(event.id).await.unwrap();
            assert_eq!(listener.borrow_and_update().frame.0, EventStatus::Scheduled);
        }
        let mut listeners =
            [watchers[0].watch(event.id).await.unwrap(), watchers[1].watch(event.id).await.unwrap()];
        for (listener, app) in listeners.iter_mut().zip(&nodes) {
            let open = listener.wait_for(|seen| seen.frame.0 == EventStatus::OnSale);
            drop(tokio::time::timeout(Duration::from_secs(10), open).await.expect("the sale opens").unwrap());
            let late_ms = env.now().await.millis_since(opens_at);
            assert!((0..1_000).contains(&late_ms), "notified {late_ms} ms after the opening");
            assert_eq!(app.event(event.id).await.unwrap().summary.status, EventStatus::OnSale);
        }
        env.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_survive_a_frozen_store_and_end_when_the_event_is_deleted() {
    let mut env = TestEnv::new(Backends::Shared).await;
    let mariadb = own_mariadb(&mut env).await;
    env.config.engine.task_interval_ms = 60_000;
    env.config.engine.ack_deadline_ms = 1_000;
    let app = env.node().await;
    let event = env.event_on_sale(&[10], 4).await;
    let users = env.users(2).await;
    app.reservation_create(users[0], None, tickets_of(event.ticket_types[0].id, 1)).await.unwrap();
    let watchers = AvailabilityFeed::new(Arc::clone(&app), frame);
    let mut listener = watchers.watch(event.id).await.unwrap();
    mariadb.server.pause().unwrap();
    let pending =
        app.reservation_create(users[1], None, tickets_of(event.ticket_types[0].id, 2)).await.unwrap();
    let change =
        tokio::time::timeout(Duration::from_secs(5), listener.wait_for(|seen| seen.frame.1 == [7])).await;
    drop(change.expect("the watcher is notified without the store").unwrap());
    mariadb.server.resume().unwrap();
    until("the booking is decided", async || env.confirmed(&event).await == [3]).await;
    drop(pending);
    let tables = ["reservations", "ticket_types"]
        .map(|table| format!("DELETE FROM {table} WHERE event_id = {}", event.id));
    for statement in tables {
        block_in_place(|| sql(&env, &statement));
    }
    block_in_place(|| sql(&env, &format!("DELETE FROM events WHERE id = {}", event.id)));
    app.cache_clear_event(admin(&env).await, None, event.id).await.unwrap();
    let end = async { while listener.changed().await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(5), end).await.expect("the stream ends");
    env.lose_ledger(event.id).await;
    env.finish().await;
}
