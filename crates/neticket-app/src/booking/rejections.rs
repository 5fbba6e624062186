//! Records rejections in the store: bookings that were refused for good after a client may have been told
//! that they are pending.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::join_all;
use neticket_domain::{EventId, ReservationId, UserId};
use neticket_store::{CommitRequest, Store, StoreError};

use super::connection_budget::ConnectionBudget;
use crate::clock::LedgerClock;
use crate::metrics::Metrics;

/// Maximum number of rejections that wait for the store. Further ones are not kept: only the log of the
/// failed write counts them.
const UNWRITTEN_MAX: usize = 100_000;

/// The rejections of each event that wait for the store.
type Unwritten = BTreeMap<EventId, BTreeMap<ReservationId, CommitRequest>>;

/// Records rejections. If the store does not accept some, keeps them in memory until it does, because they
/// are in no journal any more.
pub(crate) struct Rejections {
    pub(crate) store: Store,
    pub(crate) clock: Arc<LedgerClock>,
    pub(crate) budget: Arc<ConnectionBudget>,
    pub(crate) metrics: Arc<Metrics>,
    /// Maximum number of rejections in one transaction.
    pub(crate) batch_len_max: usize,
    pub(crate) unwritten: Mutex<Unwritten>,
}

impl Rejections {
    /// Records the rejections now. All must be of one event.
    ///
    /// # Errors
    /// [`StoreError`]: some or all of them may have been recorded.
    pub(crate) async fn write(&self, rejected: &[CommitRequest]) -> Result<(), StoreError> {
        for batch in rejected.chunks(self.batch_len_max) {
            let _permit = self.budget.recovery.acquire().await;
            let recorded = self.store.reject(batch, self.clock.now()).await?;
            self.metrics.rejected(recorded);
        }
        Ok(())
    }

    /// Records the rejections now, or keeps them for a background task if the store does not accept them. All
    /// must be of one event.
    pub(crate) async fn record_or_buffer(&self, rejected: Vec<CommitRequest>) {
        let Err(error) = self.write(&rejected).await else { return };
        let entries = rejected.len();
        let mut unwritten = self.unwritten();
        let kept: usize = unwritten.values().map(BTreeMap::len).sum();
        for rejected in rejected.into_iter().take(UNWRITTEN_MAX - kept) {
            unwritten.entry(rejected.event).or_default().insert(rejected.id, rejected);
        }
        let waiting: usize = unwritten.values().map(BTreeMap::len).sum();
        drop(unwritten);
        tracing::error!(%error, entries, waiting, "cannot record rejections, a task will retry");
    }

    /// Tries again to record the waiting rejections. Those that the store still does not accept are kept. The
    /// events are written independently, so an event that is stuck does not hold up the others.
    ///
    /// # Errors
    /// The last [`StoreError`].
    pub(crate) async fn write_unwritten(&self) -> Result<(), StoreError> {
        let by_event: Vec<(EventId, Vec<CommitRequest>)> = self
            .unwritten()
            .iter()
            .map(|(event, rejected)| (*event, rejected.values().copied().collect()))
            .collect();
        let writes = by_event.iter().map(|(event, rejected)| self.write_unwritten_of(*event, rejected));
        join_all(writes).await.into_iter().rev().find(Result::is_err).unwrap_or(Ok(()))
    }

    async fn write_unwritten_of(&self, event: EventId, rejected: &[CommitRequest]) -> Result<(), StoreError> {
        for batch in rejected.chunks(self.batch_len_max) {
            self.write(batch).await?;
            // Removed only after they were recorded. Recording a rejection twice does no harm.
            let mut unwritten = self.unwritten();
            let Some(kept) = unwritten.get_mut(&event) else { continue };
            for recorded in batch {
                kept.remove(&recorded.id);
            }
            if kept.is_empty() {
                unwritten.remove(&event);
            }
        }
        Ok(())
    }

    /// Whether this reservation of the user was rejected and the rejection is not recorded in the store yet.
    pub(crate) fn is_unwritten(&self, user: UserId, id: ReservationId) -> bool {
        let is_theirs = |rejected: &CommitRequest| rejected.user == user;
        self.unwritten().values().any(|rejected| rejected.get(&id).is_some_and(is_theirs))
    }

    fn unwritten(&self) -> MutexGuard<'_, Unwritten> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
