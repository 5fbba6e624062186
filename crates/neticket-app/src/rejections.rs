//! Notes in the store what was refused for good after somebody may have been told that it is pending.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::join_all;
use neticket_domain::{EventId, ReservationId, UserId};
use neticket_store::{CommitRequest, Store, StoreError};

use crate::clock::LedgerClock;
use crate::metrics::Metrics;
use crate::turns::Turns;

/// Most notes that wait for the store; beyond them it is only logged.
const UNWRITTEN_MAX: usize = 100_000;

/// Those of each event that wait for the store.
type Unwritten = BTreeMap<EventId, BTreeMap<ReservationId, CommitRequest>>;

/// Writes rejections, and keeps those that the store did not take, which are in no journal any more, until it does.
pub(crate) struct Rejections {
    pub(crate) store: Store,
    pub(crate) clock: Arc<LedgerClock>,
    pub(crate) turns: Arc<Turns>,
    pub(crate) metrics: Arc<Metrics>,
    /// Most notes in one transaction.
    pub(crate) batch_len_max: usize,
    pub(crate) unwritten: Mutex<Unwritten>,
}

impl Rejections {
    /// Notes them now; all are of one event.
    ///
    /// # Errors
    /// [`StoreError`]: they may or may not be noted.
    pub(crate) async fn write(&self, rejected: &[CommitRequest]) -> Result<(), StoreError> {
        for batch in rejected.chunks(self.batch_len_max) {
            let _turn = self.turns.recovery.acquire().await;
            let noted = self.store.reject(batch, self.clock.now()).await?;
            self.metrics.rejected(noted);
        }
        Ok(())
    }

    /// Notes them now, or as soon as the store takes it; all are of one event.
    pub(crate) async fn write_now_or_later(&self, rejected: Vec<CommitRequest>) {
        let Err(error) = self.write(&rejected).await else { return };
        let entries = rejected.len();
        let mut unwritten = self.unwritten();
        let kept: usize = unwritten.values().map(BTreeMap::len).sum();
        for rejected in rejected.into_iter().take(UNWRITTEN_MAX - kept) {
            unwritten.entry(rejected.event).or_default().insert(rejected.id, rejected);
        }
        let waiting: usize = unwritten.values().map(BTreeMap::len).sum();
        drop(unwritten);
        tracing::error!(%error, entries, waiting, "rejections are not noted yet, the store will be asked again");
    }

    /// Asks the store again. What it still does not take is kept; an event that is stuck keeps no other from being noted.
    ///
    /// # Errors
    /// [`StoreError`]: the last one.
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
            // Noted twice does no harm; forgotten may only be what was noted.
            let mut unwritten = self.unwritten();
            let Some(kept) = unwritten.get_mut(&event) else { continue };
            for noted in batch {
                kept.remove(&noted.id);
            }
            if kept.is_empty() {
                unwritten.remove(&event);
            }
        }
        Ok(())
    }

    /// Whether this reservation of the user was refused, and the store does not know yet.
    pub(crate) fn is_unwritten(&self, user: UserId, id: ReservationId) -> bool {
        let is_theirs = |rejected: &CommitRequest| rejected.user == user;
        self.unwritten().values().any(|rejected| rejected.get(&id).is_some_and(is_theirs))
    }

    fn unwritten(&self) -> MutexGuard<'_, Unwritten> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
