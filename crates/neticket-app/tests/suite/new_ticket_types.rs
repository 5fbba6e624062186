//! Ticket types that another node has just added.

use neticket_app::{EventChange, Expected, ReservationState, TicketTypeChange};
use neticket_testkit::domain::TicketTypeId;
use neticket_testkit::ledger::LedgerView;
use neticket_testkit::store::EventRecord;
use neticket_testkit::{Backends, TestEnv, tickets_of, until};

use crate::event_edits::admin;
use crate::own_servers::admit;

/// The event with one more ticket type.
fn with_another(event: &EventRecord, name: &str) -> EventChange {
    let kept = event.ticket_types.iter().map(|ticket_type| TicketTypeChange {
        id: Some(ticket_type.id),
        name: ticket_type.name.clone(),
        price: ticket_type.price,
        capacity: ticket_type.capacity,
    });
    let new = TicketTypeChange { id: None, name: name.to_owned(), price: 9_000, capacity: 10 };
    EventChange { ticket_types: Some(kept.chain([new]).collect()), ..EventChange::default() }
}

fn newest(ticket_types: &[neticket_app::TicketTypeView]) -> TicketTypeId {
    ticket_types.iter().map(|ticket_type| ticket_type.id).max().expect("the event has ticket types")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_type_that_another_node_added_can_be_booked_at_once() {
    let mut env = TestEnv::new(Backends::Shared).await;
    let (first, second) = (env.node().await, env.node().await);
    let event = env.event_on_sale(&[10], 40).await;
    let user = env.user(0).await;
    for round in 0..8 {
        // Fills the cache of the second node with the event before the change.
        let booked = second.reservation_create(user, None, tickets_of(event.ticket_types[0].id, 1)).await;
        booked.expect("there are seats");
        let before = second.event(event.id).await.unwrap();
        let record = env.store.event(event.id).await.unwrap().unwrap();
        let change = with_another(&record, &format!("added {round}"));
        let edited = first.event_update(admin(), None, event.id, &Expected::Any, &change).await.unwrap();
        let added = newest(&edited.ticket_types);
        assert!(before.ticket_types.iter().all(|ticket_type| ticket_type.id != added));
        let booked = second.reservation_create(user, None, tickets_of(added, 1)).await.unwrap();
        let seen = booked.reservation;
        assert_eq!(
            (seen.state, seen.ticket_type_name),
            (ReservationState::Confirmed, format!("added {round}"))
        );
    }
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_shows_a_pending_booking_of_a_new_ticket_type() {
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.engine.grace_ms = 60_000; // until the test ends it
    let (first, second) = (env.node().await, env.node().await);
    let event = env.event_on_sale(&[10], 40).await;
    let user = env.user(0).await;
    for round in 0..4 {
        let record = env.store.event(event.id).await.unwrap().unwrap();
        // Fills the cache of the second node with the event before the change.
        let ticket_type = event.ticket_types[0].id;
        second.reservation_create(user, None, tickets_of(ticket_type, 1)).await.expect("there are seats");
        let change = with_another(&record, &format!("added {round}"));
        let edited = first.event_update(admin(), None, event.id, &Expected::Any, &change).await.unwrap();
        let added = newest(&edited.ticket_types);
        let is_known = |view: LedgerView| view.ticket_types.iter().any(|ticket_type| ticket_type.id == added);
        until("the ledger has the ticket type", async || {
            env.ledger.view(event.id).await.unwrap().is_some_and(is_known)
        })
        .await;
        let pending = admit(&env, event.id, user, added).await;
        let seen = second.reservation(user, pending).await.unwrap();
        assert_eq!(
            (seen.state, seen.ticket_type_name),
            (ReservationState::Pending, format!("added {round}"))
        );
        let listed = second.reservations_page(user, 1, 10).await.unwrap();
        assert_eq!(listed.items[0].id, pending);
        let entry = env.ledger.journal_entry(event.id, pending).await.unwrap().unwrap();
        env.store.commit(&[crate::rejections::to_commit(event.id, entry)]).await.unwrap();
        env.ledger.settle(event.id, entry.epoch, &[pending]).await.unwrap();
    }
    env.finish().await;
}
