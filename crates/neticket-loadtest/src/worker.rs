//! A worker process: one thread that runs its share of the connections.

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use hyper::header::HeaderValue;
use neticket_domain::Role;
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::booking::Person;
use crate::context::WorkerContext;
use crate::loads;
use crate::shared::Shared;
use crate::token::{Signer, now_ms};
use crate::worker_config::{CONNECTIONS_MAX, Load, Start, WorkerConfig, WorkerMessage};

/// How often the worker reports its progress to the parent.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// Runs the configuration on the standard input.
///
/// # Errors
/// The configuration cannot be run at all. Failures of single connections are counted instead.
pub(crate) fn run() -> Result<()> {
    let worker_config: WorkerConfig =
        serde_json::from_str(&line()?).context("cannot parse the worker configuration")?;
    file_limit_raise(worker_config.connections)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(play(worker_config))
}

async fn play(worker_config: WorkerConfig) -> Result<()> {
    let signer = Signer::new(&worker_config.secret);
    let people = worker_config
        .people
        .iter()
        .map(|user| Ok(Person { user: *user, authorization: signer.authorization(*user, Role::User)? }));
    let people = people.collect::<Result<Vec<_>>>()?;
    let hosts = worker_config.targets.iter().map(|target| HeaderValue::try_from(&target.host));
    let hosts = hosts.collect::<Result<Vec<_>, _>>()?;
    let (opened, mut reports) = mpsc::channel(1024);
    let (go, waiting) = watch::channel(None);
    let context = Arc::new(WorkerContext::new(worker_config, people, hosts, opened, waiting));

    let mut tasks = JoinSet::new();
    for n in 0..usize::try_from(context.worker_config.connections)? {
        tasks.spawn(loads::play(Arc::clone(&context), n));
    }
    let mut open = 0;
    for _ in 0..context.worker_config.connections {
        open += u64::from(reports.recv().await.context("a connection ended before it was ready")?);
    }
    say(&WorkerMessage::Ready { open })?;
    let start: Start = serde_json::from_str(&tokio::task::spawn_blocking(line).await??)?;
    let cpu_before_us = cpu_us()?;
    let shared = Arc::new(Shared::new(moment(start), span(&context.worker_config.load)));
    go.send(Some(Arc::clone(&shared))).ok().context("all connections have ended")?;
    finish(&mut tasks, &shared).await?;
    let mut stats = shared.take();
    stats.cpu_us = cpu_us()?.saturating_sub(cpu_before_us);
    say(&WorkerMessage::Done(Box::new(stats)))
}

/// Waits for all connections to end, and reports their progress meanwhile.
async fn finish(tasks: &mut JoinSet<()>, shared: &Shared) -> Result<()> {
    let mut ticks = tokio::time::interval(PROGRESS_EVERY);
    loop {
        tokio::select! {
            ended = tasks.join_next() => match ended {
                Some(ended) => ended.context("a connection failed")?,
                None => return Ok(()),
            },
            _ = ticks.tick() => say(&WorkerMessage::Progress(shared.progress()))?,
        }
    }
}

fn span(load: &Load) -> Option<crate::worker_config::Span> {
    match load {
        Load::Book(span) | Load::Read(span) => Some(*span),
        Load::Rush(_) | Load::Hold { .. } => None,
    }
}

/// The moment of the start, by this process' clock.
fn moment(start: Start) -> Instant {
    let (now, now_ms) = (Instant::now(), now_ms());
    now + Duration::from_millis(start.at_ms.saturating_sub(now_ms))
}

fn line() -> Result<String> {
    let mut line = String::new();
    if std::io::stdin().lock().read_line(&mut line)? == 0 {
        bail!("the parent process has ended");
    }
    Ok(line)
}

fn say(word: &WorkerMessage) -> Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, word)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// Raises the limit of open files, because each connection needs one.
pub(crate) fn file_limit_raise(connections: u32) -> Result<()> {
    let needed = u64::from(connections.min(CONNECTIONS_MAX)) + 100;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if hard < needed {
        bail!("{needed} open files are needed, but the limit is {hard}: increase --processes");
    }
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(())
}

/// Processor time of this process so far, in microseconds.
fn cpu_us() -> Result<u64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let times = [usage.user_time(), usage.system_time()];
    let us = times.iter().map(|time| time.tv_sec() * 1_000_000 + time.tv_usec()).sum::<i64>();
    Ok(u64::try_from(us)?)
}
