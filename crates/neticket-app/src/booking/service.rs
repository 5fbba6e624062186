//! The entry point of bookings: accepts a booking, queues it, and waits for its answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use neticket_domain::{Epoch, EventId};
use neticket_ledger::{Admission, AdmitRequest};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::admission::AdmissionStage;
use super::batcher::{BatchLimits, Batcher, QueueFull};
use super::commit::Committer;
use super::connection_budget::ConnectionBudget;
use super::request::{AdmissionSlot, Admitted, BookingOutcome, BookingRequest, ObservedAdmission};
use crate::config::{EngineConfig, VIEW_AGE_MAX_MS};
use crate::error::AppError;

/// Maximum number of events whose bookings wait at once on one node. The same limit applies to cancels.
/// Requests for further events are refused as `Overloaded`.
pub(super) const QUEUES_MAX: usize = 1_000;
/// Minimum age of a journal entry when its request is answered `pending`.
const PENDING_AGE_MIN: Duration = Duration::from_millis(VIEW_AGE_MAX_MS);

/// The two stages, with a queue per event in each stage.
pub(crate) struct BookingService {
    admission_queue: Batcher<EventId, BookingRequest>,
    commit_queue: Arc<Batcher<EventId, Admitted>>,
    committer: Arc<Committer>,
    budget: Arc<ConnectionBudget>,
    ack_deadline: Duration,
}

/// Number of full batches that may wait to be committed. The other requests of a rush wait before admission.
/// There they do not fill a journal, they are later admitted in longer batches, and a client that gives up
/// has taken no seats.
const COMMIT_QUEUE_BATCHES: usize = 4;

/// The answer to a booking.
#[derive(Debug)]
pub(crate) enum BookingAnswer {
    Decided(BookingOutcome),
    /// The ledger has taken the seats at this price, but the outcome in the store is not known yet. The
    /// commit stage or recovery will decide the booking.
    Pending(Admission),
}

/// A booking as the use case passes it on.
pub(crate) struct NewBooking {
    pub(crate) event: EventId,
    pub(crate) request: AdmitRequest,
    /// Whether the id is derived from an idempotency key.
    pub(crate) has_idempotency_key: bool,
    /// When the booking is answered at the latest. The answer may come later by the maximum age of a view
    /// ([`VIEW_AGE_MAX_MS`]).
    pub(crate) deadline: Instant,
    /// Cancelled when the client disconnects.
    pub(crate) disconnected: CancellationToken,
}

impl BookingService {
    pub(crate) fn start(
        config: &EngineConfig,
        admission: Arc<AdmissionStage>,
        committer: Arc<Committer>,
        budget: Arc<ConnectionBudget>,
    ) -> Self {
        let limits = |in_flight_max, in_flight_shared| BatchLimits {
            queue_len_max: config.queue_len_max,
            batch_len_max: config.batch_len_max,
            in_flight_max,
            in_flight_shared,
            queues_max: QUEUES_MAX,
        };
        let commit_stage = Arc::clone(&committer);
        let mut commits =
            limits(config.commit_batches_max, ConnectionBudget::commits_shared(config.store_connections_max));
        commits.queue_len_max = config.queue_len_max.min(COMMIT_QUEUE_BATCHES * config.batch_len_max);
        let commit_queue = Arc::new(Batcher::start(commits, move |event, batch| {
            let committer = Arc::clone(&commit_stage);
            async move { committer.commit(event, batch).await }
        }));
        let next = Arc::clone(&commit_queue);
        // Any number of calls can share the connection to the ledger.
        let admits = limits(config.admit_batches_max, usize::MAX);
        let admission_queue = Batcher::start(admits, move |event, bookings| {
            let (admission, next) = (Arc::clone(&admission), Arc::clone(&next));
            async move { enqueue_commit(&next, event, admission.admit(event, bookings).await).await }
        });
        let ack_deadline = Duration::from_millis(config.ack_deadline_ms);
        Self { admission_queue, commit_queue, committer, budget, ack_deadline }
    }

