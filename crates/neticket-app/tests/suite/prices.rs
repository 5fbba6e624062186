//! Bookings that name the price that the person has seen.

use neticket_app::{AppError, EventChange, Expected, NewReservation, TicketTypeChange};
use neticket_testkit::domain::TicketTypeId;
use neticket_testkit::store::EventRecord;
use neticket_testkit::{TestEnv, on_both, tickets_of};

use crate::event_edits::admin;

/// The price of a ticket in [`TestEnv::event_on_sale`].
const PRICE: u64 = 50_000;

fn at(unit_price: u64, ticket_type: TicketTypeId, n: u32) -> NewReservation {
    NewReservation { unit_price: Some(unit_price), ..tickets_of(ticket_type, n) }
}

/// Raises the price of the first ticket type.
fn dearer(event: &EventRecord) -> EventChange {
    let ticket_type = &event.ticket_types[0];
    let change = TicketTypeChange {
        id: Some(ticket_type.id),
        name: ticket_type.name.clone(),
        price: PRICE + 40_000,
        capacity: ticket_type.capacity,
    };
    EventChange { ticket_types: Some(vec![change]), ..EventChange::default() }
}

on_both! {
    async fn a_booking_at_an_old_price_is_refused(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let (app, other) = (env.node().await, env.node().await);
        let event = env.event_on_sale(&[10], 4).await;
        let (user, ticket_type) = (env.user(0).await, event.ticket_types[0].id);
        let first = app.reservation_create(user, Some("first"), at(PRICE, ticket_type, 1)).await.unwrap();
        other.event_update(admin(), None, event.id, &Expected::Any, &dearer(&event)).await.unwrap();
        let seen = app.reservation_create(user, Some("second"), at(PRICE, ticket_type, 1)).await;
        assert!(matches!(seen, Err(AppError::PriceChanged { unit_price: 90_000 })), "{seen:?}");
        let mut numbers = String::new();
        app.metrics().register().write(&mut numbers);
        let counted = |outcome: &str, count: u32| {
            numbers
                .lines()
                .any(|line| line == format!("neticket_bookings_total{{outcome=\"{outcome}\"}} {count}"))
        };
        assert!(
            counted("price_changed", 1) && counted("internal", 0),
            "it is counted as a refusal and not as an internal error: {numbers}"
        );
        assert_eq!(env.confirmed(&event).await, [1], "the refused booking takes no seats");
        let again = app.reservation_create(user, Some("second"), at(90_000, ticket_type, 1)).await.unwrap();
        assert_eq!(
            (again.reservation.unit_price, again.replayed),
            (90_000, false),
            "the same key is admitted at the new price"
        );
        let replay = app.reservation_create(user, Some("first"), at(PRICE, ticket_type, 1)).await.unwrap();
        assert_eq!((replay.reservation.id, replay.replayed), (first.reservation.id, true));
        assert_eq!(replay.reservation.unit_price, PRICE, "the replay has the price that was paid");
        let unasked = app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap();
        assert_eq!(unasked.reservation.unit_price, 90_000, "a request without a price accepts any price");
        env.finish().await;
    }
}
