//! A cache of events in Redis that all nodes share. What they read again and again reaches the database once
//! for all of them.
//!
//! Cached data is for display, never for decisions about seats. The keys are the cache's own
//! (`prefix:cache:{events}:…`), separate from the ledger's. The braces keep all of them on one master of a
//! cluster, so that a script may use two of them. Each event has one key: a hash with the cached event and
//! the lease token under which it was written. An invalidation deletes that key. A value that was read before
//! it can then no longer be written, because its lease is gone and no lease token is ever used twice.

mod connection;
mod error;

use std::sync::LazyLock;
use std::time::Duration;

use neticket_domain::EventId;
use redis::{Script, ScriptInvocation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::connection::Connection;
pub use self::error::EventCacheError;
use crate::EventRecord;

/// The maximum age of a cached event. This is only a backstop, because every administrator's write
/// invalidates at once.
pub const EVENT_CACHE_AGE_MAX: Duration = Duration::from_secs(5);
/// How long a lease lasts, in milliseconds. A read that takes longer is not cached. This also bounds what
/// requests for missing events leave behind in a Redis that evicts nothing.
const LEASE_MS: u32 = 10_000;
/// How long a namespace version lasts, in milliseconds. When it expires the whole cache is invalid, which
/// does no harm.
const NAMESPACE_VERSION_MS: u32 = 86_400_000;
/// Longer values are not cached, in bytes. The longest possible event is far shorter.
const VALUE_LEN_MAX: usize = 256 * 1024;
/// The version of the format. Raise it when a field of [`EventRecord`] changes its meaning. A value of
/// another version, or one that cannot be parsed, counts as missing.
const FORMAT_VERSION: u32 = 1;

static GET: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("event_cache/get.lua")));
static PUT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("event_cache/put.lua")));

/// The result of looking up an event.
#[derive(Debug)]
pub enum CachedEvent {
    Hit(EventRecord),
    /// Nothing is cached. Read the store *after* this, and write what it says with this lease.
    Miss(WriteLease),
}

/// A lease: the right to write one event to the cache, until that event or the whole cache is invalidated.
#[derive(Clone, Debug)]
pub struct WriteLease {
    event: EventId,
    token: Vec<u8>,
}

/// The shared cache of events.
pub struct SharedEventCache {
    connection: Connection,
    prefix: String,
}

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "layout")]
    format_version: u32,
    event: &'a EventRecord,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "layout")]
    format_version: u32,
}

#[derive(Deserialize)]
struct Read {
    event: EventRecord,
}

impl SharedEventCache {
    /// A cache on the Redis at `url`: the address of one server, or of several masters of a cluster,
    /// separated by commas. It connects with the first call, so a server that is down now causes no error. No
    /// call takes longer than `timeout`.
    ///
    /// # Errors
    /// The address is invalid.
    pub fn connect(url: &str, prefix: &str, timeout: Duration) -> Result<Self, EventCacheError> {
        Ok(Self { connection: Connection::new(url, timeout)?, prefix: prefix.to_owned() })
    }

    /// Looks up an event.
    ///
    /// # Errors
    /// [`EventCacheError`]
    pub async fn get(&self, event: EventId) -> Result<CachedEvent, EventCacheError> {
        let mut call = GET.key(self.namespace_key());
        call.key(self.event_key(event))
            .arg(Uuid::new_v4().as_bytes())
            .arg(LEASE_MS)
            .arg(NAMESPACE_VERSION_MS);
        let (token, value): (Vec<u8>, Option<Vec<u8>>) = self.run(&call).await?;
        let copy = value.and_then(|value| read(&value)).filter(|copy| copy.id == event);
        Ok(copy.map_or(CachedEvent::Miss(WriteLease { event, token }), CachedEvent::Hit))
    }

