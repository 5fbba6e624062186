//! Load on a running NETicket, from outside: it speaks HTTP like everyone else, and looks into the database only to make
//! people beforehand and to audit what came of it afterwards.
//!
//! The parent process ([`run`]) prepares, starts itself again as workers, merges what they saw, audits and reports.

pub mod baseline;
pub mod cli;

use cli::Command;

/// Does what the command line says. `true`: all is well; `false`: it ran, and the audit found something wrong.
///
/// # Errors
/// It could not be done.
pub fn run(command: &Command) -> anyhow::Result<bool> {
    match command {
        Command::Ceiling(args) => baseline::ceiling(args).map(|()| true),
        Command::RowLock(args) => baseline::row_lock(args).map(|()| true),
        _ => anyhow::bail!("not built yet"),
    }
}
