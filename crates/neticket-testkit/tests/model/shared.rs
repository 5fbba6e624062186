//! What the nodes of one history share: the backends, the delayed calls to them, and what users were told.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};

use neticket_testkit::domain::{Epoch, EventId, Timestamp};
use neticket_testkit::ledger::{Admission, AdmitRequest, LedgerSnapshot, LoadAnswer};
use neticket_testkit::store::{
    CommitOutcome, CommitRequest, EditOutcome, ReservationRecord, ReservationStatus,
};

use crate::calls::{Answer, Call, Settings, StoreAndLedger};
use crate::checks::Stored;
use crate::reference::{BookingAnswer, Reference};

/// A node's work in progress, call by call.
pub(crate) type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Which protocol is played: the product's, or one that is broken on purpose to check that the tests notice
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    Product,
    /// The journal loses a reservation before the store has it.
    SettleBeforeCommit,
    /// A release counts as done whatever the epoch of the ledger is.
    ReleaseInAnyEpoch,
    /// A load begins with an empty journal.
    LoadWithoutJournal,
    /// The user is told of a refusal, and the entry stays in the journal.
    RefuseWithoutLoad,
    /// Bookings whose epoch has passed are committed under the new one without a new admission.
    CommitUnderNextEpoch,
    /// A load announces its begin only when it already has its snapshot.
    BeginLoadLate,
    /// A refusal is told to the clients that wait, and is never recorded.
    RecordNoRejections,
    /// An id that the store has counts as committed, whatever booking it stands for there.
    SettleOtherBookings,
}

pub(crate) struct Shared {
    pub(crate) backends: StoreAndLedger,
    pub(crate) event: EventId,
    pub(crate) now: Timestamp,
    pub(crate) variant: Variant,
    pub(crate) settings: Cell<Settings>,
    pub(crate) reference: RefCell<Reference>,
    /// Calls that were delayed.
    pub(crate) delayed_calls: RefCell<Vec<Call>>,
    /// What each node has admitted and not yet begun to commit.
    pub(crate) commit_queues: RefCell<BTreeMap<u8, Vec<Admitted>>>,
    /// Work that a node's work has begun.
    pub(crate) begun: RefCell<Vec<(u8, Start)>>,
    pub(crate) waiting: RefCell<Vec<Weak<WaitingClient>>>,
    /// The highest epoch that was ever installed.
    newest: Cell<Epoch>,
    /// How many seats too many the next ledger gets.
    pub(crate) surplus_seats: Cell<u32>,
    /// The epochs of ledgers with wrong numbers of seats.
    pub(crate) wrong: RefCell<BTreeSet<Epoch>>,
    /// The epoch of the last change of a capacity. Ledgers of a lower epoch have other numbers of seats.
    pub(crate) edited: Cell<Epoch>,
    /// How often the ledger was lost or replaced by an old one.
    losses: Cell<u32>,
    /// The last inspection of the store; `None` if the store was called since.
    pub(crate) last_inspection: RefCell<Option<Rc<Stored>>>,
    /// Whether anything may have changed since the last inspection.
    pub(crate) changed: Cell<bool>,
    /// A fault that no inspection of the backends would show.
    pub(crate) fault: RefCell<Option<String>>,
}

/// Work that will begin on a node that is chosen later.
pub(crate) type Start = Box<dyn FnOnce(crate::protocol::Node) -> Work>;

impl Shared {
    pub(crate) fn new(backends: StoreAndLedger, event: EventId, now: Timestamp, variant: Variant) -> Self {
        Self {
            backends,
            event,
            now,
            variant,
            settings: Cell::default(),
            reference: RefCell::default(),
            delayed_calls: RefCell::default(),
            commit_queues: RefCell::default(),
            begun: RefCell::default(),
            waiting: RefCell::default(),
            newest: Cell::new(Epoch(0)),
            surplus_seats: Cell::default(),
            wrong: RefCell::default(),
            edited: Cell::new(Epoch(0)),
            losses: Cell::default(),
            last_inspection: RefCell::default(),
            changed: Cell::new(true),
            fault: RefCell::default(),
        }
    }

