//! Where a booking comes in and its answer goes out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use neticket_domain::{Epoch, EventId};
use neticket_ledger::AdmitRequest;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::admission::Admission;
use super::commit::Committer;
use super::wish::{Admitted, Done, Taken, Taking, Wish};
use crate::batcher::{BatchLimits, Batcher, QueueFull};
use crate::config::{EngineConfig, VIEW_AGE_MAX_MS};
use crate::error::AppError;
use crate::turns::Turns;

/// Most events whose bookings, or cancels, wait at once on one node; those of more are refused as too many.
pub(super) const LANES_MAX: usize = 1_000;
/// How long an entry has been in the journal at least when its person is told `pending`.
const PENDING_AGE_MIN: Duration = Duration::from_millis(VIEW_AGE_MAX_MS);

/// The two stages and their queues, which are of each event its own.
pub(crate) struct BookingDesk {
    admission_queue: Batcher<EventId, Wish>,
    commit_queue: Arc<Batcher<EventId, Admitted>>,
    committer: Arc<Committer>,
    turns: Arc<Turns>,
    ack_deadline: Duration,
}

/// How many full batches may wait to be committed. The rest of a rush waits before the ledger, where it fills no journal, is
/// admitted in longer batches, and takes nothing for whoever gives up.
const COMMIT_QUEUE_BATCHES: usize = 4;

/// What can be said of a booking when its time is up.
#[derive(Debug)]
pub(crate) enum Answer {
    Done(Done),
    /// The seats are taken, at this price; the store has not answered yet. Recovery will see to it.
    Pending(neticket_ledger::Admission),
}

/// A booking as it comes in.
pub(crate) struct Incoming {
    pub(crate) event: EventId,
    pub(crate) request: AdmitRequest,
    /// Whether the id stands for an idempotency key.
    pub(crate) keyed: bool,
    /// When it is answered at the latest, give or take the age of views.
    pub(crate) deadline: Instant,
    /// Cancelled when the client has disconnected.
    pub(crate) disconnected: CancellationToken,
}

impl BookingDesk {
    pub(crate) fn start(
        config: &EngineConfig,
        admission: Arc<Admission>,
        committer: Arc<Committer>,
        turns: Arc<Turns>,
    ) -> Self {
        let limits = |in_flight_max, in_flight_shared| BatchLimits {
            queue_len_max: config.queue_len_max,
            batch_len_max: config.batch_len_max,
            in_flight_max,
            in_flight_shared,
            lanes_max: LANES_MAX,
        };
        let commit_stage = Arc::clone(&committer);
        let mut commits =
            limits(config.commit_batches_max, Turns::commits_shared(config.store_connections_max));
        commits.queue_len_max = config.queue_len_max.min(COMMIT_QUEUE_BATCHES * config.batch_len_max);
        let commit_queue = Arc::new(Batcher::start(commits, move |event, batch| {
            let committer = Arc::clone(&commit_stage);
            async move { committer.commit(event, batch).await }
        }));
        let next = Arc::clone(&commit_queue);
        // The ledger's connection is shared by any number of calls.
        let admits = limits(config.admit_batches_max, usize::MAX);
        let admission_queue = Batcher::start(admits, move |event, wishes| {
            let (admission, next) = (Arc::clone(&admission), Arc::clone(&next));
            async move { hand_on(&next, event, admission.admit(event, wishes).await).await }
        });
        let ack_deadline = Duration::from_millis(config.ack_deadline_ms);
        Self { admission_queue, commit_queue, committer, turns, ack_deadline }
    }

    /// Books. Once the ledger has taken the seats, it goes on in the background even if the caller goes away, and the answer
    /// is `Pending` at worst.
    ///
    /// # Errors
    /// Why nothing was taken; or, with `LedgerUnavailable`, `StoreUnavailable`, `Overloaded` and `Internal`, that this is
    /// not known: the call may be repeated with the same id.
    pub(crate) async fn book(&self, incoming: Incoming) -> Result<Answer, AppError> {
        let Incoming { event, request, keyed, deadline, disconnected } = incoming;
        let (reply, answer) = oneshot::channel();
        let taking = Taking::default();
        let wish = Wish {
            event,
            request,
            keyed,
            epoch_min: Epoch(0),
            deadline: Some(deadline),
            disconnected,
            taking: taking.clone(),
            last: None,
            reply: Some(reply),
        };
        self.admission_queue.try_push(event, wish).map_err(|QueueFull(_)| AppError::Overloaded)?;
        match self.answer(event, answer, deadline, &taking).await {
            // An error would say that the outcome is unknown, but recovery decides this entry.
            Err(AppError::StoreUnavailable(_) | AppError::Overloaded | AppError::Internal(_))
                if let Some(taken) = taking.get() =>
            {
                tokio::time::sleep(PENDING_AGE_MIN.saturating_sub(taken.since.elapsed())).await;
                Ok(Answer::Pending(taken.admission))
            }
            answer => answer,
        }
    }

    /// The answer of the stages, or what can be said when the time is up.
    async fn answer(
        &self,
        event: EventId,
        mut answer: oneshot::Receiver<Result<Done, AppError>>,
        deadline: Instant,
        taking: &Taking,
    ) -> Result<Answer, AppError> {
        let mut in_time = tokio::time::timeout_at(deadline.into(), &mut answer).await;
        if in_time.is_err()
            && let Some(Taken { mut admission, .. }) = taking.get()
        {
            // Whoever is told `pending` is looked for by views that may be this old: the entry must be older.
            in_time = tokio::time::timeout(PENDING_AGE_MIN, &mut answer).await;
            if in_time.is_err() {
                // After this no stage can answer. A stage that refuses this booking later records the rejection.
                answer.close();
                admission = taking.get().map_or(admission, |taken| taken.admission);
                return answer
                    .try_recv()
                    .map_or(Ok(Answer::Pending(admission)), |outcome| outcome.map(Answer::Done));
            }
        }
        match in_time {
            Ok(Ok(outcome)) => outcome.map(Answer::Done),
            Ok(Err(_)) => Err(AppError::Internal("a booking was dropped on its way".to_owned())),
            Err(_) => {
                // After this a stage that refuses it knows that nobody has heard so.
                answer.close();
                match answer.try_recv() {
                    Ok(outcome) => outcome.map(Answer::Done),
                    // A call that has taken half of the time is no sign of a rush: batches take a fraction of
                    // it.
                    Err(_) if self.turns.calls.is_stuck(event, self.ack_deadline / 2) => {
                        Err(AppError::StoreUnavailable(None))
                    }
                    Err(_) => Err(AppError::Overloaded),
                }
            }
        }
    }

    /// How many wishes wait to be admitted, and how many to be committed.
    pub(crate) fn queue_lens(&self) -> (usize, usize) {
        (self.admission_queue.len(), self.commit_queue.len())
    }

    /// Finishes what has been taken on, and takes no more.
    pub(crate) async fn drain(&self) {
        self.admission_queue.drain().await;
        self.commit_queue.drain().await;
        self.committer.drain().await;
    }
}

/// Waits while the store is behind with this event, so that new wishes are refused at the door.
async fn hand_on(commit_queue: &Batcher<EventId, Admitted>, event: EventId, admitted: Vec<Admitted>) {
    if let Err(QueueFull(admitted)) = commit_queue.push_all(event, admitted).await {
        // They stay in the journal: recovery sees to them.
        for admitted in admitted {
            admitted.wish.answer(Err(AppError::Overloaded));
        }
    }
}
