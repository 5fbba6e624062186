//! Reading events, and adding them.

use std::sync::Arc;

use neticket_domain::{EventId, EventStatus, MAX_PER_USER_DEFAULT, QUANTITY_MAX, SearchWords, Timestamp};
use neticket_ledger::LedgerView;
use neticket_store::{
    EventFilter, EventRecord, EventSummaryRecord, NewEvent, NewTicketType, TicketTypeRecord,
};

use crate::App;
use crate::audit;
use crate::error::{AppError, InvalidField};
use crate::views::{
    EventDraft, EventSearch, EventSummaryView, EventView, PageView, Principal, TicketTypeView,
};

impl App {
    /// The events that match, those that can be booked first.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn events_page(&self, search: &EventSearch) -> Result<PageView<EventSummaryView>, AppError> {
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

    /// One event, at most a second old; what is left is the ledger's word where it is loaded.
    ///
    /// # Errors
    /// `NotFound`, `StoreUnavailable`.
    pub async fn event(&self, id: EventId) -> Result<EventView, AppError> {
        Ok(self.event_of_copy(&self.event_copy(id).await?))
    }

    /// This node's copies of one event, for who keeps something made of them.
    ///
    /// # Errors
    /// `NotFound`, `StoreUnavailable`.
    pub async fn event_copy(&self, id: EventId) -> Result<EventCopy, AppError> {
        let record = self.catalog.event(id).await?;
        let ledger = self.catalog.view(id).await;
        let status = event_status(&record, ledger.as_ref().as_ref(), self.now());
        Ok(EventCopy { record, ledger, status })
    }

    /// What the copies say.
    pub fn event_of_copy(&self, copy: &EventCopy) -> EventView {
        self.event_view(&copy.record, copy.ledger.as_ref().as_ref())
    }

    /// All events with their grades, past and cancelled ones too, for administrators.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn admin_events_page(&self, search: &EventSearch) -> Result<PageView<EventView>, AppError> {
        let page = self.events_page(&EventSearch { include_past: true, ..search.clone() }).await?;
        let ids: Vec<EventId> = page.items.iter().map(|item| item.id).collect();
        let records = self.store.events(&ids).await?;
        let items = records.iter().map(|record| self.event_view(record, None)).collect();
        Ok(PageView { items, total_items: page.total_items })
    }

    /// Adds an event. Its sale opens by itself, at once if its opening has passed.
    ///
    /// # Errors
    /// `Invalid` with every field that is not right; `StoreUnavailable`. Nothing was added.
    pub async fn event_create(
        &self,
        by: Principal,
        from_ip: Option<String>,
        draft: EventDraft,
    ) -> Result<EventView, AppError> {
        let now = self.now();
        let event = self.checked(draft, now).await?;
        let origin = audit::origin(by, from_ip);
        let record = self.store.event_create(&event, Some(&origin), now).await?;
        self.catalog.forget(record.id).await;
        Ok(self.event_view(&record, None))
    }

    async fn checked(&self, draft: EventDraft, now: Timestamp) -> Result<NewEvent, AppError> {
        let closes_at = draft.closes_at.unwrap_or(draft.starts_at);
        let max_per_user = draft.max_per_user.unwrap_or(MAX_PER_USER_DEFAULT);
        let mut invalid = Vec::new();
        if draft.starts_at <= now {
            invalid.push(InvalidField::new("starts_at", "out_of_range", "must be in the future"));
        }
        if draft.opens_at >= closes_at {
            invalid.push(InvalidField::new("opens_at", "out_of_range", "must be before the sale closes"));
        }
        if closes_at > draft.starts_at {
            invalid.push(InvalidField::new("closes_at", "out_of_range", "must not be after the start"));
        }
        if closes_at <= now && draft.starts_at > now {
            invalid.push(InvalidField::new("closes_at", "out_of_range", "must be in the future"));
        }
        if !(1..=QUANTITY_MAX).contains(&max_per_user) {
            invalid.push(InvalidField::new("max_per_user", "out_of_range", "must be between 1 and 100"));
        }
        if let Some(key) = &draft.image_key
            && !self.media.contains(key).await
        {
            invalid.push(InvalidField::new("image_key", "not_found", "names no uploaded image"));
        }
        for (index, grade) in draft.ticket_types.iter().enumerate() {
            let before = &draft.ticket_types[..index];
            if before.iter().any(|other| other.name.trim() == grade.name.trim()) {
                let field = format!("ticket_types[{index}].name");
                invalid.push(InvalidField::new(&field, "duplicate", "must differ from the other grades"));
            }
        }
        if !invalid.is_empty() {
            return Err(AppError::Invalid(invalid));
        }
        Ok(NewEvent {
            title: draft.title.trim().to_owned(),
            place: draft.place.trim().to_owned(),
            description: draft.description,
            starts_at: draft.starts_at,
            opens_at: draft.opens_at,
            closes_at,
            max_per_user,
            image_key: draft.image_key,
            ticket_types: draft
                .ticket_types
                .into_iter()
                .map(|t| NewTicketType {
                    name: t.name.trim().to_owned(),
                    price: t.price,
                    capacity: t.capacity,
                })
                .collect(),
        })
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
            image_url: self.image_url(record.image_key.as_deref()),
        }
    }

    fn event_view(&self, record: &EventRecord, ledger: Option<&LedgerView>) -> EventView {
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

    pub(crate) fn image_url(&self, key: Option<&str>) -> Option<String> {
        key.map(|key| self.media.url(key))
    }
}

/// An event as this node has it: two copies that others share, and how they read at present.
#[derive(Clone)]
pub struct EventCopy {
    record: Arc<EventRecord>,
    ledger: Arc<Option<LedgerView>>,
    status: EventStatus,
}

impl EventCopy {
    /// Whether nothing has been read anew since, and no opening or end of a sale has passed: what was made of the one is as
    /// good as what would be made of the other.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.record, &other.record)
            && Arc::ptr_eq(&self.ledger, &other.ledger)
            && self.status == other.status
    }
}

fn event_status(record: &EventRecord, ledger: Option<&LedgerView>, now: Timestamp) -> EventStatus {
    let left_in_all = record.ticket_types.iter().map(|t| u64::from(left_of(t, ledger))).sum();
    EventStatus::of(record.cancelled_at.is_some(), record.paused, record.window, left_in_all, now)
}

fn left_of(ticket_type: &TicketTypeRecord, ledger: Option<&LedgerView>) -> u32 {
    ledger
        .and_then(|view| view.ticket_types.iter().find(|t| t.id == ticket_type.id))
        .map_or(ticket_type.left, |t| t.left)
}
