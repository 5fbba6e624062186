//! What tests across the workspace share: real servers, and test environments on them.

#![allow(clippy::expect_used, reason = "what supports tests fails loudly")]

mod parts;
mod proxy;
mod s3;
mod site;
mod sql;
mod until;
mod world;

pub use neticket_app as app;
pub use neticket_domain as domain;
pub use neticket_ledger as ledger;
pub use neticket_media as media;
pub use neticket_store as store;
pub use neticket_testservers as servers;
pub use parts::Parts;
pub use proxy::{Proxy, Weather};
pub use s3::{S3, age, picture};
pub use site::{Answer, PASSWORD, Person, Site};
pub use sql::{Locks, sql};
pub use until::until;
pub use world::{World, tickets, tickets_of};

/// For [`on_both!`].
pub use tokio;
