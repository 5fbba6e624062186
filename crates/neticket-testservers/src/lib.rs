//! Real MariaDB and Redis servers for tests and benchmarks. Each has a free port of 127.0.0.1 and its own
//! folder.
//!
//! This crate is separate from `neticket-testkit`, which re-exports it as `servers`. `cargo xtask` can
//! therefore start servers without compiling the whole product first. All functions block: call them before a
//! runtime starts its work, or from `spawn_blocking`.
//!
//! A test uses [`TestDatabase::create`], and [`redis_url`] with [`unique_prefix`]. It need not know whether
//! `cargo xtask test` or its own process started the servers. Tests that break servers start their own:
//! `MariaDb::default().start()?`, `Redis::default().start()?`. For other programs there are
//! [`dying_with_parent`], [`spawn`] and [`free_port`].

mod database;
mod disk;
mod mariadb;
mod process_guard;
mod redis;
mod server;
mod shared;
mod sql_client;

pub use database::TestDatabase;
pub use disk::SmallDisk;
pub use mariadb::MariaDb;
pub use process_guard::{dying_with_parent, free_port, spawn};
pub use redis::{Redis, RedisCluster};
pub use server::Server;
pub use shared::{
    MARIADB_URL_VARIABLE, REDIS_URL_VARIABLE, mariadb_url, redis_cluster_url, redis_url, unique_name,
    unique_prefix,
};
