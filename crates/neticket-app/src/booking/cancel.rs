//! Cancels: the store first, in batches of one event; then the seats go back to the ledger; then the outbox row goes.
//!
//! A cancel names a reservation only, but rows are locked by event. So the events of reservations are read
//! first, in batches, by primary key and without locks. A cancel of another person's reservation ends there.
//!
//! A deadline ends only the waiting of its request and never interrupts a call to the store, which would cost
//! the connection. A cancel whose request has stopped waiting is left out of the next batch.

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

/// How many batches of cancels may be looked up at once.
const LOOKUPS_MAX: usize = 2;

/// The third stage and its queues.
pub(crate) struct CancelDesk {
    lookups: Batcher<(), CancelWish>,
    queue: Arc<Batcher<EventId, CancelWish>>,
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
        let queue = Arc::new(Batcher::start(limits, move |event, batch| {
            let parts = Parts {
                store: of_batches.clone(),
                ledger: Arc::clone(&ledger),
                clock: Arc::clone(&clock),
                metrics: Arc::clone(&metrics),
                turns: Arc::clone(&turns),
                after: tracker.clone(),
            };
            cancel(event, still_wanted(batch), parts)
        }));
        let lookup_limits =
            BatchLimits { in_flight_max: LOOKUPS_MAX, in_flight_shared: LOOKUPS_MAX, lanes_max: 1, ..limits };
        let next = Arc::clone(&queue);
        let lookups = Batcher::start(lookup_limits, move |(), batch| {
            let (store, next) = (store.clone(), Arc::clone(&next));
            async move { look_up(&store, &next, still_wanted(batch)).await }
        });
        Self { lookups, queue, after, deadline: Duration::from_millis(config.ack_deadline_ms) }
    }

    /// Cancels `user`'s reservation. Cancelling a cancelled one answers the same again.
    ///
    /// # Errors
    /// `NotFound`, also for somebody else's; `NotCancellable` once the show has started; `StoreUnavailable` and
    /// `Overloaded`: repeat it.
    pub(crate) async fn cancel(&self, user: UserId, id: ReservationId) -> Outcome {
        let (reply, answer) = oneshot::channel();
        let wish = CancelWish { request: CancelRequest { id, user }, reply };
        self.lookups.try_push((), wish).map_err(|QueueFull(_)| AppError::Overloaded)?;
        match tokio::time::timeout(self.deadline, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(AppError::Internal("a cancel was dropped on its way".to_owned())),
            Err(_) => Err(AppError::StoreUnavailable(None)),
        }
    }

    /// How many cancels wait for the store.
    pub(crate) fn queue_len(&self) -> usize {
        self.lookups.len() + self.queue.len()
    }

    /// Finishes what has been taken on, and takes no more.
    pub(crate) async fn drain(&self) {
        self.lookups.drain().await;
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

/// Leaves out cancels whose request has stopped waiting.
fn still_wanted(mut batch: Vec<CancelWish>) -> Vec<CancelWish> {
    batch.retain(|wish| !wish.reply.is_closed());
    batch
}

/// Finds the events of these reservations and hands the cancels on.
async fn look_up(store: &Store, queue: &Batcher<EventId, CancelWish>, batch: Vec<CancelWish>) {
    if batch.is_empty() {
        return;
    }
    let ids: Vec<ReservationId> = batch.iter().map(|wish| wish.request.id).collect();
    let events: BTreeMap<ReservationId, (UserId, EventId)> = match store.reservations(&ids).await {
        Ok(found) => found.into_iter().map(|record| (record.id, (record.user, record.event))).collect(),
        Err(error) => {
            tracing::warn!(%error, cancels = batch.len(), "the store did not look up a batch of cancels");
            for wish in batch {
                let _ = wish.reply.send(Err(AppError::StoreUnavailable(None)));
            }
            return;
        }
    };
    for wish in batch {
        let CancelRequest { id, user } = wish.request;
        let Some((_, event)) = events.get(&id).filter(|(owner, _)| *owner == user) else {
            let _ = wish.reply.send(Err(AppError::NotFound));
            continue;
        };
        if let Err(QueueFull(wish)) = queue.try_push(*event, wish) {
            let _ = wish.reply.send(Err(AppError::Overloaded));
        }
    }
}

async fn cancel(event: EventId, batch: Vec<CancelWish>, parts: Parts) {
    if batch.is_empty() {
        return;
    }
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
