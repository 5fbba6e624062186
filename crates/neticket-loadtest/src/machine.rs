//! The machine on which a figure was measured. Without it, a figure means nothing.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// The hardware and the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub cpu: String,
    /// Processors that this process may use.
    pub cores: u64,
    pub memory_mib: u64,
    pub kernel: String,
}

impl Machine {
    /// This machine, as Linux describes it. Unknown values are empty.
    pub fn here() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        Self {
            cpu: value(&read("/proc/cpuinfo"), "model name"),
            cores: u64::try_from(cores).unwrap_or(0),
            memory_mib: value(&read("/proc/meminfo"), "MemTotal")
                .trim_end_matches(" kB")
                .parse::<u64>()
                .map_or(0, |kib| kib / 1024),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}

/// The value of the first `name: value` line.
fn value(text: &str, name: &str) -> String {
    let of =
        |line: &str| line.split_once(':').map(|(key, value)| (key.trim() == name, value.trim().to_owned()));
    text.lines().filter_map(of).find_map(|(found, value)| found.then_some(value)).unwrap_or_default()
}

/// Redis' settings for durability (`appendonly`, `appendfsync`, `maxmemory-policy`) and its version.
///
/// # Errors
/// Redis does not answer.
pub(crate) async fn redis_durability(url: &str) -> Result<BTreeMap<String, String>> {
    // All servers of a cluster have the same settings.
    let url = url.split(',').next().unwrap_or(url);
    let mut connection = redis::Client::open(url)?
        .get_multiplexed_async_connection()
        .await
        .context("Redis does not answer")?;
    let mut settings = BTreeMap::new();
    for name in ["appendonly", "appendfsync", "maxmemory-policy"] {
        let found: BTreeMap<String, String> =
            redis::cmd("CONFIG").arg("GET").arg(name).query_async(&mut connection).await?;
        settings.extend(found);
    }
    let about: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
    settings.insert("version".to_owned(), value(&about, "redis_version"));
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_name() {
        assert_eq!(value("a: 1\nmodel name\t: Fast\nmodel name\t: Slow", "model name"), "Fast");
        assert_eq!(value("a: 1", "b"), "");
    }
}
