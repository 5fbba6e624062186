//! Tools from crates.io, npm and PyPI, in versions that are known to work together.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result};

use crate::shell;
use crate::workspace::Workspace;

/// Newer versions need a newer compiler than the workspace.
const TRUNK_VERSION: &str = "0.21.14";
const SCHEMATHESIS_VERSION: &str = "4.32.5";

/// These tools are built once and run for a few seconds at a time, so building quickly matters more than
/// running quickly.
const QUICK_BUILD: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
];

pub(super) fn ensure_trunk() -> Result<()> {
    ensure_version("trunk", "trunk", TRUNK_VERSION)
}

/// The command must have exactly the version with which the client is compiled.
pub(super) fn ensure_wasm_bindgen(workspace: &Workspace) -> Result<()> {
    let lock = fs::read_to_string(workspace.root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let version =
        locked_version(&lock, "wasm-bindgen").context("Cargo.lock does not contain wasm-bindgen")?;
    ensure_version("wasm-bindgen", "wasm-bindgen-cli", version)
}

/// Installs a cargo subcommand if it is missing. Any version is accepted.
pub(super) fn ensure_cargo_tool(package: &str, subcommand: &str) -> Result<()> {
    let installed = shell::find(package).is_some()
        || shell::read(shell::cargo(".".as_ref()).args([subcommand, "--version"])).is_ok();
    if installed { Ok(()) } else { cargo_install(package, None) }
}

fn ensure_version(program: &str, package: &str, version: &str) -> Result<()> {
    let said = shell::read(Command::new(program).arg("--version")).unwrap_or_default();
    if said.split_whitespace().nth(1) == Some(version) {
        return Ok(());
    }
    cargo_install(package, Some(version))
}

fn cargo_install(package: &str, version: Option<&str>) -> Result<()> {
    println!(
        "installing {package} {} with cargo (this takes some minutes, once)",
        version.unwrap_or("(newest)")
    );
    let attempt = |locked: bool| {
        let mut command = shell::cargo(".".as_ref());
        command.args(["install", package]).envs(QUICK_BUILD);
        if let Some(version) = version {
            command.args(["--version", version]);
        }
        if locked {
            command.arg("--locked");
        }
        shell::run(&mut command)
    };
    // Without `--locked`, because a version in the package's lock file may not be available any more.
    attempt(true).or_else(|_| attempt(false))
}

fn locked_version<'lock>(lock: &'lock str, package: &str) -> Option<&'lock str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

/// Installs the packages of `package-lock.json`, unless they were installed after its last change.
pub(super) fn ensure_npm_packages(workspace: &Workspace) -> Result<()> {
    let folder = workspace.e2e();
    let changed = |name: &str| fs::metadata(folder.join(name)).and_then(|metadata| metadata.modified()).ok();
    let installed: Option<SystemTime> = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(());
    }
    println!("installing the npm packages of the browser tests");
    let mut command = Command::new("npm");
    command.arg("ci").current_dir(&folder);
    // The tests use the system's browser.
    command.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    shell::run(&mut command)
}

/// The path of the program that fuzzes the API, in its own Python environment.
pub(crate) fn schemathesis(workspace: &Workspace) -> PathBuf {
    schemathesis_folder(workspace).join("bin/schemathesis")
}

fn schemathesis_folder(workspace: &Workspace) -> PathBuf {
    workspace.tools().join(format!("schemathesis-{SCHEMATHESIS_VERSION}"))
}

pub(super) fn ensure_schemathesis(workspace: &Workspace) -> Result<()> {
    let folder = schemathesis_folder(workspace);
    let complete = folder.join("complete");
    if complete.exists() {
        return Ok(());
    }
    println!("installing Schemathesis {SCHEMATHESIS_VERSION} with pip into {}", folder.display());
    shell::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]);
    shell::run(pip.arg(format!("schemathesis=={SCHEMATHESIS_VERSION}")))?;
    fs::write(complete, "")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_version_belongs_to_the_exact_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "trunk"), None);
    }
}
