//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::baseline::{CeilingArgs, CommitArgs, RowLockArgs};

/// Generates load on a running NETicket and audits the result. Exit code 1: the audit found a fault. Exit
/// code 2: it could not run.
#[derive(Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Everyone books once, spread over the ramp, and does not wait for other people's answers (open loop)
    Rush(RushArgs),
    /// As many bookings as the server can take: each connection books again after its answer (closed loop)
    Book(BookArgs),
    /// As many reads of the event's page as the server can take (closed loop)
    Read(ReadArgs),
    /// Opens connections, sends one request on each, and holds them
    Hold(HoldArgs),
    /// Opens availability streams of one event, books at intervals, and measures how soon all streams receive
    /// it
    Streams(StreamsArgs),
    /// Writes one page from the JSON of earlier runs
    Report(ReportArgs),
    /// Serves the same paths without a store: what HTTP and tokens alone allow
    Ceiling(CeilingArgs),
    /// Serves the same paths with one row lock and one commit per booking
    RowLock(RowLockArgs),
    /// Measures the transaction of one booking alone
    Commit(CommitArgs),
    /// One of the processes of a run, which reads its orders from the standard input
    #[command(hide = true)]
    Worker,
}

/// The targets, and what to do with the result.
#[derive(Args, Clone, Debug)]
pub struct CommonArgs {
    /// `http://host:port`. Several targets share the load in turn
    #[arg(long = "target", required = true)]
    pub targets: Vec<String>,
    /// The server's database, `mysql://…` or `sqlite:…`, to create users and to audit
    #[arg(long, env = "NETICKET_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The server's Redis, only to read its durability settings
    #[arg(long, env = "NETICKET_REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,
    /// The secret with which the server signs access tokens
    #[arg(long, env = "NETICKET_JWT_SECRET", hide_env_values = true)]
    pub jwt_secret: String,
    /// Use this event instead of creating one
    #[arg(long)]
    pub event: Option<i64>,
    /// Ticket types of the event that is created, which share the seats evenly
    #[arg(long = "grades", value_name = "GRADES", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub ticket_types: u32,
    /// Write the result here
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Write a page with plots here, which loads no other files
    #[arg(long)]
    pub html: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub struct RushArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub people: u32,
    /// Seats of the event that is created. With fewer seats than people, some lose
    #[arg(long, default_value_t = 60_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub seats: u32,
    /// All people come within this time, evenly spread
    #[arg(long, default_value_t = 1_000)]
    pub ramp_ms: u64,
    /// More processes are started if one would hold more than 15,000 connections
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub processes: u32,
    /// When people connect: before the rush, with the event's page open, or when they book
    #[arg(long, value_enum, default_value_t = Connect::Before)]
    pub connect: Connect,
    /// How long a person repeats before giving up
    #[arg(long = "patience-s", value_name = "PATIENCE_S", default_value_t = 60)]
    pub give_up_after_s: u64,
    /// People who find a ticket type sold out try the next one
    #[arg(long = "other-grades")]
    pub other_ticket_types: bool,
    /// Do not compare the result with the database afterwards
    #[arg(long)]
    pub no_audit: bool,
}

#[derive(Args, Clone, Debug)]
pub struct BookArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub connections: u32,
    /// How many seconds are measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// How many seconds it runs before the measurement
    #[arg(long, default_value_t = 1)]
    pub warmup_s: u64,
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub processes: u32,
    /// They book in turn, and each may book 100 times
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub people: u32,
    /// Do not compare the result with the database afterwards
    #[arg(long)]
    pub no_audit: bool,
}

#[derive(Args, Clone, Debug)]
pub struct ReadArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    pub connections: u32,
    /// How many seconds are measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// How many seconds it runs before the measurement
    #[arg(long, default_value_t = 1)]
    pub warmup_s: u64,
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub processes: u32,
}

#[derive(Args, Clone, Debug)]
pub struct HoldArgs {
    /// `http://host:port`. Several targets share the connections in turn
    #[arg(long = "target", required = true)]
    pub targets: Vec<String>,
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub connections: u32,
    /// How many seconds they are held
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// The path that is requested once on each connection
    #[arg(long, default_value = "/healthz")]
    pub path: String,
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub processes: u32,
}

#[derive(Args, Clone, Debug)]
pub struct StreamsArgs {
    /// `--html` writes nothing
    #[command(flatten)]
    pub common: CommonArgs,
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=15_000))]
    pub streams: u32,
    /// How many seconds it books
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// The pause between two bookings. If it is shorter than the server's interval between messages, one
    /// message covers several bookings
    #[arg(long, default_value_t = 500)]
    pub pause_ms: u64,
}

#[derive(Args, Clone, Debug)]
pub struct ReportArgs {
    /// Files that `--json` has written
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Write the page here
    #[arg(long)]
    pub html: PathBuf,
}

/// When people connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Connect {
    Before,
    During,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_definition_is_valid() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
