//! The answers while Redis or MariaDB does not answer or is overloaded: `503` in time, or `202`. Afterwards
//! everything continues by itself, and every booking is decided.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use neticket_app::{App, AppError, Booked, ReservationState};
use neticket_testkit::domain::{TicketTypeId, UserId};
use neticket_testkit::store::EventRecord;
use neticket_testkit::{Backends, TestEnv, on_both, sql, tickets_of, until};
use tokio::task::block_in_place;

use crate::own_servers::{admit, own_mariadb, own_redis, with_fast_recovery};

/// Every user books one ticket, all of them concurrently. A user has the same key at every call.
async fn all_book(
    app: &Arc<App>,
    users: &[UserId],
    ticket_type: TicketTypeId,
) -> Vec<Result<Booked, AppError>> {
    let bookings =
        users.iter().map(|user| app.reservation_create(*user, Some("once"), tickets_of(ticket_type, 1)));
    join_all(bookings).await
}

/// Every user repeats the booking until it is confirmed. Nobody gets more than one.
async fn all_are_decided(env: &TestEnv, app: &Arc<App>, users: &[UserId], event: &EventRecord) {
    let ticket_type = event.ticket_types[0].id;
    until("all bookings are confirmed", async || {
        let confirmed = |booked: &Booked| matches!(booked.reservation.state, ReservationState::Confirmed);
        let outcomes = all_book(app, users, ticket_type).await;
        outcomes.iter().all(|outcome| outcome.as_ref().is_ok_and(confirmed))
    })
    .await;
    assert_eq!(env.confirmed(event).await, [u64::try_from(users.len()).unwrap()]);
}

