//! Loads ledgers: one transaction raises the epoch and reads what the store says; then the ledger is replaced.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use neticket_domain::{Epoch, EventId, SaleWindow, Timestamp};
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

/// Which ledger a caller can work with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// Any that is loaded, of this epoch at least.
    AtLeast(Epoch),
    /// One loaded after this call.
    Fresh,
}

impl Loader {
    pub(crate) fn new(ledger: Arc<dyn Ledger>, store: Store) -> Self {
        Self { ledger, store, locks: Cache::new(LOCKS_MAX) }
    }

    /// Makes sure that the event's ledger is as `need` says.
    ///
    /// # Errors
    /// `NotFound`. `LedgerUnavailable` and `StoreUnavailable`: it may or may not be loaded now.
    pub(crate) async fn load(&self, event: EventId, need: Need) -> Result<(), AppError> {
        let lock = self.locks.get_with(event, async { Arc::default() }).await;
        let _one_at_a_time = lock.lock().await;
        if self.is_met(event, need).await? {
            return Ok(());
        }
        if matches!(need, Need::AtLeast(_)) && !self.ledger.try_lease(event, LEASE_MS).await? {
            let patience = tokio::time::Instant::now() + Duration::from_millis(LEASE_MS);
            while tokio::time::Instant::now() < patience {
                tokio::time::sleep(LEASE_POLL).await;
                if self.is_met(event, need).await? {
                    return Ok(());
                }
            }
        }
        let loaded = self.store.load_event(event).await?.ok_or(AppError::NotFound)?;
        let answer = self.ledger.load(&snapshot(loaded)).await?;
        if answer.replaced {
            tracing::info!(%event, dropped = answer.dropped.len(), "loaded the ledger");
        }
        Ok(())
    }

    async fn is_met(&self, event: EventId, need: Need) -> Result<bool, AppError> {
        match need {
            Need::AtLeast(epoch) => {
                Ok(self.ledger.view(event).await?.is_some_and(|view| view.epoch >= epoch))
            }
            Need::Fresh => Ok(false),
        }
    }
}

fn snapshot(loaded: LoadedEvent) -> LedgerSnapshot {
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
