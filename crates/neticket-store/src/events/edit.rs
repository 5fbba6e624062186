//! Changing an event while it sells: its description, its ticket types, and their seats.
//!
//! An edit is one transaction under the locks of the event's ticket types, so no commit, cancel or load runs
//! in between. If the ledger has to know of the change, the transaction raises the epoch. From its COMMIT on,
//! the guard refuses everything that was admitted under the old rules.

use std::collections::{BTreeMap, BTreeSet};

use neticket_domain::{Epoch, EventId, ReservationId, SearchWords, TicketTypeId, Timestamp};
use sea_orm::sea_query::extension::mysql::{IndexHintScope, MySqlSelectStatementExt as _};
use sea_orm::sea_query::{Expr, LockType, Query};
use sea_orm::{
    ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement, Value,
};

use super::epoch::{next_epoch, set_epoch};
use super::{audit_diff, event_record, with_ticket_types};
use crate::entity::{event, ticket_type};
use crate::indexed::{IDS_MAX, TICKET_TYPES_BY_EVENT, marks};
use crate::reservations;
use crate::transaction::DatabaseTransaction;
use crate::{
    AuditOrigin, CommitRequest, EventRecord, NewAudit, Store, StoreError, TicketTypeRecord, audit_log,
    convert,
};

/// An event as it should become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventEdit {
    /// The version of the event from which this edit was made. The edit applies to no other version.
    pub version: i64,
    pub title: String,
    pub place: String,
    pub description: String,
    pub starts_at: Timestamp,
    pub opens_at: Timestamp,
    pub closes_at: Timestamp,
    pub max_per_user: u32,
    pub image_key: Option<String>,
    /// All ticket types, in the order in which they are shown. Those that are left out are removed.
    pub ticket_types: Vec<TicketTypeEdit>,
}

/// A ticket type as it should become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketTypeEdit {
    /// `None` for a new one.
    pub id: Option<TicketTypeId>,
    pub name: String,
    /// In won.
    pub price: u64,
    pub capacity: u32,
}

/// The outcome of an [`EventEdit`]. Only [`EditOutcome::Edited`] has changed anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditOutcome {
    /// The event after the edit. `epoch` is the new epoch if the ledger has to be loaded again.
    Edited {
        event: Box<EventRecord>,
        epoch: Option<Epoch>,
    },
    NotFound,
    /// The event has another version now, or the edit names a ticket type that the event does not have.
    Conflict,
    /// The event is cancelled and cannot be edited.
    Cancelled,
    /// A ticket type would get fewer seats than the `sold` that are confirmed or in the journal.
    BelowSold {
        sold: u32,
    },
    /// A ticket type that would be removed has reservations.
    HasReservations,
}

impl Store {
    /// Applies `edit` to the event and writes the entry in the audit log, in one transaction. An edit that
    /// changes nothing is [`EditOutcome::Edited`] too, without a new version and without an entry.
    ///
    /// `journal` is what is known to be in the ledger's journal: no ticket type gets fewer seats than are
    /// confirmed or in it. `clock` is read after the locks were taken, so whatever was admitted before that
    /// was admitted under the old rules.
    ///
    /// # Errors
    /// [`StoreError`]; after [`StoreError::Internal`], nothing has changed.
    pub async fn event_update(
        &self,
        id: EventId,
        edit: &EventEdit,
        journal: &[CommitRequest],
        by: &AuditOrigin,
        clock: impl Fn() -> Timestamp + Sync,
    ) -> Result<EditOutcome, StoreError> {
        let clock = &clock;
        self.with_retries("changing an event", || async move {
            let transaction = self.begin().await?;
            let outcome = update(&transaction, id, edit, journal, by, clock).await?;
            match outcome {
                EditOutcome::Edited { .. } => transaction.commit().await?,
                _ => transaction.rollback().await?,
            }
            Ok(outcome)
        })
        .await
    }
}

