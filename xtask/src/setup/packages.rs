//! Programs from the system's package manager.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};

use super::part::Part;
use crate::shell;

/// A Debian package, and how to see whether its contents are there, whatever installed them.
struct Package {
    name: &'static str,
    part: Part,
    is_there: fn() -> bool,
}

const PACKAGES: [Package; 9] = [
    Package { name: "mariadb-server", part: Part::Servers, is_there: || has("mariadbd") && has("mariadb") },
    Package { name: "redis-server", part: Part::Servers, is_there: || has("redis-server") },
    Package { name: "faketime", part: Part::Servers, is_there: || has("faketime") },
    Package { name: "nginx-light", part: Part::Proxy, is_there: || has("nginx") },
    Package { name: "chromium", part: Part::Browser, is_there: || chromium().is_some() },
    Package { name: "fonts-noto-cjk", part: Part::Browser, is_there: has_korean_font },
    Package { name: "nodejs", part: Part::Browser, is_there: || has("node") },
    Package { name: "npm", part: Part::Browser, is_there: || has("npm") },
    Package { name: "python3-venv", part: Part::Schema, is_there: has_python_venv },
];

/// A browser of the Chromium family.
pub(crate) fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
        .into_iter()
        .find_map(shell::find)
}

/// Installs the missing packages of these parts, all in one command.
pub(super) fn install_missing(parts: &[Part]) -> Result<()> {
    let wanted = PACKAGES.iter().filter(|package| parts.contains(&package.part));
    let missing: Vec<&str> =
        wanted.filter(|package| !(package.is_there)()).map(|package| package.name).collect();
    if missing.is_empty() { Ok(()) } else { install(&missing) }
}

/// Installs Debian packages without the packages that they only recommend.
pub(super) fn install(names: &[&str]) -> Result<()> {
    let list = names.join(" ");
    if shell::find("apt-get").is_none() {
        bail!(
            "these packages are missing (names of Debian): {list}. Install them with the package manager of your system, then try again"
        );
    }
    println!("installing Debian packages: {list}");
    update_once()?;
    let mut command = apt_get()?;
    shell::run(command.args(["install", "--yes", "--no-install-recommends"]).args(names))
}

/// Fetches the package lists, once per process, because a new machine knows no packages.
fn update_once() -> Result<()> {
    static UPDATED: AtomicBool = AtomicBool::new(false);
    if UPDATED.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    shell::run(apt_get()?.args(["update", "--quiet"]))
}

fn apt_get() -> Result<Command> {
    let mut command = if is_root() {
        Command::new("env")
    } else if has("sudo") {
        let mut command = Command::new("sudo");
        command.arg("env");
        command
    } else {
        bail!(
            "packages are missing, and this user may not install packages: run `cargo xtask setup` once as root"
        );
    };
    // Through `env`, because sudo removes most variables from the environment.
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    // Waits if another installation is under way.
    command.args(["-o", "DPkg::Lock::Timeout=120"]);
    Ok(command)
}

fn is_root() -> bool {
    shell::read(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn has(program: &str) -> bool {
    shell::find(program).is_some()
}

fn has_korean_font() -> bool {
    let folder = "/usr/share/fonts/opentype/noto";
    let in_usual_place = fs::read_dir(folder).is_ok_and(|files| {
        files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("NotoSansCJK"))
    });
    in_usual_place
        || shell::read(Command::new("fc-list").arg(":lang=ko")).is_ok_and(|fonts| !fonts.is_empty())
}

fn has_python_venv() -> bool {
    shell::read(Command::new("python3").args(["-c", "import venv, ensurepip"])).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_without_packages_install_none() {
        assert!(install_missing(&[Part::Client, Part::Nextest, Part::Deny]).is_ok());
    }
}