on_both! {
    async fn a_full_queue_refuses_a_booking_at_once(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.queue_len_max = 1;
        env.config.engine.batch_len_max = 1;
        let app = env.node().await;
        let event = env.event_on_sale(&[100], 4).await;
        let users = env.users(60).await;
        app.reservation_create(users[0], Some("once"), tickets_of(event.ticket_types[0].id, 1))
            .await
            .unwrap();
        let began = Instant::now();
        let mut first_refusal = None;
        let bookings = users.iter().map(async |user| {
            let outcome =
                app.reservation_create(*user, Some("once"), tickets_of(event.ticket_types[0].id, 1)).await;
            (outcome, began.elapsed())
        });
        let outcomes = join_all(bookings).await;
        for (outcome, after) in &outcomes {
            match outcome {
                Ok(_) => {}
                Err(AppError::Overloaded) => first_refusal = first_refusal.min(Some(*after)).or(Some(*after)),
                Err(other) => panic!("{other:?}"),
            }
        }
        let ack_deadline = Duration::from_millis(env.config.engine.ack_deadline_ms);
        assert!(first_refusal.expect("the queue has no room for 60 requests") < ack_deadline);
        let taken = outcomes.iter().filter(|(outcome, _)| outcome.is_ok()).count();
        assert_eq!(
            env.confirmed(&event).await,
            [u64::try_from(taken).unwrap()],
            "refused users have no reservation"
        );
        let repeated = async || {
            for user in &users {
                let again = app
                    .reservation_create(*user, Some("once"), tickets_of(event.ticket_types[0].id, 1))
                    .await;
                again.expect("the queue has room for one request at a time");
            }
        };
        repeated().await;
        assert_eq!(env.confirmed(&event).await, [60]);
        env.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_redis_makes_bookings_unavailable_until_it_answers_again() {
    let mut env = with_fast_recovery(Backends::Shared).await;
    let redis = own_redis(&mut env);
    env.config.engine.ledger_timeout_ms = 300;
    let app = env.node().await;
    let (event, users) = (env.event_on_sale(&[100], 4).await, env.users(10).await);
    let ticket_type = event.ticket_types[0].id;
    app.reservation_create(users[0], Some("once"), tickets_of(ticket_type, 1)).await.unwrap();
    let left_behind = admit(&env, event.id, users[1], ticket_type).await;
    redis.pause().unwrap();
    let began = Instant::now();
    for outcome in all_book(&app, &users[1..], ticket_type).await {
        assert!(matches!(outcome, Err(AppError::LedgerUnavailable(_))), "{outcome:?}");
    }
    assert!(matches!(app.ready().await, Err(AppError::LedgerUnavailable(_))));
    let listed = app.reservations_page(users[0], 1, 10).await.unwrap();
    assert_eq!(listed.total_items, 1, "reservations in the store are shown");
    app.event(event.id).await.expect("events are shown");
    assert!(began.elapsed() < Duration::from_secs(5), "the calls failed fast: {:?}", began.elapsed());
    assert!(App::redis_eviction_policy(&env.config).await.is_err(), "the check times out");
    assert!(App::redis_persists(&env.config).await.is_err());
    redis.resume().unwrap();
    until("the node works again", async || app.ready().await.is_ok()).await;
    until("the booking left in the journal is recovered", async || {
        app.reservation(users[1], left_behind)
            .await
            .is_ok_and(|seen| seen.state == ReservationState::Confirmed)
    })
    .await;
    for user in &users {
        let again = app.reservation_create(*user, Some("once"), tickets_of(ticket_type, 1)).await.unwrap();
        assert_eq!(again.reservation.state, ReservationState::Confirmed);
    }
    assert_eq!(env.confirmed(&event).await, [12]);
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_reconnect_to_a_restarted_redis() {
    let mut env = with_fast_recovery(Backends::Shared).await;
    let mut redis = own_redis(&mut env);
    let app = env.node().await;
    let (event, users) = (env.event_on_sale(&[100], 4).await, env.users(10).await);
    let ticket_type = event.ticket_types[0].id;
    app.reservation_create(users[0], Some("once"), tickets_of(ticket_type, 1)).await.unwrap();
    let left_behind = admit(&env, event.id, users[0], ticket_type).await;
    block_in_place(|| redis.stop()).unwrap();
    for outcome in all_book(&app, &users[1..], ticket_type).await {
        assert!(matches!(outcome, Err(AppError::LedgerUnavailable(_))), "{outcome:?}");
    }
    block_in_place(|| redis.restart()).unwrap();
    until("the booking in the persisted journal is recovered", async || {
        app.reservation(users[0], left_behind)
            .await
            .is_ok_and(|seen| seen.state == ReservationState::Confirmed)
    })
    .await;
    for user in &users {
        app.reservation_create(*user, Some("once"), tickets_of(ticket_type, 1)).await.unwrap();
    }
    assert_eq!(env.confirmed(&event).await, [12]);
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_booking_is_never_reported_missing_during_a_redis_restart() {
    let mut env = TestEnv::new(Backends::Shared).await;
    let mut redis = own_redis(&mut env);
    env.config.engine.task_interval_ms = 60_000; // no other load
    let app = env.node().await;
    let (event, users) = (env.event_on_sale(&[100], 4).await, env.users(2).await);
    let ticket_type = event.ticket_types[0].id;
    let stored =
        app.reservation_create(users[0], None, tickets_of(ticket_type, 1)).await.unwrap().reservation;
    let pending = admit(&env, event.id, users[0], ticket_type).await;
    until("the booking is seen as pending", async || {
        app.reservation(users[0], pending).await.is_ok_and(|seen| seen.state == ReservationState::Pending)
    })
    .await;
    block_in_place(|| redis.restart()).unwrap();
    let unknown = neticket_testkit::domain::ReservationId(uuid::Uuid::new_v4());
    for _ in 0..50 {
        for (user, id) in [(users[0], pending), (users[1], unknown)] {
            let seen = app.reservation(user, id).await;
            assert!(matches!(seen, Err(AppError::LedgerUnavailable(_))), "{seen:?}");
        }
        assert_eq!(app.reservation(users[0], stored.id).await.unwrap().id, stored.id);
        let listed = app.reservations_page(users[0], 1, 10).await.unwrap();
        assert_eq!(listed.items.iter().map(|item| item.id).collect::<Vec<_>>(), [stored.id]);
        tokio::time::sleep(Duration::from_millis(10)).await; // longer than any view is cached
    }
    env.config.engine.grace_ms = 50;
    env.config.engine.task_interval_ms = 20;
    let other = env.node().await;
    until("the booking is recovered", async || {
        let seen = app.reservation(users[0], pending).await;
        assert!(!matches!(seen, Err(AppError::NotFound)));
        seen.is_ok_and(|seen| seen.state == ReservationState::Confirmed)
    })
    .await;
    until("an unknown reservation is not found again", async || {
        matches!(other.reservation(users[1], unknown).await, Err(AppError::NotFound))
    })
    .await;
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_mariadb_makes_bookings_pending_until_it_answers_again() {
    let mut env = with_fast_recovery(Backends::Shared).await;
    let mariadb = own_mariadb(&mut env).await;
    env.config.engine.ack_deadline_ms = 1_000;
    env.config.engine.store_timeout_ms = 3_000;
    env.config.engine.grace_ms = 2_000;
    env.store = neticket_testkit::store::Store::connect(&App::store_options(&env.config)).await.unwrap();
    let app = env.node().await;
    let (event, users) = (env.event_on_sale(&[100], 4).await, env.users(20).await);
    app.reservation_create(users[0], Some("once"), tickets_of(event.ticket_types[0].id, 1)).await.unwrap();
    mariadb.server.pause().unwrap();
    let outcomes = all_book(&app, &users, event.ticket_types[0].id).await;
    let mut pending = Vec::new();
    for (user, outcome) in users.iter().zip(outcomes) {
        match outcome {
            Ok(booked) if booked.reservation.state == ReservationState::Pending => {
                pending.push((*user, booked.reservation.id));
            }
            Err(AppError::StoreUnavailable(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(!pending.is_empty(), "admitted bookings are pending");
    assert!(matches!(app.ready().await, Err(AppError::StoreUnavailable(_))));
    mariadb.server.resume().unwrap();
    for (user, id) in pending {
        until("the pending bookings are confirmed", async || {
            app.reservation(user, id).await.is_ok_and(|seen| seen.state == ReservationState::Confirmed)
        })
        .await;
    }
    all_are_decided(&env, &app, &users, &event).await;
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_reconnect_to_a_restarted_mariadb() {
    let mut env = with_fast_recovery(Backends::Shared).await;
    let mut mariadb = own_mariadb(&mut env).await;
    env.config.engine.ack_deadline_ms = 1_000;
    env.config.engine.grace_ms = 2_000;
    let app = env.node().await;
    let (event, users) = (env.event_on_sale(&[100], 4).await, env.users(20).await);
    app.reservation_create(users[0], Some("once"), tickets_of(event.ticket_types[0].id, 1)).await.unwrap();
    block_in_place(|| mariadb.server.stop()).unwrap();
    let mut outcomes = all_book(&app, &users, event.ticket_types[0].id).await;
    let stored = outcomes.remove(0);
    assert!(
        matches!(stored, Err(AppError::StoreUnavailable(_))),
        "only the store has the booking: {stored:?}"
    );
    for outcome in outcomes {
        match outcome {
            Ok(booked) => assert_eq!(booked.reservation.state, ReservationState::Pending),
            other => panic!("what is in the journal is pending, not {other:?}"),
        }
    }
    block_in_place(|| mariadb.server.restart()).unwrap();
    all_are_decided(&env, &app, &users, &event).await;
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_waits_for_a_hanging_database_is_unavailable_and_not_overloaded() {
    let mut env = TestEnv::new(Backends::Shared).await;
    let mariadb = own_mariadb(&mut env).await;
    env.config.engine.ack_deadline_ms = 1_000;
    env.config.engine.store_timeout_ms = 60_000;
    env.config.engine.task_interval_ms = 600_000; // no task loads the ledger
    env.store = neticket_testkit::store::Store::connect(&App::store_options(&env.config)).await.unwrap();
    let app = env.node().await;
    let (event, users) = (env.event_on_sale(&[100], 4).await, env.users(20).await);
    let ticket_type = event.ticket_types[0].id;
    app.reservation_create(users[0], None, tickets_of(ticket_type, 1)).await.unwrap(); // caches the names
    until("the booking is settled", async || {
        env.ledger.view(event.id).await.unwrap().unwrap().journal_len == 0
    })
    .await;
    env.lose_ledger(event.id).await;
    mariadb.server.pause().unwrap();
    for outcome in all_book(&app, &users, ticket_type).await {
        assert!(matches!(outcome, Err(AppError::StoreUnavailable(_))), "{outcome:?}");
    }
    let unknown = TicketTypeId(ticket_type.0 + 1);
    let outcome = app.reservation_create(users[0], None, tickets_of(unknown, 1)).await;
    assert!(
        matches!(outcome, Err(AppError::StoreUnavailable(_))),
        "also for a ticket type that is not cached: {outcome:?}"
    );
    mariadb.server.resume().unwrap();
    all_book(&app, &users, ticket_type).await.into_iter().for_each(|outcome| drop(outcome.unwrap()));
    assert_eq!(env.confirmed(&event).await, [21]);
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_that_the_store_refuses_is_recorded_later_and_never_reported_missing() {
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.engine.grace_ms = 60_000; // recovery does not record it
    env.config.engine.task_interval_ms = 20;
    let event = env.event_on_sale(&[2], 4).await;
    let (users, ticket_type) = (env.users(2).await, event.ticket_types[0].id);
    let mut wrong = env.snapshot(event.id).await;
    wrong.ticket_types[0].left = 50;
    env.install(&wrong).await;
    let first = admit(&env, event.id, users[0], ticket_type).await;
    tokio::time::sleep(Duration::from_millis(2)).await; // so that the older one comes first
    let second = admit(&env, event.id, users[1], ticket_type).await;
    sql(
        &env,
        "CREATE TRIGGER no_notes BEFORE INSERT ON reservations FOR EACH ROW \
         IF NEW.status = 'rejected' THEN SIGNAL SQLSTATE '45000'; END IF",
    );
    let _raised = env.snapshot(event.id).await; // so that the next commit has to load
    let app = env.node().await;
    app.reservation_create(users[1], None, tickets_of(ticket_type, 1)).await.expect_err("no seats are left");
    until("the load has dropped the entry", async || {
        env.ledger.journal_entry(event.id, second).await.unwrap().is_none()
    })
    .await;
    until("the booking is in neither journal nor store", async || {
        let seen = app.reservation(users[1], second).await;
        assert!(!matches!(seen, Err(AppError::NotFound)), "{seen:?}");
        matches!(seen, Err(AppError::StoreUnavailable(_)))
    })
    .await;
    sql(&env, "DROP TRIGGER no_notes");
    until("the rejection is recorded", async || {
        let seen = app.reservation(users[1], second).await;
        assert!(!matches!(seen, Err(AppError::NotFound)), "{seen:?}");
        seen.is_ok_and(|seen| seen.state == ReservationState::Rejected)
    })
    .await;
    let entry = env.ledger.journal_entry(event.id, first).await.unwrap().unwrap();
    env.store.commit(&[crate::rejections::to_commit(event.id, entry)]).await.unwrap();
    env.ledger.settle(event.id, entry.epoch, &[first]).await.unwrap();
    env.finish().await;
}
