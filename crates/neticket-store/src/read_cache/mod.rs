//! Copies of events that all nodes share, in Redis: what is read again and again reaches the database once for all of them.
//!
//! Only what is shown goes by them, never a seat. The keys are the cache's own (`prefix:cache:{events}:…`), apart from the
//! ledger's; what the braces hold keeps all of them on one master of a cluster, where a script may look at two. An event has one key, a hash that
//! holds its copy and the permit under which it was put there. Forgetting an event removes the key, and so whatever was read
//! before cannot be put in its place any more: its permit is gone, and none is ever used twice.

mod connection;

use std::sync::LazyLock;
use std::time::Duration;

use neticket_domain::EventId;
use redis::{Script, ScriptInvocation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::connection::Connection;
use crate::EventRecord;

/// How old a copy may become. Only a backstop: what administration writes is forgotten at once.
pub const READ_CACHE_AGE_MAX: Duration = Duration::from_secs(5);
/// How long a permit lasts: what takes longer to read is not kept. It bounds also what asking for events that do not exist leaves
/// behind, in a Redis that evicts nothing.
const PERMIT_MS: u32 = 10_000;
/// How long an era lasts. When it ends all copies are forgotten, which does no harm.
const ERA_MS: u32 = 86_400_000;
/// Longer copies are not kept. The longest event that can be made is far shorter.
const VALUE_LEN_MAX: usize = 256 * 1024;
/// The number of the copies' layout: to be raised when a member of [`EventRecord`] changes its meaning. A copy of another
/// layout, or one that cannot be read, is none.
const LAYOUT: u32 = 1;

static GET: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("get.lua")));
static PUT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("put.lua")));

/// Redis did not do what it was asked to. Nothing depends on it; who reads goes to the database.
#[derive(Debug, thiserror::Error)]
pub enum ReadCacheError {
    #[error("no answer within {timeout_ms} ms")]
    Timeout { timeout_ms: u128 },
    #[error(transparent)]
    Redis(#[from] redis::RedisError),
}

/// What is there of an event.
#[derive(Debug)]
pub enum CachedEvent {
    Copy(EventRecord),
    /// Nothing: read the store *after* this, and put what it says.
    Missing(PutPermit),
}

/// The right to put an event's copy, for as long as nothing is forgotten.
#[derive(Clone, Debug)]
pub struct PutPermit {
    event: EventId,
    name: Vec<u8>,
}

/// The cache.
pub struct ReadCache {
    connection: Connection,
    prefix: String,
}

#[derive(Serialize)]
struct Written<'a> {
    layout: u32,
    event: &'a EventRecord,
}

#[derive(Deserialize)]
struct Layout {
    layout: u32,
}

#[derive(Deserialize)]
struct Read {
    event: EventRecord,
}

impl ReadCache {
    /// A cache on the Redis at `url`, which is of one server, or of several masters of a cluster with commas between them.
    /// Connects when it has to: a server that is down now is no error. No call takes longer than `timeout`.
    ///
    /// # Errors
    /// The address cannot be one.
    pub fn connect(url: &str, prefix: &str, timeout: Duration) -> Result<Self, ReadCacheError> {
        Ok(Self { connection: Connection::new(url, timeout)?, prefix: prefix.to_owned() })
    }

    /// The copy of an event.
    ///
    /// # Errors
    /// [`ReadCacheError`]
    pub async fn get(&self, event: EventId) -> Result<CachedEvent, ReadCacheError> {
        let mut call = GET.key(self.era());
        call.key(self.copy(event)).arg(Uuid::new_v4().as_bytes()).arg(PERMIT_MS).arg(ERA_MS);
        let (name, value): (Vec<u8>, Option<Vec<u8>>) = self.run(&call).await?;
        let copy = value.and_then(|value| read(&value)).filter(|copy| copy.id == event);
        Ok(copy.map_or(CachedEvent::Missing(PutPermit { event, name }), CachedEvent::Copy))
    }

