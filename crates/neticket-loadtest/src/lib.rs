//! Load on a running NETicket from outside. It uses HTTP like any client. It uses the database only to create
//! users beforehand and to audit the result afterwards.
//!
//! The parent process prepares ([`run`], `runs.rs`), starts itself again as workers (`workers.rs`,
//! `worker.rs`), merges their results (`stats.rs`), audits (`audit.rs`) and reports (`result.rs`, `report/`).

mod api_client;
mod audit;
pub mod baseline;
mod booking;
pub mod cli;
mod connection;
mod context;
mod database;
mod loads;
mod machine;
mod outcome;
mod report;
mod result;
mod runs;
mod shared;
mod stats;
mod streams;
mod token;
mod worker;
mod worker_config;
mod workers;

pub use audit::{Audit, ClientReport, audit};
pub use database::Database;
pub use machine::Machine;
pub use result::{Client, Durability, FORMAT, Kind, Latency, Run, RunConfig, RunLatency};
pub use stats::{Counts, SLICE_MS, Slice};

use anyhow::{Context as _, Result};
use cli::{Command, ReportArgs};

/// Runs a command of the command line. Returns `false` if it ran and the audit found a fault.
///
/// # Errors
/// The command could not be run.
pub fn run(command: &Command) -> Result<bool> {
    match command {
        Command::Worker => worker::run().map(|()| true),
        Command::Ceiling(args) => baseline::ceiling(args).map(|()| true),
        Command::RowLock(args) => baseline::row_lock(args).map(|()| true),
        Command::Commit(args) => baseline::commit(args).map(|()| true),
        Command::Report(args) => report_write(args).map(|()| true),
        Command::Rush(args) => block_on(runs::rush(args)),
        Command::Book(args) => block_on(runs::book(args)),
        Command::Read(args) => block_on(runs::read(args)),
        Command::Hold(args) => block_on(runs::hold(args)),
        Command::Streams(args) => block_on(streams::streams(args)),
    }
}

fn block_on(run: impl Future<Output = Result<bool>>) -> Result<bool> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run)
}

fn report_write(args: &ReportArgs) -> Result<()> {
    let mut runs = Vec::with_capacity(args.files.len());
    for path in &args.files {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let run: Run = serde_json::from_str(&text)
            .with_context(|| format!("{} is not the result of a run", path.display()))?;
        runs.push(run);
    }
    runs::write(&args.html, &report::page(&runs)?)
}
