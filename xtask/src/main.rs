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

/// NETicket's own commands. Start with `cargo xtask run`.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the other commands need, as far as it is missing
    ///
    /// Each command does this for its own needs; this does it for all of them at once. Debian packages are
    /// installed as root or through sudo; on other systems the words say what to install.
    Setup,
    /// Build everything and serve it, with demo data, on this machine
    ///
    /// Needs no other server: the store is an SQLite file, the ledger lives in the process. Ctrl-C ends it.
    Run(run::Options),
    /// Build the browser client into frontend/dist, unless it is up to date
    Client,
    /// Run all tests: Rust, browser, API fuzzing against the schema, size of the client
    ///
    /// Starts one MariaDB and one Redis for the whole run. Words after `--` go to `cargo nextest run`, for
    /// example `cargo xtask test --only rust -- -p neticket-ledger`.
    Test(test::Options),
    /// Play random histories of bookings on real parts, with crashes and faults, for as long as wanted
    ///
    /// What the tests do for a minute or so, with new histories all the time. A failure tells its seed and the shortest
    /// history that shows it.
    Soak(soak::Options),
    /// Break nodes, Redis and MariaDB under load, and check that no promise is broken
    ///
    /// `cargo xtask test` does the same in short. Each scenario starts servers of its own.
    Faults(faults::Options),
    /// Check everything that a change must pass: format, lints, rules, licences, schema, tests
    Ci,
    /// Measure how fast it is, against baselines, in one run: the ladder of docs/benchmarks.md
    ///
    /// Starts durable MariaDB and Redis, nodes and nginx on this machine. Ctrl-C ends everything.
    Bench(bench::Options),
    /// Write openapi/neticket-v1.json from the code
    Openapi(openapi::Options),
    /// Check the rules of this code base that no other tool knows
    Tidy,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // What went wrong, from the outside in; where in this program is nobody's concern.
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
