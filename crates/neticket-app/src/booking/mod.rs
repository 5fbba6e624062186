//! The booking engine. A booking passes two batched stages: admission at the ledger, and commit to the store.
//! A third batched stage handles cancels.

mod admission;
mod cancel;
mod commit;
mod loader;
mod request;
mod service;

pub(crate) use admission::Admission;
pub(crate) use cancel::{CancelService, deliver};
pub(crate) use commit::Committer;
pub(crate) use loader::{Loader, should_be_loaded};
pub(crate) use request::{BookingOutcome, is_same_booking, to_commit};
pub(crate) use service::{BookingAnswer, BookingService, Incoming};
