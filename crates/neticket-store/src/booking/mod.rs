//! Reservations and the seats they take: the only place where seats of the store change.
//!
//! **Order of locks.** Every transaction here locks ticket types first, in the order of their ids, and touches
//! reservations only under those locks. The lock of a ticket type is therefore what commits, cancels and loads of it take
//! turns by, and no two of them can wait for each other.
//!
//! **READ COMMITTED.** What is read after the lock was had is what was committed before it. On SQLite the whole
//! transaction holds the one write lock, which is the same, coarser. The row of an event is touched only after the locks of
//! its ticket types, and read only then by whoever decides by it.

mod cancel;
mod careful;
mod commit;
mod edit;
mod insert;
mod inventory;
mod load;
mod outbox;
mod outdate;
mod read;
mod reject;
mod rows;
mod withdraw;

use std::collections::BTreeSet;

pub use edit::{EditOutcome, EventEdit, TicketTypeEdit};
pub use withdraw::{DeleteOutcome, EventCancelOutcome};

use neticket_domain::{Epoch, EventId, Quantity, ReservationId, SaleWindow, TicketTypeId, Timestamp, UserId};

pub use outdate::{OutdateOutcome, PauseOutcome};

/// Most rows of one `INSERT`; SQLite takes at most 32,766 parameters, MySQL 65,535.
const ROWS_MAX: usize = 1_000;

/// An admitted reservation that is to be confirmed.
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

/// What became of a [`CommitRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// Its seats are taken and it is in the store, by this call.
    Confirmed,
    /// A reservation of this id was in the store already: cancelled or rejected perhaps, or with other content.
    Existing(ReservationRecord),
    /// Fewer seats are left than it wants.
    SoldOut,
    /// It was admitted under another epoch than the store's, which is `epoch`.
    StaleEpoch { epoch: Epoch },
    /// The event has no such ticket type.
    NoSuchTicketType,
    /// There is no such user.
    NoSuchUser,
}

/// Whether a reservation counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservationStatus {
    Confirmed,
    Cancelled,
    /// Admitted by a ledger, refused by the store, and refused for good: it never had seats.
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

/// A reservation, with what it shows of its event and ticket type.
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
    /// In won, as it was when the seats were taken.
    pub unit_price: u64,
    pub status: ReservationStatus,
    pub created_at: Timestamp,
    /// When it was cancelled or rejected.
    pub cancelled_at: Option<Timestamp>,
}

/// A wish to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelRequest {
    pub id: ReservationId,
    /// Who asks; only one's own can be cancelled.
    pub user: UserId,
}

/// What became of a [`CancelRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// Cancelled by this call: its seats are back in the store, and `release` is in the outbox.
    Cancelled { record: ReservationRecord, release: OutboxRecord },
    /// It had been cancelled before.
    Already(ReservationRecord),
    /// It was never confirmed: there is nothing to cancel.
    Rejected(ReservationRecord),
    /// The event has started; it stays as it is.
    Started(ReservationRecord),
    /// There is no such reservation, or it is somebody else's.
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
    /// Of the ticket type, as the cancelling transaction saw it.
    pub epoch: Epoch,
    pub created_at: Timestamp,
}

/// What a ledger is built from, as of the moment its epoch was raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedEvent {
    pub event: EventId,
    /// The new one.
    pub epoch: Epoch,
    pub window: SaleWindow,
    /// Since when it is this one, if it was another before, or the event was not cancelled.
    pub window_since: Option<Timestamp>,
    /// Since when the sale is paused; `None`: it is not.
    pub paused_at: Option<Timestamp>,
    pub cancelled: bool,
    pub max_per_user: u32,
    /// In the order of their ids.
    pub ticket_types: Vec<LoadedTicketType>,
    /// All of the event, cancelled and rejected ones too.
    pub reservations: Vec<LoadedReservation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadedTicketType {
    pub id: TicketTypeId,
    /// In won.
    pub price: u64,
    pub left: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadedReservation {
    pub id: ReservationId,
    pub user: UserId,
    /// What it counts towards the user's limit; 0 once cancelled or rejected.
    pub held: u32,
}

/// The seats of a ticket type; `capacity = left + confirmed`, or something is very wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InventoryRecord {
    pub event: EventId,
    pub ticket_type: TicketTypeId,
    pub capacity: u64,
    pub left: u64,
    /// Tickets of confirmed reservations.
    pub confirmed: u64,
}

/// What the store says of an event at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInventory {
    /// In the order of their ids.
    pub ticket_types: Vec<StoredTicketType>,
    /// Those of the ids asked for that are in the store, whatever their status.
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
