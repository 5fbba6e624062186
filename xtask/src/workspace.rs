//! The folders of the project, and the output of `cargo metadata`.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::shell;

/// The checkout and the folder into which cargo builds.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    metadata: Value,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        // `cargo run` sets the variable. The built-in value is for people who start the binary itself.
        let manifest =
            env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
        let root =
            Path::new(&manifest).parent().context("the manifest of xtask has no parent folder")?.to_owned();
        let mut command = shell::cargo(&root);
        command.args(["metadata", "--no-deps", "--format-version", "1", "--quiet"]);
        let metadata: Value = serde_json::from_str(&shell::read(&mut command)?)?;
        let target =
            metadata["target_directory"].as_str().context("cargo metadata contains no target folder")?;
        Ok(Self { target: target.into(), root, metadata })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The output of `cargo metadata --no-deps`.
    pub(crate) fn metadata(&self) -> &Value {
        &self.metadata
    }

    /// The folder of the browser tests. npm keeps its packages there too.
    pub(crate) fn e2e(&self) -> PathBuf {
        self.root.join("frontend/e2e")
    }

    /// The folder of the built browser client.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("frontend/dist")
    }

    /// The folder for tools that belong to the project and not to the machine.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// The path of the built server.
    pub(crate) fn server(&self, release: bool) -> PathBuf {
        self.target.join(if release { "release" } else { "debug" }).join("neticket")
    }
}
