//! The booking engine: two stages of batches (admission at the ledger, commit at the store), and a third for cancels.

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
