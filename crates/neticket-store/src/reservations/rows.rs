//! Every statement on existing reservations ([`insert`](super::insert) writes new ones). Each reads only this
//! table, by an index that it names (`indexed.rs` says why).

use std::collections::BTreeSet;

use neticket_domain::{EventId, ReservationId, TicketTypeId, Timestamp, UserId};
use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement, Value};

use super::{CancelRequest, InventoryRecord, LoadedReservation, ReservationStatus};
use crate::convert;
use crate::indexed::{IDS_MAX, RESERVATIONS_BY_ID, RESERVATIONS_BY_TICKET_TYPE, RESERVATIONS_BY_USER, marks};
use crate::transaction::DatabaseTransaction;

/// The columns of a [`Row`].
const COLUMNS: &str =
    "id, user_id, event_id, ticket_type_id, quantity, unit_price, status, created_at, cancelled_at";

/// A row of the table of reservations.
#[derive(Clone, Debug, FromQueryResult)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) user_id: i64,
    pub(super) event_id: i64,
    pub(super) ticket_type_id: i64,
    pub(super) quantity: i64,
    pub(super) unit_price: i64,
    pub(super) status: String,
    pub(super) created_at: i64,
    pub(super) cancelled_at: Option<i64>,
}

/// The rows of those `ids` that exist. An id that occurs twice may be found twice.
pub(super) async fn by_ids(
    connection: &impl ConnectionTrait,
    ids: &[ReservationId],
) -> Result<Vec<Row>, DbErr> {
    let found = RESERVATIONS_BY_ID.select_in(connection, COLUMNS, "id", values(ids)).await?;
    found.iter().map(|row| Row::from_query_result(row, "")).collect()
}

/// Returns which of `ids` exist.
pub(crate) async fn present(
    connection: &impl ConnectionTrait,
    ids: &[ReservationId],
) -> Result<BTreeSet<ReservationId>, DbErr> {
    // The index does not contain `status`. It is selected for that reason alone (`indexed.rs`).
    let found = RESERVATIONS_BY_ID.select_in(connection, "id, status", "id", values(ids)).await?;
    found.iter().map(|row| Ok(ReservationId(row.try_get("", "id")?))).collect()
}

/// `limit` reservations of `user` after the first `offset`, newest first.
pub(super) async fn page_of_user(
    connection: &impl ConnectionTrait,
    user: UserId,
    limit: u32,
    offset: u64,
) -> Result<Vec<Row>, DbErr> {
    let backend = connection.get_database_backend();
    let sql = format!(
        "SELECT {COLUMNS} FROM {} WHERE user_id = ? ORDER BY created_at DESC, id LIMIT ? OFFSET ?",
        RESERVATIONS_BY_USER.table(backend)
    );
    let values: [Value; 3] = [user.0.into(), i64::from(limit).into(), convert::to_column(offset)?.into()];
    let rows = connection.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    rows.iter().map(|row| Row::from_query_result(row, "")).collect()
}

/// The number of reservations of `user`, read from the index alone.
pub(super) async fn count_of_user(connection: &impl ConnectionTrait, user: UserId) -> Result<u64, DbErr> {
    let backend = connection.get_database_backend();
    let table = RESERVATIONS_BY_USER.table(backend);
    let sql = format!("SELECT COUNT(*) AS total FROM {table} WHERE user_id = ?");
    let statement = Statement::from_sql_and_values(backend, sql, [user.0.into()]);
    match connection.query_one_raw(statement).await? {
        Some(row) => convert::from_column(row.try_get::<i64>("", "total")?),
        None => Ok(0),
    }
}

/// All reservations of these ticket types, with the tickets that each counts towards its owner's limit.
pub(crate) async fn held(
    connection: &impl ConnectionTrait,
    ticket_types: &[TicketTypeId],
) -> Result<Vec<LoadedReservation>, DbErr> {
    let columns = "id, user_id, quantity, status";
    let ids = ticket_types.iter().map(|id| id.0.into()).collect();
    let rows = RESERVATIONS_BY_TICKET_TYPE.select_in(connection, columns, "ticket_type_id", ids).await?;
    rows.iter()
        .map(|row| {
            let counts = row.try_get::<String>("", "status")? == ReservationStatus::Confirmed.as_str();
            let quantity = convert::from_column(row.try_get("", "quantity")?)?;
            Ok(LoadedReservation {
                id: ReservationId(row.try_get("", "id")?),
                user: UserId(row.try_get("", "user_id")?),
                held: if counts { quantity } else { 0 },
            })
        })
        .collect()
}

