//! Where a booking comes in and its answer goes out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use neticket_domain::{Epoch, EventId};
use neticket_ledger::AdmitRequest;
use tokio::sync::oneshot;

use super::admission::Admission;
use super::commit::Committer;
use super::wish::{Admitted, Done, Wish};
use crate::batcher::{BatchLimits, Batcher, QueueFull};
use crate::config::EngineConfig;
use crate::error::AppError;

/// The two stages and their queues.
pub(crate) struct BookingDesk {
    admission_queue: Batcher<Wish>,
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
        let next = Arc::clone(&commit_queue);
        let admission_queue = Batcher::start(limits(config.admit_batches_max), move |wishes| {
            let (admission, next) = (Arc::clone(&admission), Arc::clone(&next));
            async move {
                for admitted in admission.admit(wishes).await {
                    // Waits while the store is behind, so that new wishes are refused at the door.
                    if let Err(QueueFull(admitted)) = next.push(admitted).await {
                        admitted.wish.answer(Err(AppError::Overloaded));
                    }
                }
            }
        });
        let ack_deadline = Duration::from_millis(config.ack_deadline_ms);
        Self { admission_queue, commit_queue, committer, ack_deadline }
    }

    /// Books. Goes on in the background if the caller goes away.
    ///
    /// # Errors
    /// Why nothing was taken; or, with `LedgerUnavailable`, `StoreUnavailable` and `Overloaded`, that this is not
    /// known yet: the call may be repeated with the same id.
    pub(crate) async fn book(&self, event: EventId, request: AdmitRequest) -> Result<Answer, AppError> {
        let (reply, answer) = oneshot::channel();
        let admitted = Arc::new(AtomicBool::new(false));
        let wish =
            Wish { event, request, epoch_min: Epoch(0), admitted: Arc::clone(&admitted), reply: Some(reply) };
        self.admission_queue.try_push(wish).map_err(|QueueFull(_)| AppError::Overloaded)?;
        match tokio::time::timeout(self.ack_deadline, answer).await {
            Ok(Ok(outcome)) => outcome.map(Answer::Done),
            Ok(Err(_)) => Err(AppError::Internal("a booking was dropped on its way".to_owned())),
            Err(_) if admitted.load(Ordering::Acquire) => Ok(Answer::Pending),
            Err(_) => Err(AppError::Overloaded),
        }
    }

    /// Finishes what has been taken on, and takes no more.
    pub(crate) async fn drain(&self) {
        self.admission_queue.drain().await;
        self.commit_queue.drain().await;
        self.committer.drain().await;
    }
}
