//! Cancels. The store is changed first, in batches of one event. Then the ledger gets the seats back, and
//! then the outbox row is deleted.
//!
//! A cancel names only a reservation, but the queues and the row locks are per event. The first step
//! therefore reads the events of the reservations, in batches, by primary key and without locks. A cancel of
//! another user's reservation is refused there.
//!
//! When the deadline of a cancel passes, its request gets an answer, but the call to the store goes on:
//! interrupting the call would cost its connection. Later batches leave out a cancel whose request no longer
//! waits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use neticket_domain::{EventId, ReservationId, UserId};
use neticket_ledger::{Ledger, Release};
use neticket_store::{CancelOutcome, CancelRequest, OutboxRecord, ReservationRecord, Store};
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use super::batcher::{BatchLimits, Batcher, QueueFull};
use super::connection_budget::ConnectionBudget;
use super::service::QUEUES_MAX;
use crate::clock::LedgerClock;
use crate::config::EngineConfig;
use crate::error::AppError;
use crate::metrics::Metrics;

type Outcome = Result<ReservationRecord, AppError>;

struct PendingCancel {
    request: CancelRequest,
    reply: oneshot::Sender<Outcome>,
}

/// Maximum number of batches of cancels whose events are read at once.
const LOOKUPS_MAX: usize = 2;

/// The stage for cancels, and its queues.
pub(crate) struct CancelService {
    lookups: Batcher<(), PendingCancel>,
    queue: Arc<Batcher<EventId, PendingCancel>>,
    releasing: TaskTracker,
    deadline: Duration,
}

impl CancelService {
    pub(crate) fn start(
        config: &EngineConfig,
        store: Store,
        ledger: Arc<dyn Ledger>,
        clock: Arc<LedgerClock>,
        metrics: Arc<Metrics>,
        budget: Arc<ConnectionBudget>,
    ) -> Self {
        let limits = BatchLimits {
            queue_len_max: config.queue_len_max,
            batch_len_max: config.batch_len_max,
            in_flight_max: 1,
            in_flight_shared: 1,
            queues_max: QUEUES_MAX,
        };
        let releasing = TaskTracker::new();
        let release_tasks = releasing.clone();
        let batch_store = store.clone();
        let queue = Arc::new(Batcher::start(limits, move |event, batch| {
            let context = CancelContext {
                store: batch_store.clone(),
                ledger: Arc::clone(&ledger),
                clock: Arc::clone(&clock),
                metrics: Arc::clone(&metrics),
                budget: Arc::clone(&budget),
                releasing: release_tasks.clone(),
            };
            cancel(event, drop_abandoned(batch), context)
        }));
        let lookup_limits = BatchLimits {
            in_flight_max: LOOKUPS_MAX,
            in_flight_shared: LOOKUPS_MAX,
            queues_max: 1,
            ..limits
        };
        let next = Arc::clone(&queue);
        let lookups = Batcher::start(lookup_limits, move |(), batch| {
            let (store, next) = (store.clone(), Arc::clone(&next));
            async move { look_up(&store, &next, drop_abandoned(batch)).await }
        });
        Self { lookups, queue, releasing, deadline: Duration::from_millis(config.ack_deadline_ms) }
    }

    /// Cancels a reservation of `user`. Idempotent: a second cancel gets the same answer.
    ///
    /// # Errors
    /// `NotFound`, also if the reservation belongs to another user. `NotCancellable` after the event has
    /// started, unless the event is cancelled. `StoreUnavailable` and `Overloaded`: the caller may retry.
    pub(crate) async fn cancel(&self, user: UserId, id: ReservationId) -> Outcome {
        let (reply, answer) = oneshot::channel();
        let pending = PendingCancel { request: CancelRequest { id, user }, reply };
        self.lookups.try_push((), pending).map_err(|QueueFull(_)| AppError::Overloaded)?;
        match tokio::time::timeout(self.deadline, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(AppError::Internal("a worker dropped a cancel without an answer".to_owned())),
            Err(_) => Err(AppError::StoreUnavailable(None)),
        }
    }

