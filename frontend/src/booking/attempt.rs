//! The choice and its idempotency key. Both are in the tab's storage from before the first press until an
//! answer, so that neither a reload nor a sign-in loses them.

use neticket_contract::{ProblemCode, ReservationCreateRequest};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::storage;

const PREFIX: &str = "neticket.attempt.";

/// What a person wants to book of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// The idempotency key: two presses with one key are one booking.
    pub(crate) key: String,
    pub(crate) ticket_type_id: i64,
    pub(crate) quantity: u32,
    /// The price of one ticket that the page showed at the press, in won. Earlier clients stored none.
    #[serde(default)]
    pub(crate) unit_price: Option<u64>,
    /// When the person pressed, by the browser's clock, in milliseconds. `None` before that and after a final
    /// answer.
    pub(crate) pressed_ms: Option<i64>,
    /// The user who pressed. Nobody else may get the booking.
    #[serde(default)]
    pub(crate) user_id: Option<i64>,
}

impl Attempt {
    pub(crate) fn new(ticket_type_id: i64, quantity: u32) -> Self {
        Self {
            key: Uuid::new_v4().to_string(),
            ticket_type_id,
            quantity,
            unit_price: None,
            pressed_ms: None,
            user_id: None,
        }
    }

    /// The same attempt for the same choice, and a new one for another choice.
    #[must_use]
    pub(crate) fn choose(self, ticket_type_id: i64, quantity: u32) -> Self {
        if (self.ticket_type_id, self.quantity) == (ticket_type_id, quantity) {
            self
        } else {
            Self::new(ticket_type_id, quantity)
        }
    }

    pub(crate) fn request(&self) -> ReservationCreateRequest {
        ReservationCreateRequest {
            ticket_type_id: self.ticket_type_id,
            quantity: self.quantity,
            unit_price: self.unit_price,
        }
    }

    /// What the next press sends after a refusal. The choice stays.
    pub(crate) fn after(self, refusal: ProblemCode) -> Self {
        match refusal {
            // The key stays. A refusal does not use it up, and an earlier request with it may still be on its
            // way. With another key, the two could become two bookings.
            ProblemCode::Unauthenticated | ProblemCode::PriceChanged => {
                Self { pressed_ms: None, user_id: None, ..self }
            }
            _ => Self::new(self.ticket_type_id, self.quantity),
        }
    }

    pub(crate) fn load(event_id: i64) -> Option<Self> {
        let text = storage::session().get(&format!("{PREFIX}{event_id}"))?;
        serde_json::from_str(&text).ok()
    }

    pub(crate) fn save(&self, event_id: i64) {
        if let Ok(text) = serde_json::to_string(self) {
            storage::session().set(&format!("{PREFIX}{event_id}"), &text);
        }
    }

    pub(crate) fn forget(event_id: i64) {
        storage::session().remove(&format!("{PREFIX}{event_id}"));
    }
}

/// Deletes all attempts, because they belong to the user who was signed in.
pub(crate) fn forget_all() {
    let store = storage::session();
    for key in store.keys(PREFIX) {
        store.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> Attempt {
        Attempt {
            key: "k".into(),
            ticket_type_id: 1,
            quantity: 2,
            unit_price: Some(50_000),
            pressed_ms: Some(5),
            user_id: Some(7),
        }
    }

    #[test]
    fn the_same_choice_keeps_its_key() {
        assert_eq!(attempt().choose(1, 2), attempt());
    }

    #[test]
    fn another_choice_gets_another_key() {
        let other = attempt().choose(1, 3);
        assert_ne!(other.key, attempt().key);
        assert_eq!(other.pressed_ms, None);
    }

    #[test]
    fn an_attempt_round_trips_through_storage() {
        let text = serde_json::to_string(&attempt()).unwrap();
        assert_eq!(serde_json::from_str::<Attempt>(&text).unwrap(), attempt());
    }

    #[test]
    fn a_request_contains_the_price_at_the_time_of_the_press() {
        assert_eq!(attempt().request().unit_price, Some(50_000));
    }

    #[test]
    fn an_attempt_of_an_older_client_continues_without_a_price() {
        let text = r#"{"key":"k","ticket_type_id":1,"quantity":2,"pressed_ms":5,"user_id":7}"#;
        let stored = serde_json::from_str::<Attempt>(text).unwrap();
        assert_eq!(stored, Attempt { unit_price: None, ..attempt() });
        let request = serde_json::to_string(&stored.request()).unwrap();
        assert_eq!(request, r#"{"ticket_type_id":1,"quantity":2}"#);
    }

    #[test]
    fn a_new_price_needs_a_new_decision_and_keeps_the_key() {
        let next = attempt().after(ProblemCode::PriceChanged);
        assert_eq!(next, Attempt { pressed_ms: None, user_id: None, ..attempt() });
    }

    #[test]
    fn after_any_other_refusal_the_next_press_gets_a_new_key() {
        let next = attempt().after(ProblemCode::SoldOut);
        assert_ne!(next.key, attempt().key);
        assert_eq!((next.ticket_type_id, next.quantity, next.pressed_ms), (1, 2, None));
    }
}
