//! A circuit breaker. When a dependency does not answer one caller, the circuit opens, and no caller asks the
//! dependency. A background task, one for each open breaker, probes the dependency and closes the circuit
//! after an answer. Callers never probe.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::runtime::Handle;

/// Pause before each probe of the background task.
const PROBE_PAUSE: Duration = Duration::from_millis(100);

pub(crate) struct Breaker {
    /// The name of the dependency, for the log.
    dependency: &'static str,
    open: AtomicBool,
    gauge: Gauge,
    /// The runtime of the background task. Callers may be on runtimes that end before the application does.
    runtime: Handle,
}

impl Breaker {
    /// A closed breaker. Its background task will run on the current runtime. `gauge` is 1 while the circuit
    /// is open.
    pub(crate) fn new(dependency: &'static str, gauge: Gauge) -> Arc<Self> {
        gauge.set(0);
        Arc::new(Self { dependency, open: AtomicBool::new(false), gauge, runtime: Handle::current() })
    }

    /// Whether the circuit is open, so that the caller must not ask.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Opens the circuit until the probe `answers` returns true. Does nothing if the circuit is open already.
    pub(crate) fn trip<F>(
        self: &Arc<Self>,
        cause: &dyn std::error::Error,
        answers: impl Fn() -> F + Send + 'static,
    ) where
        F: Future<Output = bool> + Send,
    {
        if self.open.swap(true, Ordering::AcqRel) {
            return;
        }
        self.gauge.set(1);
        tracing::warn!(dependency = self.dependency, error = %cause, "circuit opened");
        let end = CloseAtEnd(Arc::downgrade(self));
        self.runtime.spawn(async move {
            loop {
                tokio::time::sleep(PROBE_PAUSE).await;
                if end.0.strong_count() == 0 || answers().await {
                    break;
                }
            }
        });
    }
}

/// Closes the circuit when the task ends, also by a panic or a cancellation. A circuit that closes too early
/// opens again, but a circuit without a task would stay open forever.
struct CloseAtEnd(Weak<Breaker>);

impl Drop for CloseAtEnd {
    fn drop(&mut self) {
        let Some(breaker) = self.0.upgrade() else { return };
        tracing::info!(dependency = breaker.dependency, "circuit closed");
        breaker.gauge.set(0);
        breaker.open.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test]
    async fn a_breaker_stays_open_until_its_single_probe_task_gets_an_answer() {
        let breaker = Breaker::new("dependency", Gauge::default());
        let tries = Arc::new(AtomicUsize::new(0));
        for _ in 0..3 {
            let tries = Arc::clone(&tries);
            breaker.trip(&std::fmt::Error, move || {
                let tries = Arc::clone(&tries);
                async move { tries.fetch_add(1, Ordering::SeqCst) == 2 }
            });
            assert!(breaker.is_open());
        }
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while breaker.is_open() {
            assert!(tokio::time::Instant::now() < deadline, "it closes");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(tries.load(Ordering::SeqCst), 3, "one task probes, and stops after the answer");
        assert_eq!(breaker.gauge.get(), 0);
    }

    #[tokio::test]
    async fn a_breaker_closes_when_its_probe_task_panics() {
        let breaker = Breaker::new("dependency", Gauge::default());
        breaker.trip(&std::fmt::Error, || async { panic!("on purpose") });
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while breaker.is_open() {
            assert!(tokio::time::Instant::now() < deadline, "it closes");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
