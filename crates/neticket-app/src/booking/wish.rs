//! What travels through the stages.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use neticket_domain::{Epoch, EventId, Timestamp};
use neticket_ledger::{Admission, AdmitRequest, JournalEntry};
use neticket_store::{CommitRequest, ReservationRecord};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::error::AppError;

/// How a booking ended well.
#[derive(Debug)]
pub(crate) enum Done {
    /// It is in the store, put there on behalf of this request, or (`repeated`) of an earlier one with the same key.
    Confirmed { unit_price: u64, created_at: Timestamp, repeated: bool },
    /// It was in the store before, maybe with other content, cancelled or rejected.
    Existing(Box<ReservationRecord>),
}

/// What the ledger has last taken the seats for, once it has taken them. Whoever asked sees it too.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taking(Arc<Mutex<Option<Taken>>>);

/// An admission that this node has seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) admission: Admission,
    /// When this node first learned that the journal has the entry.
    pub(crate) since: Instant,
}

impl Taking {
    pub(crate) fn get(&self) -> Option<Taken> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets it: the journal does not have the entry any more.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn set(&self, admission: Admission) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = taken.map_or_else(Instant::now, |before| before.since);
        *taken = Some(Taken { admission, since });
    }
}

/// A booking on its way, and the way back to who asked.
pub(crate) struct Wish {
    pub(crate) event: EventId,
    pub(crate) request: AdmitRequest,
    /// Whether its id stands for a key, which may have been used before.
    pub(crate) keyed: bool,
    /// The lowest epoch that may admit it.
    pub(crate) epoch_min: Epoch,
    /// When who asked is told to try again, unless something was taken by then; `None` for recovery.
    pub(crate) deadline: Option<Instant>,
    /// Cancelled when the client has disconnected.
    pub(crate) disconnected: CancellationToken,
    pub(crate) taking: Taking,
    /// As what it would be committed, once the ledger has taken the seats: under the last epoch that did.
    pub(crate) last: Option<CommitRequest>,
    /// `None`: nobody waits (recovery).
    pub(crate) reply: Option<oneshot::Sender<Result<Done, AppError>>>,
}

impl Wish {
    /// Answers whoever still waits.
    pub(crate) fn answer(self, outcome: Result<Done, AppError>) {
        if let Some(reply) = self.reply {
            let _ = reply.send(outcome);
        }
    }

    /// Tells whoever still waits that it is refused for good. Answers what the store has to note: somebody who waits no
    /// longer may have been told that it is pending.
    pub(crate) fn refuse(self, refusal: AppError) -> Option<CommitRequest> {
        let last = self.last;
        let heard = self.reply.is_some_and(|reply| reply.send(Err(refusal)).is_ok());
        if heard { None } else { last }
    }

    /// Those for which the ledger is still to be asked. Nothing has been taken for the others: the client has disconnected;
    /// or has been told to try again, or will be as soon as this node, which stood still, comes to it.
    pub(crate) fn still_wanted(wishes: Vec<Self>) -> Vec<Self> {
        let now = Instant::now();
        let (over, wanted): (Vec<Self>, Vec<Self>) = wishes.into_iter().partition(|wish| wish.is_over(now));
        for wish in over {
            wish.answer(Err(AppError::Overloaded));
        }
        wanted
    }

    fn is_over(&self, now: Instant) -> bool {
        let has_gone = || {
            self.disconnected.is_cancelled() || self.reply.as_ref().is_some_and(oneshot::Sender::is_closed)
        };
        let is_late = || self.deadline.is_some_and(|deadline| deadline <= now);
        self.taking.get().is_none() && (has_gone() || is_late())
    }

    /// What the store has to note before this wish leaves the journal refused; `None` if nobody can have been told that it
    /// was taken. Whoever waits no longer may have been told `pending`, and so may have whoever sent the same key.
    pub(crate) fn to_note(&self) -> Option<CommitRequest> {
        let somebody_was_told = self.keyed || self.reply.as_ref().is_none_or(oneshot::Sender::is_closed);
        self.last.filter(|_| somebody_was_told)
    }

    /// Whether it comes from the journal and not from a request.
    pub(crate) fn is_recovered(&self) -> bool {
        self.reply.is_none()
    }
}

/// A booking whose seats the ledger has taken.
pub(crate) struct Admitted {
    pub(crate) wish: Wish,
    pub(crate) admission: Admission,
    pub(crate) epoch: Epoch,
}

impl Admitted {
    pub(crate) fn new(mut wish: Wish, admission: Admission, epoch: Epoch) -> Self {
        let entry = JournalEntry { request: wish.request, admission, epoch };
        wish.last = Some(to_commit(wish.event, entry));
        wish.taking.set(admission);
        Self { wish, admission, epoch }
    }

    /// An entry of the journal that nobody waits for any more.
    pub(crate) fn recovered(event: EventId, entry: JournalEntry) -> Self {
        let wish = Wish {
            event,
            request: entry.request,
            keyed: true,
            epoch_min: entry.epoch,
            deadline: None,
            disconnected: CancellationToken::new(),
            taking: Taking::default(),
            last: None,
            reply: None,
        };
        Self::new(wish, entry.admission, entry.epoch)
    }

    pub(crate) fn to_commit(&self) -> CommitRequest {
        let Self { wish, admission, epoch } = self;
        to_commit(wish.event, JournalEntry { request: wish.request, admission: *admission, epoch: *epoch })
    }
}

/// Whether the store has, under this id, the very booking that was asked for.
pub(crate) fn is_same_booking(record: &ReservationRecord, event: EventId, request: &AdmitRequest) -> bool {
    let AdmitRequest { id, user, ticket_type, quantity, .. } = *request;
    (record.id, record.user, record.event) == (id, user, event)
        && (record.ticket_type, record.quantity) == (ticket_type, quantity)
}

/// What the store is asked for an entry of the event's journal.
pub(crate) fn to_commit(event: EventId, entry: JournalEntry) -> CommitRequest {
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
