//! The servers that tests share: those of the test run, or else those of this process.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, process};

use anyhow::Result;

use crate::{MariaDb, Redis, RedisCluster, Server};

/// The name of the variable with the address of the MariaDB that all tests of a run use. `cargo xtask test`
/// sets it.
pub const MARIADB_URL_VARIABLE: &str = "NETICKET_TEST_MARIADB_URL";
/// The name of the variable with the address of the Redis that all tests of a run use. `cargo xtask test`
/// sets it.
pub const REDIS_URL_VARIABLE: &str = "NETICKET_TEST_REDIS_URL";

/// The address of the MariaDB for tests, without a slash at the end and without a database. It is the one in
/// [`MARIADB_URL_VARIABLE`], or a server that is started for this process and dies with it.
///
/// # Errors
/// The variable is not set and no server can be started.
pub fn mariadb_url() -> Result<String> {
    static OWN: Mutex<Option<Server>> = Mutex::new(None);
    shared_url(MARIADB_URL_VARIABLE, &OWN, || MariaDb::default().start())
}

/// The address of the Redis for tests: the one in [`REDIS_URL_VARIABLE`], or a server that is started for
/// this process and dies with it. It is shared, so keys must begin with [`unique_prefix`].
///
/// # Errors
/// The variable is not set and no server can be started.
pub fn redis_url() -> Result<String> {
    static OWN: Mutex<Option<Server>> = Mutex::new(None);
    shared_url(REDIS_URL_VARIABLE, &OWN, || Redis::default().start())
}

/// The addresses of the Redis Cluster for tests, separated by commas. The cluster is started for this process
/// and dies with it. It is shared, so keys must begin with [`unique_prefix`].
///
/// # Errors
/// The cluster cannot be started.
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

/// A name that no other test of this or another process uses: letters, digits and underscores.
pub fn unique_name(stem: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("{stem}_{}_{nanos:x}_{count}", process::id())
}

/// The prefix for a test's keys on the shared Redis, including the colon.
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
    fn two_calls_return_the_same_server() {
        assert_eq!(redis_url().unwrap(), redis_url().unwrap());
    }
}
