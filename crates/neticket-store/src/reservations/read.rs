//! Reading reservations, with what is shown of their events and ticket types.
//!
//! The reservations are read first, by an index of their table. The events and ticket types that they name
//! are read next, by id. With a join the optimiser would choose the first table, and it would choose the one
//! that its statistics call small.
//!
//! So a reservation and its names may be read at two different moments. Ids do not change. An event or a
//! ticket type cannot be deleted while it has a reservation of any status, and reservations are never
//! deleted. Titles, times and cancellations may change in between, so what is shown may be newer than the
//! reservation. Code that decides by them reads both while it holds the locks of the ticket types. Every
//! change of an event takes these locks too.

use std::collections::{BTreeSet, HashMap};

use neticket_domain::{EventId, ReservationId, TicketTypeId, UserId};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::rows::{self, Row};
use super::{InventoryRecord, ReservationRecord, ReservationStatus};
use crate::indexed::{EVENTS_BY_ID, TICKET_TYPES_BY_ID};
use crate::{Store, StoreError, convert};

impl Store {
    /// The reservation with this id, of any user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reservation(&self, id: ReservationId) -> Result<Option<ReservationRecord>, StoreError> {
        self.with_retries("reading a reservation", || async move {
            Ok(by_ids(self.reader(), &[id]).await?.remove(&id))
        })
        .await
    }

    /// The reservations among `ids` that exist, of any user, each once and in no particular order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reservations(&self, ids: &[ReservationId]) -> Result<Vec<ReservationRecord>, StoreError> {
        self.with_retries("reading reservations", || async move {
            Ok(by_ids(self.reader(), ids).await?.into_values().collect())
        })
        .await
    }

    /// Page `page` (from 1) with `size` reservations of one user, newest first, and the number of all of
    /// them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reservations_of(
        &self,
        user: UserId,
        page: u32,
        size: u32,
    ) -> Result<(Vec<ReservationRecord>, u64), StoreError> {
        self.with_retries("listing reservations", || async move {
            let reader = self.reader();
            let rows = rows::page_of_user(reader, user, size, convert::offset(page, size)).await?;
            let total = rows::count_of_user(reader, user).await?;
            Ok((records(reader, &rows).await?, total))
        })
        .await
    }

    /// Counts the seats of every ticket type of `event`, or of all events. For audits. It is too slow for
    /// requests.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inventory_audit(&self, event: Option<EventId>) -> Result<Vec<InventoryRecord>, StoreError> {
        self.with_retries("auditing the inventory", || rows::audit(self.reader(), event)).await
    }
}

/// The reservations among `ids` that exist.
pub(super) async fn by_ids(
    connection: &impl ConnectionTrait,
    ids: &[ReservationId],
) -> Result<HashMap<ReservationId, ReservationRecord>, DbErr> {
    let rows = rows::by_ids(connection, ids).await?;
    let records = records(connection, &rows).await?;
    Ok(records.into_iter().map(|record| (record.id, record)).collect())
}

/// What is shown of the events and ticket types of reservations.
struct Names {
    events: HashMap<i64, EventRow>,
    ticket_types: HashMap<i64, String>,
}

#[derive(Clone, FromQueryResult)]
struct EventRow {
    id: i64,
    title: String,
    place: String,
    starts_at: i64,
    image_key: Option<String>,
    cancelled_at: Option<i64>,
}

/// `rows` with what is shown of their events and ticket types, in the same order.
async fn records(connection: &impl ConnectionTrait, rows: &[Row]) -> Result<Vec<ReservationRecord>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let names = Names::of(connection, rows).await?;
    rows.iter().map(|row| names.record(row)).collect()
}

impl Names {
    async fn of(connection: &impl ConnectionTrait, rows: &[Row]) -> Result<Self, DbErr> {
        let ids: BTreeSet<i64> = rows.iter().map(|row| row.event_id).collect();
        let ids = ids.into_iter().map(Into::into).collect();
        let columns = "id, title, place, starts_at, image_key, cancelled_at";
        let found = EVENTS_BY_ID.select_in(connection, columns, "id", ids).await?;
        let events = found.iter().map(|row| {
            let event = EventRow::from_query_result(row, "")?;
            Ok((event.id, event))
        });
        let events = events.collect::<Result<_, DbErr>>()?;
        let ids: BTreeSet<i64> = rows.iter().map(|row| row.ticket_type_id).collect();
        let ids = ids.into_iter().map(Into::into).collect();
        let found = TICKET_TYPES_BY_ID.select_in(connection, "id, name", "id", ids).await?;
        let ticket_types = found.iter().map(|row| Ok((row.try_get("", "id")?, row.try_get("", "name")?)));
        Ok(Self { events, ticket_types: ticket_types.collect::<Result<_, DbErr>>()? })
    }

    fn record(&self, row: &Row) -> Result<ReservationRecord, DbErr> {
        let missing = |what: &str| DbErr::RecordNotFound(format!("the {what} of reservation {}", row.id));
        let event = self.events.get(&row.event_id).ok_or_else(|| missing("event"))?.clone();
        let ticket_type_name =
            self.ticket_types.get(&row.ticket_type_id).ok_or_else(|| missing("ticket type"))?.clone();
        let status = ReservationStatus::parse(&row.status)
            .ok_or_else(|| DbErr::Type(format!("unknown status {}", row.status)))?;
        Ok(ReservationRecord {
            id: ReservationId(row.id),
            user: UserId(row.user_id),
            event: EventId(row.event_id),
            event_title: event.title,
            event_place: event.place,
            event_starts_at: convert::moment(event.starts_at),
            event_image_key: event.image_key,
            event_cancelled: event.cancelled_at.is_some(),
            ticket_type: TicketTypeId(row.ticket_type_id),
            ticket_type_name,
            quantity: convert::quantity(row.quantity)?,
            unit_price: convert::from_column(row.unit_price)?,
            status,
            created_at: convert::moment(row.created_at),
            cancelled_at: row.cancelled_at.map(convert::moment),
        })
    }
}
