//! The list of the events that may have a ledger, and how it is rebuilt after the server that holds it has
//! lost data.
//!
//! In a cluster the list is on one master, and the ledgers are on all of them. A key beside the list names
//! the server run of that master in which the list was last found complete. If that key is missing or names
//! another run, one node scans all masters for ledgers and lists them. It then writes that key, unless the
//! list may have lost something meanwhile. Loads list their event themselves. Nodes of earlier versions read
//! and write only the list.

use std::time::Duration;

use neticket_domain::{Epoch, EventId};
use redis::FromRedisValue;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::connection::Node;
use super::masters::Masters;
use super::rebuild::Scan;
use super::script::{self, Call, Key, LedgerKeys};
use super::{LOAD_EXPIRY_MS, RedisLedger};
use crate::{LedgerError, LoadedEvents};

/// When the second scan is due, in milliseconds after the first. A load that was in progress when the list
/// was lost is over by then.
const RESCAN_MS: u32 = LOAD_EXPIRY_MS;
/// How many keys a master looks at in one step, so that each step blocks it only briefly.
const SCAN_COUNT: u32 = 1_000;
/// How long a scan that nobody continues keeps other nodes from scanning, in milliseconds, in addition to the
/// timeout of a call.
const SCAN_LEASE_MS: u64 = 2_000;
/// How often a node checks whether another one's scan has ended.
const SCAN_POLL: Duration = Duration::from_millis(20);
/// How long a node neither scans nor waits for a scan after a failed one: a master may be down.
const SCAN_PAUSE: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListState {
    Complete,
    /// Complete, and the second scan is due.
    Due,
    Incomplete,
}

impl RedisLedger {
    /// Adds the event to the list, under the epoch of its load.
    pub(super) async fn list(&self, event: EventId, epoch: Epoch) -> Result<(), LedgerError> {
        let mut add = redis::cmd("ZADD");
        add.arg(self.keys(event).name(Key::Loaded)).arg("GT").arg(epoch.0).arg(event.0);
        self.connections.query(&add).await.map(drop)
    }

    /// The list. If a scan is due, this call first does as much of it as the timeout allows.
    pub(super) async fn loaded_events(&self) -> Result<LoadedEvents, LedgerError> {
        let deadline = Instant::now() + Duration::from_millis(self.timeout_ms);
        let (mut state, mut events) = self.read_list().await?;
        let mut scanned = Ok(());
        if state != ListState::Complete {
            scanned = self.scan_until(deadline).await;
            (state, events) = self.read_list().await?;
        }
        let is_incomplete = state == ListState::Incomplete;
        Ok(LoadedEvents { events, incomplete: is_incomplete.then(|| scanned.err().unwrap_or_else(lost)) })
    }

    async fn read_list(&self) -> Result<(ListState, Vec<EventId>), LedgerError> {
        let call = Call::new(&script::LOADED, &self.global_keys()).arg("rescan_ms", RESCAN_MS);
        let mut reply = self.run(call).await?;
        let state = match reply.text()?.as_str() {
            "complete" => ListState::Complete,
            "due" => ListState::Due,
            "incomplete" => ListState::Incomplete,
            other => {
                return Err(LedgerError::Protocol(format!(
                    "unknown state of the list of loaded events: {other}"
                )));
            }
        };
        Ok((state, reply.event_ids()?))
    }

    /// Continues the scan or begins one, or waits for the scan of another node.
    async fn scan_until(&self, deadline: Instant) -> Result<(), LedgerError> {
        let timeout = || LedgerError::Timeout { timeout_ms: self.timeout_ms };
        let mut rebuild = timeout_at(deadline, self.rebuild.lock()).await.map_err(|_| timeout())?;
        if rebuild.not_before.is_some_and(|at| Instant::now() < at) {
            return Err(LedgerError::Unavailable("the list of loaded events is being rebuilt".into()));
        }
        let scanned = timeout_at(deadline, self.scan_on(&mut rebuild.scan)).await;
        if scanned.is_ok() {
            rebuild.scan = None;
        }
        let in_vain = !matches!(scanned, Ok(Ok(()))) && rebuild.scan.is_none();
        rebuild.not_before = in_vain.then(|| Instant::now() + SCAN_PAUSE);
        scanned.map_err(|_| timeout())?
    }

