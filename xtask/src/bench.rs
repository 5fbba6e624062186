//! `cargo xtask bench`: measures the scenarios of docs/benchmarks.md in one run. The scenarios alternate, so
//! that other work on the machine affects all of them. The figures are ratios within a round, and the medians
//! of these.

mod deployments;
mod document;
mod figures;
mod machine;
mod page;
mod proxy;
mod sample;
mod scenarios;
mod summary;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::ValueEnum as _;

use self::deployments::Deployments;
use self::document::Part as Generated;
use self::figures::Round;
use self::machine::Machine;
use self::scenarios::{Measurement, Scale, Scenario};
use self::summary::Summary;
use crate::setup::{self, Part};
use crate::shell;
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often each scenario is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How many seconds each scenario is measured per round
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Only these scenarios. Figures that need other scenarios are omitted
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Scenario>,
    /// Only check that it works: one round of one second per scenario, and a small rush
    #[arg(long, conflicts_with_all = ["rounds", "seconds"])]
    quick: bool,
    /// Write the figures into docs/benchmarks.md. With `--only`, this accepts only `streams` and writes only
    /// that part
    #[arg(long, conflicts_with_all = ["quick", "profile"])]
    docs: bool,
    /// The profile to build with. Only figures of `release` mean something
    #[arg(long, default_value = "release")]
    profile: String,
}

/// The fewest rounds whose figures may be written into the document.
const ROUNDS_MIN: u32 = 5;

impl Options {
    fn scale(&self) -> Scale {
        if self.quick {
            Scale { seconds: 1, people: 2_000, held: 1_000 }
        } else {
            Scale { seconds: self.seconds, people: 50_000, held: 10_000 }
        }
    }

    fn rounds(&self) -> usize {
        if self.quick { 1 } else { usize::try_from(self.rounds).unwrap_or(usize::MAX) }
    }

    /// The scenarios to measure, each once, in the order of docs/benchmarks.md.
    fn scenarios(&self) -> Vec<Scenario> {
        let all = Scenario::value_variants().iter().copied();
        all.filter(|scenario| self.only.is_empty() || self.only.contains(scenario)).collect()
    }
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    anyhow::ensure!(
        !options.docs || options.rounds >= ROUNDS_MIN,
        "--docs needs at least {ROUNDS_MIN} rounds"
    );
    anyhow::ensure!(
        !options.docs || options.only.is_empty() || options.only == [Scenario::Streams],
        "--docs writes either all figures or those of `--only streams`"
    );
    setup::ensure(workspace, &[Part::Servers, Part::Proxy])?;
    build(workspace, &options.profile)?;
    let folder = if options.profile == "dev" { "debug" } else { options.profile.as_str() };
    let started = shell::read(Command::new("date").args(["-u", "+%Y-%m-%dT%H%M%SZ"]))?;
    let results = workspace.target().join("bench").join(started.trim());
    fs::create_dir_all(&results)?;
    println!("writing results to {}", results.display());

    let deployments = Deployments::start(workspace, workspace.target().join(folder), results.clone())?;
    let machine = Machine::look(workspace, deployments.folder(), deployments.durability.clone())?;
    let rounds = measure(&deployments, options)?;
    drop(deployments);

    let date = started.split('T').next().unwrap_or_default().to_owned();
    let summary_of = |rounds: &[Round]| {
        Summary::new(date.clone(), words(), options.scale().seconds, rounds, machine.clone())
    };
    let summary = summary_of(&rounds);
    fs::write(results.join("summary.json"), serde_json::to_string_pretty(&summary)?)?;
    let reports = report(&workspace.target().join(folder).join("neticket-loadtest"), &results);
    fs::write(results.join("index.html"), page::html(&summary, &reports))?;
    println!("\n{}\n{}", summary.table(), results.join("index.html").display());
    if options.docs {
        for part in [Generated::Ladder, Generated::Streams] {
            let of_part =
                |scenario: Scenario| (scenario == Scenario::Streams) == (part == Generated::Streams);
            let mut rounds = rounds.clone();
            for round in &mut rounds {
                round.retain(|scenario, _| of_part(*scenario));
            }
            if rounds.iter().any(|round| !round.is_empty()) {
                document::write(&workspace.root().join("docs/benchmarks.md"), part, &summary_of(&rounds))?;
            }
        }
    }
    Ok(())
}

/// Builds everything in one command. Separate builds would compile many crates twice, with different
/// features.
fn build(workspace: &Workspace, profile: &str) -> Result<()> {
    let mut command = shell::cargo(workspace.root());
    command.args(["build", "--profile", profile, "--package", "neticket", "--package", "neticket-loadtest"]);
    command.args(["--package", "neticket-ledger", "--bins", "--example", "admit_rate"]);
    shell::run(&mut command)
}

/// Every second round measures the scenarios in reverse order. A drift during a round then affects both sides
/// of a ratio.
fn measure(deployments: &Deployments<'_>, options: &Options) -> Result<Vec<Round>> {
    let mut scenarios = options.scenarios();
    let mut rounds = Vec::new();
    for number in 1..=options.rounds() {
        let mut round = Round::new();
        for scenario in &scenarios {
            let start = Instant::now();
            let measurement =
                Measurement { deployments, scale: options.scale(), scenario: *scenario, round: number };
            let sample = measurement.take().with_context(|| format!("{scenario:?}, round {number}"))?;
            let values: Vec<String> = sample
                .iter()
                .map(|(name, value)| format!("{name} {}", summary::number(*value, "")))
                .collect();
            let seconds = start.elapsed().as_secs_f64();
            println!(
                "round {number} of {}: {scenario:?}: {} ({seconds:.1} s)",
                options.rounds(),
                values.join(", ")
            );
            round.insert(*scenario, sample);
        }
        rounds.push(round);
        scenarios.reverse();
    }
    Ok(rounds)
}

/// Writes the load test's own page about the runs of each scenario that has interesting plots. A page that
/// fails is reported and skipped.
fn report(client: &Path, results: &Path) -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for name in ["rush", "rush-scarce", "node", "row-lock"] {
        let mut files: Vec<_> =
            fs::read_dir(results).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.retain(|file| {
            let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let is_json = file.extension().is_some_and(|extension| extension == "json");
            is_json && stem.rsplit_once('-').is_some_and(|(scenario, _)| scenario == name)
        });
        if files.is_empty() {
            continue;
        }
        files.sort();
        let page = format!("{name}.html");
        let mut command = Command::new(client);
        command.arg("report").args(&files).arg("--html").arg(results.join(&page));
        match shell::read(&mut command) {
            Ok(_) => pages.push((page, format!("{name}, all rounds"))),
            Err(error) => println!("cannot write the page about {name}: {error:#}"),
        }
    }
    pages
}

/// The command line as it was entered.
fn words() -> String {
    let words: Vec<String> = std::env::args().skip(1).collect();
    format!("cargo xtask {}", words.join(" "))
}
