//! Reading events, from the cache and for administrators. `admin.rs` writes them.

use std::sync::Arc;

use neticket_domain::{EventId, EventStatus, SearchWords, Timestamp};
use neticket_ledger::LedgerView;
use neticket_store::{EventFilter, EventRecord, EventSummaryRecord, TicketTypeRecord};

use crate::App;
use crate::error::AppError;
use crate::views::{EventSearch, EventSummaryView, EventView, PageView, TicketTypeView};

impl App {
    /// The events that match, those that can be booked first. At most half a second old.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn events_page(&self, search: &EventSearch) -> Result<PageView<EventSummaryView>, AppError> {
        let page = self.event_cache.list(search, self.events_page_now(search)).await?;
        Ok(PageView::clone(&page))
    }

    async fn events_page_now(&self, search: &EventSearch) -> Result<PageView<EventSummaryView>, AppError> {
        let filter = EventFilter {
            words: SearchWords::parse(&search.query),
            status: search.status,
            include_past: search.include_past,
        };
        let (items, total_items) =
            self.store.events_page(&filter, self.now(), search.page, search.size).await?;
        Ok(PageView {
            items: items.into_iter().map(|record| self.event_summary(record)).collect(),
            total_items,
        })
    }

    /// One event, at most a second old. The seats left are the ledger's if it is loaded.
    ///
    /// # Errors
    /// `NotFound`, `StoreUnavailable`.
    pub async fn event(&self, id: EventId) -> Result<EventView, AppError> {
        Ok(self.event_of_copy(&self.event_copy(id).await?))
    }

    /// The event from this node's cache, for a caller that caches something made from it.
    ///
    /// # Errors
    /// `NotFound`, `StoreUnavailable`.
    pub async fn event_copy(&self, id: EventId) -> Result<EventCopy, AppError> {
        let record = self.event_cache.event(id).await?;
        let ledger = self.event_cache.view(id).await;
        let status = event_status(&record, ledger.as_ref().as_ref(), self.now());
        Ok(EventCopy { record, ledger, status })
    }

    /// As [`Self::event_copy`], but of version `version` or higher if there is one: reads past this node's
    /// cache if the cached event is older.
    ///
    /// # Errors
    /// `NotFound`, `StoreUnavailable`.
    pub async fn event_copy_since(&self, id: EventId, version: i64) -> Result<EventCopy, AppError> {
        let copy = self.event_copy(id).await?;
        if copy.record.version >= version {
            return Ok(copy);
        }
        let record = self.event_cache.event_fresh(id).await?;
        let status = event_status(&record, copy.ledger.as_ref().as_ref(), self.now());
        Ok(EventCopy { record, status, ..copy })
    }

    /// The view of a cached event.
    pub fn event_of_copy(&self, copy: &EventCopy) -> EventView {
        self.event_view(&copy.record, copy.ledger.as_ref().as_ref())
    }

    /// All events with their ticket types, including past and cancelled ones, for administrators.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn admin_events_page(&self, search: &EventSearch) -> Result<PageView<EventView>, AppError> {
        let page = self.events_page_now(&EventSearch { include_past: true, ..search.clone() }).await?;
        let ids: Vec<EventId> = page.items.iter().map(|item| item.id).collect();
        let records = self.store.events(&ids).await?;
        let item = |record: &EventRecord| {
            let mut view = self.event_view(record, None);
            view.summary.image_url = self.card_url(record.image_key.as_deref());
            view
        };
        Ok(PageView { items: records.iter().map(item).collect(), total_items: page.total_items })
    }

    fn event_summary(&self, record: EventSummaryRecord) -> EventSummaryView {
        EventSummaryView {
            id: record.id,
            title: record.title,
            place: record.place,
            starts_at: record.starts_at,
            opens_at: record.opens_at,
            closes_at: record.closes_at,
            status: record.status,
            price_from: record.price_from,
            image_url: self.card_url(record.image_key.as_deref()),
        }
    }

    pub(super) fn event_view(&self, record: &EventRecord, ledger: Option<&LedgerView>) -> EventView {
        let ticket_types: Vec<TicketTypeView> = record
            .ticket_types
            .iter()
            .map(|t| TicketTypeView {
                id: t.id,
                name: t.name.clone(),
                price: t.price,
                capacity: t.capacity,
                left: left_of(t, ledger),
            })
            .collect();
        EventView {
            summary: EventSummaryView {
                id: record.id,
                title: record.title.clone(),
                place: record.place.clone(),
                starts_at: record.starts_at,
                opens_at: record.window.opens_at,
                closes_at: record.window.closes_at,
                status: event_status(record, ledger, self.now()),
                price_from: ticket_types.iter().map(|t| t.price).min().unwrap_or(0),
                image_url: self.image_url(record.image_key.as_deref()),
            },
            description: record.description.clone(),
            max_per_user: record.max_per_user,
            image_key: record.image_key.clone(),
            created_at: record.created_at,
            updated_at: record.updated_at,
            cancelled_at: record.cancelled_at,
            version: record.version,
            ticket_types,
        }
    }
}

/// An event as this node has cached it: two values that are shared with others, and the status at present.
#[derive(Clone)]
pub struct EventCopy {
    pub(crate) record: Arc<EventRecord>,
    pub(crate) ledger: Arc<Option<LedgerView>>,
    pub(crate) status: EventStatus,
}

impl EventCopy {
    /// Whether neither value has been read anew and no opening or end of a sale has passed. Something made
    /// from one is then as good as something made from the other.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.record, &other.record)
            && Arc::ptr_eq(&self.ledger, &other.ledger)
            && self.status == other.status
    }
}

pub(crate) fn event_status(record: &EventRecord, ledger: Option<&LedgerView>, now: Timestamp) -> EventStatus {
    let left_in_all = record.ticket_types.iter().map(|t| u64::from(left_of(t, ledger))).sum();
    EventStatus::of(record.cancelled_at.is_some(), record.paused, record.window, left_in_all, now)
}

fn left_of(ticket_type: &TicketTypeRecord, ledger: Option<&LedgerView>) -> u32 {
    ledger
        .and_then(|view| view.ticket_types.iter().find(|t| t.id == ticket_type.id))
        .map_or(ticket_type.left, |t| t.left)
}
