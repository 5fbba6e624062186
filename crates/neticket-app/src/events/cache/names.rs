//! The event and ticket type from which a booking's answer takes the names.

use std::sync::Arc;

use neticket_domain::{EventId, TicketTypeId};
use neticket_store::{EventRecord, TicketTypeRecord};

use super::EventCache;
use crate::error::AppError;

/// A cached event that has the requested ticket type.
pub(crate) struct Names {
    event: Arc<EventRecord>,
    /// The index of the ticket type in `event.ticket_types`.
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

impl EventCache {
    /// The event of a ticket type, at most [`super::NAMES_AGE_MAX`] old. Returns a cached event without I/O
    /// if it has the ticket type. If the cached event is older than [`super::EVENT_AGE_MAX`], it is also read
    /// again in the background for later callers, because another node may have changed the event. If no
    /// cached event has the ticket type, this reads the store, because another node may just have added the
    /// ticket type.
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
            // One caller starts the read for all callers, at most once per `EVENT_AGE_MAX`, even if a read
            // takes longer.
            if !self.events.contains_key(&key) && self.refreshing.entry(key).or_insert(()).await.is_fresh() {
                let event_cache = Arc::clone(self);
                self.runtime.spawn(async move { event_cache.event(id).await.map(drop) });
            }
            return Ok(names);
        }
        if let Some(names) = Names::new(self.event(id).await?, ticket_type) {
            return Ok(names);
        }
        Names::new(self.event_fresh(id).await?, ticket_type).ok_or(AppError::NotFound)
    }
}