    /// Applies a call to the backends.
    pub(crate) async fn apply(&self, call: &Call) -> Answer {
        self.changed.set(true);
        if call.is_to_store() {
            self.last_inspection.take();
        }
        let answer = match call {
            Call::Load(_, snapshot) if self.variant == Variant::LoadWithoutJournal => {
                self.backends.ledger.drop_for_test(self.event).await.unwrap();
                let start = self.backends.ledger.begin_load(self.event).await.unwrap();
                let call = Call::Load(start.token, snapshot.clone());
                self.backends.apply(self.event, &call, self.now).await
            }
            call => self.backends.apply(self.event, call, self.now).await,
        };
        if let (Call::Load(_, snapshot), Answer::Load(LoadAnswer::Replaced { dropped })) = (call, &answer) {
            self.reference.borrow_mut().dropped(dropped.iter().map(|entry| entry.request.id));
            if self.newest.replace(snapshot.epoch) >= snapshot.epoch {
                self.fault(format!("a ledger of epoch {} came back", snapshot.epoch));
            }
        }
        if let Answer::Edit(EditOutcome::Edited { epoch: Some(epoch), .. }) = &answer {
            self.edited.set(*epoch);
        }
        answer
    }

    /// A user uses the id for another event, if the store does not have the id yet.
    pub(crate) async fn book_elsewhere(&self, request: CommitRequest, rejected: bool) {
        self.changed.set(true);
        self.last_inspection.take();
        let store = &self.backends.store;
        let is_booked = if rejected {
            store.reject(&[request], self.now).await.unwrap() == 1
        } else {
            store.commit(&[request]).await.unwrap() == [CommitOutcome::Confirmed]
        };
        if is_booked {
            self.reference.borrow_mut().book_elsewhere(request.id);
        }
    }

    pub(crate) fn set(&self, set: impl FnOnce(&mut Settings)) {
        let mut settings = self.settings.get();
        set(&mut settings);
        self.settings.set(settings);
    }

    /// Turns the snapshot into a wrong one if a step has asked for it.
    pub(crate) fn distort(&self, snapshot: &mut LedgerSnapshot) {
        let more = self.surplus_seats.take();
        if more > 0 {
            snapshot.ticket_types.iter_mut().for_each(|ticket_type| ticket_type.left += more);
            self.wrong.borrow_mut().insert(snapshot.epoch);
        }
    }

    pub(crate) fn fault(&self, what: String) {
        self.fault.borrow_mut().get_or_insert(what);
    }

    pub(crate) fn ledger_restarted(&self) {
        self.losses.update(|losses| losses + 1);
        self.changed.set(true);
    }
}

/// A client that waits for an answer.
pub(crate) struct WaitingClient {
    shared: Rc<Shared>,
    pub(crate) request: AdmitRequest,
    /// After how many losses of the ledger its seats were taken; `None` if they were not.
    admitted: Cell<Option<u32>>,
    has_answer: Cell<bool>,
}

impl WaitingClient {
    pub(crate) fn new(shared: &Rc<Shared>, request: AdmitRequest) -> Rc<Self> {
        shared.reference.borrow_mut().ask(request);
        let client = Rc::new(Self {
            shared: Rc::clone(shared),
            request,
            admitted: Cell::default(),
            has_answer: Cell::default(),
        });
        shared.waiting.borrow_mut().push(Rc::downgrade(&client));
        client
    }

    /// Gives the answer, unless there was one before. Returns whether it was heard.
    pub(crate) fn tell(&self, answer: BookingAnswer) -> bool {
        let heard = !self.has_answer.replace(true);
        if heard {
            let id = self.request.id;
            let may_come = self.shared.delayed_calls.borrow().iter().any(|call| call.admits(id));
            self.shared.reference.borrow_mut().tell(id, answer, may_come);
        }
        heard
    }

