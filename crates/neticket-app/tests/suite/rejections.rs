//! A person who was answered `pending` can read the outcome: pending, confirmed or rejected, and never
//! absent.

use std::time::Duration;

use crate::own_servers::{admit, with_fast_recovery};
use neticket_app::{App, AppError, ReservationState};
use neticket_testkit::domain::{EventId, ReservationId, UserId};
use neticket_testkit::ledger::JournalEntry;
use neticket_testkit::store::{CommitOutcome, CommitRequest, ReservationStatus};
use neticket_testkit::{TestEnv, on_both, tickets_of, until};

const TIMEOUT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

async fn rejected(app: &App, user: UserId, id: ReservationId) {
    let deadline = tokio::time::Instant::now() + TIMEOUT;
    loop {
        let seen = app.reservation(user, id).await.expect("the booking is always found");
        assert_ne!(seen.state, ReservationState::Confirmed);
        if seen.state == ReservationState::Rejected {
            assert!(!seen.cancellable);
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "the booking is rejected");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

pub(crate) fn to_commit(event: EventId, entry: JournalEntry) -> CommitRequest {
    CommitRequest {
        id: entry.request.id,
        user: entry.request.user,
        event,
        ticket_type: entry.request.ticket_type,
        quantity: entry.request.quantity,
        unit_price: entry.admission.unit_price,
        epoch: entry.epoch,
        created_at: entry.admission.admitted_at,
    }
}

on_both! {
    async fn a_pending_booking_that_the_store_refuses_is_rejected_and_still_found(backends: Backends) {
        let mut env = with_fast_recovery(backends).await;
        let event = env.event_on_sale(&[2], 4).await;
        let (users, ticket_type) = (env.users(2).await, event.ticket_types[0].id);
        let mut wrong = env.snapshot(event.id).await;
        wrong.ticket_types[0].left = 50;
        env.install(&wrong).await;
        let first = admit(&env, event.id, users[0], ticket_type).await;
        let entry = env.ledger.journal_entry(event.id, first).await.unwrap().unwrap();
        let committed = env.store.commit(&[to_commit(event.id, entry)]).await.unwrap();
        assert_eq!(committed, [CommitOutcome::Confirmed]);
        let second = admit(&env, event.id, users[1], ticket_type).await; // more than there is
        let nodes = [env.node().await, env.node().await];
        rejected(&nodes[0], users[1], second).await;
        rejected(&nodes[1], users[1], second).await;
        let counts = |node: &App| {
            let mut text = String::new();
            node.metrics().register().write(&mut text);
            text.contains("neticket_bookings_total{outcome=\"rejected\"} 1")
        };
        until("the node that recorded the rejection counts it", async || {
            nodes.iter().filter(|node| counts(node)).count() == 1
        })
        .await;
        let mine = nodes[0].reservations_page(users[1], 1, 10).await.unwrap();
        assert_eq!(
            mine.items.iter().map(|item| item.state).collect::<Vec<_>>(),
            [ReservationState::Rejected]
        );
        let cancel = nodes[0].reservation_cancel(users[1], second).await;
        assert!(matches!(cancel, Err(AppError::NotFound)), "{cancel:?}");
        assert_eq!(env.confirmed(&event).await, [2]);
        env.finish().await;
    }

    async fn a_key_whose_booking_was_rejected_stays_sold_out(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.task_interval_ms = 60_000; // no repair
        let app = env.node().await;
        let event = env.event_on_sale(&[2], 4).await;
        let (users, ticket_type) = (env.users(2).await, event.ticket_types[0].id);
        let mut wrong = env.snapshot(event.id).await;
        wrong.ticket_types[0].left = 50;
        env.install(&wrong).await;
        let first = app.reservation_create(users[0], None, tickets_of(ticket_type, 2)).await.unwrap();
        for again in 0..3 {
            let refused = app.reservation_create(users[1], Some("k"), tickets_of(ticket_type, 2)).await;
            assert!(matches!(refused, Err(AppError::SoldOut { .. })), "{again}: {refused:?}");
        }
        app.reservation_cancel(users[0], first.reservation.id).await.unwrap();
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        while env.ledger.view(event.id).await.unwrap().unwrap().ticket_types[0].left < 2 {
            assert!(tokio::time::Instant::now() < deadline, "the seats are returned");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        let late = app.reservation_create(users[1], Some("k"), tickets_of(ticket_type, 2)).await;
        assert!(matches!(late, Err(AppError::SoldOut { .. })), "{late:?}");
        let other = app.reservation_create(users[1], Some("k"), tickets_of(ticket_type, 1)).await;
        assert!(matches!(other, Err(AppError::IdempotencyKeyReused)), "{other:?}");
        app.reservation_create(users[1], Some("another"), tickets_of(ticket_type, 2))
            .await
            .expect("seats are left");
        assert_eq!(app.reservations_page(users[1], 1, 10).await.unwrap().total_items, 2);
        env.finish().await;
    }

    async fn a_node_that_dies_between_a_rejection_and_its_load_keeps_no_seats(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let event = env.event_on_sale(&[10], 4).await;
        let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
        env.install(&env.snapshot(event.id).await).await;
        let id = admit(&env, event.id, user, ticket_type).await;
        let entry = env.ledger.journal_entry(event.id, id).await.unwrap().unwrap();
        env.store.reject(&[to_commit(event.id, entry)], env.now().await).await.unwrap();
        // Then the node died. Recovery by another one returns the seats.
        let app = env.node().await;
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        while env.ledger.view(event.id).await.unwrap().is_none_or(|view| view.journal_len > 0) {
            assert!(tokio::time::Instant::now() < deadline, "recovery removes the journal entry");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        assert_eq!(env.ledger.view(event.id).await.unwrap().unwrap().ticket_types[0].left, 10);
        let stored = env.store.reservation(id).await.unwrap().unwrap();
        assert_eq!(stored.status, ReservationStatus::Rejected);
        app.reservation_create(user, None, tickets_of(ticket_type, 4))
            .await
            .expect("a rejected booking does not count towards the limit");
        env.finish().await;
    }

    async fn a_journal_entry_that_no_longer_fits_at_a_load_is_rejected(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.grace_ms = 60_000; // recovery does not record it
        let event = env.event_on_sale(&[2], 4).await;
        let (users, ticket_type) = (env.users(2).await, event.ticket_types[0].id);
        let mut wrong = env.snapshot(event.id).await;
        wrong.ticket_types[0].left = 50;
        env.install(&wrong).await;
        let first = admit(&env, event.id, users[0], ticket_type).await;
        tokio::time::sleep(Duration::from_millis(2)).await; // so that the older one comes first
        // Of two bookings that need the same seats, one fits.
        let second = admit(&env, event.id, users[1], ticket_type).await;
        let _raised = env.snapshot(event.id).await; // so that the next commit has to load
        let app = env.node().await;
        let third = app.reservation_create(users[1], None, tickets_of(ticket_type, 1)).await;
        assert!(third.is_err(), "{third:?}");
        rejected(&app, users[1], second).await;
        assert_eq!(app.reservation(users[0], first).await.unwrap().state, ReservationState::Pending);
        let entry = env.ledger.journal_entry(event.id, first).await.unwrap().unwrap();
        env.store.commit(&[to_commit(event.id, entry)]).await.unwrap();
        env.ledger.settle(event.id, entry.epoch, &[first]).await.unwrap();
        env.finish().await;
    }

    async fn the_list_of_a_user_begins_with_pending_bookings_and_counts_them(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.grace_ms = 60_000;
        let app = env.node().await;
        let event = env.event_on_sale(&[20], 20).await;
        let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
        let mut stored = Vec::new();
        for _ in 0..3 {
            stored.insert(
                0,
                app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap().reservation.id,
            );
            tokio::time::sleep(Duration::from_millis(2)).await; // so that no two have the same age
        }
        let pending = admit(&env, event.id, user, ticket_type).await;
        let expected = [pending, stored[0], stored[1], stored[2]];
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        while app.reservations_page(user, 1, 10).await.unwrap().total_items < 4 {
            assert!(tokio::time::Instant::now() < deadline, "the pending booking is listed");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        let ids = async |page, size| {
            let listed = app.reservations_page(user, page, size).await.unwrap();
            assert_eq!(listed.total_items, 4);
            listed.items.iter().map(|item| item.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(1, 10).await, expected);
        for size in 1..=4_u32 {
            let chunks: Vec<Vec<ReservationId>> =
                expected.chunks(usize::try_from(size).unwrap()).map(<[_]>::to_vec).collect();
            for (page, chunk) in (1..).zip(chunks) {
                assert_eq!(ids(page, size).await, chunk, "page {page} of {size}");
            }
        }
        let entry = env.ledger.journal_entry(event.id, pending).await.unwrap().unwrap();
        env.store.commit(&[to_commit(event.id, entry)]).await.unwrap();
        assert_eq!(ids(1, 10).await, expected, "a booking that is committed and not settled is listed once");
        env.ledger.settle(event.id, entry.epoch, &[pending]).await.unwrap();
        env.finish().await;
    }

    async fn recovery_commits_the_journal_of_an_event_that_has_started(backends: Backends) {
        let mut env = with_fast_recovery(backends).await;
        let now = env.now().await;
        let event = env.event(now.plus_millis(-60_000), now.plus_millis(1_500), &[10], 4).await;
        let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
        env.install(&env.snapshot(event.id).await).await;
        let id = admit(&env, event.id, user, ticket_type).await;
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        while env.now().await < event.starts_at {
            assert!(tokio::time::Instant::now() < deadline);
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        let app = env.node().await;
        while app.reservation(user, id).await.unwrap().state != ReservationState::Confirmed {
            assert!(tokio::time::Instant::now() < deadline, "recovery commits the booking");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        assert_eq!(env.confirmed(&event).await, [2]);
        env.finish().await;
    }
}
