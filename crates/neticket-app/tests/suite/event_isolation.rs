//! Each event has its own queues, so an event whose rows are locked delays no other event. A node that was
//! frozen takes no seats for requests that it has to refuse.

use std::sync::Arc;
use std::time::{Duration, Instant};

use neticket_app::{AppError, ReservationState};
use neticket_testkit::store::CancelRequest;
use neticket_testkit::{Backends, Locks, TestEnv, on_both, sql, tickets_of, until};

use crate::own_servers::{admit, with_fast_recovery};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_with_locked_rows_delays_no_other_event() {
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.engine.ack_deadline_ms = 20_000;
    let app = env.node().await;
    let (stuck, other) = (env.event_on_sale(&[1_000], 100).await, env.event_on_sale(&[1_000], 100).await);
    let (users, ticket_types) = (env.users(10).await, [stuck.ticket_types[0].id, other.ticket_types[0].id]);
    let mine =
        app.reservation_create(users[0], None, tickets_of(ticket_types[0], 1)).await.unwrap().reservation.id;
    app.reservation_create(users[0], None, tickets_of(ticket_types[1], 1)).await.unwrap();
    let locks = Locks::of(&env, stuck.id);
    let mut waiting = Vec::new();
    for user in users.iter().cycle().take(50) {
        let (app, user) = (Arc::clone(&app), *user);
        waiting.push(tokio::spawn(async move {
            app.reservation_create(user, None, tickets_of(ticket_types[0], 1)).await
        }));
    }
    let (canceller, user) = (Arc::clone(&app), users[0]);
    let cancelling = tokio::spawn(async move { canceller.reservation_cancel(user, mine).await });
    until("the bookings are in the journal", async || {
        env.ledger.view(stuck.id).await.unwrap().unwrap().journal_len > 10
    })
    .await;
    let began = Instant::now();
    for user in users.iter().cycle().take(100) {
        let booked = app.reservation_create(*user, None, tickets_of(ticket_types[1], 1)).await.unwrap();
        assert_eq!(booked.reservation.state, ReservationState::Confirmed);
        app.reservation_cancel(*user, booked.reservation.id).await.unwrap();
    }
    let third = env.event_on_sale(&[10], 4).await;
    app.reservation_create(users[0], None, tickets_of(third.ticket_types[0].id, 1))
        .await
        .expect("it can be loaded");
    assert!(waiting.iter().all(|booking| !booking.is_finished()), "after {:?}", began.elapsed());
    assert!(!cancelling.is_finished());
    locks.release(&env);
    for booking in waiting {
        booking.await.unwrap().unwrap();
    }
    cancelling.await.unwrap().unwrap();
    assert_eq!(env.confirmed(&stuck).await, [50]);
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_event_does_not_delay_the_recovery_of_other_events() {
    let mut env = with_fast_recovery(Backends::Shared).await;
    let (stuck, other) = (env.event_on_sale(&[10], 4).await, env.event_on_sale(&[10], 4).await);
    let user = env.user(0).await;
    let mut left = Vec::new();
    for event in [&stuck, &other] {
        env.install(&env.snapshot(event.id).await).await;
        let ticket_type = event.ticket_types[0].id;
        let booked = admit(&env, event.id, user, ticket_type).await;
        let entry = env.ledger.journal_entry(event.id, booked).await.unwrap().unwrap();
        env.store.commit(&[crate::rejections::to_commit(event.id, entry)]).await.unwrap();
        env.ledger.settle(event.id, entry.epoch, &[booked]).await.unwrap();
        // A cancel without its release. Its ledger is of an older epoch and has to be loaded anew.
        let _raised = env.snapshot(event.id).await;
        env.store.cancel(&[CancelRequest { id: booked, user }], env.now().await).await.unwrap();
        left.push(admit(&env, event.id, user, ticket_type).await);
    }
    let locks = Locks::of(&env, stuck.id);
    let app = env.node().await;
    until("the journal of the other event is recovered", async || {
        app.reservation(user, left[1]).await.unwrap().state == ReservationState::Confirmed
    })
    .await;
    until("the seats of the other event are returned", async || {
        env.ledger.view(other.id).await.unwrap().unwrap().ticket_types[0].left == 8
    })
    .await;
    let seen = app.reservation(user, left[0]).await.unwrap();
    assert_eq!(seen.state, ReservationState::Pending, "the stuck event is still stuck");
    locks.release(&env);
    until("the stuck event is recovered", async || {
        app.reservation(user, left[0]).await.unwrap().state == ReservationState::Confirmed
    })
    .await;
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_event_does_not_delay_the_rejection_records_of_other_events() {
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.engine.grace_ms = 60_000; // recovery does not record them
    env.config.engine.task_interval_ms = 20;
    let (stuck, other) = (env.event_on_sale(&[2], 4).await, env.event_on_sale(&[2], 4).await);
    let users = env.users(2).await;
    let mut dropped = Vec::new();
    for event in [&stuck, &other] {
        let ticket_type = event.ticket_types[0].id;
        let mut wrong = env.snapshot(event.id).await;
        wrong.ticket_types[0].left = 50;
        env.install(&wrong).await;
        let first = admit(&env, event.id, users[0], ticket_type).await;
        let entry = env.ledger.journal_entry(event.id, first).await.unwrap().unwrap();
        env.store.commit(&[crate::rejections::to_commit(event.id, entry)]).await.unwrap();
        env.ledger.settle(event.id, entry.epoch, &[first]).await.unwrap();
        dropped.push(admit(&env, event.id, users[1], ticket_type).await);
        let _raised = env.snapshot(event.id).await; // so that the next commit has to load
    }
    sql(
        &env,
        "CREATE TRIGGER no_notes BEFORE INSERT ON reservations FOR EACH ROW \
         IF NEW.status = 'rejected' THEN SIGNAL SQLSTATE '45000'; END IF",
    );
    let app = env.node().await;
    for event in [&stuck, &other] {
        let booked = app.reservation_create(users[1], None, tickets_of(event.ticket_types[0].id, 1)).await;
        booked.expect_err("no seats are left");
    }
    let waits = async |id| matches!(app.reservation(users[1], id).await, Err(AppError::StoreUnavailable(_)));
    until("no rejection is recorded", async || waits(dropped[0]).await && waits(dropped[1]).await).await;
    let locks = Locks::of(&env, stuck.id);
    sql(&env, "DROP TRIGGER no_notes");
    let is_recorded = async |id| {
        app.reservation(users[1], id).await.is_ok_and(|seen| seen.state == ReservationState::Rejected)
    };
    until("the rejection of the other event is recorded", async || is_recorded(dropped[1]).await).await;
    assert!(waits(dropped[0]).await, "the stuck event is still stuck");
    locks.release(&env);
    until("the rejection of the stuck event is recorded", async || is_recorded(dropped[0]).await).await;
    env.finish().await;
}

on_both! {
    async fn a_frozen_node_takes_no_seats_for_a_request_past_its_deadline(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.ack_deadline_ms = 300;
        env.config.engine.task_interval_ms = 60_000;
        let event = env.event_on_sale(&[10], 4).await;
        let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
        // The whole node runs on one thread, which then stands still, like a frozen process.
        let (node, (env, outcome)) = tokio::task::spawn_blocking(move || {
            let mut node = tokio::runtime::Builder::new_multi_thread();
            let node = node.worker_threads(1).enable_all().build().unwrap();
            let frozen = node.spawn(async move {
                let app = env.node().await;
                // Caches the names and loads the ledger.
                app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap();
                let mut booking =
                    std::pin::pin!(app.reservation_create(user, None, tickets_of(ticket_type, 2)));
                assert!(futures::poll!(&mut booking).is_pending()); // it is queued
                std::thread::sleep(Duration::from_millis(600));
                let outcome = booking.await;
                app.shut_down().await;
                (env, outcome)
            });
            let ended = node.block_on(frozen).unwrap();
            (node, ended)
        })
        .await
        .unwrap();
        assert!(matches!(outcome, Err(AppError::Overloaded)), "{outcome:?}");
        assert_eq!(env.confirmed(&event).await, [1]);
        let view = env.ledger.view(event.id).await.unwrap().unwrap();
        assert_eq!((view.journal_len, view.ticket_types[0].left), (0, 9));
        env.finish().await;
        node.shutdown_background(); // some of the store's connections belong to it
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_booking_shows_the_price_at_which_it_was_admitted() {
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.engine.ack_deadline_ms = 3_000;
    let app = env.node().await;
    let event = env.event_on_sale(&[10], 4).await;
    let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
    // From now on this node has the event in its cache.
    let first = app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap().reservation;
    sql(&env, &format!("UPDATE ticket_types SET price = {} WHERE id = {ticket_type}", first.unit_price + 1));
    env.install(&env.snapshot(event.id).await).await;
    let locks = Locks::of(&env, event.id);
    let booked = app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap().reservation;
    assert_eq!((booked.state, booked.unit_price), (ReservationState::Pending, first.unit_price + 1));
    locks.release(&env);
    until("the booking is confirmed at the admitted price", async || {
        let seen = app.reservation(user, booked.id).await.unwrap();
        seen.state == ReservationState::Confirmed && seen.unit_price == booked.unit_price
    })
    .await;
    env.finish().await;
}
