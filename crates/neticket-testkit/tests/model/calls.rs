//! The calls of a node to the backends. A call may be lost, delayed, or arrive twice.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use neticket_testkit::domain::{Epoch, EventId, ReservationId, SaleWindow, Timestamp};
use neticket_testkit::ledger::{
    AdmitAnswer, AdmitRequest, Ledger, LedgerSnapshot, LoadAnswer, LoadToken, Release, SnapshotReservation,
    SnapshotTicketType,
};
use neticket_testkit::store::{
    AuditOrigin, CancelOutcome, CancelRequest, CommitOutcome, CommitRequest, EditOutcome, EpochRaiseOutcome,
    EventEdit, LoadedEvent, PauseOutcome, Store,
};

use crate::history::{CallFate, Sale};

const ADMIN: AuditOrigin = AuditOrigin { actor: None, ip: String::new() };

/// The real backends.
#[derive(Clone)]
pub(crate) struct StoreAndLedger {
    pub(crate) store: Store,
    pub(crate) ledger: Arc<dyn Ledger>,
}

/// A call that changes something.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Admit { epoch_min: Epoch, requests: Vec<AdmitRequest> },
    Settle { epoch: Epoch, ids: Vec<ReservationId> },
    Release(Vec<Release>),
    Load(LoadToken, LedgerSnapshot),
    Evict(Epoch),
    Commit(Vec<CommitRequest>),
    Cancel(Vec<CancelRequest>),
    Reject(Vec<CommitRequest>),
    LoadEvent { current_epoch: Epoch },
    OutboxDone(Vec<ReservationId>),
    Edit(Box<EventEdit>, Vec<CommitRequest>),
    RaiseEpoch { current_epoch: Epoch },
    Pause(bool),
}

pub(crate) enum Answer {
    Admit(AdmitAnswer),
    Release(Option<Epoch>),
    Load(LoadAnswer),
    Commit(Vec<CommitOutcome>),
    Cancel(Vec<CancelOutcome>),
    Loaded(LoadedEvent),
    Edit(EditOutcome),
    EpochRaised(EpochRaiseOutcome),
    Pause(PauseOutcome),
    Done,
}

/// The caller does not know whether its call took effect.
#[derive(Debug)]
pub(crate) struct CallFailed;

impl StoreAndLedger {
    /// Applies a call to the backends.
    pub(crate) async fn apply(&self, event: EventId, call: &Call, now: Timestamp) -> Answer {
        let (store, ledger) = (&self.store, &self.ledger);
        match call {
            Call::Admit { epoch_min, requests } => {
                Answer::Admit(ledger.admit(event, *epoch_min, requests).await.unwrap())
            }
            Call::Settle { epoch, ids } => {
                ledger.settle(event, *epoch, ids).await.unwrap();
                Answer::Done
            }
            Call::Release(releases) => Answer::Release(ledger.release(event, releases).await.unwrap()),
            Call::Load(token, snapshot) => Answer::Load(ledger.load(*token, snapshot).await.unwrap()),
            Call::Evict(epoch) => {
                ledger.evict(event, *epoch).await.unwrap();
                Answer::Done
            }
            Call::Commit(requests) => Answer::Commit(store.commit(requests).await.unwrap()),
            Call::Cancel(requests) => Answer::Cancel(cancel(store, event, requests, now).await),
            Call::Reject(requests) => {
                store.reject(requests, now).await.unwrap();
                Answer::Done
            }
            Call::LoadEvent { current_epoch } => {
                Answer::Loaded(store.epoch_raise_and_load(event, *current_epoch).await.unwrap().unwrap())
            }
            Call::OutboxDone(ids) => {
                store.outbox_done(ids).await.unwrap();
                Answer::Done
            }
            Call::Edit(edit, journal) => {
                Answer::Edit(store.event_update(event, edit, journal, &ADMIN, || now).await.unwrap())
            }
            Call::RaiseEpoch { current_epoch } => {
                let entry = ADMIN.did("ledger_load", format!("event/{event}"), "", now);
                Answer::EpochRaised(store.epoch_raise(event, *current_epoch, None, &entry).await.unwrap())
            }
            Call::Pause(paused) => {
                // A pause begins by the ledger's clock, which also dates admissions.
                let now = ledger.now().await.unwrap();
                Answer::Pause(store.event_pause(event, *paused, &ADMIN, || now).await.unwrap())
            }
        }
    }
}

