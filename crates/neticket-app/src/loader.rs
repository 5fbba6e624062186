//! Loads ledgers: one transaction raises the epoch and reads what the store says; then the ledger is replaced.

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

use crate::booking::to_commit;
use crate::error::AppError;
use crate::metrics::Metrics;
use crate::rejections::Rejections;
use crate::turns::Turns;

/// How long a node may hold the right to load an event, if it dies meanwhile; otherwise it gives the right back when it is done.
/// A load that takes longer, because it waits for its turn or begins anew, may be done by another node too: that is only wasteful.
const LEASE_MS: u64 = 10_000;
/// How often a node looks whether the one with the lease is done.
const LEASE_POLL: Duration = Duration::from_millis(20);
/// How often a load begins anew because another node's was newer, or a ledger was lost meanwhile.
const ATTEMPTS_MAX: u32 = 5;
/// Most events that may be loading at once before their locks are forgotten, which is only wasteful too.
const LOCKS_MAX: u64 = 10_000;

/// Loads the ledgers of events: once at a time per event on this node, and by lease across nodes.
pub(crate) struct Loader {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) store: Store,
    pub(crate) rejections: Arc<Rejections>,
    pub(crate) turns: Arc<Turns>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) locks: Cache<EventId, Arc<Mutex<()>>>,
}

impl Loader {
    /// No locks yet.
    pub(crate) fn locks() -> Cache<EventId, Arc<Mutex<()>>> {
        Cache::new(LOCKS_MAX)
    }

    /// Makes sure that the event's ledger is loaded and of epoch `epoch_min` at least.
    ///
    /// # Errors
    /// `NotFound`. `LedgerUnavailable` and `StoreUnavailable`: it may or may not be loaded now.
    pub(crate) async fn load(&self, event: EventId, epoch_min: Epoch) -> Result<(), AppError> {
        let lock = self.locks.get_with(event, async { Arc::default() }).await;
        let _one_at_a_time = lock.lock().await;
        if self.is_met(event, epoch_min).await? {
            return Ok(());
        }
        let patience = tokio::time::Instant::now() + Duration::from_millis(LEASE_MS);
        let mut leased = self.ledger.try_lease(event, LEASE_MS).await?;
        // Who waits for another node's load waits for the store.
        let call = (!leased).then(|| self.turns.calls.begin(event));
        while !leased && tokio::time::Instant::now() < patience {
            tokio::time::sleep(LEASE_POLL).await;
            if self.is_met(event, epoch_min).await? {
                return Ok(());
            }
            leased = self.ledger.try_lease(event, LEASE_MS).await?;
        }
        drop(call);
        let loaded = self.load_unless_met(event, epoch_min).await;
        if leased {
            self.end_lease(event).await;
        }
        loaded
    }

    /// The same, if the event has a ledger, of whichever server run, or should have one ([`is_due`]).
    ///
    /// # Errors
    /// As [`Self::load`].
    pub(crate) async fn load_if_wanted(
        &self,
        event: EventId,
        is_due: bool,
        epoch_min: Epoch,
    ) -> Result<(), AppError> {
        if is_due || self.ledger.begin_load(event).await?.floor > Epoch(0) {
            self.load(event, epoch_min).await
        } else {
            Ok(())
        }
    }

    /// Looks once more: whoever had the lease before may have loaded and given it back since the last look.
    async fn load_unless_met(&self, event: EventId, epoch_min: Epoch) -> Result<(), AppError> {
        if self.is_met(event, epoch_min).await? {
            return Ok(());
        }
        self.load_now(event, &[]).await.map(drop)
    }

    /// Makes the event's ledger anew, without the journal entries `refused`. Answers which of them the store has after
    /// all, because another node committed them meanwhile; the others are in no journal any more, and never will be.
    ///
    /// # Errors
    /// As [`Self::load`]; the entries may still be in the journal.
    pub(crate) async fn load_without(
        &self,
        event: EventId,
        refused: &[ReservationId],
    ) -> Result<BTreeSet<ReservationId>, AppError> {
        let lock = self.locks.get_with(event, async { Arc::default() }).await;
        let _one_at_a_time = lock.lock().await;
        // Only so that other nodes wait instead of loading too: this load is due whether or not the lease is had.
        let leased = self.ledger.try_lease(event, LEASE_MS).await?;
        let stored = self.load_now(event, refused).await;
        if leased {
            self.end_lease(event).await;
        }
        stored
    }

    /// Raises the epoch and replaces the ledger, again if another node's higher epoch comes between. From the moment the
    /// epoch is raised nobody can commit an entry of the old journal, so those of `refused` that the snapshot does not
    /// have are final once it is installed.
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
            let call = self.turns.calls.begin(event);
            let turn = self.turns.load.acquire().await;
            drop(call);
            // Before the epoch is raised: whatever ledger is lost from here on may have been newer than this load's.
            let start = self.ledger.begin_load(event).await?;
            let call = self.turns.calls.begin(event);
            let loaded = self.store.load_event(event, start.floor).await;
            drop((turn, call));
            let loaded = loaded?.ok_or(AppError::NotFound)?;
            let snapshot = LedgerSnapshot { refused: refused.to_vec(), ..to_snapshot(loaded) };
            match self.ledger.load(start.token, &snapshot).await? {
                LoadAnswer::Replaced { dropped } => {
                    self.metrics.loads.loaded.inc();
                    tracing::info!(%event, epoch = %snapshot.epoch, dropped = dropped.len(), "loaded the ledger");
                    self.note_dropped(event, &dropped).await;
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

    /// Notes as rejected what no longer fits: somebody may have been told that it is pending. Whoever still waits for one of
    /// them offers it again, and is told what the store then says.
    async fn note_dropped(&self, event: EventId, dropped: &[JournalEntry]) {
        let dropped: Vec<CommitRequest> = dropped.iter().map(|entry| to_commit(event, *entry)).collect();
        self.rejections.write_now_or_later(dropped).await;
    }

    async fn end_lease(&self, event: EventId) {
        if let Err(error) = self.ledger.end_lease(event).await {
            tracing::debug!(%event, %error, "the lease ends by itself");
        }
    }

    async fn is_met(&self, event: EventId, epoch_min: Epoch) -> Result<bool, AppError> {
        Ok(self.ledger.view(event).await?.is_some_and(|view| view.epoch >= epoch_min))
    }
}

/// Whether the event's ledger should be there: what [`Store::events_selling`] asks of all events, asked of one.
pub(crate) fn is_due(event: &EventRecord, now: Timestamp, lead_ms: i64) -> bool {
    event.cancelled_at.is_none()
        && event.starts_at > now
        && event.window.opens_at.millis_since(now) <= lead_ms
}

fn to_snapshot(loaded: LoadedEvent) -> LedgerSnapshot {
    // A cancelled event sells nothing: its window closed before time began.
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
