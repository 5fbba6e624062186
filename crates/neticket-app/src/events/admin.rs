//! Creating, changing, cancelling and deleting events.
//!
//! The store decides, under the locks of the event's ticket types. Where a ledger has to know of the change,
//! the same transaction raises the epoch: from its `COMMIT` on the guard refuses bookings by the old rules.
//! The ledger is loaded right after that. If the load fails, or this node dies before it, the next commit
//! that the guard refuses loads the ledger, and the background tasks find that it is stale
//! (docs/decisions/0022).

use std::sync::Arc;
use std::time::Duration;

use neticket_domain::{Epoch, EventId};
use neticket_store::{CommitRequest, DeleteOutcome, EditOutcome, EventCancelOutcome, EventEdit, EventRecord};

use super::validation;
use crate::App;
use crate::audit;
use crate::booking::should_be_loaded;
use crate::booking::to_commit_request;
use crate::error::AppError;
use crate::views::{EventChange, EventDraft, EventView, Expected, Principal};

/// How often a change is applied anew because another edit came first, if the caller accepts any version.
const EDIT_ATTEMPTS_MAX: u32 = 5;
/// How often a ledger whose journal cannot be read is loaded, to read the journal again.
const JOURNAL_READS_MAX: u32 = 3;

impl App {
    /// Adds an event. Its sale opens by itself, and at once if its opening is in the past.
    ///
    /// # Errors
    /// `Invalid` with every field that is wrong; `ImageStoreUnavailable`: nothing was added.
    /// `StoreUnavailable`: the event may have been added, so check before you try again.
    pub async fn event_create(
        &self,
        by: Principal,
        from_ip: Option<String>,
        draft: EventDraft,
    ) -> Result<EventView, AppError> {
        let now = self.now();
        let faults = self.faults_of_new(&draft, now).await?;
        if !faults.is_empty() {
            return Err(AppError::Invalid(faults));
        }
        let image = self.image_claim(draft.image_key.as_deref()).await?;
        let origin = audit::origin(by, from_ip);
        let created = self.store.event_create(&validation::new_event(draft), Some(&origin), now).await;
        // Keep the image whatever the outcome is: the event may have been written although the answer was
        // lost.
        self.image_keep(image).await;
        let record = created?;
        self.event_cache.invalidate(record.id).await;
        Ok(self.event_view(&record, None))
    }

    /// One event as the store has it, for administrators.
    ///
    /// # Errors
    /// `NotFound`, `StoreUnavailable`.
    pub async fn admin_event(&self, id: EventId) -> Result<EventView, AppError> {
        let record = self.store.event(id).await?.ok_or(AppError::NotFound)?;
        Ok(self.event_view(&record, None))
    }

    /// All faults of `change`, for a caller that has found other faults already and reports all of them at
    /// once.
    ///
    /// # Errors
    /// `NotFound`, `StoreUnavailable`, `ImageStoreUnavailable`.
    pub async fn event_change_faults(
        &self,
        id: EventId,
        change: &EventChange,
    ) -> Result<Vec<crate::InvalidField>, AppError> {
        let before = self.store.event(id).await?.ok_or(AppError::NotFound)?;
        self.faults_of_change(&before, change, self.now()).await
    }

    /// Changes an event, also while it is on sale. What is sold stays sold, at the price at which it was
    /// booked.
    ///
    /// # Errors
    /// `NotFound`; `EditConflict` if the event's version is not `expected`, or if other edits came first five
    /// times; `EventCancelled`; `Invalid` with every field that is wrong; `CapacityBelowSold` and
    /// `EventHasReservations`, both of which count pending bookings too; `LedgerUnavailable` or `LedgerBusy`
    /// if seats are to be taken away and the journal cannot be read; `ImageStoreUnavailable`: nothing was
    /// changed. `StoreUnavailable`: the change may have been made, so check before you try again.
    pub async fn event_update(
        &self,
        by: Principal,
        from_ip: Option<String>,
        id: EventId,
        expected: &Expected,
        change: &EventChange,
    ) -> Result<EventView, AppError> {
        let origin = audit::origin(by, from_ip);
        for _ in 0..EDIT_ATTEMPTS_MAX {
            let before = self.store.event(id).await?.ok_or(AppError::NotFound)?;
            let edit = self.checked_edit(&before, expected, change).await?;
            let image = self.image_claim(validation::new_image(&before, change)).await?;
            let journal =
                if edit.takes_seats_away(&before) { self.journal_of(id).await? } else { Vec::new() };
            let permit = self.budget.load.acquire().await;
            let outcome = self.store.event_update(id, &edit, &journal, &origin, || self.now()).await;
            drop(permit);
            // Invalidate whatever the outcome is: the change may have happened although the answer was lost.
            self.event_cache.invalidate(id).await;
            if let Ok(EditOutcome::Edited { event, epoch: Some(epoch) }) = &outcome {
                self.reload_ledger(event, *epoch).await;
            }
            self.image_keep(image).await;
            match outcome? {
                EditOutcome::Edited { event, .. } => return Ok(self.event_view(&event, None)),
                // If the caller expects a version, the next attempt finds that it has changed.
                EditOutcome::Conflict => {}
                EditOutcome::NotFound => return Err(AppError::NotFound),
                EditOutcome::Cancelled => return Err(AppError::EventCancelled),
                EditOutcome::BelowSold { sold } => return Err(AppError::CapacityBelowSold { sold }),
                EditOutcome::HasReservations => return Err(AppError::EventHasReservations),
            }
        }
        Err(AppError::EditConflict)
    }

