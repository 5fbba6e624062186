//! `cargo xtask test`: the tests in Rust, in a browser and with the API's schema, and the client's size.

mod browser;
mod schema;

use std::fs;

use anyhow::Result;
use clap::ValueEnum;
use neticket_testservers::{MARIADB_URL_VARIABLE, MariaDb, REDIS_URL_VARIABLE, Redis};

use crate::setup::{self, Part};
use crate::workspace::Workspace;
use crate::{client, shell};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run only one kind of tests
    #[arg(long, value_enum)]
    only: Option<Kind>,
    /// Leave out the browser client: its build, its tests, its size
    #[arg(long)]
    skip_client: bool,
    /// The profile of `.config/nextest.toml`
    #[arg(long, default_value = "default")]
    profile: String,
    /// Arguments for `cargo nextest run`: a filter, `-p some-crate`, `--no-capture`
    #[arg(last = true)]
    nextest: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Unit, integration and property tests
    Rust,
    /// The client in a browser
    E2e,
    /// The API, fuzzed with its schema
    Schema,
}

impl Options {
    /// All tests, with the profile for continuous integration.
    pub(crate) fn for_ci() -> Self {
        Self { only: None, skip_client: false, profile: "ci".to_owned(), nextest: Vec::new() }
    }

    fn wants(&self, kind: Kind) -> bool {
        let skipped = self.skip_client && kind == Kind::E2e;
        !skipped && self.only.is_none_or(|only| only == kind)
    }
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut parts = Vec::new();
    if options.wants(Kind::Rust) {
        parts.extend([Part::Nextest, Part::Servers]);
    }
    if options.wants(Kind::E2e) {
        parts.push(Part::Browser);
    }
    if options.wants(Kind::Schema) {
        parts.push(Part::Schema);
    }
    setup::ensure(workspace, &parts)?;
    if options.wants(Kind::E2e) {
        client::build(workspace)?;
        client::check_budget(workspace)?;
    }
    if options.wants(Kind::E2e) || options.wants(Kind::Schema) {
        build(workspace)?;
    }
    if options.wants(Kind::Rust) {
        rust(workspace, options)?;
    }
    if options.wants(Kind::E2e) {
        browser::run(workspace)?;
    }
    if options.wants(Kind::Schema) {
        schema::run(workspace)?;
    }
    Ok(())
}

/// Builds all tests and the server that some of them use in one command. Separate builds would compile most
/// dependencies twice, with and without the features that tests add.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let mut command = shell::cargo(workspace.root());
    command.args(["build", "--bins", "--tests"]).args(selection(workspace)?);
    shell::run(&mut command)
}

/// Runs the Rust tests, all with one MariaDB and one Redis.
fn rust(workspace: &Workspace, options: &Options) -> Result<()> {
    let mariadb = MariaDb::default().start()?;
    let redis = Redis::default().start()?;
    let mut command = shell::cargo(workspace.root());
    command.args(["nextest", "run", "--profile", &options.profile]);
    let names_packages = options.nextest.iter().any(|word| word == "-p" || word.starts_with("--package"));
    if !names_packages {
        command.args(selection(workspace)?);
    }
    command.args(&options.nextest);
    command.env(MARIADB_URL_VARIABLE, mariadb.url()).env(REDIS_URL_VARIABLE, redis.url());
    shell::run(&mut command)
}

/// The arguments that select packages. The client is built for this machine only if it has tests that run
/// here.
fn selection(workspace: &Workspace) -> Result<Vec<&'static str>> {
    let mut words = vec!["--workspace"];
    if !has_tests(&workspace.root().join("frontend/src"))? {
        words.extend(["--exclude", "frontend"]);
    }
    Ok(words)
}

fn has_tests(folder: &std::path::Path) -> Result<bool> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let found =
            if path.is_dir() { has_tests(&path)? } else { fs::read_to_string(&path)?.contains("#[test]") };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(only: Option<Kind>, skip_client: bool) -> Options {
        Options { only, skip_client, ..Options::for_ci() }
    }

    #[test]
    fn all_tests_run_unless_options_select_some() {
        let all = options(None, false);
        assert!(all.wants(Kind::Rust) && all.wants(Kind::E2e) && all.wants(Kind::Schema));
        let one = options(Some(Kind::Schema), false);
        assert!(!one.wants(Kind::Rust) && !one.wants(Kind::E2e) && one.wants(Kind::Schema));
        assert!(!options(None, true).wants(Kind::E2e));
    }
}
