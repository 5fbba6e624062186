//! Errors at start-up, as sentences for the operator.

use std::io;

use neticket_ledger::{Difference, LedgerError};
use neticket_store::{EventCacheError, StoreError};

use crate::error::AppError;

/// Why the application did not start, as a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("not fit for production:\n  {}", .0.join("\n  "))]
    Production(Vec<String>),
    #[error("the database is behind by {} migrations ({}): run `neticket migrate` first", .0.len(), .0.join(", "))]
    Behind(Vec<String>),
    #[error("the database cannot be opened: {0}")]
    Store(#[source] StoreError),
    #[error("Redis may evict keys of the ledger (maxmemory-policy {0}): set maxmemory-policy to noeviction")]
    Evicting(String),
    #[error(
        "Redis does not persist its data, so a restart would lose pending bookings: set appendonly to yes"
    )]
    NotPersistent,
    #[error("the Redis ledger cannot be opened: {0}")]
    Ledger(#[source] LedgerError),
    #[error("the read cache in Redis cannot be opened: {0}")]
    EventCache(#[source] EventCacheError),
    #[error("{}", other_deployment(*.0))]
    OtherDeployment(Difference),
    #[error("{what}: {source}")]
    Files { what: String, source: io::Error },
    #[error(transparent)]
    Other(#[from] AppError),
}

/// Says what differs from the running nodes, and what the operator can do.
fn other_deployment(difference: Difference) -> String {
    let (what, variables) = match (difference.database, difference.token_secret) {
        (true, true) => {
            ("another database and another token secret", "NETICKET_DATABASE_URL and NETICKET_JWT_SECRET")
        }
        (true, false) => ("another database", "NETICKET_DATABASE_URL"),
        (false, _) => ("another token secret", "NETICKET_JWT_SECRET"),
    };
    format!(
        "nodes that run on this Redis and prefix use {what}: set {variables} to their values, or stop all of \
         them first if the change is intended, or use another NETICKET_REDIS_PREFIX"
    )
}
