//! The load test's binary: reads the command line and says what went wrong. Everything else is in the library, where
//! tests reach it.

use std::process::ExitCode;

use clap::Parser as _;
use neticket_loadtest::cli::Cli;

/// The same as the server's, so that baselines and nodes are compared alike.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // As the server does.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_thp_disable(true);
    match neticket_loadtest::run(&Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
