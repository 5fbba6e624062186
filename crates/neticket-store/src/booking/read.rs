//! Reading reservations, with what they show of event and ticket type, by one join.

use std::collections::HashMap;

use neticket_domain::{EventId, ReservationId, TicketTypeId, UserId};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Alias, Expr, Func, Order, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, FromQueryResult, PaginatorTrait, QueryFilter,
};

use super::{InventoryRecord, ROWS_MAX, ReservationRecord, ReservationStatus};
use crate::entity::{event, reservation, ticket_type};
use crate::{Store, StoreError, convert};

#[derive(FromQueryResult)]
struct ReservationRow {
    id: Uuid,
    user_id: i64,
    event_id: i64,
    event_title: String,
    event_place: String,
    event_starts_at: i64,
    event_image_key: Option<String>,
    event_cancelled_at: Option<i64>,
    ticket_type_id: i64,
    ticket_type_name: String,
    quantity: i64,
    unit_price: i64,
    status: String,
    created_at: i64,
    cancelled_at: Option<i64>,
}

#[derive(FromQueryResult)]
struct InventoryRow {
    id: i64,
    event_id: i64,
    capacity: i64,
    left: i64,
    confirmed: i64,
}

impl Store {
    /// The reservation with this id, whoever's it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reservation(&self, id: ReservationId) -> Result<Option<ReservationRecord>, StoreError> {
        self.attempt("reading a reservation", || async move {
            Ok(by_ids(self.reader(), &[id]).await?.remove(&id))
        })
        .await
    }

    /// The reservations among `ids` that exist, whoever's they are, each once and in no particular order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reservations(&self, ids: &[ReservationId]) -> Result<Vec<ReservationRecord>, StoreError> {
        self.attempt("reading reservations", || async move {
            Ok(by_ids(self.reader(), ids).await?.into_values().collect())
        })
        .await
    }

    /// Page `page` (from 1) of `size` reservations of one user, newest first, and how many there are in all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reservations_of(
        &self,
        user: UserId,
        page: u32,
        size: u32,
    ) -> Result<(Vec<ReservationRecord>, u64), StoreError> {
        let select = records()
            .and_where(Expr::col((reservation::Entity, reservation::Column::UserId)).eq(user.0))
            .order_by((reservation::Entity, reservation::Column::CreatedAt), Order::Desc)
            .order_by((reservation::Entity, reservation::Column::Id), Order::Asc)
            .limit(u64::from(size))
            .offset(convert::offset(page, size))
            .to_owned();
        self.attempt("listing reservations", || async {
            let rows = self.reader().query_all(&select).await?;
            let rows = rows.iter().map(|row| ReservationRow::from_query_result(row, "")?.try_into());
            let records = rows.collect::<Result<_, DbErr>>()?;
            let mine = reservation::Entity::find().filter(reservation::Column::UserId.eq(user.0));
            Ok((records, mine.count(self.reader()).await?))
        })
        .await
    }

    /// The seats of every ticket type of `event`, or of all events, counted: for audits, not for the busy path.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inventory_audit(&self, event: Option<EventId>) -> Result<Vec<InventoryRecord>, StoreError> {
        let select = inventory_statement(event);
        self.attempt("auditing the inventory", || async {
            let rows = self.reader().query_all(&select).await?;
            rows.iter().map(|row| InventoryRow::from_query_result(row, "")?.try_into()).collect()
        })
        .await
    }
}

/// The reservations among `ids` that exist.
pub(super) async fn by_ids(
    connection: &impl ConnectionTrait,
    ids: &[ReservationId],
) -> Result<HashMap<ReservationId, ReservationRecord>, DbErr> {
    let mut found = HashMap::new();
    for ids in ids.chunks(ROWS_MAX) {
        let select = records()
            .and_where(
                Expr::col((reservation::Entity, reservation::Column::Id)).is_in(ids.iter().map(|id| id.0)),
            )
            .to_owned();
        for row in connection.query_all(&select).await? {
            let record: ReservationRecord = ReservationRow::from_query_result(&row, "")?.try_into()?;
            found.insert(record.id, record);
        }
    }
    Ok(found)
}

