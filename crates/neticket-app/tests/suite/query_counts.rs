//! How many statements and transactions the store runs: few for many concurrent bookings or cancels, and the
//! same number for a page of any size. A MariaDB server that no other test uses counts them.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;
use neticket_app::EventSearch;
use neticket_testkit::{Backends, Locks, TestEnv, sql, tickets_of, until};
use tokio::task::block_in_place;

use crate::own_servers::{OwnMariaDb, own_mariadb};

/// How many bookings come concurrently.
const BOOKINGS: usize = 500;
/// Most transactions that they may cost: one for a batch of 500, and those that had begun before it.
const COMMITS_MAX: u64 = 10;
/// Most statements of one kind that the same number of cancels may cost: a few for each of a few batches.
const CANCEL_STATEMENTS_MAX: u64 = 100;
/// The metric of the cancels that wait in the queue.
const QUEUED_CANCELS: &str = "neticket_queued_reservations{stage=\"cancel\"} ";
/// How many events the long page has.
const EVENTS: usize = 100;

/// The counters of MariaDB since it started.
pub(crate) struct Counts(BTreeMap<String, u64>);

impl Counts {
    pub(crate) fn read(env: &TestEnv) -> Self {
        let status = block_in_place(|| sql(env, "SHOW GLOBAL STATUS LIKE 'Com\\_%'"));
        let counts = status.lines().filter_map(|line| line.split_once('\t'));
        Self(counts.map(|(name, count)| (name.to_owned(), count.parse().expect("a count"))).collect())
    }

    /// How many more commands of this kind were counted between `self` and `now`.
    pub(crate) fn increase(&self, now: &Self, command: &str) -> u64 {
        let name = format!("Com_{command}");
        now.0[&name] - self.0[&name]
    }
}

/// An environment with its own MariaDB, whose background tasks do not use it during the test.
pub(crate) async fn with_own_mariadb() -> (TestEnv, OwnMariaDb) {
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.engine.task_interval_ms = 60_000;
    env.config.engine.ack_deadline_ms = 20_000;
    let mariadb = own_mariadb(&mut env).await;
    (env, mariadb)
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_concurrent_bookings_run_few_transactions() {
    let (mut env, _mariadb) = with_own_mariadb().await;
    let app = env.node().await;
    let event = env.event_on_sale(&[1_000], 4).await;
    let (users, ticket_type) = (env.users(BOOKINGS).await, event.ticket_types[0].id);
    // Loads the ledger and caches the names.
    app.reservation_create(users[0], None, tickets_of(ticket_type, 1)).await.unwrap();
    let before = Counts::read(&env);
    // All bookings arrive while the store is busy, however fast it is.
    let locks = Locks::of(&env, event.id);
    let mut bookings = Vec::new();
    for user in &users {
        let (app, user) = (Arc::clone(&app), *user);
        bookings.push(tokio::spawn(async move {
            app.reservation_create(user, None, tickets_of(ticket_type, 1)).await
        }));
    }
    until("all have their seats and wait for the store", async || {
        env.ledger.view(event.id).await.unwrap().unwrap().journal_len == 500
    })
    .await;
    locks.release(&env);
    for booking in bookings {
        booking.await.unwrap().unwrap();
    }
    let after = Counts::read(&env);
    for (command, most) in
        [("commit", COMMITS_MAX), ("insert", COMMITS_MAX), ("update", COMMITS_MAX), ("select", 20)]
    {
        let count = before.increase(&after, command);
        assert!(count <= most, "{BOOKINGS} bookings cost {count} × {command}");
    }
    assert!(before.increase(&after, "commit") > 0, "the expected statements are counted");
    assert_eq!(env.confirmed(&event).await, [501]);
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_size_of_a_page_does_not_change_its_number_of_queries() {
    let (mut env, _mariadb) = with_own_mariadb().await;
    let app = env.node().await;
    let user = env.user(0).await;
    for _ in 0..EVENTS {
        let event = env.event_on_sale(&[10, 10], 4).await;
        app.reservation_create(user, None, tickets_of(event.ticket_types[0].id, 1)).await.unwrap();
        until("the booking is settled and no longer looked up as pending", async || {
            env.ledger.view(event.id).await.unwrap().unwrap().journal_len == 0
        })
        .await;
    }
    let mut costs = Vec::new();
    for size in [1_u32, 10, 100] {
        let (search, len) =
            (EventSearch { page: 1, size, ..EventSearch::default() }, usize::try_from(size).unwrap());
        let before = Counts::read(&env);
        assert_eq!(app.events_page(&search).await.unwrap().items.len(), len);
        let events = Counts::read(&env);
        assert_eq!(app.admin_events_page(&search).await.unwrap().items.len(), len);
        let admin = Counts::read(&env);
        assert_eq!(app.reservations_page(user, 1, size).await.unwrap().items.len(), len);
        let own = Counts::read(&env);
        costs.push(
            [(&before, &events), (&events, &admin), (&admin, &own)].map(|(a, b)| a.increase(b, "select")),
        );
    }
    assert_eq!(
        [costs[1], costs[2]],
        [costs[0]; 2],
        "pages of events, of events for administrators and of reservations"
    );
    assert!(costs[0].iter().all(|queries| (1..=5).contains(queries)), "{:?}", costs[0]);
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_concurrent_cancels_run_few_statements() {
    let (mut env, mariadb) = with_own_mariadb().await;
    let app = env.node().await;
    let event = env.event_on_sale(&[1_000], 4).await;
    let (users, ticket_type) = (env.users(BOOKINGS).await, event.ticket_types[0].id);
    let bookings = users.iter().map(|user| app.reservation_create(*user, None, tickets_of(ticket_type, 1)));
    let booked = join_all(bookings).await.into_iter().map(|booked| booked.unwrap().reservation.id);
    let booked: Vec<_> = users.iter().copied().zip(booked).collect();
    let before = Counts::read(&env);
    // All cancels arrive while the store is busy, however fast it is.
    mariadb.server.pause().unwrap();
    let mut cancels = Vec::new();
    for (user, id) in booked {
        let app = Arc::clone(&app);
        cancels.push(tokio::spawn(async move { app.reservation_cancel(user, id).await }));
    }
    until("all but the first ones wait", async || {
        let mut numbers = String::new();
        app.metrics().register().write(&mut numbers);
        let queued = numbers.lines().find_map(|line| line.strip_prefix(QUEUED_CANCELS));
        queued
            .and_then(|queued| queued.trim().parse().ok())
            .is_some_and(|queued: usize| queued > BOOKINGS / 2)
    })
    .await;
    mariadb.server.resume().unwrap();
    for cancel in cancels {
        cancel.await.unwrap().unwrap();
    }
    let after = Counts::read(&env);
    for command in ["commit", "select", "update", "insert"] {
        let count = before.increase(&after, command);
        assert!(count <= CANCEL_STATEMENTS_MAX, "{BOOKINGS} cancels cost {count} × {command}");
    }
    assert!(before.increase(&after, "commit") > 0, "the expected statements are counted");
    assert_eq!(env.confirmed(&event).await, [0]);
    env.finish().await;
}