    /// Keeps what the store said after `permit` was had. `false`: it was not kept, as it may be old already, or is too long.
    ///
    /// # Errors
    /// [`ReadCacheError`]; it may have been kept.
    pub async fn put(&self, permit: &PutPermit, event: &EventRecord) -> Result<bool, ReadCacheError> {
        let value = serde_json::to_vec(&Written { layout: LAYOUT, event }).unwrap_or_default();
        if event.id != permit.event || value.is_empty() || value.len() > VALUE_LEN_MAX {
            return Ok(false);
        }
        let age_ms = u64::try_from(READ_CACHE_AGE_MAX.as_millis()).unwrap_or(u64::MAX);
        let mut call = PUT.key(self.era());
        call.key(self.copy(event.id)).arg(&permit.name).arg(value).arg(age_ms);
        self.run(&call).await
    }

    /// Forgets an event's copy, and refuses all that were read before. To be called after the COMMIT that changed it.
    ///
    /// # Errors
    /// [`ReadCacheError`]; it may have been forgotten.
    pub async fn forget(&self, event: EventId) -> Result<(), ReadCacheError> {
        self.delete(self.copy(event)).await
    }

    /// Forgets all copies, and refuses all that were read before; touches no other key. They are not looked for: a new era begins,
    /// and copies of another one are none, until their time is over.
    ///
    /// # Errors
    /// [`ReadCacheError`]; they may have been forgotten.
    pub async fn forget_all(&self) -> Result<(), ReadCacheError> {
        self.delete(self.era()).await
    }

    /// Whether the cache answers.
    ///
    /// # Errors
    /// [`ReadCacheError`]
    pub async fn ping(&self) -> Result<(), ReadCacheError> {
        let era = self.era();
        // Of a cluster, the master that has the copies.
        let work =
            async |mut link| redis::cmd("EXISTS").arg(era).query_async::<bool>(&mut link).await.map(drop);
        self.connection.in_time(work).await
    }

    async fn delete(&self, key: String) -> Result<(), ReadCacheError> {
        let work = async |mut link| redis::cmd("DEL").arg(key).query_async::<u64>(&mut link).await.map(drop);
        self.connection.in_time(work).await
    }

    async fn run<T: redis::FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, ReadCacheError> {
        self.connection.in_time(async |mut link| call.invoke_async(&mut link).await).await
    }

    fn era(&self) -> String {
        format!("{}:cache:{{events}}:era", self.prefix)
    }

    fn copy(&self, event: EventId) -> String {
        format!("{}:cache:{{events}}:{event}", self.prefix)
    }
}

fn read(value: &[u8]) -> Option<EventRecord> {
    let Layout { layout } = serde_json::from_slice(value).ok()?;
    if layout != LAYOUT {
        return None;
    }
    serde_json::from_slice(value).ok().map(|Read { event }| event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_use_only_commands_on_single_keys() {
        for source in [include_str!("get.lua"), include_str!("put.lua")] {
            let commands: Vec<&str> =
                source.split("redis.call('").skip(1).filter_map(|rest| rest.split('\'').next()).collect();
            assert!(commands.len() > 2 && source.matches("redis.call(").count() == commands.len());
            let known = ["GET", "SET", "HMGET", "HSET", "DEL", "PEXPIRE"];
            assert!(commands.iter().all(|command| known.contains(command)), "{commands:?}");
        }
    }

    #[test]
    fn the_keys_are_apart_from_the_ledgers_and_together_in_a_cluster() {
        let cache =
            ReadCache::connect("redis://127.0.0.1:1", "neticket", Duration::from_millis(200)).unwrap();
        assert_eq!(cache.era(), "neticket:cache:{events}:era");
        assert_eq!(cache.copy(EventId(7)), "neticket:cache:{events}:7");
    }

    #[test]
    fn what_cannot_be_read_is_no_copy() {
        for value in
            ["", "{", "null", "{\"layout\":0}", "{\"layout\":1}", "{\"layout\":1,\"event\":{\"id\":7}}"]
        {
            assert!(read(value.as_bytes()).is_none(), "{value}");
        }
    }
}
