//! The booking engine. A booking passes two batched stages: admission at the ledger, and commit to the store.
//! A third batched stage handles cancels. `reservations.rs` has the use cases.

mod admission;
mod batcher;
mod cancel;
mod commit;
mod connection_budget;
mod loader;
mod rejections;
mod request;
mod reservations;
mod service;
mod store_calls;

pub(crate) use admission::AdmissionStage;
pub(crate) use cancel::{CancelService, deliver};
pub(crate) use commit::Committer;
pub(crate) use connection_budget::ConnectionBudget;
pub(crate) use loader::{Loader, should_be_loaded};
pub(crate) use rejections::Rejections;
pub(crate) use request::to_commit_request;
pub use reservations::reservation_id;
pub(crate) use service::BookingService;
