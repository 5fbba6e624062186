//! What a booking's answer names its event and ticket type by.

use std::sync::Arc;

use neticket_domain::{EventId, TicketTypeId};
use neticket_store::{EventRecord, TicketTypeRecord};

use super::Catalog;
use crate::error::AppError;

/// A copy of an event that has the ticket type asked for.
pub(crate) struct Names {
    event: Arc<EventRecord>,
    /// Where the ticket type is among the event's.
    at: usize,
}

impl Names {
    /// `None` if the event has no such ticket type.
    fn new(event: Arc<EventRecord>, ticket_type: TicketTypeId) -> Option<Self> {
        let at = event.ticket_types.iter().position(|found| found.id == ticket_type)?;
        Some(Self { event, at })
    }

    pub(crate) fn event(&self) -> &EventRecord {
        &self.event
    }

    pub(crate) fn ticket_type(&self) -> &TicketTypeRecord {
        &self.event.ticket_types[self.at]
    }
}

impl Catalog {
    /// The event of a ticket type, at most [`super::NAMES_AGE_MAX`] old. Waits for nothing if there is such a copy with the
    /// ticket type. One older than [`super::EVENT_AGE_MAX`] is read again in the background, for the next caller: another
    /// node may have changed the event. If no copy has the ticket type, another node may just have added it, so the store
    /// is asked.
    ///
    /// # Errors
    /// `NotFound` if the store has no such ticket type of this event; `StoreUnavailable`.
    pub(crate) async fn names(
        self: &Arc<Self>,
        id: EventId,
        ticket_type: TicketTypeId,
    ) -> Result<Names, AppError> {
        let key = self.generations.key(id);
        if let Some(names) = self.names.get(&key).await.and_then(|event| Names::new(event, ticket_type)) {
            // One caller reads it again for all, at most once a second, however long it takes.
            if !self.events.contains_key(&key) && self.renewals.entry(key).or_insert(()).await.is_fresh() {
                let catalog = Arc::clone(self);
                self.runtime.spawn(async move { catalog.event(id).await.map(drop) });
            }
            return Ok(names);
        }
        if let Some(names) = Names::new(self.event(id).await?, ticket_type) {
            return Ok(names);
        }
        Names::new(self.event_fresh(id).await?, ticket_type).ok_or(AppError::NotFound)
    }
}
