//! The NETicket server and its commands. Each is one file; this one reads the command line and says what went wrong.

mod account;
mod admin;
mod demo;
mod doctor;
mod logging;
mod migrate;
mod open_files;
mod serve;
mod server_lock;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand};
use neticket_app::{Config, Environment};

/// Sells tickets at the moment everyone wants one. Configured by NETICKET_* variables; unset means that everything is
/// embedded and lies in ./data.
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
    /// Bring the database up to date
    Migrate,
    /// Fill the database with things to look at
    Seed(Seed),
    /// Look after administrators
    #[command(subcommand)]
    Admin(Admin),
    /// Look after accounts
    #[command(subcommand)]
    Account(Account),
    /// Print the OpenAPI document
    Openapi,
    /// Say what is configured, and check that each part answers
    Doctor,
}

#[derive(Args)]
struct Seed {
    /// The demo season: events, an audience, and two accounts with published passwords. Never in production
    #[arg(long, required = true)]
    demo: bool,
}

#[derive(Subcommand)]
enum Admin {
    /// Make an account that may administer
    Create(AdminCreate),
    /// Name everyone who may administer
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
    /// Read the password from the standard input, up to its first line feed
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
    /// Read the new password from the standard input, up to its first line feed
    #[arg(long, required = true)]
    password_stdin: bool,
}

/// Thousands of requests come and go at once (docs/decisions/0016).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The allocator asks for huge pages, and each connection touches the beginning of buffers that it never fills: the
    // kernel would clear 2 MB where 4 KiB are needed. Where this cannot be said, memory is merely wasted.
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
        // Not `print!`: a reader that has seen enough closes the pipe, and that is no fault.
        let _ = std::io::stdout().write_all(neticket_api::openapi_document().as_bytes());
        return Ok(());
    }
    let config = Config::read(|name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Runtime::new().context("no threads to run on")?;
    runtime.block_on(async {
        match command {
            Command::Serve => serve::run(config).await,
            Command::Migrate => migrate::run(&config).await,
            Command::Seed(Seed { demo: _ }) => {
                if config.environment == Environment::Production {
                    bail!("the demo season is not for production: everyone knows its passwords");
                }
                println!("{}", demo::seed(&config).await?);
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

/// The error and its causes, leaving out a cause that the one before has told already.
fn one_sentence(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| {
        if told.contains(&cause) {
            told
        } else if told.is_empty() {
            cause
        } else {
            format!("{told}: {cause}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow::anyhow!("refused").context("no database: refused").context("cannot start");
        assert_eq!(one_sentence(&error), "cannot start: no database: refused");
    }
}
