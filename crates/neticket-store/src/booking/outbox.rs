//! The outbox: releases that the ledger may not have had yet.

use neticket_domain::{Epoch, EventId, ReservationId, TicketTypeId, Timestamp, UserId};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::{OutboxRecord, ROWS_MAX};
use crate::entity::release_outbox::{self, Column};
use crate::{Store, StoreError, convert};

impl Store {
    /// At most `limit` entries written before `created_before`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outbox_before(
        &self,
        created_before: Timestamp,
        limit: u64,
    ) -> Result<Vec<OutboxRecord>, StoreError> {
        self.attempt("reading the outbox", || async move {
            let rows = release_outbox::Entity::find()
                .filter(Column::CreatedAt.lt(created_before.as_millis()))
                .order_by_asc(Column::CreatedAt)
                .order_by_asc(Column::ReservationId)
                .limit(convert::limit(limit))
                .all(self.reader())
                .await?;
            rows.into_iter().map(OutboxRecord::try_from).collect()
        })
        .await
    }

    /// Forgets entries that the ledger has applied. Those that are not there are passed over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outbox_done(&self, ids: &[ReservationId]) -> Result<(), StoreError> {
        self.attempt("emptying the outbox", || async move {
            for ids in ids.chunks(ROWS_MAX) {
                release_outbox::Entity::delete_many()
                    .filter(Column::ReservationId.is_in(ids.iter().map(|id| id.0)))
                    .exec(self.writer())
                    .await?;
            }
            Ok(())
        })
        .await
    }
}

pub(super) async fn insert(
    transaction: &DatabaseTransaction,
    releases: &[OutboxRecord],
) -> Result<(), DbErr> {
    for releases in releases.chunks(ROWS_MAX) {
        let mut insert = Query::insert()
            .into_table(release_outbox::Entity)
            .columns([
                Column::ReservationId,
                Column::EventId,
                Column::TicketTypeId,
                Column::UserId,
                Column::Quantity,
                Column::Epoch,
                Column::CreatedAt,
            ])
            .to_owned();
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

impl TryFrom<release_outbox::Model> for OutboxRecord {
    type Error = DbErr;

    fn try_from(row: release_outbox::Model) -> Result<Self, DbErr> {
        Ok(Self {
            id: ReservationId(row.reservation_id),
            event: EventId(row.event_id),
            ticket_type: TicketTypeId(row.ticket_type_id),
            user: UserId(row.user_id),
            quantity: convert::quantity(row.quantity)?,
            epoch: Epoch(row.epoch),
            created_at: convert::moment(row.created_at),
        })
    }
}
