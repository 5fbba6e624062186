//! `cargo xtask setup`: installs what is missing and prints what it does. It is quick if nothing is missing.

mod packages;
mod tools;
pub(crate) mod wasm;

use anyhow::Result;

use crate::workspace::Workspace;

/// The needs of some command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Building the browser client.
    Client,
    /// Running tests in Rust.
    Nextest,
    /// MariaDB and Redis.
    Servers,
    /// nginx, for several nodes.
    Proxy,
    /// A browser, and the library that controls it.
    Browser,
    /// The program that fuzzes the API with its schema.
    Schema,
    /// The program that checks licences and sources of dependencies.
    Deny,
}

impl Part {
    /// The needs of `cargo xtask ci`, and what `cargo xtask setup` installs. The proxy is not included,
    /// because Debian starts it as soon as it is installed, and nobody who only changes code should get a web
    /// server on port 80.
    pub(crate) const ALL: [Self; 6] =
        [Self::Client, Self::Nextest, Self::Servers, Self::Browser, Self::Schema, Self::Deny];
}

/// Installs what is missing for these parts.
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
