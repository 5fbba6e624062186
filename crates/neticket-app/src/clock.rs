//! The ledger's clock, as a node knows it: measured, then carried forward by a clock that cannot be set.

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use neticket_domain::Timestamp;
use neticket_ledger::{Ledger, LedgerError};

/// Tells the ledger's time without asking it. The node's own clock counts only until the ledger has answered once.
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

    /// Asks the ledger for its time; the answer is taken to be half a round trip old.
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
