//! Background tasks. Each is idempotent and takes no input. Every node runs all of them, and a run may come
//! twice or late.

mod cancel_reservations;
mod close_sales;
mod context;
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

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use self::context::TaskContext;
use crate::deployment::CLAIM_PAUSE;
use crate::error::AppError;

/// How many times longer the interval is for tasks that nobody waits for.
const SLOW_INTERVAL_FACTOR: u32 = 10;

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
        let slow_pause = pause * SLOW_INTERVAL_FACTOR;
        tasks.every(
            slow_pause,
            "reconcile_ledgers",
            context,
            |c| async move { reconcile_ledgers::run(&c).await },
        );
        tasks.every(slow_pause, "close_sales", context, |c| async move { close_sales::run(&c).await });
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
