//! Loads ledgers. One transaction raises the epoch and reads a snapshot of the event from the store. Then the
//! ledger of the event is replaced.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use neticket_domain::{Epoch, EventId, ReservationId, SaleWindow, Timestamp};
use neticket_ledger::{
    JournalEntry, Ledger, LedgerSnapshot, LoadAnswer, SnapshotReservation, SnapshotTicketType,
};
use neticket_store::{CommitRequest, EventRecord, LoadedEvent, Store};
use tokio::sync::Mutex;

use super::connection_budget::ConnectionBudget;
use super::rejections::Rejections;
use super::request::to_commit_request;
use crate::error::AppError;
use crate::metrics::Metrics;

/// How long a node holds the lease to load an event, in milliseconds. A node ends its lease after the load;
/// the limit applies if the node dies. If a load takes longer, because it waits for a connection permit or
/// begins again, another node may load the event too. That costs time but is correct.
const LEASE_MS: u64 = 10_000;
/// Pause between two checks whether the node with the lease has loaded the ledger.
const LEASE_POLL: Duration = Duration::from_millis(20);
/// How often a load is tried, if the load of another node was newer or a ledger was lost meanwhile.
const ATTEMPTS_MAX: u32 = 5;
/// Maximum number of locks of events. If more events are loading at once, locks are evicted, and a node may
/// load an event twice. That costs time but is correct.
const LOCKS_MAX: u64 = 10_000;

/// Loads the ledgers of events. On this node, a lock per event allows one load at a time. Across nodes, a
/// lease does.
pub(crate) struct Loader {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) store: Store,
    pub(crate) rejections: Arc<Rejections>,
    pub(crate) budget: Arc<ConnectionBudget>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) locks: Cache<EventId, Arc<Mutex<()>>>,
}

impl Loader {
    /// An empty set of locks.
    pub(crate) fn locks() -> Cache<EventId, Arc<Mutex<()>>> {
        Cache::new(LOCKS_MAX)
    }

    /// Makes sure that the event's ledger is loaded and its epoch is at least `epoch_min`.
    ///
    /// # Errors
    /// `NotFound`. After `LedgerUnavailable` and `StoreUnavailable` the ledger may or may not be loaded.
    pub(crate) async fn load(&self, event: EventId, epoch_min: Epoch) -> Result<(), AppError> {
        let lock = self.locks.get_with(event, async { Arc::default() }).await;
        let _one_at_a_time = lock.lock().await;
        if self.is_loaded(event, epoch_min).await? {
            return Ok(());
        }
        let lease_deadline = tokio::time::Instant::now() + Duration::from_millis(LEASE_MS);
        let mut leased = self.ledger.try_lease(event, LEASE_MS).await?;
        // Waiting for the load of another node counts as waiting for the store.
        let call = (!leased).then(|| self.budget.calls.begin(event));
        while !leased && tokio::time::Instant::now() < lease_deadline {
            tokio::time::sleep(LEASE_POLL).await;
            if self.is_loaded(event, epoch_min).await? {
                return Ok(());
            }
            leased = self.ledger.try_lease(event, LEASE_MS).await?;
        }
        drop(call);
        let loaded = self.load_unless_loaded(event, epoch_min).await;
        if leased {
            self.end_lease(event).await;
        }
        loaded
    }

    /// As [`Self::load`], but only if the event has a ledger (of any server run) or should have one
    /// ([`should_be_loaded`]).
    ///
    /// # Errors
    /// As [`Self::load`].
    pub(crate) async fn load_if_needed(
        &self,
        event: EventId,
        should_be_loaded: bool,
        epoch_min: Epoch,
    ) -> Result<(), AppError> {
        if should_be_loaded || self.ledger.current_epoch(event).await? > Epoch(0) {
            self.load(event, epoch_min).await
        } else {
            Ok(())
        }
    }

    /// Loads the ledger, unless a last check finds it loaded. The node that had the lease before may have
    /// loaded it and ended the lease since the previous check.
    async fn load_unless_loaded(&self, event: EventId, epoch_min: Epoch) -> Result<(), AppError> {
        if self.is_loaded(event, epoch_min).await? {
            return Ok(());
        }
        self.load_now(event, &[]).await.map(drop)
    }

    /// Loads the event's ledger without the journal entries `refused`. Returns those of them that are in the
    /// store after all: recorded as rejected, or committed by another node meanwhile. The others are in no
    /// journal any more and will not enter one again.
    ///
    /// # Errors
    /// As [`Self::load`]. The entries may still be in the journal.
    pub(crate) async fn load_without(
        &self,
        event: EventId,
        refused: &[ReservationId],
    ) -> Result<BTreeSet<ReservationId>, AppError> {
        let lock = self.locks.get_with(event, async { Arc::default() }).await;
        let _one_at_a_time = lock.lock().await;
        // The lease only makes other nodes wait instead of loading too. This load runs with or without it.
        let leased = self.ledger.try_lease(event, LEASE_MS).await?;
        let stored = self.load_now(event, refused).await;
        if leased {
            self.end_lease(event).await;
        }
        stored
    }

