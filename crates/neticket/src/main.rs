//! The NETicket server and its commands. Each command has its own file. This file parses the command line and
//! prints errors.

mod account;
mod admin;
mod doctor;
mod error_text;
mod logging;
mod migrate;
mod open_files;
mod serve;
mod server_lock;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use neticket_app::Config;

use crate::error_text::one_sentence;

/// Sells tickets at the moment everyone wants one. Configured by NETICKET_* variables. If none is set, the
/// database, the ledger and the images are embedded and stored in ./data.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API, and the client if it is built
    Serve,
    /// Apply pending migrations to the database
    Migrate,
    /// Fill the database with demo data
    Seed(Seed),
    /// Create, list, grant and revoke administrators
    #[command(subcommand)]
    Admin(Admin),
    /// Manage the accounts of users
    #[command(subcommand)]
    Account(Account),
    /// Print the OpenAPI document
    Openapi,
    /// Print the configuration, and check that each backend answers
    Doctor,
}

#[derive(Args)]
struct Seed {
    /// Create the demo season: events, an audience, and two accounts with published passwords. Refused in
    /// production
    #[arg(long, required = true)]
    demo: bool,
}

#[derive(Subcommand)]
enum Admin {
    /// Create an account that is an administrator
    Create(AdminCreate),
    /// List all administrators
    List,
    /// Make an existing account an administrator
    Grant(AccountEmail),
    /// Make an administrator a plain user, and end their sessions
    Revoke(AccountEmail),
}

#[derive(Subcommand)]
enum Account {
    /// Set the password of an existing account, and end its sessions
    ResetPassword(ResetPassword),
}

#[derive(Args)]
struct AdminCreate {
    #[arg(long)]
    email: String,
    #[arg(long)]
    nickname: String,
    /// Read the password from the first line of the standard input
    #[arg(long, required = true)]
    password_stdin: bool,
}

#[derive(Args)]
struct AccountEmail {
    #[arg(long)]
    email: String,
}

#[derive(Args)]
struct ResetPassword {
    #[arg(long)]
    email: String,
    /// Read the new password from the first line of the standard input
    #[arg(long, required = true)]
    password_stdin: bool,
}

/// A faster allocator, because thousands of requests allocate and free memory at once (docs/decisions/0016).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Switches transparent huge pages off. The allocator asks for them, and each connection touches only the
    // beginning of its buffers, so the kernel would clear 2 MB where 4 KiB are needed. If the call fails,
    // memory is wasted, but nothing breaks.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_thp_disable(true);
    let cli = Cli::parse();
    logging::start();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", one_sentence(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    if matches!(command, Command::Openapi) {
        // Not `print!`, which panics if the reader closes the pipe early. That is not an error.
        let _ = std::io::stdout().write_all(neticket_api::openapi_document().as_bytes());
        return Ok(());
    }
    let config = Config::read(|name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        match command {
            Command::Serve => serve::run(config).await,
            Command::Migrate => migrate::run(&config).await,
            Command::Seed(Seed { demo: _ }) => {
                println!("{}", neticket_demo::seed(&config).await?);
                Ok(())
            }
            Command::Admin(Admin::Create(create)) => {
                admin::create(config, &create.email, &create.nickname).await
            }
            Command::Admin(Admin::List) => admin::list(config).await,
            Command::Admin(Admin::Grant(AccountEmail { email })) => admin::grant(config, &email).await,
            Command::Admin(Admin::Revoke(AccountEmail { email })) => admin::revoke(config, &email).await,
            Command::Account(Account::ResetPassword(reset)) => {
                account::reset_password(config, &reset.email).await
            }
            Command::Doctor => doctor::run(&config).await,
            Command::Openapi => Ok(()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_definition_is_valid() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
