//! The actions of the inventory page: load, evict, pause and resume. Each returns the state after the action.

use neticket_domain::{Epoch, EventId};
use neticket_store::{EpochRaiseOutcome, EventRecord, NewAudit, PauseOutcome};
use serde_json::json;

use super::InventoryView;
use crate::App;
use crate::audit;
use crate::booking::should_be_loaded;
use crate::error::AppError;
use crate::views::Principal;

impl App {
    /// Loads the event's ledger anew from the store, even if it is loaded already. Bookings in its journal
    /// are carried over.
    ///
    /// # Errors
    /// `NotFound`: nothing was changed. `StoreUnavailable`: it is not known whether anything was changed.
    /// `LedgerUnavailable`: nothing was changed, or the next booking or task that needs the ledger loads it.
    /// `Overloaded`: the ledger was loaded, but inspecting it afterwards took too long.
    pub async fn ledger_load(
        &self,
        by: Principal,
        from_ip: Option<String>,
        event: EventId,
    ) -> Result<InventoryView, AppError> {
        let record = self.store.event(event).await?.ok_or(AppError::NotFound)?;
        let before = self.ledger.current_epoch(event).await?;
        let mut entry = self.entry(by, from_ip, "ledger_load", &record);
        entry.before = (before > Epoch(0)).then(|| json!({"epoch": before.0}));
        let epoch = self.raise_epoch(event, before, None, entry).await?;
        self.loader.load(event, epoch).await?;
        self.inventory_entry(event).await
    }

    /// Evicts the event's ledger if its journal is empty. The next booking or task that needs the ledger
    /// loads it again; for an event on sale this happens within a moment. If the ledger is not loaded,
    /// nothing is done.
    ///
    /// # Errors
    /// `NotFound`: nothing was done. `LedgerBusy`: the ledger was not evicted, because bookings are pending
    /// or because it has been loaded anew meanwhile. `StoreUnavailable`, `LedgerUnavailable`, `Overloaded`:
    /// the ledger may have been evicted.
    pub async fn ledger_evict(
        &self,
        by: Principal,
        from_ip: Option<String>,
        event: EventId,
    ) -> Result<InventoryView, AppError> {
        let record = self.store.event(event).await?.ok_or(AppError::NotFound)?;
        if let Some(view) = self.ledger.view(event).await? {
            if view.journal_len > 0 {
                return Err(AppError::LedgerBusy);
            }
            // Written before the eviction: the audit log may contain an eviction that lost a race, but it
            // never lacks one that happened.
            let mut entry = self.entry(by, from_ip, "ledger_evict", &record);
            entry.before = Some(json!({"epoch": view.epoch.0}));
            self.store.audit_append(&entry).await?;
            if !self.ledger.evict(event, view.epoch).await? {
                return Err(AppError::LedgerBusy);
            }
        }
        self.inventory_entry(event).await
    }

    /// Pauses the event's sale, or resumes it. The change holds from the `COMMIT` of the store on, whether or
    /// not the ledger answers: if a ledger does not know of a pause, the guard refuses what it admits.
    /// Bookings that were admitted before a pause are decided as if there were no pause.
    ///
    /// Idempotent: if nothing changes, nothing is written or audited. The ledger is reloaded if it is stale.
    ///
    /// # Errors
    /// `NotFound`, `EventCancelled`: nothing was changed. `StoreUnavailable`: the change may be in the store.
    /// `LedgerUnavailable`, `Overloaded`: the change is in the store.
    pub async fn sale_pause(
        &self,
        by: Principal,
        from_ip: Option<String>,
        event: EventId,
        paused: bool,
    ) -> Result<InventoryView, AppError> {
        let origin = audit::origin(by, from_ip);
        let permit = self.budget.load.acquire().await;
        let outcome = self.store.event_pause(event, paused, &origin, || self.now()).await;
        drop(permit);
        // Invalidate whatever the outcome is: the change may have happened although the answer was lost.
        self.event_cache.invalidate(event).await;
        let epoch = match outcome? {
            PauseOutcome::Changed { epoch } | PauseOutcome::Already { epoch } => epoch,
            PauseOutcome::Cancelled => return Err(AppError::EventCancelled),
            PauseOutcome::NotFound => return Err(AppError::NotFound),
        };
        let record = self.store.event(event).await?.ok_or(AppError::NotFound)?;
        let should_be_loaded = should_be_loaded(&record, self.now(), self.config().engine.preload_lead_ms);
        self.loader.load_if_needed(event, should_be_loaded, epoch).await?;
        self.inventory_entry(event).await
    }

    /// Raises the event's epoch in the store above `ledger_epoch`, with `entry` in the audit log. Only a
    /// ledger of the returned epoch or a higher one is accepted from then on. With `expected`, the epoch is
    /// raised only if that is the highest one in the store; otherwise the answer is `LedgerBusy`.
    pub(super) async fn raise_epoch(
        &self,
        event: EventId,
        ledger_epoch: Epoch,
        expected: Option<Epoch>,
        entry: NewAudit,
    ) -> Result<Epoch, AppError> {
        let _permit = self.budget.load.acquire().await;
        match self.store.epoch_raise(event, ledger_epoch, expected, &entry).await? {
            EpochRaiseOutcome::Raised { epoch } => Ok(epoch),
            EpochRaiseOutcome::Newer => Err(AppError::LedgerBusy),
            EpochRaiseOutcome::NotFound => Err(AppError::NotFound),
        }
    }

    /// The audit entry that says who did which action on the event. It does not say yet what has changed.
    pub(super) fn entry(
        &self,
        by: Principal,
        from_ip: Option<String>,
        action: &str,
        event: &EventRecord,
    ) -> NewAudit {
        audit::origin(by, from_ip).did(action, format!("event/{}", event.id), event.title.clone(), self.now())
    }
}
