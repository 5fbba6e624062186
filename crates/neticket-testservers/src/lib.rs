//! Real MariaDB and Redis servers for tests and benchmarks, each on a free port of 127.0.0.1 and in a
//! folder of its own.
//!
//! Apart from `neticket-testkit`, which re-exports it as `servers`, so that `cargo xtask` can start
//! servers without compiling the whole product first. Everything here blocks: call it before a runtime's
//! work begins or from `spawn_blocking`.
//!
//! A test asks for [`TestDatabase::create`] and [`redis_url`] with [`unique_prefix`]: whether the servers
//! were started by `cargo xtask test` or by the test's own process is then no concern of it. Tests that
//! break servers start their own: `MariaDb::default().start()?`, `Redis::default().start()?`. For other
//! programs there are [`dying_with_parent`], [`spawn`] and [`free_port`].

mod database;
mod disk;
mod keeper;
mod mariadb;
mod redis;
mod server;
mod shared;

pub use database::TestDatabase;
pub use disk::SmallDisk;
pub use keeper::{dying_with_parent, free_port, spawn};
pub use mariadb::MariaDb;
pub use redis::{Redis, RedisCluster};
pub use server::Server;
pub use shared::{
    MARIADB_URL_VARIABLE, REDIS_URL_VARIABLE, mariadb_url, redis_cluster_url, redis_url, unique_name,
    unique_prefix,
};
