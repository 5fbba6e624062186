//! How a booking ended.

use uuid::Uuid;

/// How a booking ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Confirmed {
        id: Uuid,
        after_pending: bool,
        replayed: bool,
    },
    SoldOut,
    /// Holds the problem's code, or the status if there is no code.
    Refused(String),
    /// A successful answer that does not match the request.
    Wrong,
    /// No answer in time. `unknown` says that it may have been booked nevertheless.
    GaveUp {
        unknown: bool,
    },
}
