//! The browser client: built by Trunk, compressed ahead of time, and only when something changed.

mod budget;
mod compress;
mod fingerprint;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};

pub(crate) use budget::check as check_budget;

use crate::setup::wasm::{self, Compiler};
use crate::setup::{self, Part};
use crate::shell;
use crate::workspace::Workspace;

/// Inside the built client: what it was built from.
const STAMP: &str = ".built-from";

/// Builds the client into `frontend/dist`, unless what is there was built from the same files.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let fingerprint = fingerprint::of(workspace)?;
    let stamp = workspace.dist().join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|built_from| built_from == fingerprint) {
        return Ok(());
    }
    println!("building the browser client: some minutes the first time");
    let start = Instant::now();
    setup::ensure(workspace, &[Part::Client])?;
    // Apart from `dist`, which a server may be serving and a `trunk serve` may be writing to.
    let staging = workspace.target().join("client-dist");
    trunk(workspace, &staging)?;
    compress::folder(&staging)?;
    publish(&staging, &workspace.dist())?;
    fs::write(&stamp, fingerprint)?;
    println!("built the browser client in {} s", start.elapsed().as_secs());
    Ok(())
}

fn trunk(workspace: &Workspace, staging: &Path) -> Result<()> {
    let compiler = wasm::ensure()?;
    // Trunk builds offline; where the standard library is built along, its own dependencies are fetched here too.
    let mut fetch = with_compiler("cargo", workspace, compiler);
    shell::run(fetch.args(["fetch", "--quiet", "--target", wasm::TARGET]))?;
    let mut command = with_compiler("trunk", workspace, compiler);
    command.args(["build", "--release", "--cargo-profile", "client", "--offline", "true"]);
    command.arg("--dist").arg(staging);
    // The page comes from the same server as what it loads.
    command.arg("--no-sri=true");
    shell::run(&mut command)
}

/// A program in the client's folder, with the client's compiler instead of the one that runs this program.
fn with_compiler(program: &str, workspace: &Workspace, compiler: Compiler) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace.root().join("frontend"));
    for variable in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN", "RUSTFLAGS", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command.env("CARGO_TARGET_DIR", workspace.target()).envs(compiler.environment());
    command
}

/// Replaces what was built before.
fn publish(staging: &Path, dist: &Path) -> Result<()> {
    if dist.exists() {
        fs::remove_dir_all(dist).with_context(|| format!("cannot empty {}", dist.display()))?;
    }
    // A copy, because the two may lie on different disks.
    shell::read(Command::new("cp").arg("-R").arg(staging).arg(dist)).map(drop)
}
