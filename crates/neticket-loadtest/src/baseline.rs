//! Baselines for NETicket: a booking without a store, a booking with one row lock and one commit, and the
//! transaction of a booking alone.

mod args;
mod ceiling;
mod commit;
mod http;
mod row_lock;
mod tables;

pub use args::{CeilingArgs, CommitArgs, RowLockArgs};

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