    /// Number of cancels that wait for the store.
    pub(crate) fn queue_len(&self) -> usize {
        self.lookups.len() + self.queue.len()
    }

    /// Finishes all accepted cancels, and accepts no more.
    pub(crate) async fn drain(&self) {
        self.lookups.drain().await;
        self.queue.drain().await;
        self.releasing.close();
        self.releasing.wait().await;
    }
}

/// What a batch of cancels needs.
struct CancelContext {
    store: Store,
    ledger: Arc<dyn Ledger>,
    clock: Arc<LedgerClock>,
    metrics: Arc<Metrics>,
    budget: Arc<ConnectionBudget>,
    releasing: TaskTracker,
}

/// Drops cancels whose request no longer waits.
fn drop_abandoned(mut batch: Vec<PendingCancel>) -> Vec<PendingCancel> {
    batch.retain(|pending| !pending.reply.is_closed());
    batch
}

/// Reads the events of these reservations, and queues each cancel for its event.
async fn look_up(store: &Store, queue: &Batcher<EventId, PendingCancel>, batch: Vec<PendingCancel>) {
    if batch.is_empty() {
        return;
    }
    let ids: Vec<ReservationId> = batch.iter().map(|pending| pending.request.id).collect();
    let events: BTreeMap<ReservationId, (UserId, EventId)> = match store.reservations(&ids).await {
        Ok(found) => found.into_iter().map(|record| (record.id, (record.user, record.event))).collect(),
        Err(error) => {
            tracing::warn!(%error, cancels = batch.len(), "the store failed to look up a batch of cancels");
            for pending in batch {
                let _ = pending.reply.send(Err(AppError::StoreUnavailable(None)));
            }
            return;
        }
    };
    for pending in batch {
        let CancelRequest { id, user } = pending.request;
        let Some((_, event)) = events.get(&id).filter(|(owner, _)| *owner == user) else {
            let _ = pending.reply.send(Err(AppError::NotFound));
            continue;
        };
        if let Err(QueueFull(pending)) = queue.try_push(*event, pending) {
            let _ = pending.reply.send(Err(AppError::Overloaded));
        }
    }
}

async fn cancel(event: EventId, batch: Vec<PendingCancel>, context: CancelContext) {
    if batch.is_empty() {
        return;
    }
    let CancelContext { store, ledger, clock, metrics, budget, releasing } = context;
    let requests: Vec<CancelRequest> = batch.iter().map(|pending| pending.request).collect();
    let permit = budget.cancel.acquire().await;
    let cancelled = metrics.cancel.timed(requests.len(), store.cancel(&requests, clock.now())).await;
    drop(permit);
    let outcomes = match cancelled {
        Ok(outcomes) => outcomes,
        Err(error) => {
            tracing::warn!(%event, %error, reservations = batch.len(), "the store failed to cancel a batch");
            for pending in batch {
                let _ = pending.reply.send(Err(AppError::StoreUnavailable(None)));
            }
            return;
        }
    };
    assert_eq!(batch.len(), outcomes.len(), "the store answers each request");
    let mut outbox = Vec::new();
    for (pending, outcome) in batch.into_iter().zip(outcomes) {
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
        let _ = pending.reply.send(answer);
    }
    releasing.spawn(async move {
        if let Some(error) = deliver(&store, &*ledger, &metrics, &outbox).await.failure {
            tracing::warn!(error = %error.with_cause(), releases = outbox.len(), "cannot release seats, the outbox task will retry");
        }
    });
}

/// The result of [`deliver`] for the outbox rows that remain. `behind`: the ledger is absent or of a lower
/// epoch than the cancel, and may still be replaced by a snapshot from before the cancel. `failure`: an
/// error, because of which further rows remain.
pub(crate) struct Delivery {
    pub(crate) behind: Vec<OutboxRecord>,
    pub(crate) failure: Option<AppError>,
}

/// Returns the seats of these outbox rows to the ledger, then deletes the rows. Idempotent.
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