/// Cancels. A release that belongs to another event is marked as done at once.
async fn cancel(
    store: &Store,
    event: EventId,
    requests: &[CancelRequest],
    now: Timestamp,
) -> Vec<CancelOutcome> {
    let mut outcomes = store.cancel(requests, now).await.unwrap();
    for outcome in &mut outcomes {
        if let CancelOutcome::Cancelled { record, release } = outcome
            && release.event != event
        {
            store.outbox_done(&[release.id]).await.unwrap();
            *outcome = CancelOutcome::Already(record.clone());
        }
    }
    outcomes
}

impl Call {
    /// Whether the call may arrive twice although it was answered. An admission may not: a client that knows
    /// the outcome does not send the same request again.
    pub(crate) fn may_repeat(&self) -> bool {
        !matches!(self, Self::Admit { .. })
    }

    pub(crate) fn is_to_store(&self) -> bool {
        matches!(
            self,
            Self::Commit(_)
                | Self::Cancel(_)
                | Self::Reject(_)
                | Self::LoadEvent { .. }
                | Self::OutboxDone(_)
                | Self::Edit(..)
                | Self::RaiseEpoch { .. }
                | Self::Pause(_)
        )
    }

    pub(crate) fn admits(&self, id: ReservationId) -> bool {
        matches!(self, Self::Admit { requests, .. } if requests.iter().any(|request| request.id == id))
    }
}

/// A job waits here until the history decides the fate of its next call.
#[derive(Clone, Default)]
pub(crate) struct Gate {
    fate: Rc<Cell<Option<CallFate>>>,
    waiting: Rc<Cell<bool>>,
}

impl Gate {
    pub(crate) async fn pass(&self) -> CallFate {
        poll_fn(|_| {
            let fate = self.fate.take();
            self.waiting.set(fate.is_none());
            fate.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    pub(crate) fn open(&self, fate: CallFate) {
        self.waiting.set(false);
        self.fate.set(Some(fate));
    }

    pub(crate) fn is_waited_at(&self) -> bool {
        self.waiting.get()
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.fate, &other.fate)
    }
}

/// What an administrator has set.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) sale: Sale,
    pub(crate) max_per_user: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { sale: Sale::Open, max_per_user: u32::MAX }
    }
}

/// The snapshot of a load: what the store returned, changed by what was set since.
pub(crate) fn to_snapshot(
    loaded: &LoadedEvent,
    settings: Settings,
    refused: &[ReservationId],
) -> LedgerSnapshot {
    let sale = settings.sale;
    let never = Timestamp::from_millis(0);
    let window = match sale {
        Sale::Closed => SaleWindow { opens_at: never, closes_at: never },
        Sale::Open | Sale::Paused => loaded.window,
    };
    let ticket_type = |t: &neticket_testkit::store::LoadedTicketType| SnapshotTicketType {
        id: t.id,
        price: t.price,
        left: t.left,
    };
    let reservation = |r: &neticket_testkit::store::LoadedReservation| SnapshotReservation {
        id: r.id,
        user: r.user,
        held: r.held,
    };
    LedgerSnapshot {
        event: loaded.event,
        epoch: loaded.epoch,
        window,
        window_since: None,
        // The pause began long before any admission, so the load drops every entry of the journal.
        paused_at: if sale == Sale::Paused { Some(never) } else { loaded.paused_at },
        max_per_user: loaded.max_per_user.min(settings.max_per_user),
        ticket_types: loaded.ticket_types.iter().map(ticket_type).collect(),
        reservations: loaded.reservations.iter().map(reservation).collect(),
        refused: refused.to_vec(),
    }
}
