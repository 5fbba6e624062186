//! The second stage: one transaction per batch, then the journal is settled. Recovery uses it as well.

use std::collections::BTreeMap;
use std::sync::Arc;

use neticket_domain::{Epoch, EventId, ReservationId};
use neticket_ledger::Ledger;
use neticket_store::{CommitOutcome, CommitRequest, Store};
use tokio_util::task::TaskTracker;

use super::admission::Admission;
use super::wish::{Admitted, Done};
use crate::error::AppError;
use crate::loader::Need;

/// How often those whose epoch had passed are admitted and committed again.
const ATTEMPTS_MAX: u32 = 5;

/// Commits what the ledger has admitted.
pub(crate) struct Committer {
    store: Store,
    ledger: Arc<dyn Ledger>,
    admission: Arc<Admission>,
    /// Settling and undoing go on after the people have their answers.
    after: TaskTracker,
}

/// What is left to tell the ledger, by event and epoch.
#[derive(Default)]
struct Aftermath {
    settled: BTreeMap<(EventId, Epoch), Vec<ReservationId>>,
    undone: BTreeMap<(EventId, Epoch), Vec<ReservationId>>,
}

impl Committer {
    pub(crate) fn new(store: Store, ledger: Arc<dyn Ledger>, admission: Arc<Admission>) -> Self {
        Self { store, ledger, admission, after: TaskTracker::new() }
    }

    /// Commits `batch` and answers everyone in it. Whatever the store cannot be asked about stays in the journal.
    pub(crate) async fn commit(&self, mut batch: Vec<Admitted>) {
        for _ in 0..ATTEMPTS_MAX {
            if batch.is_empty() {
                return;
            }
            let requests: Vec<CommitRequest> = batch.iter().map(Admitted::to_commit).collect();
            let outcomes = match self.store.commit(&requests).await {
                Ok(outcomes) => outcomes,
                Err(error) => {
                    tracing::warn!(%error, reservations = batch.len(), "the store did not commit a batch");
                    for admitted in batch {
                        admitted.wish.answer(Err(AppError::StoreUnavailable(None)));
                    }
                    return;
                }
            };
            let outdated = self.answer(batch, outcomes);
            batch = self.admission.admit(outdated).await;
        }
        for admitted in batch {
            admitted.wish.answer(Err(AppError::Overloaded));
        }
    }

    /// Answers all but those of an epoch that has passed, which are returned.
    fn answer(&self, batch: Vec<Admitted>, outcomes: Vec<CommitOutcome>) -> Vec<super::wish::Wish> {
        assert_eq!(batch.len(), outcomes.len(), "the store answers each request");
        let mut aftermath = Aftermath::default();
        let mut outdated = Vec::new();
        for (Admitted { mut wish, admission, epoch }, outcome) in batch.into_iter().zip(outcomes) {
            let ledger = (wish.event, epoch);
            let id = wish.request.id;
            match outcome {
                CommitOutcome::Confirmed => {
                    aftermath.settled.entry(ledger).or_default().push(id);
                    let created_at = admission.admitted_at;
                    wish.answer(Ok(Done::Confirmed { unit_price: admission.unit_price, created_at }));
                }
                CommitOutcome::Existing(record) => {
                    aftermath.settled.entry(ledger).or_default().push(id);
                    wish.answer(Ok(Done::Existing(Box::new(record))));
                }
                CommitOutcome::StaleEpoch { epoch } => {
                    wish.epoch_min = epoch;
                    outdated.push(wish);
                }
                CommitOutcome::SoldOut => {
                    aftermath.undone.entry(ledger).or_default().push(id);
                    wish.answer(Err(AppError::SoldOut { left: 0 }));
                }
                CommitOutcome::NoSuchTicketType => {
                    aftermath.undone.entry(ledger).or_default().push(id);
                    wish.answer(Err(AppError::NotFound));
                }
                CommitOutcome::NoSuchUser => {
                    aftermath.undone.entry(ledger).or_default().push(id);
                    wish.answer(Err(AppError::Unauthenticated));
                }
            }
        }
        self.tell_ledger(aftermath);
        outdated
    }

    /// Tells the ledger what became of its entries, without making anyone wait. If that fails, recovery does it again.
    fn tell_ledger(&self, aftermath: Aftermath) {
        let ledger = Arc::clone(&self.ledger);
        let loader = Arc::clone(&self.admission.loader);
        self.after.spawn(async move {
            for ((event, epoch), ids) in aftermath.settled {
                if let Err(error) = ledger.settle(event, epoch, &ids).await {
                    tracing::warn!(%event, %error, entries = ids.len(), "left to recovery: settling failed");
                }
            }
            for ((event, epoch), ids) in aftermath.undone {
                tracing::warn!(%event, entries = ids.len(), "the store refused what the ledger had admitted");
                if let Err(error) = ledger.undo(event, epoch, &ids).await {
                    tracing::warn!(%event, %error, "left to recovery: undoing failed");
                }
                // The ledger believed in seats that do not exist: it is made anew from the store.
                if let Err(error) = loader.load(event, Need::Fresh).await {
                    tracing::warn!(%event, %error, "left to the next booking: loading failed");
                }
            }
        });
    }

    /// Returns when nothing is left to tell the ledger.
    pub(crate) async fn drain(&self) {
        self.after.close();
        self.after.wait().await;
    }
}
