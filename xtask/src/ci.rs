//! `cargo xtask ci`: everything that a change must pass, the quick steps first.

use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::setup::{self, Part};
use crate::workspace::Workspace;
use crate::{openapi, shell, test, tidy};

type Step = (&'static str, fn(&Workspace) -> Result<()>);

const STEPS: [Step; 7] = [
    ("format", format),
    ("rules", tidy::run),
    ("set-up", |workspace| setup::ensure(workspace, &Part::ALL)),
    ("licences and sources", deny),
    ("lints", lint),
    ("build and API document", |workspace| {
        test::build(workspace)?;
        openapi::check(workspace)
    }),
    ("tests", |workspace| test::run(workspace, &test::Options::for_ci())),
];

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut times = Vec::new();
    for (name, step) in STEPS {
        println!("\n== {name}");
        let start = Instant::now();
        step(workspace).with_context(|| format!("`cargo xtask ci` stopped at: {name}"))?;
        times.push(format!("{name} {} s", start.elapsed().as_secs()));
    }
    println!("\nci passed: {}", times.join(", "));
    Ok(())
}

fn format(workspace: &Workspace) -> Result<()> {
    shell::run(shell::cargo(workspace.root()).args(["fmt", "--all", "--check"]))
}

fn lint(workspace: &Workspace) -> Result<()> {
    let mut command = shell::cargo(workspace.root());
    command.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    shell::run(&mut command)?;
    // The workspace enables the feature `testing`. A release lacks it.
    let mut command = shell::cargo(workspace.root());
    shell::run(command.args(["clippy", "--package", "neticket", "--", "-D", "warnings"]))
}

fn deny(workspace: &Workspace) -> Result<()> {
    shell::run(shell::cargo(workspace.root()).args(["deny", "check", "licenses", "bans", "sources"]))?;
    // Known vulnerabilities are listed in a Git repository that some machines cannot reach.
    if shell::read(shell::cargo(workspace.root()).args(["deny", "fetch", "db"])).is_err() {
        println!("NOT CHECKED: known vulnerabilities, because the list of advisories cannot be downloaded");
        return Ok(());
    }
    shell::run(shell::cargo(workspace.root()).args(["deny", "check", "advisories"]))
}
