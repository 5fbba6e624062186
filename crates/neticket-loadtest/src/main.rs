//! The binary of the load test. It parses the command line and prints errors. Everything else is in the
//! library, where tests can use it.

use std::process::ExitCode;

use clap::Parser as _;
use neticket_loadtest::cli::Cli;

/// The same allocator as the server's, so that baselines and nodes are comparable.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // As in the server.
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
