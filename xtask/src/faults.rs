//! `cargo xtask faults`: runs the scenarios of `crates/neticket/tests/faults` in their long form, in random
//! order, again and again until the time is up.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::setup::{self, Part};
use crate::shell;
use crate::workspace::Workspace;

const HEAD: &str = "| scenario | seed | s | answers | disturbed | loads | recoveries | late | promises |\n|---|---|---|---|---|---|---|---|---|";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// No scenario starts after this many minutes, except for those of the first round
    #[arg(long, default_value_t = 0)]
    minutes: u64,
    /// Only scenarios whose names contain this
    #[arg(long)]
    only: Option<String>,
    /// The random seed of the first round, which each further round increases by one. Random by default
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    setup::ensure(workspace, &[Part::Servers])?;
    let tests = build(workspace)?;
    let mut names = scenarios(&tests)?;
    names.retain(|name| options.only.as_ref().is_none_or(|only| name.contains(only.as_str())));
    ensure!(!names.is_empty(), "no scenario matches `--only`");
    let start = Instant::now();
    let end = Duration::from_secs(options.minutes * 60);
    let first = options.seed.unwrap_or_else(|| RandomState::new().hash_one(0) >> 32);
    let (mut rows, mut broken) = (Vec::new(), 0);
    for round in 0.. {
        let seed = first + round;
        names.sort_by_key(|name| rng(seed, name));
        for name in &names {
            if round > 0 && start.elapsed() >= end {
                break;
            }
            println!("\n== {name}, seed {seed}");
            let (row, well) = play(&tests, name, seed)?;
            broken += u32::from(!well);
            rows.push(row);
        }
        if start.elapsed() >= end {
            break;
        }
    }
    println!("\n{HEAD}\n{}", rows.join("\n"));
    if broken > 0 {
        bail!("{broken} of {} runs failed: repeat one with `--seed` and `--only`", rows.len());
    }
    println!("\nall {} runs kept every promise", rows.len());
    Ok(())
}

/// Builds the test binary and returns its path.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let mut command = shell::cargo(workspace.root());
    command.args(["test", "--package", "neticket", "--test", "faults", "--no-run"]);
    shell::run(&mut command)?;
    let messages = shell::read(command.args(["--message-format", "json", "--quiet"]))?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut built = messages.filter(|message| message["target"]["name"] == "faults");
    let path = built.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    path.context("cargo printed no test binary")
}

fn scenarios(tests: &Path) -> Result<Vec<String>> {
    let listed = shell::read(Command::new(tests).args(["--list", "--format", "terse"]))?;
    Ok(listed.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}

/// A number for a random order that depends only on the seed.
fn rng(seed: u64, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, name).hash(&mut hasher);
    hasher.finish()
}

/// Runs one scenario. Returns its row of the table and whether it passed.
fn play(tests: &Path, name: &str, seed: u64) -> Result<(String, bool)> {
    let start = Instant::now();
    let mut command = Command::new(tests);
    command.args(["--exact", name, "--nocapture"]);
    command.env("NETICKET_FAULTS_LONG", "1").env("NETICKET_FAULTS_SEED", seed.to_string());
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot run the tests")?;
    let mut row = None;
    for line in BufReader::new(child.stdout.take().context("the process has no standard output")?).lines() {
        let line = line?;
        if line.starts_with("| ") {
            row = Some(line);
        } else {
            println!("{line}");
        }
    }
    let well = child.wait()?.success();
    let row = row.unwrap_or_else(|| {
        let verdict = if well { "kept" } else { "BROKEN" };
        format!("| {name} | {seed} | {} | – | – | – | – | – | {verdict} |", start.elapsed().as_secs())
    });
    Ok((row, well))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_determines_the_order() {
        let order = |seed| {
            let mut names: Vec<String> = (0..10).map(|n| format!("scenario {n}")).collect();
            names.sort_by_key(|name| rng(seed, name));
            names
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }
}
