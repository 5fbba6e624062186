//! The application on real parts: SQLite with the ledger in the process, and MariaDB with Redis.

mod booking;
mod faults;
mod opening;
mod sessions;