    /// Books. After the ledger has taken the seats, the booking goes on in the background even if the caller
    /// stops waiting. If the outcome is not known in time, the answer is `Pending`.
    ///
    /// # Errors
    /// The refusal, if no seats were taken. After `LedgerUnavailable`, `StoreUnavailable`, `Overloaded` and
    /// `Internal` it is not known whether seats were taken. The caller may repeat the call with the same id.
    pub(crate) async fn book(&self, new: NewBooking) -> Result<BookingAnswer, AppError> {
        let NewBooking { event, request, has_idempotency_key, deadline, disconnected } = new;
        let (reply, answer) = oneshot::channel();
        let slot = AdmissionSlot::default();
        let booking = BookingRequest {
            event,
            request,
            has_idempotency_key,
            epoch_min: Epoch(0),
            deadline: Some(deadline),
            disconnected,
            slot: slot.clone(),
            last: None,
            reply: Some(reply),
        };
        self.admission_queue.try_push(event, booking).map_err(|QueueFull(_)| AppError::Overloaded)?;
        match self.answer(event, answer, deadline, &slot).await {
            // The ledger has admitted this booking and recovery will decide it, so the answer is `Pending`
            // and not an error.
            Err(AppError::StoreUnavailable(_) | AppError::Overloaded | AppError::Internal(_))
                if let Some(observed) = slot.get() =>
            {
                tokio::time::sleep(PENDING_AGE_MIN.saturating_sub(observed.first_seen_at.elapsed())).await;
                Ok(BookingAnswer::Pending(observed.admission))
            }
            answer => answer,
        }
    }

    /// Waits for the answer of the stages. After the deadline, answers with what is known then.
    async fn answer(
        &self,
        event: EventId,
        mut answer: oneshot::Receiver<Result<BookingOutcome, AppError>>,
        deadline: Instant,
        slot: &AdmissionSlot,
    ) -> Result<BookingAnswer, AppError> {
        let mut in_time = tokio::time::timeout_at(deadline.into(), &mut answer).await;
        if in_time.is_err()
            && let Some(ObservedAdmission { mut admission, .. }) = slot.get()
        {
            // A read finds pending bookings by an inspection that may be this old. An entry whose client is
            // told `pending` must therefore be older.
            in_time = tokio::time::timeout(PENDING_AGE_MIN, &mut answer).await;
            if in_time.is_err() {
                // After `close()` no stage can answer. A stage that refuses this booking later must record
                // the rejection.
                answer.close();
                admission = slot.get().map_or(admission, |observed| observed.admission);
                return answer.try_recv().map_or(Ok(BookingAnswer::Pending(admission)), |outcome| {
                    outcome.map(BookingAnswer::Decided)
                });
            }
        }
        match in_time {
            Ok(Ok(outcome)) => outcome.map(BookingAnswer::Decided),
            Ok(Err(_)) => Err(AppError::Internal("a worker dropped a booking without an answer".to_owned())),
            Err(_) => {
                // After `close()` a stage that refuses this booking knows that the client has not received
                // the refusal.
                answer.close();
                match answer.try_recv() {
                    Ok(outcome) => outcome.map(BookingAnswer::Decided),
                    // Under load, batches take a fraction of the deadline. A call that has taken half of it
                    // means that the store does not answer.
                    Err(_) if self.budget.calls.is_stuck(event, self.ack_deadline / 2) => {
                        Err(AppError::StoreUnavailable(None))
                    }
                    Err(_) => Err(AppError::Overloaded),
                }
            }
        }
    }

    /// Number of requests that wait to be admitted, and number that wait to be committed.
    pub(crate) fn queue_lens(&self) -> (usize, usize) {
        (self.admission_queue.len(), self.commit_queue.len())
    }

    /// Finishes all accepted bookings, and accepts no more.
    pub(crate) async fn drain(&self) {
        self.admission_queue.drain().await;
        self.commit_queue.drain().await;
        self.committer.drain().await;
    }
}

/// Queues admitted bookings for the commit stage. Waits while the commit queue of this event is full. The
/// admission queue then fills up, and new requests of the event are refused at once.
async fn enqueue_commit(commit_queue: &Batcher<EventId, Admitted>, event: EventId, admitted: Vec<Admitted>) {
    if let Err(QueueFull(admitted)) = commit_queue.push_all(event, admitted).await {
        // Their entries stay in the journal, and recovery commits them.
        for admitted in admitted {
            admitted.booking.answer(Err(AppError::Overloaded));
        }
    }
}
