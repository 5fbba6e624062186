//! Baselines for NETicket: a booking without a store, a booking with one row lock and one commit, and the
//! transaction of a booking alone.

mod ceiling;
mod commit;
mod http;
mod row_lock;
mod tables;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// A server that checks the token, parses the body and answers 201, and nothing else.
#[derive(Args, Clone, Debug)]
pub struct CeilingArgs {
    /// Address and port
    #[arg(long)]
    pub listen: SocketAddr,
    /// The secret with which tokens are signed
    #[arg(long, env = "NETICKET_JWT_SECRET", hide_env_values = true)]
    pub jwt_secret: String,
}

/// A server that locks the ticket type's row for each booking.
#[derive(Args, Clone, Debug)]
pub struct RowLockArgs {
    /// Address and port
    #[arg(long)]
    pub listen: SocketAddr,
    /// `mysql://user:password@host/database` with the schema of NETicket. An event is created in it
    #[arg(long, env = "NETICKET_DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// The secret with which tokens are signed
    #[arg(long, env = "NETICKET_JWT_SECRET", hide_env_values = true)]
    pub jwt_secret: String,
    /// Ticket types of the event, each of which is a row that is locked
    #[arg(long, default_value_t = http::GRADES, value_parser = clap::value_parser!(u32).range(1..=i64::from(http::GRADES)))]
    pub grades: u32,
}

/// The transaction of one booking, repeated on one connection.
#[derive(Args, Clone, Debug)]
pub struct CommitArgs {
    /// `mysql://user:password@host/database` with the schema of NETicket. An event and a user are created in
    /// it
    #[arg(long, env = "NETICKET_DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// How many seconds are measured
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// Write the result here
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// Serves until it is stopped.
///
/// # Errors
/// The server cannot bind the address.
pub fn ceiling(args: &CeilingArgs) -> anyhow::Result<()> {
    ceiling::serve(args)
}

/// Serves until it is stopped.
///
/// # Errors
/// The server cannot bind the address, or cannot use the database.
pub fn row_lock(args: &RowLockArgs) -> anyhow::Result<()> {
    row_lock::serve(args)
}

/// Measures and prints the latencies of the transaction.
///
/// # Errors
/// The database does not answer, or a transaction fails.
pub fn commit(args: &CommitArgs) -> anyhow::Result<()> {
    commit::measure(args)
}
