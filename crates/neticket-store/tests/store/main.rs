//! Tests of every function of the store, on SQLite and on MariaDB. A green run on one proves nothing about
//! the other.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

mod accounts;
mod audit_log;
mod cancel;
mod commit;
mod concurrency;
mod connect;
mod connection_loss;
mod edit;
mod epoch;
mod event_cache;
mod event_cancel;
mod events;
mod full_disk;
mod identity;
mod inventory;
mod list;
mod load;
mod outbox;
mod read;
mod reject;
mod row_locks;
mod sessions;
mod stalled_server;
mod support;