fn records() -> SelectStatement {
    use reservation::Column;
    let own = [
        Column::Id,
        Column::UserId,
        Column::EventId,
        Column::TicketTypeId,
        Column::Quantity,
        Column::UnitPrice,
        Column::Status,
        Column::CreatedAt,
        Column::CancelledAt,
    ];
    let mut select = Query::select()
        .from(reservation::Entity)
        .columns(own.map(|column| (reservation::Entity, column)))
        .expr_as(Expr::col((ticket_type::Entity, ticket_type::Column::Name)), "ticket_type_name")
        .inner_join(
            event::Entity,
            Expr::col((event::Entity, event::Column::Id)).equals((reservation::Entity, Column::EventId)),
        )
        .inner_join(
            ticket_type::Entity,
            Expr::col((ticket_type::Entity, ticket_type::Column::Id))
                .equals((reservation::Entity, Column::TicketTypeId)),
        )
        .to_owned();
    for (column, name) in [
        (event::Column::Title, "event_title"),
        (event::Column::Place, "event_place"),
        (event::Column::StartsAt, "event_starts_at"),
        (event::Column::ImageKey, "event_image_key"),
        (event::Column::CancelledAt, "event_cancelled_at"),
    ] {
        select.expr_as(Expr::col((event::Entity, column)), name);
    }
    select
}

fn inventory_statement(event: Option<EventId>) -> SelectStatement {
    use ticket_type::Column;
    // `SUM` of integers is DECIMAL on MariaDB; SIGNED is what both databases read back as an integer.
    let tickets = Func::coalesce([Expr::col(reservation::Column::Quantity).sum(), Expr::val(0)]);
    let confirmed = Query::select()
        .expr(Expr::expr(tickets).cast_as(Alias::new("SIGNED")))
        .from(reservation::Entity)
        .and_where(
            Expr::col((reservation::Entity, reservation::Column::TicketTypeId))
                .equals((ticket_type::Entity, Column::Id)),
        )
        .and_where(Expr::col(reservation::Column::Status).eq(ReservationStatus::Confirmed.as_str()))
        .to_owned();
    let mut select = Query::select()
        .columns([Column::Id, Column::EventId, Column::Capacity, Column::Left])
        .expr_as(Expr::SubQuery(None, Box::new(confirmed.into())), "confirmed")
        .from(ticket_type::Entity)
        .order_by(Column::Id, Order::Asc)
        .to_owned();
    if let Some(event) = event {
        select.and_where(Expr::col(Column::EventId).eq(event.0));
    }
    select
}

impl TryFrom<ReservationRow> for ReservationRecord {
    type Error = DbErr;

    fn try_from(row: ReservationRow) -> Result<Self, DbErr> {
        let status = ReservationStatus::parse(&row.status)
            .ok_or_else(|| DbErr::Type(format!("unknown status {}", row.status)))?;
        Ok(Self {
            id: ReservationId(row.id),
            user: UserId(row.user_id),
            event: EventId(row.event_id),
            event_title: row.event_title,
            event_place: row.event_place,
            event_starts_at: convert::moment(row.event_starts_at),
            event_image_key: row.event_image_key,
            event_cancelled: row.event_cancelled_at.is_some(),
            ticket_type: TicketTypeId(row.ticket_type_id),
            ticket_type_name: row.ticket_type_name,
            quantity: convert::quantity(row.quantity)?,
            unit_price: convert::from_column(row.unit_price)?,
            status,
            created_at: convert::moment(row.created_at),
            cancelled_at: row.cancelled_at.map(convert::moment),
        })
    }
}

impl TryFrom<InventoryRow> for InventoryRecord {
    type Error = DbErr;

    fn try_from(row: InventoryRow) -> Result<Self, DbErr> {
        Ok(Self {
            event: EventId(row.event_id),
            ticket_type: TicketTypeId(row.id),
            capacity: convert::from_column(row.capacity)?,
            left: convert::from_column(row.left)?,
            confirmed: convert::from_column(row.confirmed)?,
        })
    }
}