    /// Caches what the store answered after the lease was granted. Returns `false` if it was not cached,
    /// because it may be stale or is too long.
    ///
    /// # Errors
    /// [`EventCacheError`]. It may have been cached.
    pub async fn put(&self, lease: &WriteLease, event: &EventRecord) -> Result<bool, EventCacheError> {
        let value =
            serde_json::to_vec(&Envelope { format_version: FORMAT_VERSION, event }).unwrap_or_default();
        if event.id != lease.event || value.is_empty() || value.len() > VALUE_LEN_MAX {
            return Ok(false);
        }
        let age_ms = u64::try_from(EVENT_CACHE_AGE_MAX.as_millis()).unwrap_or(u64::MAX);
        let mut call = PUT.key(self.namespace_key());
        call.key(self.event_key(event.id)).arg(&lease.token).arg(value).arg(age_ms);
        self.run(&call).await
    }

    /// Invalidates an event, and refuses values that were read before. Call it after the COMMIT that changed
    /// the event.
    ///
    /// # Errors
    /// [`EventCacheError`]. The event may have been invalidated.
    pub async fn invalidate(&self, event: EventId) -> Result<(), EventCacheError> {
        self.delete(self.event_key(event)).await
    }

    /// Invalidates all events, and refuses values that were read before. It touches no other key. It does not
    /// search for the cached events: a new namespace version begins, and entries of another version count as
    /// missing until they expire.
    ///
    /// # Errors
    /// [`EventCacheError`]. They may have been invalidated.
    pub async fn invalidate_all(&self) -> Result<(), EventCacheError> {
        self.delete(self.namespace_key()).await
    }

    /// Whether the cache answers.
    ///
    /// # Errors
    /// [`EventCacheError`]
    pub async fn ping(&self) -> Result<(), EventCacheError> {
        let namespace_key = self.namespace_key();
        // In a cluster, this asks the master that holds the cache.
        let work = async |mut link| {
            redis::cmd("EXISTS").arg(namespace_key).query_async::<bool>(&mut link).await.map(drop)
        };
        self.connection.in_time(work).await
    }

    async fn delete(&self, key: String) -> Result<(), EventCacheError> {
        let work = async |mut link| redis::cmd("DEL").arg(key).query_async::<u64>(&mut link).await.map(drop);
        self.connection.in_time(work).await
    }

    async fn run<T: redis::FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, EventCacheError> {
        self.connection.in_time(async |mut link| call.invoke_async(&mut link).await).await
    }

    fn namespace_key(&self) -> String {
        format!("{}:cache:{{events}}:era", self.prefix)
    }

    fn event_key(&self, event: EventId) -> String {
        format!("{}:cache:{{events}}:{event}", self.prefix)
    }
}

fn read(value: &[u8]) -> Option<EventRecord> {
    let Version { format_version } = serde_json::from_slice(value).ok()?;
    if format_version != FORMAT_VERSION {
        return None;
    }
    serde_json::from_slice(value).ok().map(|Read { event }| event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_use_only_commands_on_single_keys() {
        for source in [include_str!("event_cache/get.lua"), include_str!("event_cache/put.lua")] {
            let commands: Vec<&str> =
                source.split("redis.call('").skip(1).filter_map(|rest| rest.split('\'').next()).collect();
            assert!(commands.len() > 2 && source.matches("redis.call(").count() == commands.len());
            let known = ["GET", "SET", "HMGET", "HSET", "DEL", "PEXPIRE"];
            assert!(commands.iter().all(|command| known.contains(command)), "{commands:?}");
        }
    }

    #[test]
    fn cache_keys_differ_from_ledger_keys_and_share_one_slot() {
        let cache =
            SharedEventCache::connect("redis://127.0.0.1:1", "neticket", Duration::from_millis(200)).unwrap();
        assert_eq!(cache.namespace_key(), "neticket:cache:{events}:era");
        assert_eq!(cache.event_key(EventId(7)), "neticket:cache:{events}:7");
    }

    #[test]
    fn an_unreadable_cache_value_is_a_miss() {
        for value in
            ["", "{", "null", "{\"layout\":0}", "{\"layout\":1}", "{\"layout\":1,\"event\":{\"id\":7}}"]
        {
            assert!(read(value.as_bytes()).is_none(), "{value}");
        }
    }
}
