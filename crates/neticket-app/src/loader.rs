//! Loads ledgers: one transaction raises the epoch and reads what the store says; then the ledger is replaced.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use neticket_domain::{Epoch, EventId, ReservationId, SaleWindow, Timestamp};
use neticket_ledger::{Ledger, LedgerSnapshot, SnapshotReservation, SnapshotTicketType};
use neticket_store::{LoadedEvent, Store};
use tokio::sync::Mutex;

use crate::error::AppError;

/// How long a node may hold the right to load an event; another then loads it too, which is only wasteful.
const LEASE_MS: u64 = 500;
/// How often a node looks whether the one with the lease is done.
const LEASE_POLL: Duration = Duration::from_millis(20);
/// Most events that may be loading at once before their locks are forgotten, which is only wasteful too.
const LOCKS_MAX: u64 = 10_000;

/// Loads the ledgers of events: once at a time per event on this node, and by lease across nodes.
pub(crate) struct Loader {
    ledger: Arc<dyn Ledger>,
    store: Store,
    locks: Cache<EventId, Arc<Mutex<()>>>,
}

impl Loader {
    pub(crate) fn new(ledger: Arc<dyn Ledger>, store: Store) -> Self {
        Self { ledger, store, locks: Cache::new(LOCKS_MAX) }
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
        if !self.ledger.try_lease(event, LEASE_MS).await? {
            let patience = tokio::time::Instant::now() + Duration::from_millis(LEASE_MS);
            while tokio::time::Instant::now() < patience {
                tokio::time::sleep(LEASE_POLL).await;
                if self.is_met(event, epoch_min).await? {
                    return Ok(());
                }
            }
        }
        let snapshot = self.snapshot(event).await?;
        self.install(&snapshot).await
    }

    /// Makes the event's ledger anew, without the journal entries `ids` of epoch `epoch`, which the store refused.
    /// Answers which of them the store has after all, because another node committed them meanwhile.
    ///
    /// # Errors
    /// As [`Self::load`]; the entries may still be in the journal.
    pub(crate) async fn load_without(
        &self,
        event: EventId,
        epoch: Epoch,
        ids: &[ReservationId],
    ) -> Result<BTreeSet<ReservationId>, AppError> {
        let lock = self.locks.get_with(event, async { Arc::default() }).await;
        let _one_at_a_time = lock.lock().await;
        // In this order: from here on nobody can commit them under the old epoch, so what the snapshot has is all.
        let snapshot = self.snapshot(event).await?;
        self.ledger.undo(event, epoch, ids).await?;
        self.install(&snapshot).await?;
        let wanted: BTreeSet<ReservationId> = ids.iter().copied().collect();
        Ok(snapshot.reservations.iter().map(|r| r.id).filter(|id| wanted.contains(id)).collect())
    }

    /// Raises the epoch, above the store's and above the ledger's, and reads what the store says. To be installed at most
    /// once: a second time it would not know what was committed since.
    async fn snapshot(&self, event: EventId) -> Result<LedgerSnapshot, AppError> {
        let floor = self.ledger.view(event).await?.map_or(Epoch(0), |view| view.epoch);
        let loaded = self.store.load_event(event, floor).await?.ok_or(AppError::NotFound)?;
        Ok(to_snapshot(loaded))
    }

    async fn install(&self, snapshot: &LedgerSnapshot) -> Result<(), AppError> {
        let answer = self.ledger.load(snapshot).await?;
        if answer.replaced {
            let (event, epoch, dropped) = (snapshot.event, snapshot.epoch, answer.dropped.len());
            tracing::info!(%event, %epoch, dropped, "loaded the ledger");
        }
        Ok(())
    }

    async fn is_met(&self, event: EventId, epoch_min: Epoch) -> Result<bool, AppError> {
        Ok(self.ledger.view(event).await?.is_some_and(|view| view.epoch >= epoch_min))
    }
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
        paused: loaded.paused,
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
    }
}
