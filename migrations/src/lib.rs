//! The schema, up and down, for MariaDB/MySQL and SQLite.
//!
//! Every moment is a `BIGINT` of milliseconds since 1970, every id of a reservation is 16 bytes, and every
//! status is a word. These formats compare in the same way on each database. On MySQL, text is compared by
//! bytes (`utf8mb4_bin`), as on SQLite.
#![allow(elided_lifetimes_in_paths, reason = "the trait that migrations implement is written without them")]

mod columns;
mod m20260101_000001_accounts;
mod m20260101_000002_events;
mod m20260101_000003_bookings;
mod m20260101_000004_audit_log;
mod m20260101_000005_fewer_indexes;
mod m20260101_000006_administration;
mod m20260101_000007_pauses;
mod m20260101_000008_database_identity;

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

/// All migrations, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20260101_000001_accounts::Migration),
            Box::new(m20260101_000002_events::Migration),
            Box::new(m20260101_000003_bookings::Migration),
            Box::new(m20260101_000004_audit_log::Migration),
            Box::new(m20260101_000005_fewer_indexes::Migration),
            Box::new(m20260101_000006_administration::Migration),
            Box::new(m20260101_000007_pauses::Migration),
            Box::new(m20260101_000008_database_identity::Migration),
        ]
    }
}
