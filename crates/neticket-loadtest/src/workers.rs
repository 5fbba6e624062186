//! The parent's side of the workers. It starts the processes, starts the load in all of them at one moment,
//! and merges their results.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::stats::Stats;
use crate::token::now_ms;
use crate::worker_config::{Progress, Start, WorkerConfig, WorkerMessage};

/// Milliseconds between the message to start and the start. All workers have read the message by then.
const START_LEAD_MS: u64 = 500;

/// Workers that are ready.
pub(crate) struct Workers {
    workers: Vec<Worker>,
    /// Connections that are open.
    pub(crate) open: u64,
}

struct Worker {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Workers {
    /// Starts one worker for each element of `worker_configs` and waits until all are ready.
    pub(crate) async fn prepare(worker_configs: Vec<WorkerConfig>) -> Result<Self> {
        let mut workers = Vec::with_capacity(worker_configs.len());
        for worker_config in worker_configs {
            let mut worker = Worker::start()?;
            worker.send(&worker_config).await?;
            workers.push(worker);
        }
        let mut open = 0;
        for worker in &mut workers {
            match worker.next().await? {
                WorkerMessage::Ready { open: its } => open += its,
                other => bail!("a worker sent {other:?} instead of its preparation"),
            }
        }
        Ok(Self { workers, open })
    }

    /// Starts the load, shows its progress (`total` bookings, or `lasts` as the duration), and returns the
    /// merged statistics.
    pub(crate) async fn play(self, total: Option<u64>, lasts: Duration) -> Result<Stats> {
        let bar = bar(total, lasts);
        let start = Start { at_ms: now_ms() + START_LEAD_MS };
        let (said, mut heard) = tokio::sync::mpsc::channel(1024);
        let count = self.workers.len();
        for (n, mut worker) in self.workers.into_iter().enumerate() {
            worker.send(&start).await?;
            let said = said.clone();
            tokio::spawn(async move {
                loop {
                    let message = worker.next().await;
                    let last = !matches!(message, Ok(WorkerMessage::Progress(_)));
                    if said.send((n, message)).await.is_err() || last {
                        // The worker ends by itself. Waiting for it avoids a zombie process.
                        let _ = worker.child.wait().await;
                        return;
                    }
                }
            });
        }
        drop(said);
        let mut progress = vec![Progress::default(); count];
        let mut stats = Stats::default();
        let mut done = 0;
        while let Some((n, message)) = heard.recv().await {
            match message? {
                WorkerMessage::Progress(its) => progress[n] = its,
                WorkerMessage::Done(its) => {
                    stats.merge(&its);
                    done += 1;
                }
                WorkerMessage::Ready { .. } => bail!("a worker reported twice that it is ready"),
            }
            show(&bar, &progress, total, start);
        }
        bar.finish_and_clear();
        if done < count {
            bail!("{} of {count} workers failed", count - done);
        }
        Ok(stats)
    }
}

impl Worker {
    fn start() -> Result<Self> {
        let this = std::env::current_exe().context("cannot find the path of this program")?;
        let mut command = Command::new(this);
        command.arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("cannot start a worker")?;
        let stdin = child.stdin.take().context("a worker has no standard input")?;
        let lines = BufReader::new(child.stdout.take().context("a worker has no standard output")?).lines();
        Ok(Self { child, stdin, lines })
    }

    async fn send(&mut self, message: &impl serde::Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        self.stdin.write_all(&line).await.context("cannot write to a worker")
    }

    async fn next(&mut self) -> Result<WorkerMessage> {
        let line = self.lines.next_line().await?.context("a worker has ended unexpectedly")?;
        serde_json::from_str(&line).with_context(|| format!("a worker sent an invalid line: {line:.100}"))
    }
}

/// The bar hides itself if there is no terminal.
fn bar(total: Option<u64>, lasts: Duration) -> ProgressBar {
    let length = total.unwrap_or_else(|| u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX));
    let shape = "{elapsed_precise} {wide_bar} {percent}% {msg}";
    let style = ProgressStyle::with_template(shape).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}

fn show(bar: &ProgressBar, progress: &[Progress], total: Option<u64>, start: Start) {
    let sum = |field: fn(&Progress) -> u64| progress.iter().map(field).sum::<u64>();
    let (confirmed, decided, errors) = (sum(|p| p.confirmed), sum(|p| p.decided), sum(|p| p.errors));
    bar.set_message(format!("{confirmed} confirmed, {} refused, {errors} errors", decided - confirmed));
    bar.set_position(if total.is_some() { decided } else { now_ms().saturating_sub(start.at_ms) });
}
