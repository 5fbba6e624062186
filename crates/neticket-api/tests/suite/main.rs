//! The REST API over HTTP, on SQLite with the ledger in memory, and on MariaDB with Redis. The tests cover
//! every operation, who may use it, and every refusal.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests fail loudly")]

mod accounts;
mod admin_events;
mod authorization;
mod cache;
mod control_room;
mod events;
mod hanging_up;
mod images;
mod metrics;
mod problems;
mod reservations;
mod restored;
mod shown;
mod silence;
mod streams;
