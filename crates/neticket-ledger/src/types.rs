//! The requests and the answers of the ledger.

use neticket_domain::{Epoch, EventId, Quantity, ReservationId, SaleWindow, TicketTypeId, Timestamp, UserId};
use uuid::Uuid;

/// A request to book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdmitRequest {
    pub id: ReservationId,
    pub user: UserId,
    pub ticket_type: TicketTypeId,
    pub quantity: Quantity,
    /// The price of one ticket that the caller has seen, in won. A new admission at any other price is
    /// refused. The price is not part of the booking that the id identifies: a repeat gets the earlier
    /// answer. `None`: any price. Always `None` in the journal.
    pub unit_price: Option<u64>,
}

impl AdmitRequest {
    /// Whether both requests book the same tickets for the same user under the same id.
    pub fn is_same_booking(&self, other: &Self) -> bool {
        let content = |request: &Self| (request.id, request.user, request.ticket_type, request.quantity);
        content(self) == content(other)
    }
}

/// The result of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdmitAnswer {
    /// The event is not loaded. Nothing was taken.
    Absent,
    /// The epoch of the ledger is too low, or the ledger is of another server run. Nothing was taken.
    Stale,
    /// One verdict per request, in order.
    Verdicts { epoch: Epoch, now: Timestamp, verdicts: Vec<Verdict> },
}

/// The result of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The seats are taken and journaled, by this call or by an earlier one with the same id and content.
    Admitted(Admission),
    /// The id was settled or released before in this epoch: the store has the reservation.
    Known,
    /// The id is in the journal with another user, ticket type or quantity.
    Mismatch,
    /// The event has no such ticket type.
    NoSuchTicketType,
    /// The sale opens at `opens_at`.
    NotOpen {
        opens_at: Timestamp,
    },
    Closed,
    Paused,
    /// Fewer seats are left than the request needs.
    SoldOut {
        left: u32,
    },
    /// With these tickets the user would hold more than `max_per_user`, or the user has already made
    /// [`RESERVATIONS_PER_USER_MAX`](crate::RESERVATIONS_PER_USER_MAX) reservations.
    OverLimit {
        max_per_user: u32,
        already_held: u32,
    },
    /// Seats are left and the user may have them, but the price is not the one in the request.
    PriceChanged {
        unit_price: u64,
    },
    /// The journal has its maximum length.
    JournalFull,
}

/// What a commit needs beyond the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Price of one ticket, in won, at the moment of admission. No later load changes it.
    pub unit_price: u64,
    pub admitted_at: Timestamp,
    /// The id was in the journal before this call, or came earlier in the same batch, so this request took
    /// nothing. Always true of what is read from the journal.
    pub repeated: bool,
}

/// An admitted reservation that the store may not have committed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    pub request: AdmitRequest,
    pub admission: Admission,
    /// The epoch of the ledger that holds it.
    pub epoch: Epoch,
}

/// A cancelled reservation whose seats go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    pub id: ReservationId,
    pub user: UserId,
    pub ticket_type: TicketTypeId,
    pub quantity: Quantity,
    /// The epoch that the cancelling transaction read.
    pub epoch: Epoch,
}

/// What the store contained in the transaction that raised the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSnapshot {
    pub event: EventId,
    pub epoch: Epoch,
    pub window: SaleWindow,
    /// Since when this window applies, if there was another before. An entry that was admitted since then,
    /// but outside of this window, was admitted by a ledger that did not know the window. It is not carried
    /// over.
    pub window_since: Option<Timestamp>,
    /// Since when the sale is paused, by the ledger's clock; `None` if it is not. An entry of the old journal
    /// that was admitted since then is not carried over, because the ledger that admitted it did not know of
    /// the pause.
    pub paused_at: Option<Timestamp>,
    pub max_per_user: u32,
    pub ticket_types: Vec<SnapshotTicketType>,
    /// All reservations of the event, cancelled ones included.
    pub reservations: Vec<SnapshotReservation>,
    /// Entries of the old journal that the store has refused. They are not carried over.
    pub refused: Vec<ReservationId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotTicketType {
    pub id: TicketTypeId,
    /// In won.
    pub price: u64,
    pub left: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotReservation {
    pub id: ReservationId,
    pub user: UserId,
    /// How many tickets it counts towards the user's limit; 0 if it is cancelled.
    pub held: u32,
}

/// The start of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadStart {
    /// The epoch of the present ledger, of any server run; 0 if there is none. Only a higher epoch replaces
    /// the ledger.
    pub current_epoch: Epoch,
    pub token: LoadToken,
}

/// Proves that no ledger of the event was lost or evicted since a load began. Only the ledger can interpret
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadToken(pub(crate) Uuid);

/// The result of a load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadAnswer {
    /// The ledger is now the snapshot's. `dropped`: entries of the old journal that do not fit any more, or
    /// were admitted in a pause or outside of the window. They are as the old journal had them, oldest first.
    /// No seats are taken for them.
    Replaced { dropped: Vec<JournalEntry> },
    /// The present ledger is of the same or a higher epoch, namely this one, and stays.
    Kept { epoch: Epoch },
    /// Nothing was done: a ledger of the event was lost or evicted since the load began. The load must begin
    /// again.
    Again,
}

/// The events that have a ledger.
#[derive(Debug)]
pub struct LoadedEvents {
    /// In no order.
    pub events: Vec<EventId>,
    /// Why events may be missing; `None` if none is missing. Otherwise the server that holds the list has
    /// lost data, and the list is being rebuilt from the ledgers. Call again later.
    pub incomplete: Option<LedgerError>,
}

/// What the ledger contains of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerView {
    pub epoch: Epoch,
    pub paused: bool,
    /// How many entries the journal has.
    pub journal_len: u64,
    /// In the order of their ids.
    pub ticket_types: Vec<TicketTypeView>,
}

/// The state of an event's ledger at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerState {
    pub view: LedgerView,
    /// Differs between two inspections if anything of the ledger has changed between them. It has no other
    /// meaning: it may also differ although nothing has changed, and it counts nothing.
    pub revision: u64,
    /// The whole journal, oldest first.
    pub journal: Vec<JournalEntry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketTypeView {
    pub id: TicketTypeId,
    pub left: u32,
}

/// How many connections of a pool are in use at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUse {
    /// All connections, idle ones included.
    pub open: usize,
    pub idle: usize,
}

/// The ledger could not be reached, did not answer in time, or gave an answer that it should not. The call
/// may or may not have taken effect.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("the ledger did not answer within {timeout_ms} ms")]
    Timeout { timeout_ms: u64 },
    #[error("the ledger cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("unexpected answer from the ledger: {0}")]
    Protocol(String),
}
