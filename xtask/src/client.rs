//! The browser client: built by Trunk, shrunk, compressed ahead of time, and only when something changed.

mod budget;
mod compress;
mod fingerprint;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

pub(crate) use budget::check as check_budget;

use crate::setup::{self, Part, wasm};
use crate::shell;
use crate::workspace::Workspace;

/// What every browser of the last years understands and the Rust compiler makes use of.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Inside the built client: what it was built from.
const STAMP: &str = ".built-from";

/// Builds the client into `frontend/dist`, unless what is there was built from the same files.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let wasm_opt = setup::wasm_opt(workspace);
    let fingerprint = fingerprint::of(workspace, wasm_opt.is_some())?;
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
    match &wasm_opt {
        Some(program) => shrink(&staging, program)?,
        None => println!(
            "wasm-opt is not there: the client stays a little larger (`cargo xtask setup` brings it)"
        ),
    }
    compress::folder(&staging)?;
    publish(&staging, &workspace.dist())?;
    fs::write(&stamp, fingerprint)?;
    println!("built the browser client in {} s", start.elapsed().as_secs());
    Ok(())
}

fn trunk(workspace: &Workspace, staging: &Path) -> Result<()> {
    let compiler = wasm::ensure()?;
    let mut command = Command::new("trunk");
    command.current_dir(workspace.root().join("frontend"));
    command.args(["build", "--release", "--cargo-profile", "client", "--offline", "true"]);
    command.arg("--dist").arg(staging);
    // The files are shrunk after Trunk has written their digests down.
    command.arg("--no-sri=true");
    // Set by `cargo xtask` for its own compiler, not for the client's.
    for variable in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN", "RUSTFLAGS", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command.env("CARGO_TARGET_DIR", workspace.target()).envs(compiler.environment());
    shell::run(&mut command)
}

/// Shrinks the WebAssembly in place, so that its name still is the one that the page asks for.
fn shrink(folder: &Path, program: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            let before = fs::metadata(&path)?.len();
            let mut command = Command::new(program);
            command.arg("-Oz").args(WASM_FEATURES).arg(&path).arg("-o").arg(&path);
            shell::read(&mut command).context("wasm-opt failed")?;
            let after = fs::metadata(&path)?.len();
            ensure!(after > 0, "wasm-opt left nothing");
            println!("wasm-opt: {} KB instead of {} KB", after / 1000, before / 1000);
        }
    }
    Ok(())
}

/// Replaces what was built before.
fn publish(staging: &Path, dist: &Path) -> Result<()> {
    if dist.exists() {
        fs::remove_dir_all(dist).with_context(|| format!("cannot empty {}", dist.display()))?;
    }
    // A copy, because the two may lie on different disks.
    shell::read(Command::new("cp").arg("-R").arg(staging).arg(dist)).map(drop)
}
