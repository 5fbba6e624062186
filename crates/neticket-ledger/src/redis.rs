//! The ledger on a Redis server, for several nodes.
//!
//! Every step is one Lua script (`lua/`), so it happens completely or not at all. The names of all keys of an
//! event contain the hash tag `{event}`, so that Redis Cluster keeps them together, and the version of their
//! layout (`script.rs`). The server's clock decides whether a sale is open. Its replication id decides
//! whether its data can be trusted: a server run begins when the server starts or is promoted. A ledger of
//! another run answers as if there were none, or `stale`.
//!
//! The server's user needs the commands of the scripts (`INFO` is one of them) and those that the ledger
//! sends itself: `EVALSHA`, `EVAL`, `SET`, `DEL`, `HGET`, `HDEL`, `ZADD`, `TIME`, `PING`, `SCAN`, and in a
//! cluster `CLUSTER`.

mod claims;
mod connection;
mod loaded;
mod masters;
mod node_registry;
mod packed;
mod rebuild;
mod reply;
mod script;

use async_trait::async_trait;
use neticket_domain::{Epoch, EventId, ReservationId, Timestamp, UserId};
use tokio::sync::Mutex;
use uuid::Uuid;

use self::connection::{Connections, Node};
use self::packed::packed;
use self::rebuild::Rebuild;
use self::reply::Reply;
use self::script::{Call, EventKeys, Key};
use crate::{
    AdmitAnswer, AdmitRequest, Claims, JOURNAL_LEN_MAX_DEFAULT, JournalEntry, Ledger, LedgerError,
    LedgerSnapshot, LedgerState, LedgerView, LoadAnswer, LoadStart, LoadToken, LoadedEvents, NodeRegistry,
    PoolUse, RESERVATIONS_PER_USER_MAX, Release,
};

/// The only safe policy for a server whose memory is full.
const NOEVICTION: &str = "noeviction";
/// How many reservations of a snapshot one call sends, so that each call blocks the server only briefly.
const STAGE_LEN: usize = 1_000;
/// How long a load may take, in milliseconds. A load that takes longer must begin again.
const LOAD_EXPIRY_MS: u32 = 60_000;

/// Where the server is and how to talk to it.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// For example `redis://user:password@host:6379/0`. For a cluster, several addresses with commas between
    /// them.
    pub url: String,
    /// The prefix of all key names.
    pub prefix: String,
    /// How long a call may take, including connecting, in milliseconds.
    pub timeout_ms: u64,
    /// How many entries an event's journal may have.
    pub journal_len_max: usize,
}

impl RedisOptions {
    /// The usual options for the server at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: "neticket".to_owned(),
            timeout_ms: 1_000,
            journal_len_max: JOURNAL_LEN_MAX_DEFAULT,
        }
    }
}

/// A ledger that several nodes share.
pub struct RedisLedger {
    connections: Connections,
    prefix: String,
    timeout_ms: u64,
    journal_len_max: usize,
    rebuild: Mutex<Rebuild>,
}

impl RedisLedger {
    /// A ledger on the server at `options.url`. It connects at the first call, and again whenever the
    /// connection is lost. A server that is down now is not an error yet (see [`Ledger::ping`]).
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the address is not valid, or if a cluster is used and the prefix has
    /// an unpaired or empty brace.
    pub fn connect(options: RedisOptions) -> Result<Self, LedgerError> {
        let RedisOptions { url, prefix, timeout_ms, journal_len_max } = options;
        let connections = Connections::new(&url, timeout_ms)?;
        if connections.is_cluster() && !script::list_is_in_one_slot(&prefix) {
            let reason = format!("the prefix of keys, {prefix}, has an unpaired or empty brace");
            return Err(LedgerError::Unavailable(reason.into()));
        }
        Ok(Self { connections, prefix, timeout_ms, journal_len_max, rebuild: Mutex::default() })
    }

    /// What the server does when its memory is full; in a cluster, what the least safe master does. Only
    /// `noeviction` is safe: any other policy may delete who holds what.
    ///
    /// # Errors
    /// If the server does not answer, or its answer does not contain the policy.
    pub async fn maxmemory_policy(&self) -> Result<String, LedgerError> {
        let mut policies = self.info("memory", "maxmemory_policy").await?;
        policies.sort_by_key(|policy| policy == NOEVICTION);
        Ok(policies.swap_remove(0))
    }

    /// Whether the server, or every master of the cluster, writes its changes to a file (AOF), and so finds
    /// the journals again when it restarts.
    ///
    /// # Errors
    /// If the server does not answer, or its answer does not contain the setting.
    pub async fn persists(&self) -> Result<bool, LedgerError> {
        Ok(self.info("persistence", "aof_enabled").await?.iter().all(|enabled| enabled == "1"))
    }

