//! Cancels: the store first, in batches of one event; then the seats go back to the ledger; then the outbox row goes.
//!
//! A cancel names a reservation only, and rows are locked by event: so which event it is of is read before it queues, by one
//! look at the primary key that waits for no lock. Whoever cancels what is not theirs costs nothing more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use neticket_domain::{EventId, ReservationId, UserId};
use neticket_ledger::{Ledger, Release};
use neticket_store::{CancelOutcome, CancelRequest, OutboxRecord, ReservationRecord, Store};
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use super::desk::LANES_MAX;
use crate::batcher::{BatchLimits, Batcher, QueueFull};
use crate::clock::LedgerClock;
use crate::config::EngineConfig;
use crate::error::AppError;
use crate::metrics::Metrics;
use crate::turns::Turns;

type Outcome = Result<ReservationRecord, AppError>;

struct CancelWish {
    request: CancelRequest,
    reply: oneshot::Sender<Outcome>,
}

/// The third stage and its queue.
pub(crate) struct CancelDesk {
    queue: Batcher<EventId, CancelWish>,
    store: Store,
    after: TaskTracker,
    deadline: Duration,
}

impl CancelDesk {
    pub(crate) fn start(
        config: &EngineConfig,
        store: Store,
        ledger: Arc<dyn Ledger>,
        clock: Arc<LedgerClock>,
        metrics: Arc<Metrics>,
        turns: Arc<Turns>,
    ) -> Self {
        let limits = BatchLimits {
            queue_len_max: config.queue_len_max,
            batch_len_max: config.batch_len_max,
            in_flight_max: 1,
            in_flight_shared: 1,
            lanes_max: LANES_MAX,
        };
        let after = TaskTracker::new();
        let tracker = after.clone();
        let of_batches = store.clone();
        let queue = Batcher::start(limits, move |event, batch| {
            let parts = Parts {
                store: of_batches.clone(),
                ledger: Arc::clone(&ledger),
                clock: Arc::clone(&clock),
                metrics: Arc::clone(&metrics),
                turns: Arc::clone(&turns),
                after: tracker.clone(),
            };
            cancel(event, batch, parts)
        });
        Self { queue, store, after, deadline: Duration::from_millis(config.ack_deadline_ms) }
    }

    /// Cancels `user`'s reservation. Cancelling a cancelled one answers the same again.
    ///
    /// # Errors
    /// `NotFound`, also for somebody else's; `NotCancellable` once the show has started; `StoreUnavailable` and
    /// `Overloaded`: repeat it.
    pub(crate) async fn cancel(&self, user: UserId, id: ReservationId) -> Outcome {
        let cancelled = tokio::time::timeout(self.deadline, self.cancel_whenever(user, id)).await;
        cancelled.unwrap_or(Err(AppError::StoreUnavailable(None)))
    }

    async fn cancel_whenever(&self, user: UserId, id: ReservationId) -> Outcome {
        let record = self.store.reservation(id).await?;
        let event = record.filter(|record| record.user == user).ok_or(AppError::NotFound)?.event;
        let (reply, answer) = oneshot::channel();
        let wish = CancelWish { request: CancelRequest { id, user }, reply };
        self.queue.try_push(event, wish).map_err(|QueueFull(_)| AppError::Overloaded)?;
        answer.await.map_err(|_| AppError::Internal("a cancel was dropped on its way".to_owned()))?
    }

    /// How many cancels wait for the store.
    pub(crate) fn queue_len(&self) -> usize {
        self.queue.len()
    }

    /// Finishes what has been taken on, and takes no more.
    pub(crate) async fn drain(&self) {
        self.queue.drain().await;
        self.after.close();
        self.after.wait().await;
    }
}

/// What a batch of cancels works with.
struct Parts {
    store: Store,
    ledger: Arc<dyn Ledger>,
    clock: Arc<LedgerClock>,
    metrics: Arc<Metrics>,
    turns: Arc<Turns>,
    after: TaskTracker,
}

async fn cancel(event: EventId, batch: Vec<CancelWish>, parts: Parts) {
    let Parts { store, ledger, clock, metrics, turns, after } = parts;
    let requests: Vec<CancelRequest> = batch.iter().map(|wish| wish.request).collect();
    let turn = turns.cancel.acquire().await;
    let cancelled = metrics.cancel.timed(requests.len(), store.cancel(&requests, clock.now())).await;
    drop(turn);
    let outcomes = match cancelled {
        Ok(outcomes) => outcomes,
        Err(error) => {
            tracing::warn!(%event, %error, reservations = batch.len(), "the store did not cancel a batch");
            for wish in batch {
                let _ = wish.reply.send(Err(AppError::StoreUnavailable(None)));
            }
            return;
        }
    };
    assert_eq!(batch.len(), outcomes.len(), "the store answers each request");
    let mut outbox = Vec::new();
    for (wish, outcome) in batch.into_iter().zip(outcomes) {
        let answer = match outcome {
            CancelOutcome::Cancelled { record, release } => {
                outbox.push(release);
                Ok(record)
            }
            CancelOutcome::Already(record) => Ok(record),
            CancelOutcome::Started(record) => {
                Err(AppError::NotCancellable { starts_at: record.event_starts_at })
            }
            CancelOutcome::Rejected(_) | CancelOutcome::NotFound => Err(AppError::NotFound),
        };
        let _ = wish.reply.send(answer);
    }
    after.spawn(async move {
        if let Some(error) = deliver(&store, &*ledger, &metrics, &outbox).await.failure {
            tracing::warn!(error = %error.with_cause(), releases = outbox.len(), "left to the outbox: releasing failed");
        }
    });
}

/// What became of outbox rows: those that stay because a ledger older than their cancel may still be replaced by one that
/// does not know it, and what went wrong with others, which stay too.
pub(crate) struct Delivery {
    pub(crate) behind: Vec<OutboxRecord>,
    pub(crate) failure: Option<AppError>,
}

/// Gives the seats of these outbox rows back to the ledger, then removes the rows. Repeating it changes nothing.
pub(crate) async fn deliver(
    store: &Store,
    ledger: &dyn Ledger,
    metrics: &Metrics,
    outbox: &[OutboxRecord],
) -> Delivery {
    let mut by_event: BTreeMap<EventId, Vec<OutboxRecord>> = BTreeMap::new();
    for row in outbox {
        by_event.entry(row.event).or_default().push(*row);
    }
    let mut delivery = Delivery { behind: Vec::new(), failure: None };
    for (event, rows) in by_event {
        let releases: Vec<Release> = rows.iter().map(to_release).collect();
        let answer = metrics.release.timed(releases.len(), ledger.release(event, &releases)).await;
        let outcome = match answer {
            Ok(epoch) => {
                let (done, behind): (Vec<_>, Vec<_>) =
                    rows.into_iter().partition(|row| epoch >= Some(row.epoch));
                delivery.behind.extend(behind);
                store
                    .outbox_done(&done.iter().map(|row| row.id).collect::<Vec<_>>())
                    .await
                    .map_err(AppError::from)
            }
            Err(error) => Err(error.into()),
        };
        if let Err(error) = outcome {
            delivery.failure = Some(error);
        }
    }
    delivery
}

fn to_release(row: &OutboxRecord) -> Release {
    Release {
        id: row.id,
        user: row.user,
        ticket_type: row.ticket_type,
        quantity: row.quantity,
        epoch: row.epoch,
    }
}