async fn update(
    transaction: &DatabaseTransaction,
    id: EventId,
    edit: &EventEdit,
    journal: &[CommitRequest],
    by: &AuditOrigin,
    clock: impl Fn() -> Timestamp,
) -> Result<EditOutcome, DbErr> {
    let Some(before) = lock_and_read_event(transaction, id).await? else { return Ok(EditOutcome::NotFound) };
    let now = clock();
    if before.cancelled_at.is_some() {
        return Ok(EditOutcome::Cancelled);
    }
    let ticket_types: BTreeMap<TicketTypeId, &TicketTypeRecord> =
        before.ticket_types.iter().map(|ticket_type| (ticket_type.id, ticket_type)).collect();
    let kept: BTreeSet<TicketTypeId> =
        edit.ticket_types.iter().filter_map(|ticket_type| ticket_type.id).collect();
    if before.version != edit.version || kept.iter().any(|id| !ticket_types.contains_key(id)) {
        return Ok(EditOutcome::Conflict);
    }
    if edit.is(&before) {
        return Ok(EditOutcome::Edited { event: Box::new(before), epoch: None });
    }
    let removed: Vec<TicketTypeId> = ticket_types.keys().filter(|id| !kept.contains(id)).copied().collect();
    if let Some(refusal) = refusal(transaction, edit, &ticket_types, &removed, journal).await? {
        return Ok(refusal);
    }
    let epoch =
        if edit.concerns_the_ledger(&before) { Some(next_epoch(highest_epoch(&before))?) } else { None };
    describe(transaction, id, edit, now).await?;
    if (edit.opens_at, edit.closes_at) != (before.window.opens_at, before.window.closes_at) {
        let since = Query::update()
            .table(event::Entity)
            .value(event::Column::WindowSince, now.as_millis())
            .and_where(Expr::col(event::Column::Id).eq(id.0))
            .to_owned();
        transaction.execute(&since).await?;
    }
    remove(transaction, id, &removed).await?;
    for (position, ticket_type) in (0..).zip(&edit.ticket_types) {
        match ticket_type.id.and_then(|id| ticket_types.get(&id)) {
            Some(before) => change(transaction, position, ticket_type, before).await?,
            None => add(transaction, id, position, ticket_type).await?,
        }
    }
    if let Some(epoch) = epoch {
        set_epoch(transaction, id, epoch).await?;
    }
    let Some(row) = event::Entity::find_by_id(id.0).one(transaction).await? else {
        return Ok(EditOutcome::NotFound);
    };
    let event = with_ticket_types(transaction, row).await?;
    let (old, new) = audit_diff::changes(&before, &event);
    let entry = by.did("event_update", format!("event/{id}"), event.title.clone(), now);
    audit_log::append(transaction, &NewAudit { before: Some(old), after: Some(new), ..entry }).await?;
    Ok(EditOutcome::Edited { event: Box::new(event), epoch })
}

/// Locks the event's ticket types in the order of their ids, and no others, as
/// [`lock_ticket_types`](super::epoch::lock_ticket_types) does. Then reads the event, which no other
/// transaction can change from then on.
pub(super) async fn lock_and_read_event(
    transaction: &DatabaseTransaction,
    id: EventId,
) -> Result<Option<EventRecord>, DbErr> {
    let mut rows = ticket_type::Entity::find();
    QuerySelect::query(&mut rows).force_index("ticket_types_event", IndexHintScope::All);
    let mut rows = rows
        .filter(ticket_type::Column::EventId.eq(id.0))
        .order_by_asc(ticket_type::Column::Id)
        .lock(LockType::Update)
        .all(transaction)
        .await?;
    rows.sort_by_key(|row| (row.position, row.id));
    let event = event::Entity::find_by_id(id.0).one(transaction).await?;
    event.map(|event| event_record(event, rows)).transpose()
}

pub(super) fn highest_epoch(event: &EventRecord) -> Epoch {
    event.ticket_types.iter().map(|ticket_type| ticket_type.epoch).max().unwrap_or(Epoch(0))
}

/// Why the edit is refused, if it is.
async fn refusal(
    transaction: &DatabaseTransaction,
    edit: &EventEdit,
    ticket_types: &BTreeMap<TicketTypeId, &TicketTypeRecord>,
    removed: &[TicketTypeId],
    journal: &[CommitRequest],
) -> Result<Option<EditOutcome>, DbErr> {
    let ids: Vec<ReservationId> = journal.iter().map(|entry| entry.id).collect();
    // These are committed and not settled yet. They are counted as sold already.
    let stored = reservations::present(transaction, &ids).await?;
    let mut on_their_way: BTreeMap<TicketTypeId, u32> = BTreeMap::new();
    for entry in journal.iter().filter(|entry| !stored.contains(&entry.id)) {
        let tickets = on_their_way.entry(entry.ticket_type).or_default();
        *tickets = tickets.saturating_add(entry.quantity.get());
    }
    if removed.iter().any(|id| on_their_way.contains_key(id))
        || reservations::any_exists(transaction, removed).await?
    {
        return Ok(Some(EditOutcome::HasReservations));
    }
    let below_sold = edit.ticket_types.iter().find_map(|ticket_type| {
        let before = ticket_types.get(&ticket_type.id?)?;
        let waiting = on_their_way.get(&before.id).copied().unwrap_or(0);
        let sold = before.capacity.saturating_sub(before.left).saturating_add(waiting);
        (ticket_type.capacity < before.capacity && ticket_type.capacity < sold).then_some(sold)
    });
    Ok(below_sold.map(|sold| EditOutcome::BelowSold { sold }))
}

async fn describe(
    transaction: &DatabaseTransaction,
    id: EventId,
    edit: &EventEdit,
    now: Timestamp,
) -> Result<(), DbErr> {
    use event::Column;
    let update = Query::update()
        .table(event::Entity)
        .value(Column::Title, edit.title.as_str())
        .value(Column::Place, edit.place.as_str())
        .value(Column::Description, edit.description.as_str())
        .value(Column::SearchText, SearchWords::haystack(&edit.title, &edit.place))
        .value(Column::StartsAt, edit.starts_at.as_millis())
        .value(Column::OpensAt, edit.opens_at.as_millis())
        .value(Column::ClosesAt, edit.closes_at.as_millis())
        .value(Column::MaxPerUser, i64::from(edit.max_per_user))
        .value(Column::ImageKey, edit.image_key.clone())
        .value(Column::Version, Expr::col(Column::Version).add(1))
        .value(Column::UpdatedAt, now.as_millis())
        .and_where(Expr::col(Column::Id).eq(id.0))
        // An event without ticket types has no rows that two edits could lock, so the version decides between
        // them.
        .and_where(Expr::col(Column::Version).eq(edit.version))
        .to_owned();
    if transaction.execute(&update).await?.rows_affected() == 1 {
        Ok(())
    } else {
        Err(DbErr::Custom("an event changed while its ticket types were locked".to_owned()))
    }
}

