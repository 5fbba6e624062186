//! Cancelling an event with all its reservations, and deleting an event that has none.
//!
//! One transaction cancels the event. A background task then cancels its reservations in batches. A booking
//! that was admitted before the event was cancelled may still be committed after it. So the event stays on
//! the task's list until [`Store::cancellation_finish`] finds no confirmed reservation. That call raises the
//! epoch, so that no more commits can follow.

use neticket_domain::{Epoch, EventId, TicketTypeId, Timestamp, cancellable};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::audit_diff;
use super::edit::{highest_epoch, lock_and_read_event, remove};
use super::epoch::{next_epoch, set_epoch};
use crate::entity::{event, ticket_type};
use crate::reservations;
use crate::transaction::DatabaseTransaction;
use crate::{AuditOrigin, CancelRequest, EventRecord, NewAudit, Store, StoreError, audit_log, convert};

/// The outcome of a request to cancel an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventCancelOutcome {
    /// This call cancelled the event. `epoch` is the new epoch. Its reservations are not cancelled yet.
    Cancelled {
        event: Box<EventRecord>,
        epoch: Epoch,
    },
    /// It had been cancelled before.
    Already(Box<EventRecord>),
    /// The event has started. It stays unchanged.
    Started {
        starts_at: Timestamp,
    },
    NotFound,
}

/// The outcome of a request to delete an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteOutcome {
    Deleted,
    NotFound,
    /// The event's version is not one of the expected versions.
    Conflict,
    /// The event has reservations, of any status. It stays unchanged.
    HasReservations,
}

impl Store {
    /// Cancels an event and writes the entry in the audit log, in one transaction. Bookings that were
    /// admitted before are still committed, and are cancelled with the rest. `now` is the time of the
    /// ledger's clock. It decides whether the event has started.
    ///
    /// # Errors
    /// [`StoreError`]; after [`StoreError::Internal`], nothing has changed.
    pub async fn event_cancel(
        &self,
        id: EventId,
        by: &AuditOrigin,
        now: Timestamp,
    ) -> Result<EventCancelOutcome, StoreError> {
        self.with_retries("cancelling an event", || async move {
            let transaction = self.begin().await?;
            let outcome = match lock_and_read_event(&transaction, id).await? {
                None => EventCancelOutcome::NotFound,
                Some(event) if event.cancelled_at.is_some() => EventCancelOutcome::Already(Box::new(event)),
                Some(event) if !cancellable(event.starts_at, now) => {
                    EventCancelOutcome::Started { starts_at: event.starts_at }
                }
                Some(event) => {
                    let (event, epoch) = cancel(&transaction, event, by, now).await?;
                    transaction.commit().await?;
                    return Ok(EventCancelOutcome::Cancelled { event: Box::new(event), epoch });
                }
            };
            transaction.rollback().await?;
            Ok(outcome)
        })
        .await
    }

    /// Deletes an event that has no reservations and writes the entry in the audit log, in one transaction.
    /// `versions` are the versions that the event may have; `None` allows any. Bookings that are still in the
    /// journal of its ledger are never confirmed.
    ///
    /// # Errors
    /// [`StoreError`]; after [`StoreError::Internal`], nothing has changed.
    pub async fn event_delete(
        &self,
        id: EventId,
        versions: Option<&[i64]>,
        by: &AuditOrigin,
        now: Timestamp,
    ) -> Result<DeleteOutcome, StoreError> {
        self.with_retries("deleting an event", || async move {
            let transaction = self.begin().await?;
            let outcome = delete(&transaction, id, versions, by, now).await?;
            match outcome {
                DeleteOutcome::Deleted => transaction.commit().await?,
                _ => transaction.rollback().await?,
            }
            Ok(outcome)
        })
        .await
    }

