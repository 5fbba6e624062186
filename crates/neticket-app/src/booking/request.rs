//! The requests that pass through the stages.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use neticket_domain::{Epoch, EventId, Timestamp};
use neticket_ledger::{Admission, AdmitRequest, JournalEntry};
use neticket_store::{CommitRequest, ReservationRecord};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::error::AppError;

/// The outcome of a booking whose reservation is in the store.
#[derive(Debug)]
pub(crate) enum BookingOutcome {
    /// This node has just committed it. `repeated`: the ledger had already admitted this id before, usually
    /// for an earlier request with the same key.
    Confirmed { unit_price: u64, created_at: Timestamp, repeated: bool },
    /// The store already had a reservation with this id. It may be another booking, cancelled, or rejected.
    Existing(Box<ReservationRecord>),
}

/// The latest admission of a booking, shared between the stages and the waiting request. Empty while the
/// ledger has not taken seats for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct AdmissionSlot(Arc<Mutex<Option<ObservedAdmission>>>);

/// An admission that this node has seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ObservedAdmission {
    pub(crate) admission: Admission,
    /// When this node first learned that the journal contains the entry.
    pub(crate) first_seen_at: Instant,
}

impl AdmissionSlot {
    pub(crate) fn get(&self) -> Option<ObservedAdmission> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Clears the admission, because the journal no longer contains the entry.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn set(&self, admission: Admission) {
        let mut observed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first_seen_at = observed.map_or_else(Instant::now, |before| before.first_seen_at);
        *observed = Some(ObservedAdmission { admission, first_seen_at });
    }
}

/// A booking request on its way through the stages, with its reply channel.
pub(crate) struct BookingRequest {
    pub(crate) event: EventId,
    pub(crate) request: AdmitRequest,
    /// Whether the id is derived from an idempotency key, which may have been used before.
    pub(crate) has_idempotency_key: bool,
    /// The lowest epoch whose ledger may admit it.
    pub(crate) epoch_min: Epoch,
    /// When the request is answered with an error, unless the ledger has taken the seats by then. `None` for
    /// recovery.
    pub(crate) deadline: Option<Instant>,
    /// Cancelled when the client disconnects.
    pub(crate) disconnected: CancellationToken,
    pub(crate) slot: AdmissionSlot,
    /// The commit request of the latest admission, under its epoch. `None` before the first admission.
    pub(crate) last: Option<CommitRequest>,
    /// `None` for recovery, where no client waits.
    pub(crate) reply: Option<oneshot::Sender<Result<BookingOutcome, AppError>>>,
}

impl BookingRequest {
    /// Answers the client if it still waits.
    pub(crate) fn answer(self, outcome: Result<BookingOutcome, AppError>) {
        if let Some(reply) = self.reply {
            let _ = reply.send(outcome);
        }
    }

    /// Refuses the booking for good, and answers the client if it still waits. A client that no longer waits
    /// may have been told that the booking is pending. If the booking was ever admitted, this then returns
    /// what the caller has to record in the store as rejected.
    pub(crate) fn refuse(self, refusal: AppError) -> Option<CommitRequest> {
        let last = self.last;
        let was_delivered = self.reply.is_some_and(|reply| reply.send(Err(refusal)).is_ok());
        if was_delivered { None } else { last }
    }

    /// Returns the requests that still have to be offered to the ledger, and answers the others with
    /// `Overloaded`. No seats were taken for the others, and either their client has disconnected or their
    /// deadline has passed. After a freeze of the node, the deadline may have passed before the waiting call
    /// has noticed it.
    pub(crate) fn drop_abandoned(bookings: Vec<Self>) -> Vec<Self> {
        let now = Instant::now();
        let (abandoned, active): (Vec<Self>, Vec<Self>) =
            bookings.into_iter().partition(|booking| booking.is_abandoned(now));
        for booking in abandoned {
            booking.answer(Err(AppError::Overloaded));
        }
        active
    }

    fn is_abandoned(&self, now: Instant) -> bool {
        let has_gone = || {
            self.disconnected.is_cancelled() || self.reply.as_ref().is_some_and(oneshot::Sender::is_closed)
        };
        let is_late = || self.deadline.is_some_and(|deadline| deadline <= now);
        self.slot.get().is_none() && (has_gone() || is_late())
    }

    /// What has to be recorded in the store as rejected before the entry of this refused request leaves the
    /// journal. `None` if no client can have been told `pending`. A client that no longer waits may have been
    /// told so, and so may another client request with the same idempotency key.
    pub(crate) fn rejection_to_record(&self) -> Option<CommitRequest> {
        let may_have_answered_pending =
            self.has_idempotency_key || self.reply.as_ref().is_none_or(oneshot::Sender::is_closed);
        self.last.filter(|_| may_have_answered_pending)
    }

    /// Whether it comes from the journal and not from a client.
    pub(crate) fn is_recovered(&self) -> bool {
        self.reply.is_none()
    }
}

/// A booking request for which the ledger has taken the seats.
pub(crate) struct Admitted {
    pub(crate) booking: BookingRequest,
    pub(crate) admission: Admission,
    pub(crate) epoch: Epoch,
}

impl Admitted {
    pub(crate) fn new(mut booking: BookingRequest, admission: Admission, epoch: Epoch) -> Self {
        let entry = JournalEntry { request: booking.request, admission, epoch };
        booking.last = Some(to_commit_request(booking.event, entry));
        booking.slot.set(admission);
        Self { booking, admission, epoch }
    }

    /// Makes a request from a journal entry for which no client waits.
    pub(crate) fn recovered(event: EventId, entry: JournalEntry) -> Self {
        let booking = BookingRequest {
            event,
            request: entry.request,
            has_idempotency_key: true,
            epoch_min: entry.epoch,
            deadline: None,
            disconnected: CancellationToken::new(),
            slot: AdmissionSlot::default(),
            last: None,
            reply: None,
        };
        Self::new(booking, entry.admission, entry.epoch)
    }

    pub(crate) fn to_commit_request(&self) -> CommitRequest {
        let Self { booking, admission, epoch } = self;
        to_commit_request(
            booking.event,
            JournalEntry { request: booking.request, admission: *admission, epoch: *epoch },
        )
    }
}

/// Whether `record` is the booking that was requested: the same id, user, event, ticket type and quantity.
pub(crate) fn is_same_booking(record: &ReservationRecord, event: EventId, request: &AdmitRequest) -> bool {
    let AdmitRequest { id, user, ticket_type, quantity, .. } = *request;
    (record.id, record.user, record.event) == (id, user, event)
        && (record.ticket_type, record.quantity) == (ticket_type, quantity)
}

/// The commit request for an entry of the event's journal.
pub(crate) fn to_commit_request(event: EventId, entry: JournalEntry) -> CommitRequest {
    let JournalEntry { request: AdmitRequest { id, user, ticket_type, quantity, .. }, admission, epoch } =
        entry;
    CommitRequest {
        id,
        user,
        event,
        ticket_type,
        quantity,
        unit_price: admission.unit_price,
        epoch,
        created_at: admission.admitted_at,
    }
}
