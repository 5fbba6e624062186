//! A Rust compiler for the browser: the toolchain with its wasm target, or Debian's compiler with the source
//! of the standard library if rustup's server cannot be reached.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use super::packages;
use crate::shell;

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
/// The name of Debian's compiler among rustup's toolchains.
const DEBIAN_TOOLCHAIN: &str = "debian-web";
/// Erased types make Leptos' views a little slower to build and much smaller to send.
/// The locations of panics are left out, because nobody reads them in a browser.
const RUSTUP_FLAGS: &str = "--cfg=erase_components -Zlocation-detail=none";
/// The standard library is built too, so panics need neither a location nor a message. Nobody reads them in a
/// browser.
const DEBIAN_FLAGS: &str =
    "--cfg=erase_components -Zlocation-detail=none -Zunstable-options -Cpanic=immediate-abort";
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm"];
/// The linker that Debian's compiler calls. It is a link, and its target has the name of the package that
/// contains it.
const DEBIAN_LINKER: &str = "/usr/bin/rust-lld";

/// The compiler that builds the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compiler {
    /// The default compiler, with its wasm target installed.
    Default,
    /// Debian's compiler under /usr, which also builds the standard library. `rustup` says whether rustup has
    /// to select it.
    Debian { rustup: bool },
}

impl Compiler {
    /// The environment variables with which cargo and Trunk use it.
    pub(crate) fn environment(self) -> Vec<(&'static str, &'static str)> {
        let Self::Debian { rustup } = self else {
            return vec![("RUSTC_BOOTSTRAP", "1"), ("RUSTFLAGS", RUSTUP_FLAGS)];
        };
        let mut variables = vec![
            ("RUSTC_BOOTSTRAP", "1"),
            ("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort"),
            ("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size"),
            ("RUSTFLAGS", DEBIAN_FLAGS),
        ];
        if rustup {
            variables.push(("RUSTUP_TOOLCHAIN", DEBIAN_TOOLCHAIN));
        }
        variables
    }
}

/// The compiler that is installed, if there is one.
pub(crate) fn find() -> Option<Compiler> {
    if has_target("rustc") {
        return Some(Compiler::Default);
    }
    if !has_debian_compiler() {
        return None;
    }
    if shell::find("rustup").is_none() {
        return Some(Compiler::Debian { rustup: false });
    }
    let toolchains = shell::read(Command::new("rustup").args(["toolchain", "list"])).ok()?;
    let linked = toolchains.lines().any(|line| line.split_whitespace().next() == Some(DEBIAN_TOOLCHAIN));
    linked.then_some(Compiler::Debian { rustup: true })
}

/// Finds a compiler, or installs one.
pub(crate) fn ensure() -> Result<Compiler> {
    if let Some(compiler) = find() {
        return Ok(compiler);
    }
    if shell::find("rustup").is_some() {
        println!("adding the target {TARGET} to the Rust toolchain");
        let added = shell::run(rustup_for_default_toolchain().args(["target", "add", TARGET]));
        if added.is_ok() && has_target("rustc") {
            return Ok(Compiler::Default);
        }
        println!("rustup cannot download the target: trying Debian's compiler for the web instead");
    }
    install_debian_compiler()?;
    match find() {
        Some(compiler) => Ok(compiler),
        None => bail!(
            "no compiler for {TARGET}: `rustup target add {TARGET}` did not work and Debian's \
             {} are not usable; install either, then try again",
            DEBIAN_PACKAGES.join(", ")
        ),
    }
}

fn install_debian_compiler() -> Result<()> {
    if !has_debian_compiler() {
        packages::install(&DEBIAN_PACKAGES)?;
        if !Path::new(DEBIAN_LINKER).exists()
            && let Ok(linker) = std::fs::read_link(DEBIAN_LINKER)
            && let Some(package) = linker.file_name().and_then(|name| name.to_str())
        {
            packages::install(&[package])?;
        }
    }
    if shell::find("rustup").is_some() && has_debian_compiler() {
        shell::run(rustup_for_default_toolchain().args(["toolchain", "link", DEBIAN_TOOLCHAIN, "/usr"]))?;
    }
    Ok(())
}

/// `cargo` pins the toolchain of every program that it runs. This command is for the user's default
/// toolchain.
fn rustup_for_default_toolchain() -> Command {
    let mut command = Command::new("rustup");
    command.env_remove("RUSTUP_TOOLCHAIN");
    command
}

fn has_target(rustc: &str) -> bool {
    let mut command = Command::new(env::var("RUSTC").unwrap_or_else(|_| rustc.to_owned()));
    let folder = shell::read(command.args(["--print", "target-libdir", "--target", TARGET]));
    folder.is_ok_and(|folder| Path::new(folder.trim()).is_dir())
}

fn has_debian_compiler() -> bool {
    // The link counts only if its target exists.
    Path::new("/usr/bin/rustc").exists()
        && Path::new("/usr/lib/rustlib/src/rust/library/std").exists()
        && Path::new(DEBIAN_LINKER).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_compiler_gets_no_unstable_flag_except_location_detail() {
        let flags: Vec<&str> = RUSTUP_FLAGS.split(' ').filter(|flag| flag.contains("-Z")).collect();
        assert_eq!(flags, ["-Zlocation-detail=none"]);
    }

    #[test]
    fn both_compilers_build_the_same_client() {
        assert!(DEBIAN_FLAGS.starts_with(RUSTUP_FLAGS));
    }

    #[test]
    fn only_rustup_gets_the_name_of_the_toolchain() {
        let names = |rustup| -> Vec<&str> {
            Compiler::Debian { rustup }.environment().into_iter().map(|(name, _)| name).collect()
        };
        assert!(names(true).contains(&"RUSTUP_TOOLCHAIN"));
        assert!(!names(false).contains(&"RUSTUP_TOOLCHAIN"));
        assert!(names(false).contains(&"CARGO_UNSTABLE_BUILD_STD"));
    }
}
