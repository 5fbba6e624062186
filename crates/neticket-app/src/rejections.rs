//! Notes in the store what was refused for good after somebody may have been told that it is pending.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use neticket_domain::ReservationId;
use neticket_store::{CommitRequest, Store, StoreError};

use crate::clock::LedgerClock;
use crate::turns::Turns;

/// Most notes that wait for the store; beyond them it is only logged.
const UNWRITTEN_MAX: usize = 100_000;

/// Writes rejections, and keeps those that the store did not take, which are in no journal any more, until it does.
pub(crate) struct Rejections {
    pub(crate) store: Store,
    pub(crate) clock: Arc<LedgerClock>,
    pub(crate) turns: Arc<Turns>,
    pub(crate) unwritten: Mutex<Vec<CommitRequest>>,
}

impl Rejections {
    /// Notes them now.
    ///
    /// # Errors
    /// [`StoreError`]: they may or may not be noted.
    pub(crate) async fn write(&self, rejected: &[CommitRequest]) -> Result<(), StoreError> {
        if rejected.is_empty() {
            return Ok(());
        }
        let _turn = self.turns.commit.acquire().await;
        self.store.reject(rejected, self.clock.now()).await
    }

    /// Notes them now, or as soon as the store takes it.
    pub(crate) async fn write_now_or_later(&self, rejected: Vec<CommitRequest>) {
        let Err(error) = self.write(&rejected).await else { return };
        let entries = rejected.len();
        let mut unwritten = self.unwritten();
        let room = UNWRITTEN_MAX - unwritten.len();
        unwritten.extend(rejected.into_iter().take(room));
        let waiting = unwritten.len();
        drop(unwritten);
        tracing::error!(%error, entries, waiting, "rejections are not noted yet, the store will be asked again");
    }

    /// Asks the store again. What it still does not take is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn write_unwritten(&self) -> Result<(), StoreError> {
        let rejected = self.unwritten().clone();
        self.write(&rejected).await?;
        // Noted twice does no harm; forgotten may only be what was noted.
        let noted: BTreeSet<ReservationId> = rejected.iter().map(|rejected| rejected.id).collect();
        self.unwritten().retain(|kept| !noted.contains(&kept.id));
        Ok(())
    }

    /// Whether this reservation was refused, and the store does not know yet.
    pub(crate) fn is_unwritten(&self, id: ReservationId) -> bool {
        self.unwritten().iter().any(|rejected| rejected.id == id)
    }

    fn unwritten(&self) -> MutexGuard<'_, Vec<CommitRequest>> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
