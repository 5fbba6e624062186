//! Transactions that raise an event's epoch for an administrator, so that its ledger is stale. From their
//! COMMIT on, the guard refuses everything that an older ledger admits. This holds even if nobody loads a new
//! ledger at once: the next commit leads to a load.
//!
//! Like everything here, they lock the ticket types first, so two administrators act one after the other.

use neticket_domain::{Epoch, EventId, Timestamp};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, ExprTrait};
use serde_json::json;

use super::load::{lock_all, next, raise};
use crate::entity::event;
use crate::transaction::DatabaseTransaction;
use crate::{AuditOrigin, NewAudit, Store, StoreError, audit_log};

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
        self.attempt("pausing or resuming a sale", || async move {
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
        self.attempt("making a ledger stale", || async move {
            let transaction = self.begin().await?;
            let (highest, _) = lock_all(&transaction, id).await?;
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
            let epoch = next(highest.max(floor))?;
            raise(&transaction, id, epoch).await?;
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
    let (highest, _) = lock_all(transaction, id).await?;
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
    let epoch = next(highest)?;
    raise(transaction, id, epoch).await?;
    let action = if paused { "sale_pause" } else { "sale_resume" };
    let mut entry = by.did(action, format!("event/{id}"), event.title, now);
    entry.before = Some(json!({"paused": event.paused}));
    entry.after = Some(json!({"paused": paused}));
    audit_log::append(transaction, &entry).await?;
    Ok(PauseOutcome::Changed { epoch })
}
