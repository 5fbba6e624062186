//! Finds the events with pending reservations.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use neticket_domain::{Epoch, EventId};

use super::journal::{EventsPending, JournalState};
use super::{EventCache, VIEW_AGE_MAX};
use crate::error::AppError;

/// Maximum number of ledgers that are inspected at once.
const INSPECTIONS_CONCURRENT_MAX: usize = 16;

impl EventCache {
    /// The events with pending reservations, from an inspection that began at most [`VIEW_AGE_MAX`] before
    /// this call. A booking is answered `pending` only after its entry has been in the journal for that long
    /// (see `booking/service.rs`). However long an inspection takes, it therefore contains the event of such
    /// a booking until the booking is decided.
    ///
    /// # Errors
    /// `LedgerUnavailable`, at once while the circuit breaker is open.
    pub(crate) async fn events_pending(&self) -> Result<Arc<EventsPending>, AppError> {
        let read = async {
            if self.pending_breaker.is_open() {
                return Err(AppError::LedgerUnavailable(None));
            }
            let pending = self.find_events_pending().await;
            if let Err(error) = &pending {
                let ledger = Arc::clone(&self.ledger);
                self.pending_breaker.trip(error, move || {
                    let ledger = Arc::clone(&ledger);
                    async move { ledger.ping().await.is_ok() }
                });
            }
            Ok(Arc::new(pending?))
        };
        self.pending.get((), VIEW_AGE_MAX, read).await
    }

    async fn find_events_pending(&self) -> Result<EventsPending, AppError> {
        let loaded = self.ledger.loaded().await?;
        let inspections = loaded
            .events
            .into_iter()
            .map(|event| async move { Ok::<_, AppError>((event, self.journal_state(event).await?)) });
        let inspections = stream::iter(inspections).buffer_unordered(INSPECTIONS_CONCURRENT_MAX);
        let journals: Vec<_> = inspections.try_collect().await?;
        let mut found =
            EventsPending { is_incomplete: loaded.incomplete.is_some(), ..EventsPending::default() };
        for (event, journal) in journals {
            match journal {
                JournalState::Empty => {}
                JournalState::Pending => found.events.push(event),
                JournalState::Unknown => found.is_incomplete = true,
            }
        }
        Ok(found)
    }

    /// Inspects the event's journal now.
    ///
    /// # Errors
    /// `LedgerUnavailable`.
    pub(crate) async fn journal_state(&self, event: EventId) -> Result<JournalState, AppError> {
        Ok(match self.ledger.view(event).await? {
            Some(view) if view.journal_len > 0 => JournalState::Pending,
            None if self.ledger.current_epoch(event).await? > Epoch(0) => JournalState::Unknown,
            // Without a ledger there is no journal: the ledger was lost or evicted, or the event has not been
            // loaded yet.
            Some(_) | None => JournalState::Empty,
        })
    }
}