    /// The value of this field of `INFO` from each master. There is at least one.
    async fn info(&self, section: &str, field: &str) -> Result<Vec<String>, LedgerError> {
        Ok(self.info_of_each(section, field).await?.into_iter().map(|(_, value)| value).collect())
    }

    /// The same, with the master that each value comes from; `None` is the single server.
    async fn info_of_each(
        &self,
        section: &str,
        field: &str,
    ) -> Result<Vec<(Option<Node>, String)>, LedgerError> {
        let answers = self.connections.query_each(::redis::cmd("INFO").arg(section)).await?;
        let mut values = Vec::with_capacity(answers.len());
        for (node, answer) in answers {
            let info = Reply::new("INFO", answer).text()?;
            let fields = info.lines().filter_map(|line| line.split_once(':'));
            let value =
                fields.filter(|(name, _)| *name == field).map(|(_, value)| value.trim().to_owned()).next();
            let value = value.ok_or_else(|| LedgerError::Protocol(format!("INFO has no field {field}")))?;
            values.push((node, value));
        }
        if values.is_empty() {
            return Err(LedgerError::Protocol("the cluster has no masters".to_owned()));
        }
        Ok(values)
    }

    fn keys(&self, event: EventId) -> EventKeys {
        EventKeys::new(&self.prefix, event)
    }

    /// The keys that belong to no event.
    fn global_keys(&self) -> EventKeys {
        self.keys(EventId(0))
    }

    async fn run(&self, call: Call) -> Result<Reply, LedgerError> {
        let name = call.name();
        Ok(Reply::new(name, self.connections.run(call).await?))
    }

