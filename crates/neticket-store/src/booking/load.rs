//! Loading: the transaction that raises an event's epoch and reads everything from which a ledger is built.
//!
//! It reads every reservation that was committed before it. The guard refuses every commit of the old epoch
//! after it. There is no third case.

use neticket_domain::{Epoch, EventId, SaleWindow, TicketTypeId};
use sea_orm::sea_query::extension::mysql::{IndexHintScope, MySqlSelectStatementExt as _};
use sea_orm::sea_query::{Expr, LockType, Order, Query};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, ExprTrait, Statement, Value};

use super::{LoadedEvent, LoadedTicketType, rows};
use crate::entity::{event, ticket_type};
use crate::indexed::TICKET_TYPES_BY_EVENT;
use crate::transaction::DatabaseTransaction;
use crate::{Store, StoreError, convert};

impl Store {
    /// Raises the event's epoch and reads the event as of that moment. `None` if there is no such event. The
    /// new epoch is above those of all its ticket types and above `epoch_floor`, the highest epoch that a
    /// ledger is known to have had. After a restored backup, the ledger's epoch is higher than the store's.
    ///
    /// # Errors
    /// [`StoreError`]. The epoch may have been raised all the same. That only costs a second load.
    pub async fn load_event(
        &self,
        id: EventId,
        epoch_floor: Epoch,
    ) -> Result<Option<LoadedEvent>, StoreError> {
        self.attempt("loading an event", || self.load(id, epoch_floor)).await
    }

    async fn load(&self, id: EventId, epoch_floor: Epoch) -> Result<Option<LoadedEvent>, DbErr> {
        let transaction = self.begin().await?;
        let (epoch_max, ticket_types) = lock_all(&transaction, id).await?;
        let epoch = next(epoch_max.max(epoch_floor))?;
        raise(&transaction, id, epoch).await?;
        let Some(event) = event::Entity::find_by_id(id.0).one(&transaction).await? else {
            transaction.rollback().await?;
            return Ok(None);
        };
        let ids: Vec<_> = ticket_types.iter().map(|found| found.id).collect();
        let reservations = rows::held(&transaction, &ids).await?;
        transaction.commit().await?;
        Ok(Some(LoadedEvent {
            event: id,
            epoch,
            window: SaleWindow {
                opens_at: convert::moment(event.opens_at),
                closes_at: convert::moment(event.closes_at),
            },
            window_since: event.window_since.map(convert::moment),
            // If the sale was paused before `paused_at` existed, the beginning of the pause is unknown, and 0
            // stands for it.
            paused_at: event.paused.then(|| convert::moment(event.paused_at.unwrap_or(0))),
            cancelled: event.cancelled_at.is_some(),
            max_per_user: convert::from_column(event.max_per_user)?,
            ticket_types,
            reservations,
        }))
    }
}

/// Sets the epoch of all ticket types of the event. The caller holds their locks.
pub(super) async fn raise(
    transaction: &DatabaseTransaction,
    event: EventId,
    epoch: Epoch,
) -> Result<(), DbErr> {
    let backend = transaction.get_database_backend();
    let sql = format!("UPDATE {} SET epoch = ? WHERE event_id = ?", TICKET_TYPES_BY_EVENT.table(backend));
    let values: [Value; 2] = [epoch.0.into(), event.0.into()];
    transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await.map(drop)
}

pub(super) fn next(epoch: Epoch) -> Result<Epoch, DbErr> {
    epoch.0.checked_add(1).map(Epoch).ok_or_else(|| DbErr::Type("the epoch is at its maximum".to_owned()))
}

/// Locks the event's ticket types in the order of their ids. Returns their highest epoch and the ticket
/// types. The index is named so that no other event's ticket types are locked: MariaDB would read a small
/// table from end to end, and wait for the lock of every row.
pub(super) async fn lock_all(
    transaction: &DatabaseTransaction,
    event: EventId,
) -> Result<(Epoch, Vec<LoadedTicketType>), DbErr> {
    use ticket_type::Column;
    let select = Query::select()
        .columns([Column::Id, Column::Price, Column::Left, Column::Epoch])
        .from(ticket_type::Entity)
        .and_where(Expr::col(Column::EventId).eq(event.0))
        .order_by(Column::Id, Order::Asc)
        .force_index("ticket_types_event", IndexHintScope::All)
        .lock(LockType::Update)
        .to_owned();
    let mut epoch_max = Epoch(0);
    let mut ticket_types = Vec::new();
    for row in transaction.query_all(&select).await? {
        epoch_max = epoch_max.max(Epoch(row.try_get("", "epoch")?));
        ticket_types.push(LoadedTicketType {
            id: TicketTypeId(row.try_get("", "id")?),
            price: convert::from_column(row.try_get("", "price")?)?,
            left: convert::from_column(row.try_get("", "left")?)?,
        });
    }
    Ok((epoch_max, ticket_types))
}
