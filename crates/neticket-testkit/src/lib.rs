//! What tests across the workspace share: real servers, and test environments on them.

#![allow(clippy::expect_used, reason = "what supports tests fails loudly")]

mod backends;
mod proxy;
mod s3;
mod sql;
mod test_env;
mod test_server;
mod until;

pub use backends::Backends;
pub use neticket_app as app;
pub use neticket_domain as domain;
pub use neticket_ledger as ledger;
pub use neticket_media as media;
pub use neticket_store as store;
pub use neticket_testservers as servers;
pub use proxy::{NetworkFault, Proxy};
pub use s3::{S3, age, picture};
pub use sql::{Locks, sql};
pub use test_env::{TestEnv, tickets, tickets_of};
pub use test_server::{Answer, PASSWORD, Person, TestServer};
pub use until::until;

/// For [`on_both!`].
pub use tokio;
