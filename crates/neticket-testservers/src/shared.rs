//! The servers that tests share: the run's own, or else this process's.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, process};

use anyhow::Result;

use crate::{MariaDb, Redis, RedisCluster, Server};

/// Names the MariaDB that every test of a run uses. `cargo xtask test` sets it.
pub const MARIADB_URL_VARIABLE: &str = "NETICKET_TEST_MARIADB_URL";
/// Names the Redis that every test of a run uses. `cargo xtask test` sets it.
pub const REDIS_URL_VARIABLE: &str = "NETICKET_TEST_REDIS_URL";

/// The MariaDB for tests, without a slash at the end and without a database: the one that
/// [`MARIADB_URL_VARIABLE`] names, or one started now for this process and dying with it.
///
/// # Errors
/// When none is named and none can be started.
pub fn mariadb_url() -> Result<String> {
    static OWN: Mutex<Option<Server>> = Mutex::new(None);
    shared_url(MARIADB_URL_VARIABLE, &OWN, || MariaDb::default().start())
}

/// The Redis for tests: the one that [`REDIS_URL_VARIABLE`] names, or one started now for this process and
/// dying with it. Shared, so keys begin with [`unique_prefix`].
///
/// # Errors
/// When none is named and none can be started.
pub fn redis_url() -> Result<String> {
    static OWN: Mutex<Option<Server>> = Mutex::new(None);
    shared_url(REDIS_URL_VARIABLE, &OWN, || Redis::default().start())
}

/// The Redis Cluster for tests, as several addresses with commas between them: started for this process, and dying with it.
/// Shared, so keys begin with [`unique_prefix`].
///
/// # Errors
/// When it cannot be started.
pub fn redis_cluster_url() -> Result<String> {
    static OWN: Mutex<Option<RedisCluster>> = Mutex::new(None);
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    let cluster = match own.take() {
        Some(cluster) => cluster,
        None => RedisCluster::start()?,
    };
    Ok(own.insert(cluster).url())
}

fn shared_url(
    variable: &str,
    own: &Mutex<Option<Server>>,
    start: impl FnOnce() -> Result<Server>,
) -> Result<String> {
    if let Ok(url) = env::var(variable)
        && !url.is_empty()
    {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let mut own = own.lock().unwrap_or_else(PoisonError::into_inner);
    let server = match own.take() {
        Some(server) => server,
        None => start()?,
    };
    Ok(own.insert(server).url())
}

/// A word that no other test of this or another process uses: letters, digits and underscores.
pub fn unique_name(stem: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("{stem}_{}_{nanos:x}_{count}", process::id())
}

/// What a test's keys on the shared Redis begin with, colon included.
pub fn unique_prefix() -> String {
    format!("{}:", unique_name("t"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_differ() {
        assert_ne!(unique_prefix(), unique_prefix());
        assert!(unique_prefix().ends_with(':'));
    }

    #[test]
    fn asking_twice_gives_the_same_server() {
        assert_eq!(redis_url().unwrap(), redis_url().unwrap());
    }
}
