//! The second stage: one transaction per batch, then the journal is settled. Recovery uses this stage too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use neticket_domain::{Epoch, EventId, ReservationId};
use neticket_ledger::{JournalEntry, Ledger, Release};
use neticket_store::{CommitOutcome, CommitRequest, ReservationRecord, ReservationStatus, Store};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::admission::AdmissionStage;
use super::connection_budget::ConnectionBudget;
use super::request::{Admitted, BookingOutcome, BookingRequest, is_same_booking};
use crate::error::AppError;
use crate::metrics::Metrics;

/// How often a batch is committed. Before each repetition, the requests with a stale epoch are admitted
/// again.
const ATTEMPTS_MAX: u32 = 5;
/// How often the ledger is asked to settle the same entries. With retries, one slow answer does not make a
/// node leave journal entries behind when it shuts down.
const SETTLE_ATTEMPTS_MAX: u32 = 3;
const SETTLE_PAUSE: Duration = Duration::from_millis(100);

/// Commits what the ledger has admitted.
pub(crate) struct Committer {
    store: Store,
    ledger: Arc<dyn Ledger>,
    admission: Arc<AdmissionStage>,
    metrics: Arc<Metrics>,
    budget: Arc<ConnectionBudget>,
    /// The settle tasks, which go on after the requests have been answered.
    settling: TaskTracker,
}

/// A request that the store refused, and why.
type Refused = (BookingRequest, AppError);

/// The requests of a batch, sorted by what the store decided.
#[derive(Default)]
struct Sorted {
    settled: BTreeMap<Epoch, Vec<ReservationId>>,
    /// The store refused them, although the ledger had taken their seats.
    refused: Vec<Refused>,
    /// The store has another booking, or a rejected one, under the same id. The seats that the ledger took
    /// for them have to be returned.
    conflicting: Vec<(Admitted, ReservationRecord)>,
    /// Admitted under an epoch that differs from the epoch of the store.
    stale: Vec<BookingRequest>,
}

impl Committer {
    pub(crate) fn new(
        store: Store,
        ledger: Arc<dyn Ledger>,
        admission: Arc<AdmissionStage>,
        metrics: Arc<Metrics>,
        budget: Arc<ConnectionBudget>,
    ) -> Self {
        Self { store, ledger, admission, metrics, budget, settling: TaskTracker::new() }
    }

    /// Commits a batch of one event and answers its requests. If the store does not answer, the entries stay
    /// in the journal.
    pub(crate) async fn commit(&self, event: EventId, batch: Vec<Admitted>) {
        self.commit_with_permit(event, batch, &self.budget.commit).await;
    }

    /// Commits entries that were left in the event's journal.
    pub(crate) async fn recover(&self, event: EventId, entries: &[JournalEntry]) {
        let batch = entries.iter().map(|entry| Admitted::recovered(event, *entry)).collect();
        self.commit_with_permit(event, batch, &self.budget.recovery).await;
    }

    async fn commit_with_permit(&self, event: EventId, mut batch: Vec<Admitted>, permits: &Semaphore) {
        for _ in 0..ATTEMPTS_MAX {
            if batch.is_empty() {
                return;
            }
            let requests: Vec<CommitRequest> = batch.iter().map(Admitted::to_commit_request).collect();
            let call = self.budget.calls.begin(event);
            let permit = permits.acquire().await;
            let committed = self.metrics.commit.timed(requests.len(), self.store.commit(&requests)).await;
            drop((permit, call));
            let outcomes = match committed {
                Ok(outcomes) => outcomes,
                Err(error) => {
                    tracing::warn!(%event, %error, reservations = batch.len(), "the store failed to commit a batch");
                    for admitted in batch {
                        admitted.booking.answer(Err(AppError::StoreUnavailable(None)));
                    }
                    return;
                }
            };
            let sorted = partition_by_outcome(batch, outcomes);
            self.settle(event, sorted.settled);
            if !sorted.conflicting.is_empty() {
                self.release_conflicting(event, sorted.conflicting).await;
            }
            if !sorted.refused.is_empty() {
                self.refuse(event, sorted.refused).await;
            }
            batch = self.admit_again(event, sorted.stale).await;
        }
        for admitted in batch {
            admitted.booking.answer(Err(AppError::Overloaded));
        }
    }

    /// Removes committed entries from the journal, in a background task for which no request waits. If all
    /// attempts fail, recovery settles the entries.
    fn settle(&self, event: EventId, settled: BTreeMap<Epoch, Vec<ReservationId>>) {
        for (epoch, ids) in settled {
            let (ledger, metrics) = (Arc::clone(&self.ledger), Arc::clone(&self.metrics));
            self.settling.spawn(async move {
                for attempt in 1..=SETTLE_ATTEMPTS_MAX {
                    let settle = ledger.settle(event, epoch, &ids);
                    let Err(error) = metrics.settle.timed(ids.len(), settle).await else { return };
                    if attempt == SETTLE_ATTEMPTS_MAX {
                        tracing::warn!(%event, %error, entries = ids.len(), "cannot settle journal entries, recovery will settle them");
                        return;
                    }
                    tokio::time::sleep(SETTLE_PAUSE).await;
                }
            });
        }
    }