    /// Stores the snapshot's reservations where `load` will look for them.
    async fn stage(&self, snapshot: &LedgerSnapshot, keys: &EventKeys) -> Result<(), LedgerError> {
        for reservations in snapshot.reservations.chunks(STAGE_LEN) {
            let call = Call::new(&script::STAGE, keys)
                .arg("expiry_ms", LOAD_EXPIRY_MS)
                .arg("reservations", packed(reservations, packed::reservation));
            self.run(call).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Ledger for RedisLedger {
    async fn now(&self) -> Result<Timestamp, LedgerError> {
        // Of several masters, the clock that is furthest behind. By it, no sale opens that some master still
        // keeps closed.
        let mut now = None;
        for time in self.connections.query_all(&::redis::cmd("TIME")).await? {
            let mut reply = Reply::new("TIME", time);
            let (seconds, micros): (i64, i64) = (reply.number()?, reply.number()?);
            let time = Timestamp::from_millis(seconds.saturating_mul(1_000).saturating_add(micros / 1_000));
            now = Some(now.map_or(time, |now: Timestamp| now.min(time)));
        }
        now.ok_or_else(|| LedgerError::Protocol("the cluster has no masters".to_owned()))
    }

    async fn admit(
        &self,
        event: EventId,
        epoch_min: Epoch,
        requests: &[AdmitRequest],
    ) -> Result<AdmitAnswer, LedgerError> {
        let call = Call::new(&script::ADMIT, &self.keys(event))
            .arg("epoch_min", epoch_min.0)
            .arg("journal_len_max", self.journal_len_max)
            .arg("reservations_max", RESERVATIONS_PER_USER_MAX)
            .arg("requests", packed(requests, packed::request));
        self.run(call).await?.admit_answer(requests)
    }

    async fn settle(&self, event: EventId, epoch: Epoch, ids: &[ReservationId]) -> Result<(), LedgerError> {
        if ids.is_empty() {
            return Ok(());
        }
        let call = Call::new(&script::SETTLE, &self.keys(event))
            .arg("epoch", epoch.0)
            .arg("ids", packed(ids, packed::id));
        self.run(call).await.map(drop)
    }

    async fn release(&self, event: EventId, releases: &[Release]) -> Result<Option<Epoch>, LedgerError> {
        let call =
            Call::new(&script::RELEASE, &self.keys(event)).arg("releases", packed(releases, packed::release));
        self.run(call).await?.release_answer()
    }

    async fn begin_load(&self, event: EventId) -> Result<LoadStart, LedgerError> {
        let call = Call::new(&script::BEGIN_LOAD, &self.keys(event))
            .arg("token", Uuid::new_v4().as_bytes())
            .arg("expiry_ms", LOAD_EXPIRY_MS);
        self.run(call).await?.load_start()
    }

    async fn load(&self, token: LoadToken, snapshot: &LedgerSnapshot) -> Result<LoadAnswer, LedgerError> {
        let keys = self.keys(snapshot.event).staged_as(Uuid::new_v4());
        self.list(snapshot.event, snapshot.epoch).await?;
        self.stage(snapshot, &keys).await?;
        let call = Call::new(&script::LOAD, &keys)
            .arg("epoch", snapshot.epoch.0)
            .arg("paused_at", snapshot.paused_at.map_or(String::new(), |at| at.as_millis().to_string()))
            .arg("opens_at", snapshot.window.opens_at.as_millis())
            .arg("closes_at", snapshot.window.closes_at.as_millis())
            .arg("max_per_user", snapshot.max_per_user)
            .arg("reservations_len", snapshot.reservations.len())
            .arg("refused", packed(&snapshot.refused, packed::id))
            .arg("ticket_types", packed(&snapshot.ticket_types, packed::ticket_type))
            .arg("token", token.0.as_bytes())
            .arg("window_since", snapshot.window_since.map_or(i64::MAX, Timestamp::as_millis));
        let answer = self.run(call).await?.load_answer()?;
        // The event is listed again, because the server may have lost the list since the first time.
        self.list(snapshot.event, snapshot.epoch).await?;
        Ok(answer)
    }

    async fn evict(&self, event: EventId, epoch: Epoch) -> Result<bool, LedgerError> {
        let keys = self.keys(event);
        let gone = self.run(Call::new(&script::EVICT, &keys).arg("epoch", epoch.0)).await?.evict_answer()?;
        // A load in progress has listed the event under its own, higher epoch. If there was no ledger, a load
        // of this same epoch may be in progress as well.
        let Some(was_there) = gone else { return Ok(false) };
        let loaded_by = if was_there { epoch.0 } else { epoch.0.saturating_sub(1) };
        let call = Call::new(&script::UNLIST, &keys).arg("event", event.0).arg("epoch", loaded_by);
        self.run(call).await?;
        Ok(true)
    }

    async fn delete(&self, event: EventId) -> Result<(), LedgerError> {
        let keys = self.keys(event);
        self.run(Call::new(&script::DELETE, &keys)).await?;
        let call = Call::new(&script::UNLIST, &keys).arg("event", event.0).arg("epoch", i64::MAX);
        self.run(call).await.map(drop)
    }

    #[cfg(feature = "testing")]
    async fn drop_for_test(&self, event: EventId) -> Result<(), LedgerError> {
        self.run(Call::new(&script::DELETE, &self.keys(event))).await.map(drop)
    }

    async fn loaded(&self) -> Result<LoadedEvents, LedgerError> {
        self.loaded_events().await
    }

    async fn view(&self, event: EventId) -> Result<Option<LedgerView>, LedgerError> {
        self.run(Call::new(&script::VIEW, &self.keys(event))).await?.view_answer()
    }

    async fn examine(&self, event: EventId) -> Result<Option<LedgerState>, LedgerError> {
        self.run(Call::new(&script::EXAMINE, &self.keys(event))).await?.examine_answer()
    }

    async fn journal_older_than(
        &self,
        event: EventId,
        age_ms: i64,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, LedgerError> {
        let call = Call::new(&script::JOURNAL_OLDER_THAN, &self.keys(event))
            .arg("age_ms", age_ms)
            .arg("limit", limit);
        self.run(call).await?.journal_answer()
    }

    async fn journal_entry(
        &self,
        event: EventId,
        id: ReservationId,
    ) -> Result<Option<JournalEntry>, LedgerError> {
        let call = Call::new(&script::JOURNAL_ENTRY, &self.keys(event)).arg("id", id.0.as_bytes());
        self.run(call).await?.journal_entry(id)
    }

    async fn pending_of(&self, event: EventId, user: UserId) -> Result<Vec<JournalEntry>, LedgerError> {
        let call = Call::new(&script::PENDING_OF, &self.keys(event)).arg("user", &user.0.to_be_bytes());
        self.run(call).await?.journal_answer()
    }

    async fn try_lease(&self, event: EventId, lease_ms: u64) -> Result<bool, LedgerError> {
        let mut set = ::redis::cmd("SET");
        // Redis refuses an expiry of 0.
        set.arg(self.keys(event).name(Key::Lease)).arg(1).arg("NX").arg("PX").arg(lease_ms.max(1));
        let answer = self.connections.query(&set).await?;
        Ok(answer == ::redis::Value::Okay)
    }

    async fn end_lease(&self, event: EventId) -> Result<(), LedgerError> {
        self.connections.query(::redis::cmd("DEL").arg(self.keys(event).name(Key::Lease))).await.map(drop)
    }

    fn node_registry(&self) -> &dyn NodeRegistry {
        self
    }

    fn claims(&self) -> Option<&dyn Claims> {
        Some(self)
    }

    fn connections(&self) -> Option<PoolUse> {
        Some(self.connections.pool_use())
    }

    async fn ping(&self) -> Result<(), LedgerError> {
        self.connections.query_all(&::redis::cmd("PING")).await.map(drop)
    }
}
