//! Cancelling reservations. The seats return exactly once: first in the store, then in the ledger by way of
//! the outbox.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use neticket_domain::{ReservationId, TicketTypeId, Timestamp, cancellable};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ConnectionTrait, DbErr, ExprTrait};

use super::commit_slow_path::{LockedTicketType, lock_ticket_types};
use super::{
    CancelOutcome, CancelRequest, OutboxRecord, ReservationRecord, ReservationStatus, outbox, read, rows,
};
use crate::entity::ticket_type;
use crate::transaction::DatabaseTransaction;
use crate::{Store, StoreError};

impl Store {
    /// Cancels a batch in one transaction. Returns one outcome per request, in order. `now` is the time of
    /// the ledger's clock. It decides whether an event has started. Safe to repeat.
    ///
    /// # Errors
    /// [`StoreError`]. Either the whole batch was cancelled or nothing. After [`StoreError::Internal`]
    /// nothing was.
    pub async fn cancel(
        &self,
        requests: &[CancelRequest],
        now: Timestamp,
    ) -> Result<Vec<CancelOutcome>, StoreError> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        self.with_retries_after_loss("cancelling a batch", || self.cancel_batch(requests, now)).await
    }

    async fn cancel_batch(
        &self,
        requests: &[CancelRequest],
        now: Timestamp,
    ) -> Result<Vec<CancelOutcome>, DbErr> {
        let ids: Vec<_> = requests.iter().map(|request| request.id).collect();
        let transaction = self.begin().await?;
        // A reservation never changes its ticket type, so the type may be read before the lock. The status
        // may not.
        let rows = rows::by_ids(&transaction, &ids).await?;
        let ticket_types: BTreeSet<_> = rows.iter().map(|row| TicketTypeId(row.ticket_type_id)).collect();
        let locked = lock_ticket_types(&transaction, &ticket_types).await?;
        let mut records = read::by_ids(&transaction, &ids).await?;

        let mut outcomes = Vec::with_capacity(requests.len());
        let mut releases = Vec::new();
        for request in requests {
            let outcome = decide(*request, &mut records, &locked, now);
            if let CancelOutcome::Cancelled { release, .. } = &outcome {
                releases.push(*release);
            }
            outcomes.push(outcome);
        }
        if releases.is_empty() {
            transaction.rollback().await?;
            return Ok(outcomes);
        }
        mark_cancelled(&transaction, &releases, now).await?;
        return_seats(&transaction, &releases).await?;
        outbox::insert(&transaction, &releases).await?;
        transaction.commit().await?;
        Ok(outcomes)
    }
}

/// Decides the outcome of `request`. Updates `records`, in case the batch contains the same id again.
fn decide(
    request: CancelRequest,
    records: &mut HashMap<ReservationId, ReservationRecord>,
    locked: &BTreeMap<TicketTypeId, LockedTicketType>,
    now: Timestamp,
) -> CancelOutcome {
    let Some(record) = records.get_mut(&request.id).filter(|record| record.user == request.user) else {
        return CancelOutcome::NotFound;
    };
    // The ticket type is not locked: the reservation was inserted between the two reads. This batch ignores
    // it.
    let Some(ticket_type) = locked.get(&record.ticket_type) else { return CancelOutcome::NotFound };
    if record.status == ReservationStatus::Cancelled {
        return CancelOutcome::Already(record.clone());
    }
    if record.status == ReservationStatus::Rejected {
        return CancelOutcome::Rejected(record.clone());
    }
    // A cancelled event never starts.
    if !record.event_cancelled && !cancellable(record.event_starts_at, now) {
        return CancelOutcome::Started(record.clone());
    }
    record.status = ReservationStatus::Cancelled;
    record.cancelled_at = Some(now);
    let release = OutboxRecord {
        id: record.id,
        event: record.event,
        ticket_type: record.ticket_type,
        user: record.user,
        quantity: record.quantity,
        epoch: ticket_type.epoch,
        created_at: now,
    };
    CancelOutcome::Cancelled { record: record.clone(), release }
}

async fn mark_cancelled(
    transaction: &DatabaseTransaction,
    releases: &[OutboxRecord],
    now: Timestamp,
) -> Result<(), DbErr> {
    let ids: Vec<_> = releases.iter().map(|release| release.id).collect();
    let marked = rows::cancel(transaction, &ids, now).await?;
    if usize::try_from(marked) != Ok(ids.len()) {
        // Other code has changed reservations without the lock of their ticket type. It is better to cancel
        // nothing than to return seats twice.
        return Err(DbErr::Custom("a reservation changed while its ticket type was locked".to_owned()));
    }
    Ok(())
}

async fn return_seats(transaction: &DatabaseTransaction, releases: &[OutboxRecord]) -> Result<(), DbErr> {
    use ticket_type::Column;
    let mut seats: BTreeMap<TicketTypeId, i64> = BTreeMap::new();
    for release in releases {
        *seats.entry(release.ticket_type).or_default() += i64::from(release.quantity.get());
    }
    for (ticket_type, seats) in seats {
        let update = Query::update()
            .table(ticket_type::Entity)
            .value(Column::Left, Expr::col(Column::Left).add(seats))
            .and_where(Expr::col(Column::Id).eq(ticket_type.0))
            .to_owned();
        transaction.execute(&update).await?;
    }
    Ok(())
}
