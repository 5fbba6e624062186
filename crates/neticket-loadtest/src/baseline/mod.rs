//! What NETicket is compared with: what a booking costs without a store, with one row lock and one commit each, and what
//! its own transaction costs alone.

mod ceiling;
mod commit;
mod http;
mod row_lock;
mod tables;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// A server that checks the token, reads the body and answers 201, and nothing else.
#[derive(Args, Clone, Debug)]
pub struct CeilingArgs {
    /// Address and port
    #[arg(long)]
    pub listen: SocketAddr,
    /// What tokens are signed with
    #[arg(long, env = "NETICKET_JWT_SECRET", hide_env_values = true)]
    pub jwt_secret: String,
}

/// A server that locks the ticket type's row for each booking.
#[derive(Args, Clone, Debug)]
pub struct RowLockArgs {
    /// Address and port
    #[arg(long)]
    pub listen: SocketAddr,
    /// `mysql://user:password@host/database`, with the schema of NETicket; an event is made in it
    #[arg(long, env = "NETICKET_DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// What tokens are signed with
    #[arg(long, env = "NETICKET_JWT_SECRET", hide_env_values = true)]
    pub jwt_secret: String,
    /// Grades of the event: rows that are locked
    #[arg(long, default_value_t = http::GRADES, value_parser = clap::value_parser!(u32).range(1..=i64::from(http::GRADES)))]
    pub grades: u32,
}

/// The transaction of one booking, one after another on one connection.
#[derive(Args, Clone, Debug)]
pub struct CommitArgs {
    /// `mysql://user:password@host/database`, with the schema of NETicket; an event and a person are made in it
    #[arg(long, env = "NETICKET_DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// How long is measured
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// Write the result here
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// Serves until it is stopped.
///
/// # Errors
/// The address is not to be had.
pub fn ceiling(args: &CeilingArgs) -> anyhow::Result<()> {
    ceiling::serve(args)
}

/// Serves until it is stopped.
///
/// # Errors
/// The address or the database is not to be had.
pub fn row_lock(args: &RowLockArgs) -> anyhow::Result<()> {
    row_lock::serve(args)
}

/// Measures and prints the latencies of the transaction.
///
/// # Errors
/// The database is not to be had, or a transaction failed.
pub fn commit(args: &CommitArgs) -> anyhow::Result<()> {
    commit::measure(args)
}
