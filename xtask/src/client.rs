//! The browser clients, the one for everyone and the one for administrators: built by Trunk, compressed ahead of time, and
//! only when something changed.

mod budget;
mod compress;
mod fingerprint;
mod styles;

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

/// The page of each client. What is named alike in both is the same.
const PAGES: [&str; 2] = ["index.html", "admin.html"];

/// Builds the clients into `frontend/dist`, unless what is there was built from the same files.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let fingerprint = fingerprint::of(workspace)?;
    let stamp = workspace.dist().join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|built_from| built_from == fingerprint) {
        return Ok(());
    }
    println!("building the browser clients: some minutes the first time");
    let start = Instant::now();
    setup::ensure(workspace, &[Part::Client])?;
    // Apart from `dist`, which a server may be serving and a `trunk serve` may be writing to.
    let staging = workspace.target().join("client-dist");
    if staging.exists() {
        fs::remove_dir_all(&staging)?;
    }
    fs::create_dir_all(&staging)?;
    for page in PAGES {
        // Trunk empties the folder that it builds into.
        let built = workspace.target().join(format!("client-{page}"));
        trunk(workspace, page, &built)?;
        styles::join(&built.join(page))?;
        copy(&built, &staging)?;
    }
    compress::folder(&staging)?;
    publish(&staging, &workspace.dist())?;
    fs::write(&stamp, fingerprint)?;
    println!("built the browser clients in {} s", start.elapsed().as_secs());
    Ok(())
}

fn trunk(workspace: &Workspace, page: &str, into: &Path) -> Result<()> {
    let compiler = wasm::ensure()?;
    // Trunk builds offline; where the standard library is built along, its own dependencies are fetched here too.
    let mut fetch = with_compiler("cargo", workspace, compiler);
    shell::run(fetch.args(["fetch", "--quiet", "--target", wasm::TARGET]))?;
    let mut command = with_compiler("trunk", workspace, compiler);
    command.args(["build", "--release", "--cargo-profile", "client", "--offline", "true"]);
    command.arg(page).args(["--html-output", page]).arg("--dist").arg(into);
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

/// Copies what is in a folder into another one.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    shell::read(Command::new("cp").arg("-R").arg(from.join(".")).arg(to)).map(drop)
}

/// Replaces what was built before.
fn publish(staging: &Path, dist: &Path) -> Result<()> {
    if dist.exists() {
        fs::remove_dir_all(dist).with_context(|| format!("cannot empty {}", dist.display()))?;
    }
    // A copy, because the two may lie on different disks.
    copy(staging, dist)
}
