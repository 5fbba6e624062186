//! Servers to compare with: what a booking costs without a store, and with one row lock and one commit each.

use std::net::SocketAddr;

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
    /// `mysql://user:password@host/database`, with the schema of NETicket
    #[arg(long, env = "NETICKET_DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// What tokens are signed with
    #[arg(long, env = "NETICKET_JWT_SECRET", hide_env_values = true)]
    pub jwt_secret: String,
}

/// Serves until it is stopped.
///
/// # Errors
/// The address is not to be had.
pub fn ceiling(args: &CeilingArgs) -> anyhow::Result<()> {
    anyhow::bail!("the ceiling at {} is not built yet", args.listen)
}

/// Serves until it is stopped.
///
/// # Errors
/// The address or the database is not to be had.
pub fn row_lock(args: &RowLockArgs) -> anyhow::Result<()> {
    anyhow::bail!("the row lock at {} is not built yet", args.listen)
}
