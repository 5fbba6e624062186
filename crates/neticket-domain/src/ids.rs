//! Identifiers. Each has its own type, so that the compiler refuses an event's id where a ticket type's id is
//! expected.

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
    /// One event: one show at one place and time.
    EventId
);
integer_id!(
    /// A ticket type of an event, the unit of inventory.
    TicketTypeId
);
integer_id!(
    /// A person with an account. Ids are random numbers below 2^52 and are never given twice. Older versions
    /// counted them up.
    UserId
);
integer_id!(
    /// The number of the load that built a ledger. 0 before the first load.
    Epoch
);

/// A reservation: some tickets of one ticket type for one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReservationId(pub Uuid);

impl fmt::Display for ReservationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
