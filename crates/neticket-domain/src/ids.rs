//! Identifiers. Each is its own type, so that an event's number is never taken for a grade's.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! integer_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

integer_id!(
    /// One show at one place and time.
    EventId
);
integer_id!(
    /// A grade of an event; the unit of inventory.
    TicketTypeId
);
integer_id!(
    /// A person with an account. Drawn at random below 2^52 and never given twice; those of older versions
    /// were counted.
    UserId
);
integer_id!(
    /// The number of the load that a ledger came from; 0 before the first load.
    Epoch
);

/// One user's booking of some tickets of one grade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReservationId(pub Uuid);

impl fmt::Display for ReservationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
