//! How an event's epoch is raised, and the transactions that raise it for an administrator, so that its
//! ledger is stale. From their COMMIT on, the guard refuses everything that an older ledger admits. This
//! holds even if nobody loads a new ledger at once: the next commit leads to a load.
//!
//! They lock the ticket types first, so two administrators act one after the other.

use neticket_domain::{Epoch, EventId, TicketTypeId, Timestamp};
use sea_orm::sea_query::extension::mysql::{IndexHintScope, MySqlSelectStatementExt as _};
use sea_orm::sea_query::{Expr, LockType, Order, Query};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, ExprTrait, Statement, Value};
use serde_json::json;

use super::LoadedTicketType;
use crate::entity::{event, ticket_type};
use crate::indexed::TICKET_TYPES_BY_EVENT;
use crate::transaction::DatabaseTransaction;
use crate::{AuditOrigin, NewAudit, Store, StoreError, audit_log, convert};

/// The outcome of a request to pause or resume a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseOutcome {
    /// This call has paused or resumed the sale. Only a ledger of `epoch` or higher is valid.
    Changed {
        epoch: Epoch,
    },
    /// The sale was paused or resumed already. Nothing was changed. The event's epoch is `epoch`.
    Already {
        epoch: Epoch,
    },
    /// The event is cancelled and sells nothing.
    Cancelled,
    NotFound,
}

/// The outcome of a request to raise an event's epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochRaiseOutcome {
    /// Only a ledger of `epoch` or higher is valid.
    Raised {
        epoch: Epoch,
    },
    /// The store's epoch is not the expected one, because the ledger was loaded in the meantime. Nothing was
    /// changed.
    Newer,
    NotFound,
}

impl Store {
    /// Pauses or resumes the event's sale, raises the epoch and writes the entry in the audit log, in one
    /// transaction. The pause begins at the time that `clock` returns after the locks were taken. Idempotent:
    /// if the sale is in that state already, nothing is written.
    ///
    /// # Errors
    /// [`StoreError`]. Either all of it has happened or nothing.
    pub async fn event_pause(
        &self,
        id: EventId,
        paused: bool,
        by: &AuditOrigin,
        clock: impl Fn() -> Timestamp + Sync,
    ) -> Result<PauseOutcome, StoreError> {
        let clock = &clock;
        self.with_retries("pausing or resuming a sale", || async move {
            let transaction = self.begin().await?;
            let outcome = pause(&transaction, id, paused, by, clock).await?;
            match outcome {
                PauseOutcome::Changed { .. } => transaction.commit().await?,
                _ => transaction.rollback().await?,
            }
            Ok(outcome)
        })
        .await
    }

    /// Raises the event's epoch above those of its ticket types and above `floor`, and writes `entry` in the
    /// audit log. With `expected`, it does so only if that is their highest epoch.
    ///
    /// # Errors
    /// [`StoreError`]. Either both have happened or neither.
    pub async fn epoch_raise(
        &self,
        id: EventId,
        floor: Epoch,
        expected: Option<Epoch>,
        entry: &NewAudit,
    ) -> Result<EpochRaiseOutcome, StoreError> {
        self.with_retries("making a ledger stale", || async move {
            let transaction = self.begin().await?;
            let (highest, _) = lock_ticket_types(&transaction, id).await?;
            let refused = if event::Entity::find_by_id(id.0).one(&transaction).await?.is_none() {
                Some(EpochRaiseOutcome::NotFound)
            } else if expected.is_some_and(|expected| highest != expected) {
                Some(EpochRaiseOutcome::Newer)
            } else {
                None
            };
            if let Some(refused) = refused {
                transaction.rollback().await?;
                return Ok(refused);
            }
            let epoch = next_epoch(highest.max(floor))?;
            set_epoch(&transaction, id, epoch).await?;
            audit_log::append(&transaction, entry).await?;
            transaction.commit().await?;
            Ok(EpochRaiseOutcome::Raised { epoch })
        })
        .await
    }
}

async fn pause(
    transaction: &DatabaseTransaction,
    id: EventId,
    paused: bool,
    by: &AuditOrigin,
    clock: impl Fn() -> Timestamp,
) -> Result<PauseOutcome, DbErr> {
    use event::Column;
    let (highest, _) = lock_ticket_types(transaction, id).await?;
    let now = clock();
    let Some(event) = event::Entity::find_by_id(id.0).one(transaction).await? else {
        return Ok(PauseOutcome::NotFound);
    };
    if event.cancelled_at.is_some() {
        return Ok(PauseOutcome::Cancelled);
    }
    if event.paused == paused {
        return Ok(PauseOutcome::Already { epoch: highest });
    }
    let update = Query::update()
        .table(event::Entity)
        .value(Column::Paused, paused)
        .value(Column::PausedAt, paused.then(|| now.as_millis()))
        .and_where(Expr::col(Column::Id).eq(id.0))
        .to_owned();
    transaction.execute(&update).await?;
    let epoch = next_epoch(highest)?;
    set_epoch(transaction, id, epoch).await?;
    let action = if paused { "sale_pause" } else { "sale_resume" };
    let mut entry = by.did(action, format!("event/{id}"), event.title, now);
    entry.before = Some(json!({"paused": event.paused}));
    entry.after = Some(json!({"paused": paused}));
    audit_log::append(transaction, &entry).await?;
    Ok(PauseOutcome::Changed { epoch })
}

/// Sets the epoch of all ticket types of the event. The caller holds their locks.
pub(super) async fn set_epoch(
    transaction: &DatabaseTransaction,
    event: EventId,
    epoch: Epoch,
) -> Result<(), DbErr> {
    let backend = transaction.get_database_backend();
    let sql = format!("UPDATE {} SET epoch = ? WHERE event_id = ?", TICKET_TYPES_BY_EVENT.table(backend));
    let values: [Value; 2] = [epoch.0.into(), event.0.into()];
    transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await.map(drop)
}

pub(super) fn next_epoch(epoch: Epoch) -> Result<Epoch, DbErr> {
    epoch.0.checked_add(1).map(Epoch).ok_or_else(|| DbErr::Type("the epoch is at its maximum".to_owned()))
}

/// Locks the event's ticket types in the order of their ids. Returns their highest epoch and the ticket
/// types. The index is named so that no other event's ticket types are locked: MariaDB would read a small
/// table from end to end, and wait for the lock of every row.
pub(super) async fn lock_ticket_types(
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
