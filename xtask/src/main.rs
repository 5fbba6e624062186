//! The project's commands, in Rust instead of shell and make: `cargo xtask --help`.

mod bench;
mod ci;
mod client;
mod demo;
mod faults;
mod http;
mod openapi;
mod process;
mod run;
mod setup;
mod shell;
mod soak;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::setup::Part;
use crate::workspace::Workspace;

/// NETicket's development commands. Start with `cargo xtask run`.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing for the other commands
    ///
    /// Each command installs its own needs. This command installs those of all of them at once. Debian
    /// packages are installed as root or through sudo. On other systems a message says what to install.
    Setup,
    /// Build everything and serve it, with demo data, on this machine
    ///
    /// Needs no other server: the store is an SQLite file, and the ledger is in the process. Ctrl-C ends it.
    Run(run::Options),
    /// Build the browser clients into frontend/dist, unless they are up to date
    Client,
    /// Run all tests: Rust, browser, API fuzzing against the schema, size of the client
    ///
    /// Starts one MariaDB and one Redis for the whole run. Arguments after `--` go to `cargo nextest run`,
    /// for example `cargo xtask test --only rust -- -p neticket-ledger`.
    Test(test::Options),
    /// Play random histories of bookings on real stores and ledgers, with crashes and faults, for a given
    /// time
    ///
    /// The tests do this for about a minute. This command plays new histories all the time. A failure prints
    /// its seed and the shortest history that shows it.
    Soak(soak::Options),
    /// Break nodes, Redis and MariaDB under load, and check that no promise is broken
    ///
    /// `cargo xtask test` runs a short form of it. Each scenario starts its own servers.
    Faults(faults::Options),
    /// Check everything that a change must pass: format, lints, rules, licences, schema, tests
    Ci,
    /// Measure the speed against baselines in one run: the ladder of docs/benchmarks.md
    ///
    /// Starts durable MariaDB and Redis, nodes and nginx on this machine. Ctrl-C ends everything.
    Bench(bench::Options),
    /// Write openapi/neticket-v1.json from the code
    Openapi(openapi::Options),
    /// Check the rules of this code base that no other tool checks
    Tidy,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The chain of causes, outermost first, without a backtrace.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let workspace = Workspace::load()?;
    match command {
        Command::Setup => setup::ensure(&workspace, &Part::ALL),
        Command::Run(options) => run::run(&workspace, &options),
        Command::Client => client::build(&workspace),
        Command::Test(options) => test::run(&workspace, &options),
        Command::Soak(options) => soak::run(&workspace, &options),
        Command::Faults(options) => faults::run(&workspace, &options),
        Command::Ci => ci::run(&workspace),
        Command::Bench(options) => bench::run(&workspace, &options),
        Command::Openapi(options) => openapi::run(&workspace, &options),
        Command::Tidy => tidy::run(&workspace),
    }
}
