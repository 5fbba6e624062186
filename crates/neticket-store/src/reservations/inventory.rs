//! A snapshot of what the reconciliation compares with a ledger: the seats, the reservations in the store,
//! and the outbox.

use neticket_domain::{Epoch, EventId, ReservationId, TicketTypeId};
use sea_orm::sea_query::{Expr, Order, Query};
use sea_orm::{ConnectionTrait, DbErr, ExprTrait};

use super::{StoredInventory, StoredTicketType, outbox, rows};
use crate::entity::{event, ticket_type};
use crate::transaction::DatabaseTransaction;
use crate::{Store, StoreError, convert};

impl Store {
    /// The seats of `event`, which of `ids` are in the store (of any user and any status), and the event's
    /// outbox, all as of one moment. `None` if there is no such event. Takes no lock and waits for none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inventory_of(
        &self,
        event: EventId,
        ids: &[ReservationId],
    ) -> Result<Option<StoredInventory>, StoreError> {
        self.with_retries_after_loss("reading an inventory", || async move {
            let snapshot = self.begin_snapshot().await?;
            let inventory = inventory(&snapshot, event, ids).await?;
            snapshot.commit().await?;
            Ok(inventory)
        })
        .await
    }
}

async fn inventory(
    snapshot: &DatabaseTransaction,
    event: EventId,
    ids: &[ReservationId],
) -> Result<Option<StoredInventory>, DbErr> {
    let exists = Query::select()
        .column(event::Column::Id)
        .from(event::Entity)
        .and_where(Expr::col(event::Column::Id).eq(event.0))
        .to_owned();
    if snapshot.query_one(&exists).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(StoredInventory {
        ticket_types: ticket_types(snapshot, event).await?,
        present: rows::present(snapshot, ids).await?,
        releases: outbox::of_event(snapshot, event).await?,
    }))
}

async fn ticket_types(
    snapshot: &DatabaseTransaction,
    event: EventId,
) -> Result<Vec<StoredTicketType>, DbErr> {
    use ticket_type::Column;
    let select = Query::select()
        .columns([Column::Id, Column::Capacity, Column::Left, Column::Epoch])
        .from(ticket_type::Entity)
        .and_where(Expr::col(Column::EventId).eq(event.0))
        .order_by(Column::Id, Order::Asc)
        .to_owned();
    let rows = snapshot.query_all(&select).await?;
    rows.iter()
        .map(|row| {
            Ok(StoredTicketType {
                id: TicketTypeId(row.try_get("", "id")?),
                capacity: convert::from_column(row.try_get("", "capacity")?)?,
                left: convert::from_column(row.try_get("", "left")?)?,
                epoch: Epoch(row.try_get("", "epoch")?),
            })
        })
        .collect()
}