    /// Releases the seats of entries under whose ids the store has another booking, or a rejected one. Then
    /// answers each request with the record of the store. This does not load the ledger, because any user can
    /// cause it by using an idempotency key again for another event. If the ledger does not answer, recovery
    /// finds the entries in the journal and calls this again.
    async fn release_conflicting(&self, event: EventId, conflicting: Vec<(Admitted, ReservationRecord)>) {
        let release = |Admitted { booking, epoch, .. }: &Admitted| Release {
            id: booking.request.id,
            user: booking.request.user,
            ticket_type: booking.request.ticket_type,
            quantity: booking.request.quantity,
            epoch: *epoch,
        };
        let releases: Vec<Release> = conflicting.iter().map(|(admitted, _)| release(admitted)).collect();
        let outcome = self.metrics.release.timed(releases.len(), self.ledger.release(event, &releases)).await;
        if let Err(error) = outcome {
            tracing::warn!(%event, %error, entries = releases.len(), "cannot release seats, recovery will release them");
        }
        for (Admitted { booking, .. }, record) in conflicting {
            booking.answer(Ok(BookingOutcome::Existing(Box::new(record))));
        }
    }

    /// Loads the ledger without the entries that the store refused, and answers their requests only after
    /// that. A refusal is final, so recovery must not find the entries any more. If a client may have been
    /// told that a booking is pending, the store records it as rejected before its entry leaves the journal.
    /// At every moment, such a booking is therefore in the journal, in the store, or in both.
    async fn refuse(&self, event: EventId, refused: Vec<Refused>) {
        let ids: Vec<ReservationId> = refused.iter().map(|(booking, _)| booking.request.id).collect();
        tracing::warn!(%event, entries = ids.len(), "the store refused bookings that the ledger admitted");
        match self.record_and_load_without(event, &refused, &ids).await {
            Ok(stored) => {
                let mut final_refusals = Vec::new();
                for (booking, refusal) in refused {
                    let id = booking.request.id;
                    if stored.contains(&id) {
                        // The store has the rejection that was just recorded, or the recovery of another node
                        // was faster and found a seat.
                        booking.answer(self.stored(id).await);
                    } else {
                        final_refusals.push((booking, refusal));
                    }
                }
                self.admission.refuse_all(final_refusals).await;
            }
            Err(error) => {
                tracing::warn!(%event, error = %error.with_cause(), "cannot remove refused entries, recovery will remove them");
                for (booking, _) in refused {
                    booking.answer(Err(error.without_source()));
                }
            }
        }
    }

    async fn record_and_load_without(
        &self,
        event: EventId,
        refused: &[Refused],
        ids: &[ReservationId],
    ) -> Result<BTreeSet<ReservationId>, AppError> {
        let rejections: Vec<CommitRequest> =
            refused.iter().filter_map(|(booking, _)| booking.rejection_to_record()).collect();
        self.admission.rejections.write(&rejections).await?;
        self.admission.loader.load_without(event, ids).await
    }

    async fn stored(&self, id: ReservationId) -> Result<BookingOutcome, AppError> {
        let record = self.store.reservation(id).await?;
        let missing = || AppError::Internal(format!("reservation {id} is no longer in the store"));
        record.map(|record| BookingOutcome::Existing(Box::new(record))).ok_or_else(missing)
    }

    /// Offers requests again under the current epoch. Recovered entries are not offered: the load of that
    /// epoch has carried them over into its journal, unless they have been refused since.
    async fn admit_again(&self, event: EventId, stale: Vec<BookingRequest>) -> Vec<Admitted> {
        let (recovered, asked): (Vec<BookingRequest>, Vec<BookingRequest>) =
            stale.into_iter().partition(BookingRequest::is_recovered);
        if let Some(epoch) = recovered.iter().map(|booking| booking.epoch_min).max()
            && let Err(error) = self.admission.loader.load(event, epoch).await
        {
            tracing::warn!(%event, error = %error.with_cause(), "cannot load the ledger, the next recovery will retry");
        }
        self.admission.admit(event, asked).await
    }

    /// Returns when all settle tasks have ended.
    pub(crate) async fn drain(&self) {
        self.settling.close();
        self.settling.wait().await;
    }
}

/// Answers the requests whose reservations are in the store, and groups the others by what has to follow.
fn partition_by_outcome(batch: Vec<Admitted>, outcomes: Vec<CommitOutcome>) -> Sorted {
    assert_eq!(batch.len(), outcomes.len(), "the store answers each request");
    let mut sorted = Sorted::default();
    for (Admitted { mut booking, admission, epoch }, outcome) in batch.into_iter().zip(outcomes) {
        let id = booking.request.id;
        let refusal = match outcome {
            CommitOutcome::Confirmed => {
                sorted.settled.entry(epoch).or_default().push(id);
                booking.answer(Ok(BookingOutcome::Confirmed {
                    unit_price: admission.unit_price,
                    created_at: admission.admitted_at,
                    repeated: admission.repeated,
                }));
                continue;
            }
            CommitOutcome::Existing(record)
                if record.status != ReservationStatus::Rejected
                    && is_same_booking(&record, booking.event, &booking.request) =>
            {
                sorted.settled.entry(epoch).or_default().push(id);
                booking.answer(Ok(BookingOutcome::Existing(Box::new(record))));
                continue;
            }
            CommitOutcome::Existing(record) => {
                sorted.conflicting.push((Admitted { booking, admission, epoch }, record));
                continue;
            }
            CommitOutcome::StaleEpoch { epoch: stores } => {
                // If the store has the lower epoch, it was restored from a backup. Then a ledger with a
                // higher epoch than the present one is necessary.
                booking.epoch_min = if stores > epoch { stores } else { Epoch(epoch.0 + 1) };
                sorted.stale.push(booking);
                continue;
            }
            CommitOutcome::SoldOut => AppError::SoldOut { left: 0 },
            CommitOutcome::NoSuchTicketType => AppError::NotFound,
            CommitOutcome::NoSuchUser => AppError::Unauthenticated,
        };
        sorted.refused.push((booking, refusal));
    }
    sorted
}
