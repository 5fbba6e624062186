//! Builds the two browser clients, for everyone and for administrators. Trunk builds them, and they are
//! compressed ahead of time. A build runs only if something has changed.

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

/// A file in the built client that says from what it was built.
const STAMP: &str = ".built-from";

/// The page of each client. Files with the same name in both builds are identical.
const PAGES: [&str; 2] = ["index.html", "admin.html"];

/// Builds the clients into `frontend/dist`, unless they were built from the same files already.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let fingerprint = fingerprint::of(workspace)?;
    let stamp = workspace.dist().join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|built_from| built_from == fingerprint) {
        return Ok(());
    }
    println!("building the browser clients (the first build takes some minutes)");
    let start = Instant::now();
    setup::ensure(workspace, &[Part::Client])?;
    // A separate folder, because a server may be serving `dist`, or `trunk serve` may be writing to it.
    let staging = workspace.target().join("client-dist");
    if staging.exists() {
        fs::remove_dir_all(&staging)?;
    }
    fs::create_dir_all(&staging)?;
    for page in PAGES {
        // A folder for each page, because Trunk empties the folder into which it builds.
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
    // Trunk builds offline. If the standard library is built too, this also fetches its dependencies.
    let mut fetch = with_compiler("cargo", workspace, compiler);
    shell::run(fetch.args(["fetch", "--quiet", "--target", wasm::TARGET]))?;
    let mut command = with_compiler("trunk", workspace, compiler);
    command.args(["build", "--release", "--cargo-profile", "client", "--offline", "true"]);
    command.arg(page).args(["--html-output", page]).arg("--dist").arg(into);
    // Integrity hashes are not needed, because the page and its files come from the same server.
    command.arg("--no-sri=true");
    shell::run(&mut command)
}

/// A command for a program in the client's folder. It uses the client's compiler instead of the one that runs
/// this program.
fn with_compiler(program: &str, workspace: &Workspace, compiler: Compiler) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace.root().join("frontend"));
    for variable in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN", "RUSTFLAGS", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command.env("CARGO_TARGET_DIR", workspace.target()).envs(compiler.environment());
    command
}

/// Copies the contents of a folder into another one.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    shell::read(Command::new("cp").arg("-R").arg(from.join(".")).arg(to)).map(drop)
}

/// Replaces the previous build.
fn publish(staging: &Path, dist: &Path) -> Result<()> {
    if dist.exists() {
        fs::remove_dir_all(dist).with_context(|| format!("cannot empty {}", dist.display()))?;
    }
    // A copy, because the two folders may be on different disks.
    copy(staging, dist)
}
