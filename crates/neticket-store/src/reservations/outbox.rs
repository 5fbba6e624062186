//! The outbox: releases that the ledger may not have applied yet.

use neticket_domain::{Epoch, EventId, ReservationId, TicketTypeId, Timestamp, UserId};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult, Statement, Value};

use super::{OutboxRecord, ROWS_MAX};
use crate::indexed::{IDS_MAX, RELEASES_BY_AGE, RELEASES_BY_ID, marks};
use crate::transaction::DatabaseTransaction;
use crate::{Store, StoreError, convert};

const TABLE: &str = "release_outbox";
const COLUMNS: [&str; 7] =
    ["reservation_id", "event_id", "ticket_type_id", "user_id", "quantity", "epoch", "created_at"];

#[derive(FromQueryResult)]
struct Row {
    reservation_id: Uuid,
    event_id: i64,
    ticket_type_id: i64,
    user_id: i64,
    quantity: i64,
    epoch: i64,
    created_at: i64,
}

impl Store {
    /// At most `limit` entries that were written before `created_before`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outbox_before(
        &self,
        created_before: Timestamp,
        limit: u64,
    ) -> Result<Vec<OutboxRecord>, StoreError> {
        self.with_retries("reading the outbox", || async move {
            let backend = self.reader().get_database_backend();
            let sql = format!(
                "SELECT {} FROM {} WHERE created_at < ? ORDER BY created_at, reservation_id LIMIT ?",
                COLUMNS.join(", "),
                RELEASES_BY_AGE.table(backend)
            );
            let limit = convert::to_column(convert::limit(limit))?;
            let values: [Value; 2] = [created_before.as_millis().into(), limit.into()];
            let rows =
                self.reader().query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
            rows.iter().map(record).collect()
        })
        .await
    }

    /// Deletes entries that the ledger has applied. Ids without an entry are ignored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outbox_done(&self, ids: &[ReservationId]) -> Result<(), StoreError> {
        self.with_retries("emptying the outbox", || async move {
            let backend = self.writer().get_database_backend();
            let delete = RELEASES_BY_ID.delete(backend);
            for ids in ids.chunks(IDS_MAX) {
                // Every quantity is above 0. The condition only names a column that the index does not
                // contain (`indexed.rs`).
                let marks = marks(ids.len());
                let sql = format!("{delete} WHERE reservation_id IN ({marks}) AND quantity > 0");
                let ids = ids.iter().map(|id| id.0.into());
                self.writer().execute_raw(Statement::from_sql_and_values(backend, sql, ids)).await?;
            }
            Ok(())
        })
        .await
    }
}

/// The event's entries, in no particular order.
pub(super) async fn of_event(
    connection: &impl ConnectionTrait,
    event: EventId,
) -> Result<Vec<OutboxRecord>, DbErr> {
    let backend = connection.get_database_backend();
    let sql = format!("SELECT {} FROM {TABLE} WHERE event_id = ?", COLUMNS.join(", "));
    let statement = Statement::from_sql_and_values(backend, sql, [event.0.into()]);
    connection.query_all_raw(statement).await?.iter().map(record).collect()
}

pub(super) async fn insert(
    transaction: &DatabaseTransaction,
    releases: &[OutboxRecord],
) -> Result<(), DbErr> {
    for releases in releases.chunks(ROWS_MAX) {
        let mut insert = Query::insert().into_table(TABLE).columns(COLUMNS).to_owned();
        for release in releases {
            let values: [Expr; 7] = [
                release.id.0.into(),
                release.event.0.into(),
                release.ticket_type.0.into(),
                release.user.0.into(),
                i64::from(release.quantity.get()).into(),
                release.epoch.0.into(),
                release.created_at.as_millis().into(),
            ];
            insert.values(values).map_err(|error| DbErr::Type(error.to_string()))?;
        }
        transaction.execute(&insert).await?;
    }
    Ok(())
}

fn record(row: &QueryResult) -> Result<OutboxRecord, DbErr> {
    let row = Row::from_query_result(row, "")?;
    Ok(OutboxRecord {
        id: ReservationId(row.reservation_id),
        event: EventId(row.event_id),
        ticket_type: TicketTypeId(row.ticket_type_id),
        user: UserId(row.user_id),
        quantity: convert::quantity(row.quantity)?,
        epoch: Epoch(row.epoch),
        created_at: convert::moment(row.created_at),
    })
}
