//! Reservations and the seats they take. Commits and cancels change the seats of the store. Other code does
//! so only in `events/edit.rs`, when an administrator changes a capacity.
//!
//! **Order of locks.** Every transaction here and in [`crate::events`] that changes seats or epochs locks
//! ticket types first, in the order of their ids, and touches reservations only under those locks. Commits,
//! cancels and loads of a ticket type therefore run one after the other, and no two of them can deadlock.
//!
//! **READ COMMITTED.** A read that follows a lock sees everything that was committed before the lock was
//! taken. On SQLite the whole transaction holds the only write lock, which has the same effect for all
//! tables. The row of an event is changed only after the locks of its ticket types were taken. A transaction
//! that decides by that row reads it after the locks too.

mod cancel;
mod commit;
mod commit_slow_path;
mod insert;
mod inventory;
mod outbox;
mod read;
mod reject;
mod rows;

pub(crate) use self::rows::{any_exists, confirmed, held, present};

use std::collections::BTreeSet;

use neticket_domain::{Epoch, EventId, Quantity, ReservationId, TicketTypeId, Timestamp, UserId};

/// The maximum number of rows in one `INSERT`. SQLite accepts at most 32,766 parameters and MySQL 65,535. A
/// row of the outbox has 7.
const ROWS_MAX: usize = 1_000;

/// An admitted reservation that should be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitRequest {
    pub id: ReservationId,
    pub user: UserId,
    pub event: EventId,
    pub ticket_type: TicketTypeId,
    pub quantity: Quantity,
    /// In won.
    pub unit_price: u64,
    /// The epoch of the ledger that admitted it.
    pub epoch: Epoch,
    /// When it was admitted.
    pub created_at: Timestamp,
}

/// The outcome of a [`CommitRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// This call took its seats and wrote it to the store.
    Confirmed,
    /// A reservation with this id was in the store already. It may be cancelled or rejected, or have other
    /// content.
    Existing(ReservationRecord),
    /// Fewer seats are left than the request needs.
    SoldOut,
    /// It was admitted under another epoch than `epoch`, which is the store's.
    StaleEpoch { epoch: Epoch },
    /// The event has no such ticket type.
    NoSuchTicketType,
    /// There is no such user.
    NoSuchUser,
}

/// The status of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservationStatus {
    Confirmed,
    Cancelled,
    /// A ledger admitted it, the store refused it, and the refusal is final. It never had seats.
    Rejected,
}

impl ReservationStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Confirmed, Self::Cancelled, Self::Rejected].into_iter().find(|status| status.as_str() == word)
    }
}

/// A reservation, with what is shown of its event and ticket type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservationRecord {
    pub id: ReservationId,
    pub user: UserId,
    pub event: EventId,
    pub event_title: String,
    pub event_place: String,
    pub event_starts_at: Timestamp,
    pub event_image_key: Option<String>,
    pub event_cancelled: bool,
    pub ticket_type: TicketTypeId,
    pub ticket_type_name: String,
    pub quantity: Quantity,
    /// In won, the price at which it was admitted.
    pub unit_price: u64,
    pub status: ReservationStatus,
    pub created_at: Timestamp,
    /// When it was cancelled or rejected.
    pub cancelled_at: Option<Timestamp>,
}

/// A request to cancel a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelRequest {
    pub id: ReservationId,
    /// Who asks. People can cancel only their own reservations.
    pub user: UserId,
}

/// The outcome of a [`CancelRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// This call cancelled it. Its seats are back in the store, and `release` is in the outbox.
    Cancelled { record: ReservationRecord, release: OutboxRecord },
    /// It had been cancelled before.
    Already(ReservationRecord),
    /// It was rejected and never confirmed, so there is nothing to cancel.
    Rejected(ReservationRecord),
    /// The event has started. The reservation stays.
    Started(ReservationRecord),
    /// There is no such reservation, or it belongs to another user.
    NotFound,
}

/// Seats of a cancelled reservation that the ledger may not have back yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxRecord {
    pub id: ReservationId,
    pub event: EventId,
    pub ticket_type: TicketTypeId,
    pub user: UserId,
    pub quantity: Quantity,
    /// The epoch of the ticket type, as the cancelling transaction read it.
    pub epoch: Epoch,
    pub created_at: Timestamp,
}

/// A reservation, as a ledger is loaded with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadedReservation {
    pub id: ReservationId,
    pub user: UserId,
    /// The tickets that count towards the user's limit. 0 if cancelled or rejected.
    pub held: u32,
}

/// The seats of a ticket type. `capacity = left + confirmed` must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InventoryRecord {
    pub event: EventId,
    pub ticket_type: TicketTypeId,
    pub capacity: u64,
    pub left: u64,
    /// The number of tickets in confirmed reservations.
    pub confirmed: u64,
}

/// What the store contains of an event at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInventory {
    /// In the order of their ids.
    pub ticket_types: Vec<StoredTicketType>,
    /// The requested ids that are in the store, with any status.
    pub present: BTreeSet<ReservationId>,
    /// The event's outbox, in no particular order.
    pub releases: Vec<OutboxRecord>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredTicketType {
    pub id: TicketTypeId,
    pub capacity: u64,
    pub left: u64,
    pub epoch: Epoch,
}
