//! Shares reads between concurrent callers. For each key one read runs at a time, and its result answers all
//! callers that asked before it began.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::AppError;

/// Maximum number of keys whose latest result is kept.
const KEYS_MAX: u64 = 10_000;
/// How long a result is kept after the last call for its key.
const IDLE_MAX: Duration = Duration::from_secs(10);

type SharedRead<V> = Arc<Mutex<Option<LatestRead<V>>>>;

struct LatestRead<V> {
    /// When the read began. The value contains everything that was written before.
    began: Instant,
    outcome: Result<V, AppError>,
}

/// The latest result of each key, with the moment at which its read began.
pub(crate) struct Coalesced<K, V> {
    reads: Cache<K, SharedRead<V>>,
}

impl<K, V> Coalesced<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(crate) fn new() -> Self {
        Self { reads: Cache::builder().max_capacity(KEYS_MAX).time_to_idle(IDLE_MAX).build() }
    }

    /// The result of a read that began at most `age_max` before this call. If there is none, this waits for
    /// the read that is under way, because that read may have begun too early, and then reads again.
    ///
    /// # Errors
    /// The error of `read`. All callers that asked before that read began get the same error. Later callers
    /// read again.
    pub(crate) async fn get(
        &self,
        key: K,
        age_max: Duration,
        read: impl Future<Output = Result<V, AppError>>,
    ) -> Result<V, AppError> {
        let asked = Instant::now();
        let shared_read = self.reads.get_with(key, async { SharedRead::default() }).await;
        let mut latest = shared_read.lock().await;
        match &*latest {
            Some(LatestRead { began, outcome: Ok(value) }) if *began + age_max >= asked => {
                return Ok(value.clone());
            }
            Some(LatestRead { began, outcome: Err(error) }) if *began >= asked => {
                return Err(error.without_source());
            }
            Some(_) | None => {}
        }
        let began = Instant::now();
        let outcome = read.await;
        let copy =
            outcome.as_ref().map_or_else(|error| Err(error.without_source()), |value| Ok(value.clone()));
        *latest = Some(LatestRead { began, outcome: copy });
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    const NO_AGE: Duration = Duration::ZERO;

    #[tokio::test]
    async fn a_caller_never_gets_a_read_that_began_before_its_call() {
        let (reads, gate) = (AtomicU32::new(0), Semaphore::new(0));
        let coalesced = Coalesced::new();
        let ask = |age_max| {
            coalesced.get((), age_max, async {
                let number = reads.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.unwrap().forget();
                Ok::<_, AppError>(number)
            })
        };
        let mut first = std::pin::pin!(ask(NO_AGE));
        assert!(futures::poll!(&mut first).is_pending());
        tokio::time::sleep(Duration::from_millis(2)).await;
        // All of them ask while the first read is under way: one more read serves them all.
        let mut crowd = std::pin::pin!(join_all((0..100).map(|_| ask(NO_AGE))));
        assert!(futures::poll!(&mut crowd).is_pending());
        gate.add_permits(100);
        assert_eq!(first.await.unwrap(), 0);
        assert!(crowd.await.into_iter().all(|answer| answer.unwrap() == 1));
        assert_eq!(
            ask(Duration::from_mins(1)).await.unwrap(),
            1,
            "the value is young enough for this caller"
        );
        assert_eq!(reads.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_failed_read_fails_all_earlier_callers_and_no_later_caller() {
        let (reads, gate) = (AtomicU32::new(0), Semaphore::new(0));
        let coalesced: Coalesced<(), u32> = Coalesced::new();
        let ask = || {
            coalesced.get((), NO_AGE, async {
                reads.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.unwrap().forget();
                Err(AppError::StoreUnavailable(None))
            })
        };
        let mut first = std::pin::pin!(ask());
        assert!(futures::poll!(&mut first).is_pending());
        tokio::time::sleep(Duration::from_millis(2)).await;
        let mut crowd = std::pin::pin!(join_all((0..100).map(|_| ask())));
        assert!(futures::poll!(&mut crowd).is_pending());
        gate.add_permits(100);
        assert!(matches!(first.await, Err(AppError::StoreUnavailable(_))));
        assert!(crowd.await.iter().all(|answer| matches!(answer, Err(AppError::StoreUnavailable(_)))));
        assert_eq!(reads.load(Ordering::SeqCst), 2, "one failed read answers all waiting callers");
        assert_eq!(coalesced.get((), Duration::from_mins(1), async { Ok(7) }).await.unwrap(), 7);
    }
}
