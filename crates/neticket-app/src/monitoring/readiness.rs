//! Whether the store and the ledger answer, within a limit of its own. Load balancers and people wait for
//! seconds, while a call to the store may take `NETICKET_STORE_TIMEOUT_MS`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use neticket_ledger::Ledger;
use neticket_store::Store;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::AppError;

/// How long the store and the ledger may take to answer, so that `/readyz` answers within 2 s.
const PROBE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// How long a probe runs. If it is answered late, its connection is kept. If it is never answered, it ends
/// here, so that later probes can try a new connection.
const PING_TIMEOUT: Duration = Duration::from_secs(4);
/// Most probes of the store, and of the ledger, that run concurrently, so that a store that hangs does not
/// take all connections.
const PROBES_MAX: usize = 4;

/// Probes the store and the ledger.
pub(crate) struct Readiness {
    store: Arc<Semaphore>,
    ledger: Arc<Semaphore>,
}

impl Readiness {
    pub(crate) fn new() -> Self {
        let probes = || Arc::new(Semaphore::new(PROBES_MAX));
        Self { store: probes(), ledger: probes() }
    }

    /// Probes both concurrently.
    ///
    /// # Errors
    /// `StoreUnavailable`, also if neither answers; `LedgerUnavailable`.
    pub(crate) async fn check(&self, store: Store, ledger: Arc<dyn Ledger>) -> Result<(), AppError> {
        let store = probe(&self.store, PROBE_TIMEOUT, async move { store.ping().await });
        let ledger = probe(&self.ledger, PROBE_TIMEOUT, async move { ledger.ping().await });
        let (store, ledger) = futures::future::join(store, ledger).await;
        store.ok_or(AppError::StoreUnavailable(None))??;
        ledger.ok_or(AppError::LedgerUnavailable(None))??;
        Ok(())
    }
}

/// The answer of `ping`. `None` if it takes longer than `limit`, or if earlier probes leave it no permit
/// within that time.
///
/// The ping runs in its own task, because a ping that is cancelled costs its connection.
async fn probe<T: Send + 'static>(
    permits: &Arc<Semaphore>,
    limit: Duration,
    ping: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let probe = async {
        let permit = Arc::clone(permits).acquire_owned().await.ok()?;
        let ping = async move {
            let _permit = permit;
            timeout(PING_TIMEOUT, ping).await.ok()
        };
        tokio::spawn(ping).await.ok().flatten()
    };
    timeout(limit, probe).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// For probes that are answered, even on a busy machine.
    const GENEROUS: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn a_hanging_probe_times_out_and_few_probes_run_at_once() {
        let permits = Arc::new(Semaphore::new(PROBES_MAX));
        let begun = Arc::new(AtomicUsize::new(0));
        let hang = || {
            let begun = Arc::clone(&begun);
            async move {
                begun.fetch_add(1, Ordering::SeqCst);
                pending::<()>().await;
            }
        };
        let probes = (0..10).map(|_| probe(&permits, PROBE_TIMEOUT, hang()));
        assert_eq!(futures::future::join_all(probes).await, [None; 10]);
        assert_eq!(begun.load(Ordering::SeqCst), PROBES_MAX);
        // The probes that hang end, so that later ones can try.
        assert_eq!(probe(&permits, GENEROUS, async { 7 }).await, Some(7));
    }

    #[tokio::test]
    async fn all_concurrent_probes_get_an_answer_from_a_healthy_dependency() {
        let permits = Arc::new(Semaphore::new(PROBES_MAX));
        let probes = (0..100).map(|n| probe(&permits, GENEROUS, async move { n }));
        assert_eq!(futures::future::join_all(probes).await, (0..100).map(Some).collect::<Vec<_>>());
    }
}
