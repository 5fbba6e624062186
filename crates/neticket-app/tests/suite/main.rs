//! The application on real backends: SQLite with the ledger in the process, and MariaDB with Redis.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests fail loudly")]

mod administering;
mod booking;
mod cluster;
mod control_room;
mod control_rush;
mod costs;
mod faults;
mod images;
mod lanes;
mod names;
mod opening;
mod own;
mod pending;
mod prices;
mod reads;
mod reconciling;
mod rejected;
mod reused_keys;
mod sessions;
mod started;
mod unavailable;
mod withdrawing;
