//! The slow path of a commit. Under the locks of the ticket types it reads what exists, and decides about
//! each reservation alone. Every reservation that fits is confirmed, and a refused one does not affect the
//! others.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use neticket_domain::{Epoch, EventId, ReservationId, TicketTypeId, UserId};
use sea_orm::sea_query::extension::mysql::{IndexHintScope, MySqlSelectStatementExt as _};
use sea_orm::sea_query::{Expr, LockType, Order, Query};
use sea_orm::{ConnectionTrait, DbErr, ExprTrait};

use super::commit::{SeatDecrement, SeatDecrements, decrement_seats};
use super::insert::insert;
use super::{CommitOutcome, CommitRequest, ReservationRecord, ReservationStatus, read};
use crate::entity::ticket_type;
use crate::error::is_duplicate;
use crate::indexed::{IDS_MAX, USERS_BY_ID};
use crate::transaction::DatabaseTransaction;
use crate::{Store, StoreError};

/// How often the decisions are repeated because another transaction has inserted one of the ids under another
/// ticket type. The locks do not exclude that. After each attempt at least one more id is known to exist.
pub(super) const RACES_MAX: u32 = 8;

/// A locked ticket type.
#[derive(Clone, Copy, Debug)]
pub(super) struct LockedTicketType {
    pub(super) event: EventId,
    pub(super) epoch: Epoch,
    pub(super) left: i64,
}

/// Each of [`RACES_MAX`] attempts found that another transaction had just inserted one of the ids.
pub(super) fn lost_races() -> StoreError {
    let error = DbErr::Custom(format!(
        "the batch conflicted {RACES_MAX} times with commits of the same reservation ids"
    ));
    StoreError::Unavailable(Box::new(error))
}

/// What was read under the locks.
pub(super) struct LockedState {
    ticket_types: BTreeMap<TicketTypeId, LockedTicketType>,
    existing: HashMap<ReservationId, ReservationRecord>,
    users: HashSet<UserId>,
}

impl Store {
    pub(super) async fn commit_on_slow_path(
        &self,
        requests: &[CommitRequest],
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        for _ in 0..RACES_MAX {
            let decided = self
                .with_retries_after_loss("committing a batch on the slow path", || {
                    self.decide_and_commit(requests)
                })
                .await?;
            if let Some(outcomes) = decided {
                return Ok(outcomes);
            }
        }
        Err(lost_races())
    }

