//! Events and their ticket types: creating, reading, editing and cancelling them, and the epochs of their
//! ledgers. Only `edit.rs` changes their seats. [`crate::reservations`] does the rest, and says in which
//! order rows are locked.

mod audit_diff;
mod cancel;
mod edit;
mod epoch;
mod images;
mod list;
mod load;
mod records;

use std::collections::BTreeMap;

use neticket_domain::{EventId, SaleWindow, SearchWords, TicketTypeId, Timestamp};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

pub use cancel::{DeleteOutcome, EventCancelOutcome};
pub use edit::{EditOutcome, EventEdit, TicketTypeEdit};
pub use epoch::{EpochRaiseOutcome, PauseOutcome};
pub use list::{EventFilter, EventSummaryRecord};
pub use records::{EventRecord, LoadedEvent, LoadedTicketType, NewEvent, NewTicketType, TicketTypeRecord};

use crate::entity::{event, ticket_type};
use crate::{AuditOrigin, NewAudit, Store, StoreError, audit_log, convert};

impl Store {
    /// Creates an event with its ticket types and, if `by` is given, its entry in the audit log, in one
    /// transaction.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn event_create(
        &self,
        new: &NewEvent,
        by: Option<&AuditOrigin>,
        now: Timestamp,
    ) -> Result<EventRecord, StoreError> {
        self.with_retries("creating an event", || async move {
            let transaction = self.begin().await?;
            let event = event_row(new, now).insert(&transaction).await?;
            if !new.ticket_types.is_empty() {
                let rows = (0..)
                    .zip(&new.ticket_types)
                    .map(|(position, new)| ticket_type_row(event.id, position, new));
                let rows = rows.collect::<Result<Vec<_>, _>>()?;
                ticket_type::Entity::insert_many(rows).exec_without_returning(&transaction).await?;
            }
            let record = with_ticket_types(&transaction, event).await?;
            if let Some(by) = by {
                audit_log::append(&transaction, &creation(&record, by)).await?;
            }
            transaction.commit().await?;
            Ok(record)
        })
        .await
    }

    /// The event with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn event(&self, id: EventId) -> Result<Option<EventRecord>, StoreError> {
        self.with_retries("reading an event", || async move {
            match event::Entity::find_by_id(id.0).one(self.reader()).await? {
                Some(event) => with_ticket_types(self.reader(), event).await.map(Some),
                None => Ok(None),
            }
        })
        .await
    }

    /// The events with these ids, in the order of `ids`. Missing ones are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events(&self, ids: &[EventId]) -> Result<Vec<EventRecord>, StoreError> {
        self.with_retries("reading events", || async move {
            let wanted = || ids.iter().map(|id| id.0);
            let events =
                event::Entity::find().filter(event::Column::Id.is_in(wanted())).all(self.reader()).await?;
            let mut ticket_types: BTreeMap<i64, Vec<ticket_type::Model>> = BTreeMap::new();
            let rows = ticket_type::Entity::find()
                .filter(ticket_type::Column::EventId.is_in(wanted()))
                .order_by_asc(ticket_type::Column::Position)
                .all(self.reader())
                .await?;
            for row in rows {
                ticket_types.entry(row.event_id).or_default().push(row);
            }
            let mut records = BTreeMap::new();
            for event in events {
                let ticket_types = ticket_types.remove(&event.id).unwrap_or_default();
                records.insert(event.id, event_record(event, ticket_types)?);
            }
            Ok(ids.iter().filter_map(|id| records.remove(&id.0)).collect())
        })
        .await
    }

    /// The event to which a ticket type belongs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn event_of_ticket_type(&self, id: TicketTypeId) -> Result<Option<EventId>, StoreError> {
        self.with_retries("reading a ticket type", || async move {
            let event: Option<i64> = ticket_type::Entity::find_by_id(id.0)
                .select_only()
                .column(ticket_type::Column::EventId)
                .into_tuple()
                .one(self.reader())
                .await?;
            Ok(event.map(EventId))
        })
        .await
    }

    /// The events whose ledgers should be loaded at `now`: not cancelled, not started, and open or opening
    /// within `lead_ms` milliseconds. In the order in which they open.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_selling(&self, now: Timestamp, lead_ms: i64) -> Result<Vec<EventId>, StoreError> {
        self.with_retries("listing events that sell", || async move {
            let ids: Vec<i64> = event::Entity::find()
                .select_only()
                .column(event::Column::Id)
                .filter(event::Column::CancelledAt.is_null())
                .filter(event::Column::OpensAt.lte(now.plus_millis(lead_ms).as_millis()))
                .filter(event::Column::StartsAt.gt(now.as_millis()))
                .order_by_asc(event::Column::OpensAt)
                .order_by_asc(event::Column::Id)
                .into_tuple()
                .all(self.reader())
                .await?;
            Ok(ids.into_iter().map(EventId).collect())
        })
        .await
    }
}