    async fn checked_edit(
        &self,
        before: &EventRecord,
        expected: &Expected,
        change: &EventChange,
    ) -> Result<EventEdit, AppError> {
        if !expected.allows(before.version) {
            return Err(AppError::EditConflict);
        }
        if before.cancelled_at.is_some() {
            return Err(AppError::EventCancelled);
        }
        let faults = self.faults_of_change(before, change, self.now()).await?;
        if faults.is_empty() {
            Ok(validation::edit_of(before, change))
        } else {
            Err(AppError::Invalid(faults))
        }
    }

    /// Cancels an event and, soon after, all its reservations. Idempotent: a cancelled event gets the same
    /// answer again.
    ///
    /// # Errors
    /// `NotFound`; `NotCancellable` after the event has started. `StoreUnavailable`: the caller should repeat
    /// it.
    pub async fn event_cancel(
        &self,
        by: Principal,
        from_ip: Option<String>,
        id: EventId,
    ) -> Result<EventView, AppError> {
        let permit = self.budget.load.acquire().await;
        let outcome = self.store.event_cancel(id, &audit::origin(by, from_ip), self.now()).await;
        drop(permit);
        self.event_cache.invalidate(id).await;
        match outcome? {
            EventCancelOutcome::Cancelled { event, epoch } => {
                tracing::info!(event = %id, "the event is cancelled");
                self.reload_ledger(&event, epoch).await;
                Ok(self.event_view(&event, None))
            }
            EventCancelOutcome::Already(event) => Ok(self.event_view(&event, None)),
            EventCancelOutcome::Started { starts_at } => Err(AppError::NotCancellable { starts_at }),
            EventCancelOutcome::NotFound => Err(AppError::NotFound),
        }
    }

    /// Deletes an event that nobody has ever booked.
    ///
    /// # Errors
    /// `NotFound`; `EditConflict` if the event's version is not `expected`; `EventHasReservations`, also if a
    /// booking is pending; `LedgerUnavailable` or `LedgerBusy` if the journal cannot be read: nothing was
    /// deleted. `StoreUnavailable`: the caller should repeat it.
    pub async fn event_delete(
        &self,
        by: Principal,
        from_ip: Option<String>,
        id: EventId,
        expected: &Expected,
    ) -> Result<(), AppError> {
        let event = self.store.event(id).await?.ok_or(AppError::NotFound)?;
        if !expected.allows(event.version) {
            return Err(AppError::EditConflict);
        }
        if !self.journal_of(id).await?.is_empty() {
            return Err(AppError::EventHasReservations);
        }
        let permit = self.budget.load.acquire().await;
        let origin = audit::origin(by, from_ip);
        let outcome = self.store.event_delete(id, expected.versions(), &origin, self.now()).await;
        drop(permit);
        self.event_cache.invalidate(id).await;
        match outcome? {
            DeleteOutcome::Deleted => {}
            DeleteOutcome::NotFound => return Err(AppError::NotFound),
            DeleteOutcome::Conflict => return Err(AppError::EditConflict),
            DeleteOutcome::HasReservations => return Err(AppError::EventHasReservations),
        }
        tracing::info!(event = %id, "the event is deleted");
        if let Err(error) = self.ledger.delete(id).await {
            tracing::warn!(event = %id, %error, "cannot delete the ledger of a deleted event, a task will delete it");
        }
        Ok(())
    }

    /// The bookings that the event's ledger has admitted and the store may not have yet.
    ///
    /// # Errors
    /// `LedgerUnavailable`, `StoreUnavailable`; `LedgerBusy` if the ledger is lost repeatedly.
    async fn journal_of(&self, event: EventId) -> Result<Vec<CommitRequest>, AppError> {
        for _ in 0..JOURNAL_READS_MAX {
            if let Some(state) = self.ledger.examine(event).await? {
                return Ok(state.journal.into_iter().map(|entry| to_commit_request(event, entry)).collect());
            }
            if self.ledger.current_epoch(event).await? == Epoch(0) {
                return Ok(Vec::new());
            }
            // A ledger of another server run. The load carries its journal over.
            self.loader.load(event, Epoch(0)).await?;
        }
        Err(AppError::LedgerBusy)
    }

    /// Loads the event's ledger anew, if it has one or should have one. Waits for at most `ack_deadline_ms`.
    /// The load continues in its own task if it takes longer or if the caller is cancelled. If it fails, a
    /// refused commit or a background task loads the ledger later.
    async fn reload_ledger(&self, event: &EventRecord, epoch: Epoch) {
        let id = event.id;
        let should_be_loaded = should_be_loaded(event, self.now(), self.config().engine.preload_lead_ms);
        let loader = Arc::clone(&self.loader);
        let loading = tokio::spawn(async move { loader.load_if_needed(id, should_be_loaded, epoch).await });
        let ack_deadline = Duration::from_millis(self.config().engine.ack_deadline_ms);
        match tokio::time::timeout(ack_deadline, loading).await {
            Ok(Ok(Ok(()) | Err(AppError::NotFound))) => {}
            Ok(Ok(Err(error))) => {
                tracing::warn!(event = %id, error = %error.with_cause(), "cannot reload the ledger, it is stale until a later load");
            }
            Ok(Err(panic)) => tracing::error!(event = %id, %panic, "reloading the ledger panicked"),
            Err(_) => tracing::warn!(event = %id, "reloading the ledger takes longer than the deadline"),
        }
    }
}
