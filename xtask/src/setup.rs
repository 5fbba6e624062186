//! `cargo xtask setup`: installs what is missing and prints what it does. It is quick if nothing is missing.

mod packages;
mod part;
mod tools;
pub(crate) mod wasm;

use anyhow::Result;

use crate::workspace::Workspace;

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
pub(crate) use part::Part;
pub(crate) use tools::schemathesis;
