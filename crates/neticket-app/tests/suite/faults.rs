//! What a node leaves behind when it dies between two steps, any other node finishes.

use std::time::Duration;

use neticket_app::ReservationState;
use neticket_testkit::domain::{Epoch, ReservationId};
use neticket_testkit::ledger::{AdmitAnswer, AdmitRequest, Verdict};
use neticket_testkit::store::{CancelOutcome, CancelRequest};
use neticket_testkit::{Locks, TestEnv, on_both, tickets, tickets_of};

use crate::own_servers::with_fast_recovery;
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

on_both! {
    async fn recovery_commits_a_reservation_that_a_crashed_node_admitted(backends: Backends) {
        let mut env = with_fast_recovery(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[10], 4).await;
        let users = env.users(2).await;
        let ticket_type = event.ticket_types[0].id;
        app.reservation_create(users[1], None, tickets_of(ticket_type, 1)).await.unwrap(); // loads the ledger
        let id = ReservationId(Uuid::new_v4());
        let request =
            AdmitRequest { id, user: users[0], ticket_type, quantity: tickets(2), unit_price: None };
        let answer = env.ledger.admit(event.id, Epoch(0), &[request]).await.unwrap();
        assert!(
            matches!(&answer, AdmitAnswer::Verdicts { verdicts, .. } if matches!(verdicts[0], Verdict::Admitted(_))),
            "{answer:?}"
        );
        let pending = app.reservation(users[0], id).await.unwrap();
        assert!(matches!(pending.state, ReservationState::Pending | ReservationState::Confirmed));
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        while app.reservation(users[0], id).await.unwrap().state != ReservationState::Confirmed {
            assert!(tokio::time::Instant::now() < deadline, "recovery commits the booking");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        while env.ledger.view(event.id).await.unwrap().unwrap().journal_len > 0 {
            assert!(tokio::time::Instant::now() < deadline, "recovery settles the booking");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        assert_eq!(env.confirmed(&event).await, [3]);
        env.finish().await;
    }

    async fn another_node_finishes_a_cancel_whose_node_died_before_the_release(backends: Backends) {
        let mut env = with_fast_recovery(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[10], 4).await;
        let user = env.user(0).await;
        let booked =
            app.reservation_create(user, None, tickets_of(event.ticket_types[0].id, 4)).await.unwrap();
        let request = CancelRequest { id: booked.reservation.id, user };
        let outcomes = env.store.cancel(&[request], env.now().await).await.unwrap();
        assert!(matches!(outcomes[0], CancelOutcome::Cancelled { .. }), "{outcomes:?}");
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        while env.ledger.view(event.id).await.unwrap().unwrap().ticket_types[0].left < 10 {
            assert!(tokio::time::Instant::now() < deadline, "the outbox is drained");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        env.finish().await;
    }

    async fn a_load_whose_node_died_before_replacing_the_ledger_is_repeated(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[10], 4).await;
        let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
        app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap();
        let raised = env.snapshot(event.id).await; // and then it died
        app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap();
        let view = env.ledger.view(event.id).await.unwrap().unwrap();
        assert!(view.epoch > raised.epoch, "{view:?}");
        assert_eq!(env.confirmed(&event).await, [2]);
        env.finish().await;
    }

    async fn concurrent_first_bookings_on_two_nodes_load_the_ledger_once(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.task_interval_ms = 60_000; // no other load
        let nodes = [env.node().await, env.node().await];
        let event = env.event_on_sale(&[100], 4).await;
        let (users, ticket_type) = (env.users(20).await, event.ticket_types[0].id);
        let bookings = users.iter().zip(nodes.iter().cycle());
        let bookings =
            bookings.map(|(user, app)| app.reservation_create(*user, None, tickets_of(ticket_type, 1)));
        for booked in futures::future::join_all(bookings).await {
            booked.unwrap();
        }
        assert_eq!(env.ledger.view(event.id).await.unwrap().unwrap().epoch, Epoch(1));
        env.finish().await;
    }

    async fn a_ledger_with_wrong_numbers_sells_no_more_than_the_store_has(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.task_interval_ms = 60_000; // no other load
        let app = env.node().await;
        let event = env.event_on_sale(&[2], 4).await;
        let (users, ticket_type) = (env.users(2).await, event.ticket_types[0].id);
        let mut wrong = env.snapshot(event.id).await;
        wrong.ticket_types[0].left = 50;
        env.install(&wrong).await;
        let believed = env.ledger.view(event.id).await.unwrap().unwrap();
        assert_eq!(believed.ticket_types[0].left, 50);
        app.reservation_create(users[0], None, tickets_of(ticket_type, 2)).await.unwrap();
        let refused = app.reservation_create(users[1], None, tickets_of(ticket_type, 2)).await;
        assert!(matches!(refused, Err(neticket_app::AppError::SoldOut { .. })), "{refused:?}");
        // The ledger is loaded before the refusal is answered, because recovery must not find what was
        // refused.
        let view = env.ledger.view(event.id).await.unwrap().unwrap();
        assert_eq!((view.journal_len, view.ticket_types[0].left), (0, 0), "the ledger was reloaded");
        env.finish().await;
    }

    async fn a_cancel_between_snapshot_and_load_still_returns_its_seats(backends: Backends) {
        let mut env = with_fast_recovery(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[10], 4).await;
        let user = env.user(0).await;
        let booked =
            app.reservation_create(user, None, tickets_of(event.ticket_types[0].id, 4)).await.unwrap();
        let before_the_cancel = env.snapshot(event.id).await;
        let id = booked.reservation.id;
        env.store.cancel(&[CancelRequest { id, user }], env.now().await).await.unwrap();
        // Either this load comes first or the one for the outbox row.
        let _ = env.offer(&before_the_cancel).await;
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        while env.ledger.view(event.id).await.unwrap().is_none_or(|view| view.ticket_types[0].left < 10) {
            assert!(tokio::time::Instant::now() < deadline, "the seats are returned");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        app.reservation_create(user, None, tickets_of(event.ticket_types[0].id, 4))
            .await
            .expect("within the limit");
        env.finish().await;
    }

    async fn a_release_waits_until_a_ledger_of_a_lower_epoch_is_replaced(backends: Backends) {
        let mut env = with_fast_recovery(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[10], 4).await;
        let user = env.user(0).await;
        let booked =
            app.reservation_create(user, None, tickets_of(event.ticket_types[0].id, 4)).await.unwrap();
        let before_the_cancel = env.snapshot(event.id).await;
        // Finds the ledger of the epoch before.
        app.reservation_cancel(user, booked.reservation.id).await.unwrap();
        // Either the load that began before the cancel comes first, or the one for the outbox row.
        let _ = env.offer(&before_the_cancel).await;
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        while env.ledger.view(event.id).await.unwrap().is_none_or(|view| view.ticket_types[0].left < 10) {
            assert!(tokio::time::Instant::now() < deadline, "the seats are returned");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        let later = env.now().await.plus_millis(60_000);
        while !env.store.outbox_before(later, 10).await.unwrap().is_empty() {
            assert!(tokio::time::Instant::now() < deadline, "the outbox is drained");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        env.finish().await;
    }

    async fn a_load_goes_above_a_ledger_that_is_newer_than_a_restored_store(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[10], 4).await;
        let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
        let mut newer = env.snapshot(event.id).await;
        newer.epoch = Epoch(newer.epoch.0 + 40);
        env.install(&newer).await;
        app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap();
        let view = env.ledger.view(event.id).await.unwrap().unwrap();
        assert!(view.epoch > newer.epoch, "{view:?}");
        env.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_store_makes_a_booking_pending_and_loses_none() {
    let mut env = TestEnv::new(neticket_testkit::Backends::Shared).await;
    let patient = env.node().await;
    env.config.engine.ack_deadline_ms = 300;
    let app = env.node().await;
    let event = env.event_on_sale(&[10], 4).await;
    let (users, ticket_type) = (env.users(2).await, event.ticket_types[0].id);
    patient.reservation_create(users[1], None, tickets_of(ticket_type, 1)).await.unwrap(); // loads the ledger
    app.event(event.id).await.unwrap(); // caches the names
    let locks = Locks::of(&env, event.id);
    let booked = app.reservation_create(users[0], Some("k"), tickets_of(ticket_type, 2)).await.unwrap();
    assert_eq!(booked.reservation.state, ReservationState::Pending);
    let id = booked.reservation.id;
    let seen = app.reservation(users[0], id).await.unwrap();
    assert_eq!((seen.state, seen.unit_price), (ReservationState::Pending, 50_000));
    locks.release(&env);
    let deadline = tokio::time::Instant::now() + TIMEOUT;
    while app.reservation(users[0], id).await.unwrap().state != ReservationState::Confirmed {
        assert!(tokio::time::Instant::now() < deadline, "the booking is confirmed");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    let again = patient.reservation_create(users[0], Some("k"), tickets_of(ticket_type, 2)).await.unwrap();
    assert_eq!((again.replayed, again.reservation.state), (true, ReservationState::Confirmed));
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_timed_out_during_a_load_takes_no_seats() {
    let mut env = TestEnv::new(neticket_testkit::Backends::Shared).await;
    env.config.engine.task_interval_ms = 60_000; // no other load
    env.config.engine.ack_deadline_ms = 300;
    let app = env.node().await;
    let event = env.event_on_sale(&[10], 4).await;
    let user = env.user(0).await;
    let locks = Locks::of(&env, event.id);
    let gone = app.reservation_create(user, None, tickets_of(event.ticket_types[0].id, 2)).await;
    assert!(matches!(gone, Err(neticket_app::AppError::StoreUnavailable(_))), "{gone:?}");
    locks.release(&env);
    let deadline = tokio::time::Instant::now() + TIMEOUT;
    while env.ledger.view(event.id).await.unwrap().is_none() {
        assert!(tokio::time::Instant::now() < deadline, "the load finishes");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    app.shut_down().await; // finishes everything it has accepted
    assert_eq!(env.confirmed(&event).await, [0]);
    env.finish().await;
}
