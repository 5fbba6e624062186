//! Idempotency keys that are used again for another booking.

use std::sync::Arc;

use neticket_app::{App, AppError, reservation_id};
use neticket_testkit::domain::{EventId, ReservationId, TicketTypeId, UserId};
use neticket_testkit::ledger::{AdmitAnswer, AdmitRequest, LedgerView, Verdict};
use neticket_testkit::store::{CommitOutcome, CommitRequest};
use neticket_testkit::{TestEnv, on_both, tickets, tickets_of, until};
use uuid::Uuid;

use crate::own_servers::with_fast_recovery;

const KEY: &str = "once";

async fn view(env: &TestEnv, event: EventId) -> LedgerView {
    env.ledger.view(event).await.unwrap().expect("the ledger is loaded")
}

async fn refused(app: &Arc<App>, user: UserId, ticket_type: TicketTypeId, n: u32) {
    let outcome = app.reservation_create(user, Some(KEY), tickets_of(ticket_type, n)).await;
    assert!(matches!(outcome, Err(AppError::IdempotencyKeyReused)), "{outcome:?}");
}

on_both! {
    async fn a_key_reused_for_another_event_takes_no_seats_and_causes_no_load(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let (first, second) = (env.event_on_sale(&[10], 4).await, env.event_on_sale(&[10], 4).await);
        let users = env.users(2).await;
        app.reservation_create(users[0], Some(KEY), tickets_of(first.ticket_types[0].id, 1)).await.unwrap();
        let ticket_type = second.ticket_types[0].id;
        app.reservation_create(users[1], None, tickets_of(ticket_type, 1)).await.unwrap(); // loads the ledger
        until("the first booking is settled", async || view(&env, second.id).await.journal_len == 0).await;
        let before = view(&env, second.id).await;
        for _ in 0..3 {
            refused(&app, users[0], ticket_type, 4).await;
            assert_eq!(
                view(&env, second.id).await,
                before,
                "the seats, the epoch and the journal are unchanged"
            );
        }
        let full = app.reservation_create(users[0], None, tickets_of(ticket_type, 4)).await;
        full.expect("refused requests do not count towards the limit");
        app.reservation_create(users[1], None, tickets_of(ticket_type, 3)).await.unwrap();
        assert_eq!(env.confirmed(&second).await, [8]);
        env.finish().await;
    }

    async fn a_rejected_key_reused_for_another_event_causes_no_load(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let (first, second) = (env.event_on_sale(&[10], 4).await, env.event_on_sale(&[10], 4).await);
        let users = env.users(2).await;
        let rejected = CommitRequest {
            id: reservation_id(users[0], KEY),
            user: users[0],
            event: first.id,
            ticket_type: first.ticket_types[0].id,
            quantity: tickets(1),
            unit_price: 50_000,
            epoch: first.ticket_types[0].epoch,
            created_at: env.now().await,
        };
        assert_eq!(env.store.reject(&[rejected], env.now().await).await.unwrap(), 1);
        let ticket_type = second.ticket_types[0].id;
        app.reservation_create(users[1], None, tickets_of(ticket_type, 1)).await.unwrap(); // loads the ledger
        until("the first booking is settled", async || view(&env, second.id).await.journal_len == 0).await;
        let before = view(&env, second.id).await;
        for _ in 0..3 {
            refused(&app, users[0], ticket_type, 2).await;
            assert_eq!(
                view(&env, second.id).await,
                before,
                "the seats, the epoch and the journal are unchanged"
            );
        }
        env.finish().await;
    }

    async fn a_key_reused_for_another_ticket_type_or_quantity_takes_no_seats(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[10, 10], 9).await;
        let (user, ticket_types) = (env.user(0).await, [0, 1].map(|n| event.ticket_types[n].id));
        app.reservation_create(user, Some(KEY), tickets_of(ticket_types[0], 1)).await.unwrap();
        until("the booking is settled", async || view(&env, event.id).await.journal_len == 0).await;
        let before = view(&env, event.id).await;
        refused(&app, user, ticket_types[1], 1).await;
        refused(&app, user, ticket_types[0], 2).await;
        assert_eq!(view(&env, event.id).await, before);
        env.finish().await;
    }

    async fn two_users_may_use_the_same_key(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[10], 4).await;
        let (users, ticket_type) = (env.users(2).await, event.ticket_types[0].id);
        let mut booked = Vec::new();
        for user in &users {
            booked.push(app.reservation_create(*user, Some(KEY), tickets_of(ticket_type, 2)).await.unwrap());
        }
        assert_ne!(booked[0].reservation.id, booked[1].reservation.id);
        assert!(booked.iter().all(|booked| !booked.replayed));
        assert_eq!(env.confirmed(&event).await, [4]);
        env.finish().await;
    }

    async fn recovery_returns_seats_that_a_dead_node_took_for_a_reused_key(backends: Backends) {
        let mut env = with_fast_recovery(backends).await;
        let app = env.node().await;
        let (first, second) = (env.event_on_sale(&[10], 4).await, env.event_on_sale(&[10], 4).await);
        let (user, ticket_type) = (env.user(0).await, second.ticket_types[0].id);
        for event in [&first, &second] {
            until("the ledger is loaded", async || env.ledger.view(event.id).await.unwrap().is_some()).await;
        }
        let epoch = view(&env, second.id).await.epoch;
        let id = ReservationId(Uuid::new_v4());
        // As if a request with the same key had been faster elsewhere.
        let elsewhere = CommitRequest {
            id,
            user,
            event: first.id,
            ticket_type: first.ticket_types[0].id,
            quantity: tickets(1),
            unit_price: 50_000,
            epoch: view(&env, first.id).await.epoch,
            created_at: env.now().await,
        };
        assert_eq!(env.store.commit(&[elsewhere]).await.unwrap(), [CommitOutcome::Confirmed]);
        let request = AdmitRequest { id, user, ticket_type, quantity: tickets(1), unit_price: None };
        let answer = env.ledger.admit(second.id, epoch, &[request]).await.unwrap();
        let AdmitAnswer::Verdicts { verdicts, .. } = answer else { panic!("{answer:?}") };
        assert!(matches!(verdicts[..], [Verdict::Admitted(_)]), "{verdicts:?}");
        until("the seats are returned", async || {
            let view = view(&env, second.id).await;
            view.journal_len == 0 && view.ticket_types[0].left == 10
        })
        .await;
        assert_eq!(view(&env, second.id).await.epoch, epoch, "no load happened");
        assert_eq!(app.reservation(user, id).await.unwrap().event_id, first.id);
        env.lose_ledger(first.id).await; // it knows nothing of what was committed without it
        env.finish().await;
    }
}
