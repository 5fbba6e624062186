//! The buttons: load, evict, pause, resume. Each answers what is so afterwards, never what was wanted.

use neticket_domain::{Epoch, EventId};
use neticket_store::{EventRecord, NewAudit, OutdateOutcome, PauseOutcome};
use serde_json::json;

use super::InventoryView;
use crate::App;
use crate::audit;
use crate::error::AppError;
use crate::loader::is_due;
use crate::views::Principal;

impl App {
    /// Makes the event's ledger anew from the store, also if it is loaded. Reservations on their way are carried over.
    ///
    /// # Errors
    /// `NotFound`; `StoreUnavailable`: perhaps nothing was changed; `LedgerUnavailable`: nothing was changed, or the ledger
    /// will be made anew by whoever needs it next.
    pub async fn ledger_load(
        &self,
        by: Principal,
        from_ip: Option<String>,
        event: EventId,
    ) -> Result<InventoryView, AppError> {
        let record = self.store.event(event).await?.ok_or(AppError::NotFound)?;
        let before = self.ledger.begin_load(event).await?.floor;
        let mut entry = self.entry(by, from_ip, "ledger_load", &record);
        entry.before = (before > Epoch(0)).then(|| json!({"epoch": before.0}));
        let epoch = self.outdate(event, before, None, entry).await?;
        self.loader.load(event, epoch).await?;
        self.inventory_entry(event).await
    }

    /// Lets the event's ledger go, if nothing is on its way in it. Whoever needs it loads it again: that of an event which
    /// sells, within a moment. One that is not loaded is fine.
    ///
    /// # Errors
    /// `LedgerBusy`, and nothing was done: something is on its way, or the ledger has been loaded anew meanwhile.
    /// `NotFound`, `StoreUnavailable`: nothing was done. `LedgerUnavailable`: it may be gone.
    pub async fn ledger_evict(
        &self,
        by: Principal,
        from_ip: Option<String>,
        event: EventId,
    ) -> Result<InventoryView, AppError> {
        let record = self.store.event(event).await?.ok_or(AppError::NotFound)?;
        if let Some(view) = self.ledger.view(event).await? {
            if view.pending > 0 {
                return Err(AppError::LedgerBusy);
            }
            // Before it is gone: the log may know of an evict that lost a race after all, and never lacks one.
            let mut entry = self.entry(by, from_ip, "ledger_evict", &record);
            entry.before = Some(json!({"epoch": view.epoch.0}));
            self.store.audit_append(&entry).await?;
            if !self.ledger.evict(event, view.epoch).await? {
                return Err(AppError::LedgerBusy);
            }
        }
        self.inventory_entry(event).await
    }

    /// Pauses the event's sale, or resumes it. Once that is in the store it holds, whether or not the ledger answers: what the
    /// ledger admits without knowing of it, the guard refuses. What was admitted before a pause is decided as if there were
    /// none. What is so already is left so, and not in the audit log; but the ledger is seen to.
    ///
    /// # Errors
    /// `NotFound`, `EventCancelled`: nothing was changed. `StoreUnavailable`: it may be so. `LedgerUnavailable`: it is so.
    pub async fn sale_pause(
        &self,
        by: Principal,
        from_ip: Option<String>,
        event: EventId,
        paused: bool,
    ) -> Result<InventoryView, AppError> {
        let origin = audit::origin(by, from_ip);
        let turn = self.turns.load.acquire().await;
        let outcome = self.store.event_pause(event, paused, &origin, || self.now()).await;
        drop(turn);
        // Whatever came of it: the answer may be lost of what has happened.
        self.catalog.forget(event).await;
        let epoch = match outcome? {
            PauseOutcome::Changed { epoch } | PauseOutcome::Already { epoch } => epoch,
            PauseOutcome::Cancelled => return Err(AppError::EventCancelled),
            PauseOutcome::NotFound => return Err(AppError::NotFound),
        };
        let record = self.store.event(event).await?.ok_or(AppError::NotFound)?;
        let is_due = is_due(&record, self.now(), self.config().engine.preload_lead_ms);
        self.loader.load_if_wanted(event, is_due, epoch).await?;
        self.inventory_entry(event).await
    }

    /// Outdates the event's ledger: only one of the epoch that is answered, or higher, is any good from now on.
    pub(super) async fn outdate(
        &self,
        event: EventId,
        floor: Epoch,
        expected: Option<Epoch>,
        entry: NewAudit,
    ) -> Result<Epoch, AppError> {
        let _turn = self.turns.load.acquire().await;
        match self.store.ledger_outdate(event, floor, expected, &entry).await? {
            OutdateOutcome::Outdated { epoch } => Ok(epoch),
            OutdateOutcome::Newer => Err(AppError::LedgerBusy),
            OutdateOutcome::NotFound => Err(AppError::NotFound),
        }
    }

    /// The entry that says who did what to the event; it says nothing of what has changed yet.
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
