//! What goes into the ledger and what comes out.

use neticket_domain::{Epoch, EventId, Quantity, ReservationId, SaleWindow, TicketTypeId, Timestamp, UserId};
use uuid::Uuid;

/// A wish to book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdmitRequest {
    pub id: ReservationId,
    pub user: UserId,
    pub ticket_type: TicketTypeId,
    pub quantity: Quantity,
    /// The price of one ticket that the caller has seen, in won. A new admission at any other price is refused. It is
    /// not part of what the id stands for: a repeat gets the answer of before. `None`: any price, and always `None` in
    /// the journal.
    pub unit_price: Option<u64>,
}

impl AdmitRequest {
    /// Whether both ask for the same tickets for the same user under the same id.
    pub fn is_same_booking(&self, other: &Self) -> bool {
        let content = |request: &Self| (request.id, request.user, request.ticket_type, request.quantity);
        content(self) == content(other)
    }
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdmitAnswer {
    /// The event is not loaded. Nothing was taken.
    Absent,
    /// The ledger is of an epoch too low or of another server run. Nothing was taken.
    Stale,
    /// One verdict per request, in order.
    Verdicts { epoch: Epoch, now: Timestamp, verdicts: Vec<Verdict> },
}

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The seats are taken and journaled: by this call, or by an earlier one with the same id and content.
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
    /// Fewer than asked for are left.
    SoldOut {
        left: u32,
    },
    /// With these, the user would hold more than `max_per_user`, or has made as many reservations as
    /// [`RESERVATIONS_PER_USER_MAX`](crate::RESERVATIONS_PER_USER_MAX) lets them.
    OverLimit {
        max_per_user: u32,
        already_held: u32,
    },
    /// Seats are left and the user may have them, but the price is not the one in the request.
    PriceChanged {
        unit_price: u64,
    },
    /// The journal is as long as it may get.
    JournalFull,
}

/// What committing needs to know beyond the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Price of one ticket, in won, of the moment of admission; no later load changes it.
    pub unit_price: u64,
    pub admitted_at: Timestamp,
    /// The id was in the journal before this call, or came earlier in the same batch: nothing was taken for it now.
    /// Always true of what is read from the journal.
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
    /// The epoch that the cancelling transaction saw.
    pub epoch: Epoch,
}

/// What the store said in the transaction that raised the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSnapshot {
    pub event: EventId,
    pub epoch: Epoch,
    pub window: SaleWindow,
    /// Since when it is this one, if it was another before. What was admitted from then on and outside of it was admitted by a
    /// ledger that did not know, and is not carried over.
    pub window_since: Option<Timestamp>,
    /// Since when the sale is paused, by the ledger's clock; `None`: it is not. Entries of the old journal that are not older
    /// are not carried over: whoever admitted them did not know.
    pub paused_at: Option<Timestamp>,
    pub max_per_user: u32,
    pub ticket_types: Vec<SnapshotTicketType>,
    /// All reservations of the event, cancelled ones too.
    pub reservations: Vec<SnapshotReservation>,
    /// Entries of the old journal that the store has refused: they are not carried over.
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
    /// What it counts towards the user's limit; 0 once cancelled.
    pub held: u32,
}

/// Where a load begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadStart {
    /// Of the ledger that is there, of whichever server run; 0 if there is none. Only a higher epoch replaces it.
    pub floor: Epoch,
    pub token: LoadToken,
}

/// Says that no ledger of the event was lost or evicted since a load began. Means nothing to anyone but the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadToken(pub(crate) Uuid);

/// What became of a load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadAnswer {
    /// The ledger is the snapshot's. `dropped`: entries of the old journal that did not fit any more, or were admitted in a
    /// pause, as it had them, oldest first; nothing is taken for them.
    Replaced { dropped: Vec<JournalEntry> },
    /// The ledger was as new already, of this epoch, and stays.
    Kept { epoch: Epoch },
    /// Nothing was done: a ledger of the event was lost or evicted since the load began. It has to begin anew.
    Again,
}

/// The events that have a ledger.
#[derive(Debug)]
pub struct LoadedEvents {
    /// In no order.
    pub events: Vec<EventId>,
    /// Why events may be missing. `None`: none is missing. Otherwise the server that holds the list has lost
    /// data, and the list is being rebuilt from the ledgers; ask again.
    pub incomplete: Option<LedgerError>,
}

/// What the ledger says about an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerView {
    pub epoch: Epoch,
    pub paused: bool,
    /// How many entries the journal has.
    pub pending: u64,
    /// In the order of their ids.
    pub ticket_types: Vec<TicketTypeView>,
}

/// Everything that is to be known of an event's ledger at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerState {
    pub view: LedgerView,
    /// Differs whenever anything of the ledger has changed between two looks. Says nothing else: it may differ although
    /// nothing has, and is no number of anything.
    pub revision: u64,
    /// The whole journal, oldest first.
    pub journal: Vec<JournalEntry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketTypeView {
    pub id: TicketTypeId,
    pub left: u32,
}

/// How a pool's connections are used at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUse {
    /// Connections there are, idle ones included.
    pub open: usize,
    pub idle: usize,
}

/// The ledger did not answer, or not in time. Whether the call took effect is not known.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("the ledger did not answer within {timeout_ms} ms")]
    Timeout { timeout_ms: u64 },
    #[error("the ledger cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the ledger answered what it should not: {0}")]
    Protocol(String),
}
