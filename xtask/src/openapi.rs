//! `cargo xtask openapi`: writes the committed API document from the code, and compares the two.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::shell;
use crate::workspace::Workspace;

/// The document's path, relative to the workspace.
pub(crate) const DOCUMENT: &str = "openapi/neticket-v1.json";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Change nothing, and fail if the file differs from the code
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    shell::run(shell::cargo(workspace.root()).args(["build", "--package", "neticket"]))?;
    if options.check { check(workspace) } else { write(workspace) }
}

/// Compares the committed document with the output of the server that was built last.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let said = generate(workspace)?;
    let committed = fs::read_to_string(workspace.root().join(DOCUMENT)).unwrap_or_default();
    if committed == said {
        println!("{DOCUMENT} is up to date");
        return Ok(());
    }
    let line = committed.lines().zip(said.lines()).take_while(|(one, other)| one == other).count() + 1;
    bail!("{DOCUMENT} differs from the code from line {line} on: run `cargo xtask openapi`");
}

fn write(workspace: &Workspace) -> Result<()> {
    let path = workspace.root().join(DOCUMENT);
    fs::create_dir_all(path.parent().context("the path of the document has no folder")?)?;
    fs::write(&path, generate(workspace)?)?;
    println!("wrote {DOCUMENT}");
    Ok(())
}

fn generate(workspace: &Workspace) -> Result<String> {
    let said = shell::read(Command::new(workspace.server(false)).arg("openapi"))?;
    Ok(format!("{}\n", said.trim_end()))
}