    /// Returns `None` and changes nothing if one of the ids turned out to exist.
    async fn decide_and_commit(
        &self,
        requests: &[CommitRequest],
    ) -> Result<Option<Vec<CommitOutcome>>, DbErr> {
        let transaction = self.begin().await?;
        let mut state = lock_and_read(&transaction, requests).await?;
        let mut outcomes = Vec::with_capacity(requests.len());
        let mut confirmed: BTreeMap<ReservationId, (usize, &CommitRequest)> = BTreeMap::new();
        let mut repeats = Vec::new();
        let mut decrements = SeatDecrements::new();
        for (at, request) in requests.iter().enumerate() {
            if confirmed.contains_key(&request.id) {
                repeats.push(at);
                outcomes.push(CommitOutcome::Confirmed);
                continue;
            }
            let outcome = state.decide(request, self.guarded());
            if outcome == CommitOutcome::Confirmed {
                let decrement = SeatDecrement { event: request.event, epoch: request.epoch, seats: 0 };
                decrements.entry(request.ticket_type).or_insert(decrement).seats +=
                    i64::from(request.quantity.get());
                confirmed.insert(request.id, (at, request));
            }
            outcomes.push(outcome);
        }
        if !decrements.is_empty() {
            let all_matched = decrement_seats(&transaction, &decrements, self.guarded()).await?;
            assert!(all_matched, "the guard must match ticket types that were locked and read");
        }
        let rows = confirmed.values().map(|(_, request)| *request).collect();
        match insert(&transaction, rows, ReservationStatus::Confirmed, None).await {
            Ok(()) => {}
            Err(error) if is_duplicate(&error) => {
                transaction.rollback().await?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        let repeated: Vec<_> = repeats.iter().map(|at| requests[*at].id).collect();
        let records = read::by_ids(&transaction, &repeated).await?;
        transaction.commit().await?;
        for at in repeats {
            if let Some(record) = records.get(&requests[at].id) {
                outcomes[at] = CommitOutcome::Existing(record.clone());
            }
        }
        Ok(Some(outcomes))
    }
}

pub(super) async fn lock_and_read(
    transaction: &DatabaseTransaction,
    requests: &[CommitRequest],
) -> Result<LockedState, DbErr> {
    let ticket_types: BTreeSet<_> = requests.iter().map(|request| request.ticket_type).collect();
    let ticket_types = lock_ticket_types(transaction, &ticket_types).await?;
    let ids: Vec<_> = requests.iter().map(|request| request.id).collect();
    let users: BTreeSet<_> = requests.iter().map(|request| request.user.0).collect();
    Ok(LockedState {
        ticket_types,
        existing: read::by_ids(transaction, &ids).await?,
        users: existing_users(transaction, users).await?,
    })
}

impl LockedState {
    /// Whether the request's id is not in the store yet, its user exists, and its ticket type belongs to its
    /// event.
    pub(super) fn may_be_written(&self, request: &CommitRequest) -> bool {
        !self.existing.contains_key(&request.id)
            && self.ticket_types.get(&request.ticket_type).is_some_and(|locked| locked.event == request.event)
            && self.users.contains(&request.user)
    }

    /// Decides the outcome of `request`, given the decisions about the earlier requests of the batch.
    fn decide(&mut self, request: &CommitRequest, guarded: bool) -> CommitOutcome {
        if let Some(record) = self.existing.get(&request.id) {
            return CommitOutcome::Existing(record.clone());
        }
        let Some(locked) = self.ticket_types.get_mut(&request.ticket_type) else {
            return CommitOutcome::NoSuchTicketType;
        };
        if locked.event != request.event {
            return CommitOutcome::NoSuchTicketType;
        }
        if !self.users.contains(&request.user) {
            return CommitOutcome::NoSuchUser;
        }
        if guarded && locked.epoch != request.epoch {
            return CommitOutcome::StaleEpoch { epoch: locked.epoch };
        }
        let seats = i64::from(request.quantity.get());
        if guarded && locked.left < seats {
            return CommitOutcome::SoldOut;
        }
        locked.left -= seats;
        CommitOutcome::Confirmed
    }
}

/// Locks ticket types in the order of their ids, and reads them. Missing ones are left out. The index is
/// named so that no other ticket types are locked.
pub(super) async fn lock_ticket_types(
    transaction: &DatabaseTransaction,
    ids: &BTreeSet<TicketTypeId>,
) -> Result<BTreeMap<TicketTypeId, LockedTicketType>, DbErr> {
    use ticket_type::Column;
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    let mut found = BTreeMap::new();
    for ids in ids.chunks(IDS_MAX) {
        let select = Query::select()
            .columns([Column::Id, Column::EventId, Column::Epoch, Column::Left])
            .from(ticket_type::Entity)
            .and_where(Expr::col(Column::Id).is_in(ids.iter().copied()))
            .order_by(Column::Id, Order::Asc)
            .force_index("PRIMARY", IndexHintScope::All)
            .lock(LockType::Update)
            .to_owned();
        for row in transaction.query_all(&select).await? {
            let locked = LockedTicketType {
                event: EventId(row.try_get("", "event_id")?),
                epoch: Epoch(row.try_get("", "epoch")?),
                left: row.try_get("", "left")?,
            };
            found.insert(TicketTypeId(row.try_get("", "id")?), locked);
        }
    }
    Ok(found)
}

async fn existing_users(
    transaction: &DatabaseTransaction,
    ids: BTreeSet<i64>,
) -> Result<HashSet<UserId>, DbErr> {
    let ids = ids.into_iter().map(Into::into).collect();
    // The index does not contain `created_at`. It is selected for that reason alone (`indexed.rs`).
    let found = USERS_BY_ID.select_in(transaction, "id, created_at", "id", ids).await?;
    found.iter().map(|row| Ok(UserId(row.try_get("", "id")?))).collect()
}
