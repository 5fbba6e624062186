//! Where a booking comes in and its answer goes out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use neticket_domain::{Epoch, EventId};
use neticket_ledger::AdmitRequest;
use tokio::sync::{Semaphore, oneshot};
use tokio_util::task::TaskTracker;

use super::admission::{Admission, Offered, answer_all};
use super::commit::Committer;
use super::wish::{Admitted, Done, Wish};
use crate::batcher::{BatchLimits, Batcher, QueueFull};
use crate::config::{EngineConfig, VIEW_AGE_MAX_MS};
use crate::error::AppError;

/// How long an entry has been in the journal at least when its person is told `pending`.
const PENDING_AGE_MIN: Duration = Duration::from_millis(VIEW_AGE_MAX_MS);

/// The two stages and their queues.
pub(crate) struct BookingDesk {
    admission_queue: Batcher<Wish>,
    lobby: Arc<Lobby>,
    commit_queue: Arc<Batcher<Admitted>>,
    committer: Arc<Committer>,
    ack_deadline: Duration,
}

/// What can be said of a booking when its time is up.
#[derive(Debug)]
pub(crate) enum Answer {
    Done(Done),
    /// The seats are taken; the store has not answered yet. Recovery will see to it.
    Pending,
}

/// Takes wishes from the ledger to the commit queue. Those whose ledger is loading wait apart, so that one event's
/// trouble does not stop the others.
struct Lobby {
    admission: Arc<Admission>,
    commit_queue: Arc<Batcher<Admitted>>,
    /// Places for wishes that wait for a load.
    places: Arc<Semaphore>,
    loading: TaskTracker,
}

impl BookingDesk {
    pub(crate) fn start(config: &EngineConfig, admission: Arc<Admission>, committer: Arc<Committer>) -> Self {
        let limits = |in_flight_max| BatchLimits {
            queue_len_max: config.queue_len_max,
            batch_len_max: config.batch_len_max,
            in_flight_max,
        };
        let commit_stage = Arc::clone(&committer);
        let commit_queue = Arc::new(Batcher::start(limits(config.commit_batches_max), move |batch| {
            let committer = Arc::clone(&commit_stage);
            async move { committer.commit(batch).await }
        }));
        let lobby = Arc::new(Lobby {
            admission,
            commit_queue: Arc::clone(&commit_queue),
            places: Arc::new(Semaphore::new(config.queue_len_max)),
            loading: TaskTracker::new(),
        });
        let admission_stage = Arc::clone(&lobby);
        let admission_queue = Batcher::start(limits(config.admit_batches_max), move |wishes| {
            let lobby = Arc::clone(&admission_stage);
            async move { lobby.admit(wishes).await }
        });
        let ack_deadline = Duration::from_millis(config.ack_deadline_ms);
        Self { admission_queue, lobby, commit_queue, committer, ack_deadline }
    }

    /// Books. Once the ledger has taken the seats, it goes on in the background even if the caller goes away.
    ///
    /// # Errors
    /// Why nothing was taken; or, with `LedgerUnavailable`, `StoreUnavailable`, `Overloaded` and `Internal`, that this is
    /// not known: the call may be repeated with the same id.
    pub(crate) async fn book(
        &self,
        event: EventId,
        request: AdmitRequest,
        keyed: bool,
    ) -> Result<Answer, AppError> {
        let (reply, mut answer) = oneshot::channel();
        let admitted = Arc::new(AtomicBool::new(false));
        let wish = Wish {
            event,
            request,
            keyed,
            epoch_min: Epoch(0),
            admitted: Arc::clone(&admitted),
            last: None,
            reply: Some(reply),
        };
        self.admission_queue.try_push(wish).map_err(|QueueFull(_)| AppError::Overloaded)?;
        let mut in_time = tokio::time::timeout(self.ack_deadline, &mut answer).await;
        if in_time.is_err() && admitted.load(Ordering::Acquire) {
            // Whoever is told `pending` is looked for by views that may be this old: the entry must be older.
            in_time = tokio::time::timeout(PENDING_AGE_MIN, &mut answer).await;
            if in_time.is_err() {
                // From here on nobody can answer any more, and whoever refuses it notes that.
                answer.close();
                return answer.try_recv().map_or(Ok(Answer::Pending), |outcome| outcome.map(Answer::Done));
            }
        }
        match in_time {
            Ok(Ok(outcome)) => outcome.map(Answer::Done),
            Ok(Err(_)) => Err(AppError::Internal("a booking was dropped on its way".to_owned())),
            Err(_) => Err(AppError::Overloaded),
        }
    }

    /// How many wishes wait to be admitted, and how many to be committed.
    pub(crate) fn queue_lens(&self) -> (usize, usize) {
        (self.admission_queue.len(), self.commit_queue.len())
    }

    /// Finishes what has been taken on, and takes no more.
    pub(crate) async fn drain(&self) {
        self.admission_queue.drain().await;
        self.lobby.loading.close();
        self.lobby.loading.wait().await;
        self.commit_queue.drain().await;
        self.committer.drain().await;
    }
}

impl Lobby {
    async fn admit(self: &Arc<Self>, wishes: Vec<Wish>) {
        // Each event goes on by itself, and all of them at once.
        let events = Admission::by_event(wishes).into_iter().map(|(event, wishes)| async move {
            match self.admission.offer(event, wishes).await {
                Offered::Admitted(admitted) => self.hand_on(admitted).await,
                Offered::Unloaded(wishes) => self.wait_apart(event, wishes),
            }
        });
        join_all(events).await;
    }

    fn wait_apart(self: &Arc<Self>, event: EventId, wishes: Vec<Wish>) {
        let wanted = u32::try_from(wishes.len()).unwrap_or(u32::MAX);
        let Ok(places) = Arc::clone(&self.places).try_acquire_many_owned(wanted) else {
            return answer_all(wishes, &AppError::Overloaded);
        };
        let lobby = Arc::clone(self);
        self.loading.spawn(async move {
            let admitted = lobby.admission.load_and_offer(event, wishes).await;
            drop(places);
            lobby.hand_on(admitted).await;
        });
    }

    /// Waits while the store is behind, so that new wishes are refused at the door.
    async fn hand_on(&self, admitted: Vec<Admitted>) {
        for admitted in admitted {
            if let Err(QueueFull(admitted)) = self.commit_queue.push(admitted).await {
                admitted.wish.answer(Err(AppError::Overloaded));
            }
        }
    }
}
