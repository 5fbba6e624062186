//! What a node leaves behind when it dies between two steps is finished by any other.

use std::time::Duration;

use neticket_app::ReservationState;
use neticket_testkit::domain::{Epoch, ReservationId};
use neticket_testkit::ledger::{AdmitAnswer, AdmitRequest, Verdict};
use neticket_testkit::store::{CancelOutcome, CancelRequest};
use neticket_testkit::{World, on_both, tickets};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(10);

/// A world whose nodes take care of what is left behind after 50 ms.
async fn hasty(parts: neticket_testkit::Parts) -> World {
    let mut world = World::new(parts).await;
    world.config.engine.grace_ms = 50;
    world.config.engine.task_interval_ms = 20;
    world
}

on_both! {
    async fn a_reservation_whose_node_died_after_admitting_it_is_committed_by_another(parts: Parts) {
        let mut world = hasty(parts).await;
        let app = world.node().await;
        let event = world.event_on_sale(&[10], 4).await;
        let users = world.users(2).await;
        let grade = event.ticket_types[0].id;
        app.reservation_create(users[1], None, grade, tickets(1)).await.unwrap(); // loads the ledger
        let id = ReservationId(Uuid::new_v4());
        let request = AdmitRequest { id, user: users[0], ticket_type: grade, quantity: tickets(2) };
        let answer = world.ledger.admit(event.id, Epoch(0), &[request]).await.unwrap();
        assert!(
            matches!(&answer, AdmitAnswer::Verdicts { verdicts, .. } if matches!(verdicts[0], Verdict::Admitted(_))),
            "{answer:?}"
        );
        let pending = app.reservation(users[0], id).await.unwrap();
        assert!(matches!(pending.state, ReservationState::Pending | ReservationState::Confirmed));
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while app.reservation(users[0], id).await.unwrap().state != ReservationState::Confirmed {
            assert!(tokio::time::Instant::now() < deadline, "recovery commits it");
            tokio::time::sleep(GLANCE).await;
        }
        while world.ledger.view(event.id).await.unwrap().unwrap().pending > 0 {
            assert!(tokio::time::Instant::now() < deadline, "recovery settles it");
            tokio::time::sleep(GLANCE).await;
        }
        assert_eq!(world.confirmed(&event).await, [3]);
        world.finish().await;
    }

    async fn a_cancel_whose_node_died_before_the_release_is_finished_by_another(parts: Parts) {
        let mut world = hasty(parts).await;
        let app = world.node().await;
        let event = world.event_on_sale(&[10], 4).await;
        let user = world.user(0).await;
        let booked = app.reservation_create(user, None, event.ticket_types[0].id, tickets(4)).await.unwrap();
        let request = CancelRequest { id: booked.reservation.id, user };
        let outcomes = world.store.cancel(&[request], world.now().await).await.unwrap();
        assert!(matches!(outcomes[0], CancelOutcome::Cancelled { .. }), "{outcomes:?}");
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while world.ledger.view(event.id).await.unwrap().unwrap().ticket_types[0].left < 10 {
            assert!(tokio::time::Instant::now() < deadline, "the outbox is drained");
            tokio::time::sleep(GLANCE).await;
        }
        world.finish().await;
    }

    async fn a_load_whose_node_died_before_the_ledger_was_replaced_costs_a_round_trip(parts: Parts) {
        let mut world = World::new(parts).await;
        let app = world.node().await;
        let event = world.event_on_sale(&[10], 4).await;
        let (user, grade) = (world.user(0).await, event.ticket_types[0].id);
        app.reservation_create(user, None, grade, tickets(1)).await.unwrap();
        let raised = world.store.load_event(event.id).await.unwrap().unwrap(); // and then it died
        app.reservation_create(user, None, grade, tickets(1)).await.unwrap();
        let view = world.ledger.view(event.id).await.unwrap().unwrap();
        assert!(view.epoch > raised.epoch, "{view:?}");
        assert_eq!(world.confirmed(&event).await, [2]);
        world.finish().await;
    }

    async fn a_ledger_that_believes_in_more_seats_than_there_are_is_put_right_by_the_store(parts: Parts) {
        let mut world = World::new(parts).await;
        let app = world.node().await;
        let event = world.event_on_sale(&[2], 4).await;
        let (users, grade) = (world.users(2).await, event.ticket_types[0].id);
        let mut loaded = world.store.load_event(event.id).await.unwrap().unwrap();
        loaded.ticket_types[0].left = 50;
        let wrong = neticket_testkit::ledger::LedgerSnapshot {
            event: event.id,
            epoch: loaded.epoch,
            window: loaded.window,
            paused: false,
            max_per_user: 4,
            ticket_types: vec![neticket_testkit::ledger::SnapshotTicketType { id: grade, price: 1, left: 50 }],
            reservations: Vec::new(),
        };
        assert!(world.ledger.load(&wrong).await.unwrap().replaced);
        app.reservation_create(users[0], None, grade, tickets(2)).await.unwrap();
        let refused = app.reservation_create(users[1], None, grade, tickets(2)).await;
        assert!(matches!(refused, Err(neticket_app::AppError::SoldOut { .. })), "{refused:?}");
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while world.ledger.view(event.id).await.unwrap().is_none_or(|view| view.ticket_types[0].left > 0) {
            assert!(tokio::time::Instant::now() < deadline, "the ledger was loaded anew");
            tokio::time::sleep(GLANCE).await;
        }
        world.finish().await;
    }
}