/// Whether any of these ticket types has a reservation of any status. While the caller holds their locks, the
/// answer stays true.
pub(crate) async fn any_exists(
    connection: &impl ConnectionTrait,
    ticket_types: &[TicketTypeId],
) -> Result<bool, DbErr> {
    let backend = connection.get_database_backend();
    let table = RESERVATIONS_BY_TICKET_TYPE.table(backend);
    for ids in ticket_types.chunks(IDS_MAX) {
        // The index does not contain `status`. It is selected for that reason alone (`indexed.rs`).
        let marks = marks(ids.len());
        let sql = format!("SELECT id, status FROM {table} WHERE ticket_type_id IN ({marks}) LIMIT 1");
        let ids = ids.iter().map(|id| id.0.into());
        let statement = Statement::from_sql_and_values(backend, sql, ids);
        if connection.query_one_raw(statement).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// At most `limit` confirmed reservations of these ticket types, in no particular order.
pub(crate) async fn confirmed(
    connection: &impl ConnectionTrait,
    ticket_types: &[TicketTypeId],
    limit: u64,
) -> Result<Vec<CancelRequest>, DbErr> {
    let backend = connection.get_database_backend();
    let sql = format!(
        "SELECT id, user_id FROM {} WHERE ticket_type_id = ? AND status = ? LIMIT ?",
        RESERVATIONS_BY_TICKET_TYPE.table(backend)
    );
    let mut found = Vec::new();
    let mut left = convert::to_column(convert::limit(limit))?;
    for ticket_type in ticket_types {
        if left == 0 {
            break;
        }
        let status = ReservationStatus::Confirmed.as_str();
        let values: [Value; 3] = [ticket_type.0.into(), status.into(), left.into()];
        let rows = connection.query_all_raw(Statement::from_sql_and_values(backend, &sql, values)).await?;
        for row in rows {
            let (id, user) = (row.try_get("", "id")?, row.try_get("", "user_id")?);
            found.push(CancelRequest { id: ReservationId(id), user: UserId(user) });
            left -= 1;
        }
    }
    Ok(found)
}

/// Marks confirmed reservations as cancelled at `now`. The caller holds the locks of their ticket types.
/// Returns how many were marked.
pub(super) async fn cancel(
    transaction: &DatabaseTransaction,
    ids: &[ReservationId],
    now: Timestamp,
) -> Result<u64, DbErr> {
    let backend = transaction.get_database_backend();
    let table = RESERVATIONS_BY_ID.table(backend);
    let mut cancelled = 0;
    for ids in ids.chunks(IDS_MAX) {
        let marks = marks(ids.len());
        let sql =
            format!("UPDATE {table} SET status = ?, cancelled_at = ? WHERE id IN ({marks}) AND status = ?");
        let [before, after] = [ReservationStatus::Confirmed, ReservationStatus::Cancelled];
        let mut set: Vec<Value> = vec![after.as_str().into(), now.as_millis().into()];
        set.append(&mut values(ids));
        set.push(before.as_str().into());
        let statement = Statement::from_sql_and_values(backend, sql, set);
        cancelled += transaction.execute_raw(statement).await?.rows_affected();
    }
    Ok(cancelled)
}

/// The seats of every ticket type of `event`, or of all events, and the tickets in their confirmed
/// reservations. One statement, so that everything is of one moment.
pub(super) async fn audit(
    connection: &impl ConnectionTrait,
    event: Option<EventId>,
) -> Result<Vec<InventoryRecord>, DbErr> {
    let backend = connection.get_database_backend();
    // `SUM` of integers is DECIMAL on MariaDB. Both databases return SIGNED as an integer.
    let confirmed = format!(
        "SELECT CAST(COALESCE(SUM(quantity), 0) AS SIGNED) FROM {} \
         WHERE ticket_type_id = ticket_types.id AND status = ?",
        RESERVATIONS_BY_TICKET_TYPE.table(backend)
    );
    let of_event = if event.is_some() { "WHERE event_id = ?" } else { "" };
    let sql = format!(
        "SELECT id, event_id, capacity, `left`, ({confirmed}) AS confirmed \
         FROM ticket_types {of_event} ORDER BY id"
    );
    let mut values: Vec<Value> = vec![ReservationStatus::Confirmed.as_str().into()];
    values.extend(event.map(|event| event.0.into()));
    let rows = connection.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    rows.iter()
        .map(|row| {
            Ok(InventoryRecord {
                event: EventId(row.try_get("", "event_id")?),
                ticket_type: TicketTypeId(row.try_get("", "id")?),
                capacity: convert::from_column(row.try_get("", "capacity")?)?,
                left: convert::from_column(row.try_get("", "left")?)?,
                confirmed: convert::from_column(row.try_get("", "confirmed")?)?,
            })
        })
        .collect()
}

fn values(ids: &[ReservationId]) -> Vec<Value> {
    ids.iter().map(|id| id.0.into()).collect()
}
