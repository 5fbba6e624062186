//! The booking engine. A booking passes two batched stages: admission at the ledger, and commit to the store.
//! A third batched stage handles cancels.

mod admission;
mod cancel;
mod commit;
mod desk;
mod wish;

pub(crate) use admission::Admission;
pub(crate) use cancel::{CancelDesk, deliver};
pub(crate) use commit::Committer;
pub(crate) use desk::{Answer, BookingDesk, Incoming};
pub(crate) use wish::{Done, is_same_booking, to_commit};
