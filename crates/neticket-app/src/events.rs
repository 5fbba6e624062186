//! Events: reading them, writing them, their cache, and the feed of their availability.

mod admin;
mod availability_feed;
mod cache;
mod read;
mod validation;

pub use availability_feed::{AvailabilityFeed, Snapshot, Subscription};
pub(crate) use cache::{EventCache, JournalState, Names, READER_TIMEOUT};
pub use read::EventCopy;
pub(crate) use read::event_status;
pub(crate) use validation::no_such_image;