    /// At most `limit` cancelled events whose reservations may not all be cancelled yet. The event that was
    /// cancelled first comes first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_cancelling(&self, limit: u64) -> Result<Vec<EventId>, StoreError> {
        self.with_retries("listing events that are being cancelled", || async move {
            let ids: Vec<i64> = event::Entity::find()
                .select_only()
                .column(event::Column::Id)
                .filter(
                    Condition::all()
                        .add(event::Column::CancelledAt.is_not_null())
                        .add(event::Column::CancellationFinishedAt.is_null()),
                )
                .order_by_asc(event::Column::CancelledAt)
                .limit(convert::limit(limit))
                .into_tuple()
                .all(self.reader())
                .await?;
            Ok(ids.into_iter().map(EventId).collect())
        })
        .await
    }

    /// At most `limit` confirmed reservations of the event, as requests of their owners to cancel them, in no
    /// particular order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reservations_confirmed(
        &self,
        event: EventId,
        limit: u64,
    ) -> Result<Vec<CancelRequest>, StoreError> {
        self.with_retries("listing confirmed reservations", || async move {
            // A cancelled event gets no more ticket types, so this list is still complete in the next
            // statement.
            let ticket_types: Vec<i64> = ticket_type::Entity::find()
                .select_only()
                .column(ticket_type::Column::Id)
                .filter(ticket_type::Column::EventId.eq(event.0))
                .order_by_asc(ticket_type::Column::Id)
                .into_tuple()
                .all(self.reader())
                .await?;
            let ticket_types: Vec<_> = ticket_types.into_iter().map(TicketTypeId).collect();
            reservations::confirmed(self.reader(), &ticket_types, limit).await
        })
        .await
    }

    /// Records at `now` that all reservations of a cancelled event are cancelled, raises its epoch, and
    /// returns the new epoch. Returns `None` and changes nothing if a reservation is still confirmed, the
    /// event is not cancelled, or its cancellation has been finished already.
    ///
    /// # Errors
    /// [`StoreError`]; after [`StoreError::Internal`], nothing has changed.
    pub async fn cancellation_finish(
        &self,
        id: EventId,
        now: Timestamp,
    ) -> Result<Option<Epoch>, StoreError> {
        self.with_retries("finishing the cancellation of an event", || async move {
            let transaction = self.begin().await?;
            let finished = finish(&transaction, id, now).await?;
            match finished {
                Some(_) => transaction.commit().await?,
                None => transaction.rollback().await?,
            }
            Ok(finished)
        })
        .await
    }
}

async fn cancel(
    transaction: &DatabaseTransaction,
    before: EventRecord,
    by: &AuditOrigin,
    now: Timestamp,
) -> Result<(EventRecord, Epoch), DbErr> {
    use event::Column;
    let id = before.id;
    let update = Query::update()
        .table(event::Entity)
        .value(Column::CancelledAt, now.as_millis())
        .value(Column::WindowSince, now.as_millis())
        .value(Column::UpdatedAt, now.as_millis())
        .value(Column::Version, Expr::col(Column::Version).add(1))
        .and_where(Expr::col(Column::Id).eq(id.0))
        .and_where(Expr::col(Column::CancelledAt).is_null())
        .to_owned();
    if transaction.execute(&update).await?.rows_affected() != 1 {
        return Err(DbErr::Custom("an event changed while its ticket types were locked".to_owned()));
    }
    let epoch = next_epoch(highest_epoch(&before))?;
    set_epoch(transaction, id, epoch).await?;
    let Some(event) = lock_and_read_event(transaction, id).await? else {
        return Err(DbErr::RecordNotFound("an event that is being cancelled".to_owned()));
    };
    let (old, new) = audit_diff::changes(&before, &event);
    let entry = by.did("event_cancel", format!("event/{id}"), event.title.clone(), now);
    audit_log::append(transaction, &NewAudit { before: Some(old), after: Some(new), ..entry }).await?;
    Ok((event, epoch))
}

async fn delete(
    transaction: &DatabaseTransaction,
    id: EventId,
    versions: Option<&[i64]>,
    by: &AuditOrigin,
    now: Timestamp,
) -> Result<DeleteOutcome, DbErr> {
    let Some(event) = lock_and_read_event(transaction, id).await? else { return Ok(DeleteOutcome::NotFound) };
    if versions.is_some_and(|versions| !versions.contains(&event.version)) {
        return Ok(DeleteOutcome::Conflict);
    }
    let ticket_types: Vec<TicketTypeId> =
        event.ticket_types.iter().map(|ticket_type| ticket_type.id).collect();
    if reservations::any_exists(transaction, &ticket_types).await? {
        return Ok(DeleteOutcome::HasReservations);
    }
    remove(transaction, id, &ticket_types).await?;
    event::Entity::delete_by_id(id.0).exec(transaction).await?;
    let entry = by.did("event_delete", format!("event/{id}"), event.title.clone(), now);
    audit_log::append(transaction, &NewAudit { before: Some(audit_diff::whole(&event)), ..entry }).await?;
    Ok(DeleteOutcome::Deleted)
}

async fn finish(
    transaction: &DatabaseTransaction,
    id: EventId,
    now: Timestamp,
) -> Result<Option<Epoch>, DbErr> {
    use event::Column;
    let Some(event) = lock_and_read_event(transaction, id).await? else { return Ok(None) };
    let ticket_types: Vec<TicketTypeId> =
        event.ticket_types.iter().map(|ticket_type| ticket_type.id).collect();
    if event.cancelled_at.is_none()
        || !reservations::confirmed(transaction, &ticket_types, 1).await?.is_empty()
    {
        return Ok(None);
    }
    let update = Query::update()
        .table(event::Entity)
        .value(Column::CancellationFinishedAt, now.as_millis())
        .and_where(Expr::col(Column::Id).eq(id.0))
        .and_where(Expr::col(Column::CancellationFinishedAt).is_null())
        .to_owned();
    if transaction.execute(&update).await?.rows_affected() != 1 {
        return Ok(None);
    }
    let epoch = next_epoch(highest_epoch(&event))?;
    set_epoch(transaction, id, epoch).await?;
    Ok(Some(epoch))
}
