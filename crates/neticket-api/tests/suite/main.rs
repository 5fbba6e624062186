//! The REST API over HTTP, on SQLite with the ledger in memory, and on MariaDB with Redis. The tests cover
//! every operation, who may use it, and every refusal.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests fail loudly")]

mod accounts;
mod admin_events;
mod authorization;
mod cache;
mod disconnects;
mod events;
mod images;
mod inventory;
mod metrics;
mod problems;
mod reservations;
mod restored_database;
mod snapshot;
mod stats;
mod streams;
mod unresponsive_backends;
