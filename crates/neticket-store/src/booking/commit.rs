//! Committing admitted reservations, a batch in one transaction.
//!
//! Optimistic first: one guard per ticket type, one `INSERT` for all rows, `COMMIT`. That is the way of practically every
//! batch. When a guard matches nothing or a row cannot be inserted, everything is rolled back and [`careful`] decides
//! about each reservation on its own.
//!
//! [`careful`]: super::careful

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

/// What a batch takes of one ticket type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Take {
    pub(super) event: EventId,
    pub(super) epoch: Epoch,
    pub(super) seats: i64,
}

/// Per ticket type, in the order in which they are locked.
pub(super) type Takes = BTreeMap<TicketTypeId, Take>;

impl Store {
    /// Confirms a batch, of any events, in one transaction; one outcome per request, in order.
    ///
    /// Safe to repeat: what is in the store already is [`CommitOutcome::Existing`] and takes no seats again. The same id
    /// twice in one batch is one reservation.
    ///
    /// # Errors
    /// [`StoreError`]: all of the batch or nothing of it was committed; after [`StoreError::Internal`], nothing.
    pub async fn commit(&self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>, StoreError> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(takes) = plan(requests)
            && self.attempt_idempotent("committing a batch", || self.commit_at_once(requests, &takes)).await?
        {
            return Ok(vec![CommitOutcome::Confirmed; requests.len()]);
        }
        self.commit_carefully(requests).await
    }

    /// `false`, and nothing has changed, if not everything could be confirmed.
    async fn commit_at_once(&self, requests: &[CommitRequest], takes: &Takes) -> Result<bool, DbErr> {
        let transaction = self.begin().await?;
        if !take_all(&transaction, takes, self.guarded()).await? {
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

/// What the batch takes of each ticket type; `None` if it holds an id twice or contradicts itself about a ticket type, and
/// each reservation has to be looked at on its own.
fn plan(requests: &[CommitRequest]) -> Option<Takes> {
    let mut ids = HashSet::with_capacity(requests.len());
    let mut takes = Takes::new();
    for request in requests {
        let take = takes.entry(request.ticket_type).or_insert(Take {
            event: request.event,
            epoch: request.epoch,
            seats: 0,
        });
        if !ids.insert(request.id) || take.event != request.event || take.epoch != request.epoch {
            return None;
        }
        take.seats += i64::from(request.quantity.get());
    }
    Some(takes)
}

/// Sends the guards of all ticket types, in their order, in one go; `false` if any matched nothing.
pub(super) async fn take_all(
    transaction: &DatabaseTransaction,
    takes: &Takes,
    guarded: bool,
) -> Result<bool, DbErr> {
    let backend = transaction.get_database_backend();
    let guards: Vec<_> = takes
        .iter()
        .map(|(ticket_type, take)| backend.build(&guard_statement(*ticket_type, *take, guarded)).to_string())
        .collect();
    // Each has one row to match at most, so that the sum tells whether all did.
    let matched = transaction.execute_unprepared(&guards.join(";")).await?.rows_affected();
    Ok(usize::try_from(matched) == Ok(takes.len()))
}

/// The guard: takes the seats if, and only if, the ticket type is of this event and epoch and has that many left.
/// Unguarded it takes what there is.
///
/// The sum keeps the index over events and ids out of it: a guard that came by that index would lock the index's entry and
/// then the row, and wait in a circle with one that came by the row's key.
fn guard_statement(id: TicketTypeId, take: Take, guarded: bool) -> UpdateStatement {
    use ticket_type::Column::{Epoch, EventId, Id, Left};
    let mut update = Query::update()
        .table(ticket_type::Entity)
        .and_where(Expr::col(Id).eq(id.0))
        .and_where(Expr::col(EventId).add(0).eq(take.event.0))
        .to_owned();
    if guarded {
        update
            .value(Left, Expr::col(Left).sub(take.seats))
            .and_where(Expr::col(Epoch).eq(take.epoch.0))
            .and_where(Expr::col(Left).gte(take.seats));
    } else {
        let what_is_left = CaseStatement::new()
            .case(Expr::col(Left).gte(take.seats), Expr::col(Left).sub(take.seats))
            .finally(0);
        update.value(Left, what_is_left);
    }
    update
}
