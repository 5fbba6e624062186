//! Booking and cancelling. Nobody is sold a seat that does not exist, and nobody loses a seat that was
//! confirmed.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use neticket_app::{App, AppError, Booked, ReservationState};
use neticket_domain::{ReservationId, TicketTypeId, UserId};
use neticket_testkit::store::EventRecord;
use neticket_testkit::{TestEnv, on_both, tickets_of};

/// All users book concurrently, spread over the nodes.
async fn rush(
    nodes: &[Arc<App>],
    users: &[UserId],
    ticket_type: TicketTypeId,
) -> Vec<Result<Booked, AppError>> {
    let bookings = users.iter().enumerate().map(|(n, user)| {
        let (app, user) = (Arc::clone(&nodes[n % nodes.len()]), *user);
        tokio::spawn(
            async move { app.reservation_create(user, Some("once"), tickets_of(ticket_type, 1)).await },
        )
    });
    join_all(bookings).await.into_iter().map(|booking| booking.expect("no panic")).collect()
}

fn confirmed(outcomes: &[Result<Booked, AppError>]) -> usize {
    outcomes
        .iter()
        .filter(|o| o.as_ref().is_ok_and(|b| b.reservation.state == ReservationState::Confirmed))
        .count()
}

/// As [`rush`], while the ledger is lost repeatedly, each time with reservations that the store does not have
/// yet. Also returns how often it was lost.
async fn rush_on_emptied_ledgers(
    env: &TestEnv,
    nodes: &[Arc<App>],
    users: &[UserId],
    event: &EventRecord,
) -> (Vec<Result<Booked, AppError>>, u32) {
    let losses = Cell::new(0);
    let emptying = async {
        while losses.get() < 20 {
            if env.ledger.view(event.id).await.unwrap().is_some_and(|view| view.journal_len > 20) {
                env.lose_ledger(event.id).await;
                losses.set(losses.get() + 1);
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        std::future::pending::<()>().await;
    };
    let outcomes = tokio::select! {
        outcomes = rush(nodes, users, event.ticket_types[0].id) => outcomes,
        () = emptying => unreachable!(),
    };
    (outcomes, losses.get())
}

on_both! {
    async fn four_hundred_concurrent_bookings_sell_exactly_one_hundred_seats(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let nodes = [env.node().await, env.node().await];
        let event = env.event_on_sale(&[100], 4).await;
        let users = env.users(400).await;
        let outcomes = rush(&nodes, &users, event.ticket_types[0].id).await;
        assert_eq!(confirmed(&outcomes), 100);
        for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert!(matches!(refused, AppError::SoldOut { left: 0 }), "{refused:?}");
        }
        assert_eq!(env.confirmed(&event).await, [100]);
        env.finish().await;
    }

    async fn a_ledger_lost_during_a_rush_sells_exactly_the_seats_there_are(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.batch_len_max = 5; // so that at every moment many are admitted and not committed
        let nodes = [env.node().await, env.node().await];
        let event = env.event_on_sale(&[100], 4).await;
        let users = env.users(400).await;
        let (outcomes, losses) = rush_on_emptied_ledgers(&env, &nodes, &users, &event).await;
        assert!(losses > 0, "the ledger was lost during the rush");
        assert_eq!(
            confirmed(&outcomes),
            100,
            "{:?}",
            outcomes.iter().filter(|o| o.is_err()).take(3).collect::<Vec<_>>()
        );
        assert_eq!(env.confirmed(&event).await, [100]);
        env.finish().await;
    }

    async fn without_the_guard_an_emptied_ledger_oversells(backends: Backends) {
        // The negative control of the test above: without the guard, that test would fail.
        let mut oversold = false;
        for _ in 0..10 {
            let mut env = TestEnv::new(backends).await.without_guard();
            env.config.engine.batch_len_max = 5;
            let nodes = [env.node().await, env.node().await];
            let event = env.event_on_sale(&[100], 4).await;
            let users = env.users(400).await;
            let (outcomes, _) = rush_on_emptied_ledgers(&env, &nodes, &users, &event).await;
            oversold = confirmed(&outcomes) > 100 || env.confirmed(&event).await[0] > 100;
            env.finish().await;
            if oversold {
                break;
            }
        }
        assert!(oversold, "without the guard, ten rushes on emptied ledgers did not oversell");
    }

    async fn fifty_concurrent_requests_with_one_idempotency_key_make_one_booking(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let nodes = [env.node().await, env.node().await];
        let event = env.event_on_sale(&[100], 4).await;
        let user = env.user(0).await;
        let outcomes = rush(&nodes, &[user; 50], event.ticket_types[0].id).await;
        let ids: std::collections::BTreeSet<ReservationId> = outcomes
            .iter()
            .map(|outcome| outcome.as_ref().expect("all repeats get the same answer").reservation.id)
            .collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(env.confirmed(&event).await, [1]);
        env.finish().await;
    }

    async fn fifty_concurrent_cancels_return_the_seats_once(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let nodes = [env.node().await, env.node().await];
        let event = env.event_on_sale(&[10], 4).await;
        let user = env.user(0).await;
        let booked =
            nodes[0].reservation_create(user, None, tickets_of(event.ticket_types[0].id, 3)).await.unwrap();
        let id = booked.reservation.id;
        let cancels = (0..50).map(|n| {
            let app = Arc::clone(&nodes[n % 2]);
            tokio::spawn(async move { app.reservation_cancel(user, id).await })
        });
        let mut moments = std::collections::BTreeSet::new();
        for cancel in join_all(cancels).await {
            match cancel.unwrap().unwrap().state {
                ReservationState::Cancelled { at } => moments.insert(at),
                other => panic!("{other:?}"),
            };
        }
        assert_eq!(moments.len(), 1, "all answers have the same cancellation time");
        assert_eq!(env.confirmed(&event).await, [0]);
        env.finish().await;
    }

    async fn concurrent_bookings_of_one_user_stay_within_the_purchase_limit(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let nodes = [env.node().await, env.node().await];
        let event = env.event_on_sale(&[100, 100], 4).await;
        let user = env.user(0).await;
        let bookings = (0..20).map(|n| {
            let app = Arc::clone(&nodes[n % 2]);
            let ticket_type = event.ticket_types[n % 2].id;
            tokio::spawn(async move { app.reservation_create(user, None, tickets_of(ticket_type, 1)).await })
        });
        let outcomes: Vec<_> = join_all(bookings).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(confirmed(&outcomes), 4);
        for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert!(
                matches!(refused, AppError::PurchaseLimitExceeded { max_per_user: 4, already_held: 4 }),
                "{refused:?}"
            );
        }
        env.finish().await;
    }

    async fn the_limit_survives_the_loss_of_the_ledger_and_cancels_are_deducted(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[100], 4).await;
        let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
        let first = app.reservation_create(user, None, tickets_of(ticket_type, 3)).await.unwrap();
        env.lose_ledger(event.id).await;
        let over = app.reservation_create(user, None, tickets_of(ticket_type, 2)).await;
        assert!(matches!(over, Err(AppError::PurchaseLimitExceeded { already_held: 3, .. })), "{over:?}");
        app.reservation_cancel(user, first.reservation.id).await.unwrap();
        env.lose_ledger(event.id).await;
        app.reservation_create(user, None, tickets_of(ticket_type, 4)).await.unwrap();
        env.finish().await;
    }

    async fn a_repeated_key_returns_its_booking_after_sell_out_ledger_loss_and_cancel(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[2], 4).await;
        let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
        let first = app.reservation_create(user, Some("k"), tickets_of(ticket_type, 2)).await.unwrap();
        assert!(!first.replayed);
        let sold_out = app.reservation_create(user, Some("k"), tickets_of(ticket_type, 2)).await.unwrap();
        assert!(sold_out.replayed);
        assert_eq!(sold_out.reservation, first.reservation);
        env.lose_ledger(event.id).await;
        let lost = app.reservation_create(user, Some("k"), tickets_of(ticket_type, 2)).await.unwrap();
        assert_eq!((lost.replayed, &lost.reservation), (true, &first.reservation));
        app.reservation_cancel(user, first.reservation.id).await.unwrap();
        let cancelled = app.reservation_create(user, Some("k"), tickets_of(ticket_type, 2)).await.unwrap();
        assert!(matches!(cancelled.reservation.state, ReservationState::Cancelled { .. }));
        let other = app.reservation_create(user, Some("k"), tickets_of(ticket_type, 1)).await;
        assert!(matches!(other, Err(AppError::IdempotencyKeyReused)), "{other:?}");
        env.finish().await;
    }

    async fn a_cancel_frees_the_seats_for_other_users(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let nodes = [env.node().await, env.node().await];
        let event = env.event_on_sale(&[1], 4).await;
        let (users, ticket_type) = (env.users(2).await, event.ticket_types[0].id);
        let first = nodes[0].reservation_create(users[0], None, tickets_of(ticket_type, 1)).await.unwrap();
        let refused = nodes[1].reservation_create(users[1], None, tickets_of(ticket_type, 1)).await;
        assert!(matches!(refused, Err(AppError::SoldOut { left: 0 })), "{refused:?}");
        nodes[0].reservation_cancel(users[0], first.reservation.id).await.unwrap();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while nodes[1].reservation_create(users[1], Some("again"), tickets_of(ticket_type, 1)).await.is_err()
        {
            assert!(tokio::time::Instant::now() < deadline, "the seat is returned");
            tokio::task::yield_now().await;
        }
        env.finish().await;
    }

    async fn a_cancel_without_a_loaded_ledger_does_not_create_a_partial_one(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[10], 4).await;
        let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
        let booked = app.reservation_create(user, None, tickets_of(ticket_type, 3)).await.unwrap();
        app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap();
        env.lose_ledger(event.id).await;
        app.reservation_cancel(user, booked.reservation.id).await.unwrap();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        let left = loop {
            if let Some(view) = env.ledger.view(event.id).await.unwrap() {
                break view.ticket_types[0].left;
            }
            assert!(tokio::time::Instant::now() < deadline, "the ledger is loaded again");
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        assert!(left == 9 || left == 6, "loaded before or after the cancel, and complete: {left}");
        env.finish().await; // waits for the release, and expects 9
    }

    async fn a_reservation_of_another_user_is_not_found(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[1], 4).await;
        let users = env.users(2).await;
        let booked =
            app.reservation_create(users[0], None, tickets_of(event.ticket_types[0].id, 1)).await.unwrap();
        let id = booked.reservation.id;
        assert!(matches!(app.reservation(users[1], id).await, Err(AppError::NotFound)));
        assert!(matches!(app.reservation_cancel(users[1], id).await, Err(AppError::NotFound)));
        assert_eq!(app.reservation(users[0], id).await.unwrap(), booked.reservation);
        env.finish().await;
    }

    async fn reservations_of_a_user_are_listed_newest_first_with_all_states(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[10], 10).await;
        let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.insert(
                0,
                app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap().reservation.id,
            );
            tokio::time::sleep(Duration::from_millis(2)).await; // so that no two have the same age
        }
        app.reservation_cancel(user, ids[1]).await.unwrap();
        let page = app.reservations_page(user, 1, 2).await.unwrap();
        assert_eq!(page.total_items, 3);
        assert_eq!(page.items.iter().map(|item| item.id).collect::<Vec<_>>(), ids[..2]);
        assert!(matches!(page.items[1].state, ReservationState::Cancelled { .. }));
        assert_eq!(app.reservations_page(user, 3, 2).await.unwrap().items, []);
        env.finish().await;
    }

    async fn an_abandoned_booking_is_still_decided(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[10], 4).await;
        let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
        let call = app.reservation_create(user, Some("gone"), tickets_of(ticket_type, 1));
        let _ = tokio::time::timeout(Duration::from_micros(1), call).await;
        // Whatever the outcome was, the same key ends as one booking, and nothing is left in the journal.
        app.reservation_create(user, Some("gone"), tickets_of(ticket_type, 1)).await.unwrap();
        assert_eq!(env.confirmed(&event).await, [1]);
        env.finish().await;
    }
}