fn creation(event: &EventRecord, by: &AuditOrigin) -> NewAudit {
    let target = format!("event/{}", event.id);
    let after = Some(audit_diff::whole(event));
    NewAudit { after, ..by.did("event_create", target, event.title.clone(), event.created_at) }
}

fn event_row(new: &NewEvent, now: Timestamp) -> event::ActiveModel {
    event::ActiveModel {
        id: ActiveValue::NotSet,
        title: ActiveValue::Set(new.title.clone()),
        place: ActiveValue::Set(new.place.clone()),
        description: ActiveValue::Set(new.description.clone()),
        search_text: ActiveValue::Set(SearchWords::haystack(&new.title, &new.place)),
        starts_at: ActiveValue::Set(new.starts_at.as_millis()),
        opens_at: ActiveValue::Set(new.opens_at.as_millis()),
        closes_at: ActiveValue::Set(new.closes_at.as_millis()),
        max_per_user: ActiveValue::Set(i64::from(new.max_per_user)),
        paused: ActiveValue::Set(false),
        paused_at: ActiveValue::Set(None),
        cancelled_at: ActiveValue::Set(None),
        image_key: ActiveValue::Set(new.image_key.clone()),
        version: ActiveValue::Set(1),
        created_at: ActiveValue::Set(now.as_millis()),
        updated_at: ActiveValue::Set(now.as_millis()),
        cancellation_finished_at: ActiveValue::Set(None),
        window_since: ActiveValue::Set(None),
    }
}

fn ticket_type_row(
    event: i64,
    position: i64,
    new: &NewTicketType,
) -> Result<ticket_type::ActiveModel, DbErr> {
    Ok(ticket_type::ActiveModel {
        id: ActiveValue::NotSet,
        event_id: ActiveValue::Set(event),
        position: ActiveValue::Set(position),
        name: ActiveValue::Set(new.name.clone()),
        price: ActiveValue::Set(convert::to_column(new.price)?),
        capacity: ActiveValue::Set(i64::from(new.capacity)),
        left: ActiveValue::Set(i64::from(new.capacity)),
        epoch: ActiveValue::Set(0),
    })
}

async fn with_ticket_types(
    connection: &impl ConnectionTrait,
    event: event::Model,
) -> Result<EventRecord, DbErr> {
    let ticket_types = ticket_type::Entity::find()
        .filter(ticket_type::Column::EventId.eq(event.id))
        .order_by_asc(ticket_type::Column::Position)
        .order_by_asc(ticket_type::Column::Id)
        .all(connection)
        .await?;
    event_record(event, ticket_types)
}

fn event_record(event: event::Model, ticket_types: Vec<ticket_type::Model>) -> Result<EventRecord, DbErr> {
    Ok(EventRecord {
        id: EventId(event.id),
        title: event.title,
        place: event.place,
        description: event.description,
        starts_at: convert::moment(event.starts_at),
        window: SaleWindow {
            opens_at: convert::moment(event.opens_at),
            closes_at: convert::moment(event.closes_at),
        },
        max_per_user: convert::from_column(event.max_per_user)?,
        paused: event.paused,
        cancelled_at: event.cancelled_at.map(convert::moment),
        image_key: event.image_key,
        version: event.version,
        created_at: convert::moment(event.created_at),
        updated_at: convert::moment(event.updated_at),
        ticket_types: ticket_types.into_iter().map(TicketTypeRecord::try_from).collect::<Result<_, _>>()?,
    })
}
