//! Committing admitted reservations, a batch in one transaction.
//!
//! The fast path comes first: one guard per ticket type, one `INSERT` for all rows, `COMMIT`. Practically
//! every batch takes it. If a guard matches no row or a row cannot be inserted, everything is rolled back,
//! and [`commit_slow_path`] decides about each reservation alone.
//!
//! [`commit_slow_path`]: super::commit_slow_path

use std::collections::{BTreeMap, HashSet};

use neticket_domain::{Epoch, EventId, TicketTypeId};
use sea_orm::sea_query::{CaseStatement, Expr, Query, UpdateStatement};
use sea_orm::{ConnectionTrait, DbErr, ExprTrait};

use super::insert::insert;
use super::{CommitOutcome, CommitRequest, ReservationStatus};
use crate::entity::ticket_type;
use crate::error::{is_duplicate, is_orphan};
use crate::transaction::DatabaseTransaction;
use crate::{Store, StoreError};

/// The seats that a batch takes of one ticket type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SeatDecrement {
    pub(super) event: EventId,
    pub(super) epoch: Epoch,
    pub(super) seats: i64,
}

/// Per ticket type, in the order in which they are locked.
pub(super) type SeatDecrements = BTreeMap<TicketTypeId, SeatDecrement>;

impl Store {
    /// Confirms a batch in one transaction. The batch may be of any events. Returns one outcome per request,
    /// in order.
    ///
    /// Safe to repeat: a reservation that is in the store already is [`CommitOutcome::Existing`] and takes no
    /// seats again. The same id twice in one batch is one reservation.
    ///
    /// # Errors
    /// [`StoreError`]. Either the whole batch was committed or nothing. After [`StoreError::Internal`]
    /// nothing was.
    pub async fn commit(&self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>, StoreError> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(decrements) = plan(requests)
            && self
                .with_retries_after_loss("committing a batch", || self.commit_at_once(requests, &decrements))
                .await?
        {
            return Ok(vec![CommitOutcome::Confirmed; requests.len()]);
        }
        self.commit_on_slow_path(requests).await
    }

    /// Returns `false` and changes nothing if not every request could be confirmed.
    async fn commit_at_once(
        &self,
        requests: &[CommitRequest],
        decrements: &SeatDecrements,
    ) -> Result<bool, DbErr> {
        let transaction = self.begin().await?;
        if !decrement_seats(&transaction, decrements, self.guarded()).await? {
            transaction.rollback().await?;
            return Ok(false);
        }
        match insert(&transaction, requests.iter().collect(), ReservationStatus::Confirmed, None).await {
            Ok(()) => transaction.commit().await.map(|()| true),
            Err(error) if is_duplicate(&error) || is_orphan(&error) => {
                transaction.rollback().await?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

/// The seats that the batch takes of each ticket type. `None` if the batch contains an id twice, or two
/// events or epochs for one ticket type. Each reservation is then decided alone.
fn plan(requests: &[CommitRequest]) -> Option<SeatDecrements> {
    let mut ids = HashSet::with_capacity(requests.len());
    let mut decrements = SeatDecrements::new();
    for request in requests {
        let decrement = decrements.entry(request.ticket_type).or_insert(SeatDecrement {
            event: request.event,
            epoch: request.epoch,
            seats: 0,
        });
        if !ids.insert(request.id) || decrement.event != request.event || decrement.epoch != request.epoch {
            return None;
        }
        decrement.seats += i64::from(request.quantity.get());
    }
    Some(decrements)
}

/// Sends the guards of all ticket types, in their order, in one round trip. Returns `false` if any of them
/// matched no row.
pub(super) async fn decrement_seats(
    transaction: &DatabaseTransaction,
    decrements: &SeatDecrements,
    guarded: bool,
) -> Result<bool, DbErr> {
    let backend = transaction.get_database_backend();
    let guards: Vec<_> = decrements
        .iter()
        .map(|(ticket_type, decrement)| {
            backend.build(&guard_statement(*ticket_type, *decrement, guarded)).to_string()
        })
        .collect();
    // Each guard matches at most one row, so the sum shows whether all of them matched.
    let matched = transaction.execute_unprepared(&guards.join(";")).await?.rows_affected();
    Ok(usize::try_from(matched) == Ok(decrements.len()))
}

/// The guard: takes the seats only if the ticket type belongs to this event, has this epoch, and has that
/// many seats left. With the guard switched off it takes the seats, or all that are left if there are fewer.
///
/// `event_id + 0` keeps the database from using the index over events and ids. A guard that used that index
/// would lock the index entry and then the row, and could deadlock with a guard that came by the primary key.
fn guard_statement(id: TicketTypeId, decrement: SeatDecrement, guarded: bool) -> UpdateStatement {
    use ticket_type::Column::{Epoch, EventId, Id, Left};
    let mut update = Query::update()
        .table(ticket_type::Entity)
        .and_where(Expr::col(Id).eq(id.0))
        .and_where(Expr::col(EventId).add(0).eq(decrement.event.0))
        .to_owned();
    if guarded {
        update
            .value(Left, Expr::col(Left).sub(decrement.seats))
            .and_where(Expr::col(Epoch).eq(decrement.epoch.0))
            .and_where(Expr::col(Left).gte(decrement.seats));
    } else {
        let what_is_left = CaseStatement::new()
            .case(Expr::col(Left).gte(decrement.seats), Expr::col(Left).sub(decrement.seats))
            .finally(0);
        update.value(Left, what_is_left);
    }
    update
}
