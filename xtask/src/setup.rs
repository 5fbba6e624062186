//! `cargo xtask setup`: installs what is missing, says what it does, and is quick when nothing is.

mod packages;
mod tools;
pub(crate) mod wasm;

use anyhow::Result;

use crate::workspace::Workspace;

/// What some command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Building the browser client.
    Client,
    /// Running tests in Rust.
    Nextest,
    /// MariaDB and Redis.
    Servers,
    /// nginx, in front of several nodes.
    Proxy,
    /// A browser, and the library that drives it.
    Browser,
    /// Fuzzing the API by its schema.
    Schema,
    /// Checking licences and sources of dependencies.
    Deny,
}

impl Part {
    /// What `cargo xtask ci` needs, and what `cargo xtask setup` brings. Without the proxy, which Debian starts as soon as
    /// it is installed: nobody who only changes code should get a web server on port 80.
    pub(crate) const ALL: [Self; 6] =
        [Self::Client, Self::Nextest, Self::Servers, Self::Browser, Self::Schema, Self::Deny];
}

/// Installs what is missing of these parts.
pub(crate) fn ensure(workspace: &Workspace, parts: &[Part]) -> Result<()> {
    packages::install_missing(parts)?;
    for part in parts {
        match part {
            Part::Client => {
                wasm::ensure()?;
                tools::ensure_trunk()?;
                tools::ensure_wasm_bindgen(workspace)?;
            }
            Part::Nextest => tools::ensure_cargo_tool("cargo-nextest", "nextest")?,
            Part::Servers | Part::Proxy => {}
            Part::Browser => tools::ensure_npm_packages(workspace)?,
            Part::Schema => tools::ensure_schemathesis(workspace)?,
            Part::Deny => tools::ensure_cargo_tool("cargo-deny", "deny")?,
        }
    }
    Ok(())
}

pub(crate) use packages::chromium;
pub(crate) use tools::schemathesis;
