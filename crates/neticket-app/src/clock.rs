//! The ledger's clock as a node knows it: measured, and then carried forward by the node's monotonic clock.

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use neticket_domain::Timestamp;
use neticket_ledger::{Ledger, LedgerError};

/// Returns the ledger's time without a call to the ledger. Uses the node's own clock until the ledger has
/// answered for the first time.
pub(crate) struct LedgerClock {
    measured: RwLock<(Instant, Timestamp)>,
}

impl LedgerClock {
    pub(crate) fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { measured: RwLock::new((Instant::now(), Timestamp::from_millis(millis(since_epoch)))) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let (at, time) = *self.measured.read().unwrap_or_else(PoisonError::into_inner);
        time.plus_millis(millis(at.elapsed()))
    }

    /// Asks the ledger for its time. Assumes that the answer is half a round trip old.
    pub(crate) async fn measure(&self, ledger: &dyn Ledger) -> Result<(), LedgerError> {
        let asked = Instant::now();
        let time = ledger.now().await?;
        let answered_at = asked + asked.elapsed() / 2;
        *self.measured.write().unwrap_or_else(PoisonError::into_inner) = (answered_at, time);
        Ok(())
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
