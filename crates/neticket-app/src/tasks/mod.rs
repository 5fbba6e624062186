//! Background tasks. Each is idempotent and takes no input. Every node runs all of them, and a run may come
//! twice or late.

mod cancel_reservations;
mod close_sales;
mod drain_outbox;
mod open_sales;
mod publish_node_status;
mod reconcile_ledgers;
mod recover_journal;
mod renew_claim;
mod sample_journals;
mod sweep_images;
mod sweep_sessions;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::booking::{BookingService, CancelService, Committer};
use crate::clock::LedgerClock;
use crate::config::EngineConfig;
use crate::connection_budget::ConnectionBudget;
use crate::deployment::{CLAIM_PAUSE, Deployment};
use crate::error::AppError;
use crate::loader::Loader;
use crate::metrics::Metrics;
use crate::reconcile::Reconciler;
use crate::rejections::Rejections;
use crate::stats::NodeStats;
use neticket_ledger::Ledger;
use neticket_media::Media;
use neticket_store::Store;

pub(crate) use sample_journals::LastSamples;

/// Most journal entries, outbox rows, sessions or images that one run of a task processes.
const ITEMS_MAX: u16 = 1_000;

/// How many times longer the interval is for tasks that nobody waits for.
const SELDOM: u32 = 10;

/// How many events a task processes concurrently, so that an event whose ledger or rows do not answer does
/// not delay others. Work that waits for row locks also needs a share of the connection budget (see
/// [`crate::connection_budget`]).
const EVENTS_AT_ONCE: usize = 16;

/// How many events are compared with the store concurrently. Nobody waits for the result, and each comparison
/// takes a connection outside the connection budget.
const COMPARED_AT_ONCE: usize = 4;

/// Runs the work of all events, `at_once` of them concurrently. A failure does not stop the others; the last
/// failure is returned.
async fn for_each_isolated<F>(at_once: usize, works: impl Iterator<Item = F>) -> Result<(), AppError>
where
    F: Future<Output = Result<(), AppError>>,
{
    let works: Vec<F> = works.collect();
    let outcomes: Vec<_> = stream::iter(works).buffer_unordered(at_once).collect().await;
    outcomes.into_iter().rev().find(Result::is_err).unwrap_or(Ok(()))
}

/// What the tasks work with.
pub(crate) struct TaskContext {
    pub(crate) store: Store,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) loader: Arc<Loader>,
    pub(crate) committer: Arc<Committer>,
    pub(crate) reconciler: Arc<Reconciler>,
    pub(crate) rejections: Arc<Rejections>,
    pub(crate) media: Arc<Media>,
    pub(crate) clock: Arc<LedgerClock>,
    pub(crate) engine: EngineConfig,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) budget: Arc<ConnectionBudget>,
    pub(crate) samples: LastSamples,
    pub(crate) booking_service: Arc<BookingService>,
    pub(crate) cancel_service: Arc<CancelService>,
    pub(crate) stats: Arc<NodeStats>,
    /// `None` if no other process can use the ledger.
    pub(crate) deployment: Option<Arc<Deployment>>,
    /// Cancelled when the tasks have to end. Tasks with long runs check it.
    pub(crate) stop: CancellationToken,
}

/// The running tasks.
pub(crate) struct Tasks {
    stop: CancellationToken,
    running: TaskTracker,
}

impl Tasks {
    pub(crate) fn start(context: &Arc<TaskContext>) -> Self {
        let tasks = Self { stop: context.stop.clone(), running: TaskTracker::new() };
        let pause = Duration::from_millis(context.engine.task_interval_ms);
        tasks.every(
            pause,
            "measure_clock",
            context,
            |c| async move { Ok(c.clock.measure(&*c.ledger).await?) },
        );
        tasks.every(pause, "open_sales", context, |c| async move { open_sales::run(&c).await });
        tasks.every(pause, "recover_journal", context, |c| async move { recover_journal::run(&c).await });
        tasks.every(pause, "note_rejections", context, |c| async move {
            Ok(c.rejections.write_unwritten().await?)
        });
        tasks.every(pause, "drain_outbox", context, |c| async move { drain_outbox::run(&c).await });
        tasks.every(
            pause,
            "cancel_reservations",
            context,
            |c| async move { cancel_reservations::run(&c).await },
        );
        tasks.every(pause, "sample_journals", context, |c| async move { sample_journals::run(&c).await });
        tasks.every(pause, "tell_stats", context, |c| async move { publish_node_status::run(&c).await });
        tasks.every(pause, "sweep_sessions", context, |c| async move { sweep_sessions::run(&c).await });
        let seldom = pause * SELDOM;
        tasks.every(
            seldom,
            "reconcile_ledgers",
            context,
            |c| async move { reconcile_ledgers::run(&c).await },
        );
        tasks.every(seldom, "close_sales", context, |c| async move { close_sales::run(&c).await });
        let image_pause = Duration::from_millis(context.engine.image_sweep_interval_ms);
        tasks.every(image_pause, "sweep_images", context, |c| async move { sweep_images::run(&c).await });
        if context.deployment.is_some() {
            tasks.every(CLAIM_PAUSE, "renew_claim", context, |c| async move { renew_claim::run(&c).await });
        }
        tasks.running.close();
        tasks
    }

    /// Runs `task` repeatedly, with `pause` before each run. Logs when the runs begin to fail and when they
    /// succeed again, and every panic.
    fn every<F>(
        &self,
        pause: Duration,
        name: &'static str,
        context: &Arc<TaskContext>,
        task: fn(Arc<TaskContext>) -> F,
    ) where
        F: Future<Output = Result<(), AppError>> + Send + 'static,
    {
        let (context, stop) = (Arc::clone(context), self.stop.clone());
        self.running.spawn(async move {
            let mut failing = false;
            while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
                let run = tokio::spawn(task(Arc::clone(&context))).await;
                if !matches!(run, Ok(Ok(()))) {
                    context.metrics.task_failed(name);
                }
                match run {
                    Ok(Ok(())) if failing => {
                        tracing::info!(task = name, "background task succeeded again");
                        failing = false;
                    }
                    Ok(Err(error)) if !failing => {
                        tracing::warn!(task = name, error = %error.with_cause(), "background task failed, will retry");
                        failing = true;
                    }
                    Ok(Ok(()) | Err(_)) => {}
                    Err(panic) => tracing::error!(task = name, %panic, "background task panicked, will retry"),
                }
            }
        });
    }

    /// Ends the tasks, each after its current run.
    pub(crate) async fn stop(&self) {
        self.stop.cancel();
        self.running.wait().await;
    }
}
