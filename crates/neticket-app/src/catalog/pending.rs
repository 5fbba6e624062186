//! Which events have reservations on their way.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use neticket_domain::{Epoch, EventId};

use super::{Catalog, VIEW_AGE_MAX};
use crate::error::AppError;

/// How many ledgers are inspected at once.
const INSPECTIONS_CONCURRENT_MAX: usize = 16;

/// In whose journals something is.
#[derive(Debug, Default)]
pub(crate) struct EventsPending {
    pub(crate) events: Vec<EventId>,
    /// Some journals cannot be looked into yet: their ledgers are of another run of the server, and not
    /// loaded again, or not all events with a ledger are known.
    pub(crate) is_blind: bool,
}

/// What is to be seen of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Journal {
    Empty,
    Pending,
    /// Nothing: its ledger is of another run of the server, and not loaded again.
    Unseen,
}

impl Catalog {
    /// The events with reservations on their way, by an inspection that began at most [`VIEW_AGE_MAX`] before this call. A
    /// reservation is answered `pending` only after its entry has been in the journal for that long (see the booking desk),
    /// so its event is among them until it is decided, however long an inspection takes.
    ///
    /// # Errors
    /// `LedgerUnavailable`: at once, if it did not answer lately.
    pub(crate) async fn events_pending(&self) -> Result<Arc<EventsPending>, AppError> {
        let read = async {
            if self.pending_breaker.is_open() {
                return Err(AppError::LedgerUnavailable(None));
            }
            let pending = self.look_for_pending().await;
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

    async fn look_for_pending(&self) -> Result<EventsPending, AppError> {
        let loaded = self.ledger.loaded().await?;
        let looks = loaded
            .events
            .into_iter()
            .map(|event| async move { Ok::<_, AppError>((event, self.journal(event).await?)) });
        let looks = stream::iter(looks).buffer_unordered(INSPECTIONS_CONCURRENT_MAX);
        let journals: Vec<_> = looks.try_collect().await?;
        let mut found = EventsPending { is_blind: loaded.incomplete.is_some(), ..EventsPending::default() };
        for (event, journal) in journals {
            match journal {
                Journal::Empty => {}
                Journal::Pending => found.events.push(event),
                Journal::Unseen => found.is_blind = true,
            }
        }
        Ok(found)
    }

    /// What is to be seen of the event's journal at this moment.
    ///
    /// # Errors
    /// `LedgerUnavailable`.
    pub(crate) async fn journal(&self, event: EventId) -> Result<Journal, AppError> {
        Ok(match self.ledger.view(event).await? {
            Some(view) if view.pending > 0 => Journal::Pending,
            None if self.ledger.begin_load(event).await?.floor > Epoch(0) => Journal::Unseen,
            // Without any ledger there is no journal: it was lost or let go, or the event is loaded for the first time.
            Some(_) | None => Journal::Empty,
        })
    }
}