    /// Raises the epoch and replaces the ledger. Repeats both if another node has installed a higher epoch
    /// meanwhile. After the epoch is raised, nobody can commit an entry of the old journal. After the
    /// snapshot is installed, the refusal of those entries in `refused` that the snapshot does not contain is
    /// therefore final.
    async fn load_now(
        &self,
        event: EventId,
        refused: &[ReservationId],
    ) -> Result<BTreeSet<ReservationId>, AppError> {
        let loaded = self.load_until_newest(event, refused).await;
        if loaded.as_ref().is_err_and(|error| !matches!(error, AppError::NotFound)) {
            self.metrics.loads.failed.inc();
        }
        loaded
    }

    async fn load_until_newest(
        &self,
        event: EventId,
        refused: &[ReservationId],
    ) -> Result<BTreeSet<ReservationId>, AppError> {
        for _ in 0..ATTEMPTS_MAX {
            let call = self.budget.calls.begin(event);
            let permit = self.budget.load.acquire().await;
            drop(call);
            // Before the epoch is raised, because a ledger that is lost from here on may have been newer than
            // the ledger of this load.
            let start = self.ledger.begin_load(event).await?;
            let call = self.budget.calls.begin(event);
            let loaded = self.store.epoch_raise_and_load(event, start.current_epoch).await;
            drop((permit, call));
            let loaded = loaded?.ok_or(AppError::NotFound)?;
            let snapshot = LedgerSnapshot { refused: refused.to_vec(), ..to_snapshot(loaded) };
            match self.ledger.load(start.token, &snapshot).await? {
                LoadAnswer::Replaced { dropped } => {
                    self.metrics.loads.loaded.inc();
                    tracing::info!(%event, epoch = %snapshot.epoch, dropped = dropped.len(), "loaded the ledger");
                    self.record_dropped(event, &dropped).await;
                }
                LoadAnswer::Kept { .. } => {
                    self.metrics.loads.outrun.inc();
                    if !refused.is_empty() {
                        continue;
                    }
                }
                LoadAnswer::Again => {
                    tracing::info!(%event, "a ledger was lost or evicted during a load");
                    continue;
                }
            }
            let wanted: BTreeSet<ReservationId> = refused.iter().copied().collect();
            let stored = snapshot.reservations.iter().map(|r| r.id);
            return Ok(stored.filter(|id| wanted.contains(id)).collect());
        }
        Err(AppError::LedgerUnavailable(None))
    }

    /// Records the entries that no longer fit as rejected, because a client may have been told that they are
    /// pending. If a request still waits for one of them, its worker admits it again, and the answer is what
    /// the store then decides.
    async fn record_dropped(&self, event: EventId, dropped: &[JournalEntry]) {
        let dropped: Vec<CommitRequest> =
            dropped.iter().map(|entry| to_commit_request(event, *entry)).collect();
        self.rejections.record_or_buffer(dropped).await;
    }

    async fn end_lease(&self, event: EventId) {
        if let Err(error) = self.ledger.end_lease(event).await {
            tracing::debug!(%event, %error, "cannot end the load lease, it will expire");
        }
    }

    async fn is_loaded(&self, event: EventId, epoch_min: Epoch) -> Result<bool, AppError> {
        Ok(self.ledger.view(event).await?.is_some_and(|view| view.epoch >= epoch_min))
    }
}

/// Whether the event's ledger should be loaded now. The condition is the same as in
/// [`Store::events_selling`].
pub(crate) fn should_be_loaded(event: &EventRecord, now: Timestamp, lead_ms: i64) -> bool {
    event.cancelled_at.is_none()
        && event.starts_at > now
        && event.window.opens_at.millis_since(now) <= lead_ms
}

fn to_snapshot(loaded: LoadedEvent) -> LedgerSnapshot {
    // A cancelled event sells nothing, so its sale window ends in 1970.
    let window = if loaded.cancelled {
        SaleWindow { opens_at: Timestamp::from_millis(0), closes_at: Timestamp::from_millis(0) }
    } else {
        loaded.window
    };
    LedgerSnapshot {
        event: loaded.event,
        epoch: loaded.epoch,
        window,
        window_since: loaded.window_since,
        paused_at: loaded.paused_at,
        max_per_user: loaded.max_per_user,
        ticket_types: loaded
            .ticket_types
            .into_iter()
            .map(|t| SnapshotTicketType { id: t.id, price: t.price, left: t.left })
            .collect(),
        reservations: loaded
            .reservations
            .into_iter()
            .map(|r| SnapshotReservation { id: r.id, user: r.user, held: r.held })
            .collect(),
        refused: Vec::new(),
    }
}