    async fn scan_on(&self, scan: &mut Option<Scan>) -> Result<(), LedgerError> {
        let id = scan.as_ref().map_or_else(Uuid::new_v4, |scan| scan.id);
        let mut begun = self.begin_scan(id).await?;
        while begun == "busy" {
            tokio::time::sleep(SCAN_POLL).await;
            begun = self.begin_scan(id).await?;
        }
        let scan = match (begun.as_str(), scan) {
            ("complete", _) => return Ok(()),
            ("kept", Some(scan)) => scan,
            // The scan has begun, or begins again because its lease was lost.
            (_, scan) => scan.insert(self.scan_from_start(id).await?),
        };
        self.find_and_list(scan).await?;
        if self.masters().await? != scan.masters {
            return Err(lost());
        }
        let call = Call::new(&script::END_SCAN, &self.global_keys()).arg("scan", id.as_bytes());
        match self.run(call).await?.text()?.as_str() {
            "complete" => Ok(()),
            _ => Err(lost()),
        }
    }

    async fn begin_scan(&self, id: Uuid) -> Result<String, LedgerError> {
        let call = Call::new(&script::BEGIN_SCAN, &self.global_keys())
            .arg("scan", id.as_bytes())
            .arg("lease_ms", SCAN_LEASE_MS.saturating_add(self.timeout_ms))
            .arg("rescan_ms", RESCAN_MS);
        self.run(call).await?.text()
    }

    /// Lists the events of all ledgers that exist, from the scan's cursors on.
    async fn find_and_list(&self, scan: &mut Scan) -> Result<(), LedgerError> {
        let keys = LedgerKeys::new(&self.prefix);
        loop {
            while let Some(event) = scan.found.last() {
                if let Some(epoch) = self.ledger_epoch(*event).await? {
                    self.list(*event, epoch).await?;
                }
                scan.found.pop();
            }
            let Some((node, cursor)) = scan.cursors.last_mut() else { return Ok(()) };
            let (next, found) = self.scan_step(&keys, node.as_ref(), cursor).await?;
            scan.found = found;
            if next == "0" {
                scan.cursors.pop();
            } else {
                *cursor = next;
            }
        }
    }

    /// The masters that there are now; see [`Masters::find`].
    async fn masters(&self) -> Result<Masters, LedgerError> {
        let replication_ids = self.info_of_each("replication", "master_replid").await?;
        Masters::find(&self.connections, replication_ids).await
    }

    async fn scan_from_start(&self, id: Uuid) -> Result<Scan, LedgerError> {
        let masters = self.masters().await?;
        let cursors = masters.nodes().map(|node| (node.cloned(), "0".to_owned())).collect();
        Ok(Scan { id, masters, cursors, found: Vec::new() })
    }

    /// The next cursor, and the events whose ledgers this step has found.
    async fn scan_step(
        &self,
        keys: &LedgerKeys,
        node: Option<&Node>,
        cursor: &str,
    ) -> Result<(String, Vec<EventId>), LedgerError> {
        let mut step = redis::cmd("SCAN");
        step.arg(cursor).arg("MATCH").arg(keys.pattern()).arg("COUNT").arg(SCAN_COUNT);
        let (next, found): (String, Vec<Vec<u8>>) = read(self.connections.query_at(node, &step).await?)?;
        Ok((next, found.iter().filter_map(|key| keys.event_of(key)).collect()))
    }

    /// The epoch of the present ledger, of any server run.
    async fn ledger_epoch(&self, event: EventId) -> Result<Option<Epoch>, LedgerError> {
        let mut get = redis::cmd("HGET");
        get.arg(self.keys(event).name(Key::Ledger)).arg("epoch");
        let epoch: Option<i64> = read(self.connections.query(&get).await?)?;
        Ok(epoch.map(Epoch))
    }
}

fn read<T: FromRedisValue>(value: redis::Value) -> Result<T, LedgerError> {
    redis::from_redis_value(value).map_err(|error| LedgerError::Protocol(error.to_string()))
}

fn lost() -> LedgerError {
    LedgerError::Unavailable("the list of loaded events may have lost events while it was rebuilt".into())
}
