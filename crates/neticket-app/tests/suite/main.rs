//! The application on real backends: SQLite with the ledger in the process, and MariaDB with Redis.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests fail loudly")]

mod booking;
mod event_cancellation;
mod event_edits;
mod event_isolation;
mod faults;
mod images;
mod inventory;
mod inventory_rush;
mod new_ticket_types;
mod own_servers;
mod pending_lookup;
mod prices;
mod query_counts;
mod reads;
mod reconciling;
mod redis_cluster;
mod rejections;
mod reused_keys;
mod sale_opening;
mod sessions;
mod started_events;
mod unavailable_backends;