    /// Answers with what the store has.
    pub(crate) fn tell_record(&self, record: &ReservationRecord) {
        let AdmitRequest { user, ticket_type, quantity, .. } = self.request;
        let same = (record.user, record.ticket_type, record.quantity) == (user, ticket_type, quantity);
        self.tell(match record.status {
            _ if !same => BookingAnswer::OtherContent,
            ReservationStatus::Rejected => BookingAnswer::Refused,
            _ => BookingAnswer::Confirmed,
        });
    }

    /// The client has waited for the maximum time. A 202 rests on the journal, so it is not given if the
    /// journal was lost meanwhile.
    pub(crate) fn deadline(&self) {
        let in_journal = self.admitted.get() == Some(self.shared.losses.get());
        self.tell(if in_journal { BookingAnswer::Pending } else { BookingAnswer::Unknown });
    }
}

impl Drop for WaitingClient {
    fn drop(&mut self) {
        self.shared.reference.borrow_mut().end(self.request.id);
    }
}

/// A booking in progress.
pub(crate) struct BookingRequest {
    pub(crate) request: AdmitRequest,
    pub(crate) epoch_min: Epoch,
    /// The request with which it would be committed, once the ledger has taken the seats.
    pub(crate) last: Option<CommitRequest>,
    /// `None`: the booking comes from recovery.
    pub(crate) client: Option<Rc<WaitingClient>>,
}

impl BookingRequest {
    pub(crate) fn new(shared: &Rc<Shared>, request: AdmitRequest) -> Self {
        Self { request, epoch_min: Epoch(0), last: None, client: Some(WaitingClient::new(shared, request)) }
    }

    pub(crate) fn tell(&self, answer: BookingAnswer) {
        if let Some(client) = &self.client {
            client.tell(answer);
        }
    }

    /// Refuses for good. Returns what the store must record as rejected, if no client has heard the refusal.
    pub(crate) fn refuse(&self) -> Option<CommitRequest> {
        let heard = self.client.as_ref().is_some_and(|client| client.tell(BookingAnswer::Refused));
        self.last.filter(|_| !heard)
    }

    /// Refuses without saying that it is final. Returns what the store must record as rejected, if no client
    /// has heard the answer.
    pub(crate) fn refuse_for_now(&self) -> Option<CommitRequest> {
        let heard = self.client.as_ref().is_some_and(|client| client.tell(BookingAnswer::Unknown));
        self.last.filter(|_| !heard)
    }

    pub(crate) fn tell_record(&self, record: &ReservationRecord) {
        if let Some(client) = &self.client {
            client.tell_record(record);
        }
    }

    pub(crate) fn deadline(&self) {
        if let Some(client) = &self.client {
            client.deadline();
        }
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.client.as_ref().is_some_and(|client| client.has_answer.get() && client.admitted.get().is_none())
    }
}

/// A booking whose seats the ledger has taken.
pub(crate) struct Admitted {
    pub(crate) booking: BookingRequest,
    pub(crate) admission: Admission,
    pub(crate) epoch: Epoch,
}

impl Admitted {
    pub(crate) fn new(
        event: EventId,
        mut booking: BookingRequest,
        admission: Admission,
        epoch: Epoch,
    ) -> Self {
        booking.last = Some(to_commit_request(event, &booking.request, admission, epoch));
        if let Some(client) = &booking.client {
            client.admitted.set(Some(client.shared.losses.get()));
        }
        Self { booking, admission, epoch }
    }

    pub(crate) fn to_commit_request(&self, event: EventId) -> CommitRequest {
        to_commit_request(event, &self.booking.request, self.admission, self.epoch)
    }
}

pub(crate) fn to_commit_request(
    event: EventId,
    request: &AdmitRequest,
    admission: Admission,
    epoch: Epoch,
) -> CommitRequest {
    let AdmitRequest { id, user, ticket_type, quantity, .. } = *request;
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