/// Changes the seats left by the same number as the capacity.
async fn change(
    transaction: &DatabaseTransaction,
    position: i64,
    ticket_type: &TicketTypeEdit,
    before: &TicketTypeRecord,
) -> Result<(), DbErr> {
    use ticket_type::Column;
    let more = i64::from(ticket_type.capacity) - i64::from(before.capacity);
    let update = Query::update()
        .table(ticket_type::Entity)
        .value(Column::Position, position)
        .value(Column::Name, ticket_type.name.as_str())
        .value(Column::Price, convert::to_column(ticket_type.price)?)
        .value(Column::Capacity, i64::from(ticket_type.capacity))
        .value(Column::Left, Expr::col(Column::Left).add(more))
        .and_where(Expr::col(Column::Id).eq(before.id.0))
        .to_owned();
    transaction.execute(&update).await.map(drop)
}

/// Deletes these ticket types of the event, and locks no others.
pub(super) async fn remove(
    transaction: &DatabaseTransaction,
    event: EventId,
    ticket_types: &[TicketTypeId],
) -> Result<(), DbErr> {
    let backend = transaction.get_database_backend();
    let delete = TICKET_TYPES_BY_EVENT.delete(backend);
    for ids in ticket_types.chunks(IDS_MAX) {
        let sql = format!("{delete} WHERE event_id = ? AND id IN ({})", marks(ids.len()));
        let values = [event.0].into_iter().chain(ids.iter().map(|id| id.0)).map(Value::from);
        transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    }
    Ok(())
}

async fn add(
    transaction: &DatabaseTransaction,
    event: EventId,
    position: i64,
    ticket_type: &TicketTypeEdit,
) -> Result<(), DbErr> {
    let row = ticket_type::ActiveModel {
        id: ActiveValue::NotSet,
        event_id: ActiveValue::Set(event.0),
        position: ActiveValue::Set(position),
        name: ActiveValue::Set(ticket_type.name.clone()),
        price: ActiveValue::Set(convert::to_column(ticket_type.price)?),
        capacity: ActiveValue::Set(i64::from(ticket_type.capacity)),
        left: ActiveValue::Set(i64::from(ticket_type.capacity)),
        // The epoch is raised with those of the other ticket types, because the ledger has to know this one.
        epoch: ActiveValue::Set(0),
    };
    ticket_type::Entity::insert(row).exec_without_returning(transaction).await.map(drop)
}

impl EventEdit {
    /// An edit that leaves `event` unchanged.
    pub fn of(event: &EventRecord) -> Self {
        let ticket_type = |ticket_type: &TicketTypeRecord| TicketTypeEdit {
            id: Some(ticket_type.id),
            name: ticket_type.name.clone(),
            price: ticket_type.price,
            capacity: ticket_type.capacity,
        };
        Self {
            version: event.version,
            title: event.title.clone(),
            place: event.place.clone(),
            description: event.description.clone(),
            starts_at: event.starts_at,
            opens_at: event.window.opens_at,
            closes_at: event.window.closes_at,
            max_per_user: event.max_per_user,
            image_key: event.image_key.clone(),
            ticket_types: event.ticket_types.iter().map(ticket_type).collect(),
        }
    }

    /// Whether the edit changes nothing.
    pub fn is(&self, event: &EventRecord) -> bool {
        *self == Self::of(event)
    }

    /// Whether any ticket type is removed or gets fewer seats. The caller then has to read the journal first.
    pub fn takes_seats_away(&self, event: &EventRecord) -> bool {
        event.ticket_types.iter().any(|before| {
            let after = self.ticket_types.iter().find(|ticket_type| ticket_type.id == Some(before.id));
            after.is_none_or(|after| after.capacity < before.capacity)
        })
    }

    /// Whether the edit changes anything that the ledger uses.
    fn concerns_the_ledger(&self, event: &EventRecord) -> bool {
        let described = |edit: &Self| Self {
            title: String::new(),
            place: String::new(),
            description: String::new(),
            image_key: None,
            ticket_types: Vec::new(),
            ..edit.clone()
        };
        let seats = |edit: &Self| -> BTreeSet<(Option<TicketTypeId>, u64, u32)> {
            edit.ticket_types
                .iter()
                .map(|ticket_type| (ticket_type.id, ticket_type.price, ticket_type.capacity))
                .collect()
        };
        let before = Self::of(event);
        described(self) != described(&before) || seats(self) != seats(&before)
    }
}
