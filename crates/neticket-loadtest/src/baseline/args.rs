//! The arguments of the baselines.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::http;

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
    #[arg(long = "grades", value_name = "GRADES", default_value_t = http::TICKET_TYPES, value_parser = clap::value_parser!(u32).range(1..=i64::from(http::TICKET_TYPES)))]
    pub ticket_types: u32,
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
