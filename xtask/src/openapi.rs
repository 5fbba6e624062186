//! `cargo xtask openapi`: the committed API document, written from the code and checked against it.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::shell;
use crate::workspace::Workspace;

/// Relative to the workspace.
pub(crate) const DOCUMENT: &str = "openapi/neticket-v1.json";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Fail if the file is not what the code says, and change nothing
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    shell::run(shell::cargo(workspace.root()).args(["build", "--package", "neticket"]))?;
    if options.check { check(workspace) } else { write(workspace) }
}

/// Compares the committed document with what the server that was built last says.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let said = generate(workspace)?;
    let committed = fs::read_to_string(workspace.root().join(DOCUMENT)).unwrap_or_default();
    if committed == said {
        println!("{DOCUMENT} is what the code says");
        return Ok(());
    }
    let line = committed.lines().zip(said.lines()).take_while(|(one, other)| one == other).count() + 1;
    bail!("{DOCUMENT} is not what the code says, from line {line} on: run `cargo xtask openapi`");
}

fn write(workspace: &Workspace) -> Result<()> {
    let path = workspace.root().join(DOCUMENT);
    fs::create_dir_all(path.parent().context("the document lies in a folder")?)?;
    fs::write(&path, generate(workspace)?)?;
    println!("wrote {DOCUMENT}");
    Ok(())
}

fn generate(workspace: &Workspace) -> Result<String> {
    let said = shell::read(Command::new(workspace.server(false)).arg("openapi"))?;
    Ok(format!("{}\n", said.trim_end()))
}
