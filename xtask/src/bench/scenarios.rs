//! The scenarios. Each starts its servers, measures them, and ends them again. A scenario leaves
//! nothing to the next one but a warm disk.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use super::deployments::{Deployment, Deployments, JWT_SECRET, run};
use super::sample::{PER_S, Sample, Spread};
use crate::{http, process};

/// Connections of a crowd.
const MANY: u32 = 2_000;
/// Connections for servers at which more connections would only wait.
const FEW: u32 = 256;
/// Ticket types of an event of usual size.
const TICKET_TYPES: u32 = 4;
/// With one ticket type, all bookings need the same row. Both sides of the row lock's ratio use it.
const ONE_TICKET_TYPE: u32 = 1;
/// Server processes in the rush. On many systems, a process may have 20,000 connections.
const RUSH_NODES: usize = 4;
/// The shortest measurement of streams, in seconds. There are two bookings per second, and a few would say
/// little.
const STREAMS_SECONDS_MIN: u32 = 5;
/// Cold starts per round. The result is their median.
const STARTS: usize = 10;

/// What a scenario measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Scenario {
    /// HTTP, tokens and JSON without a store
    Ceiling,
    /// One row lock and one commit per booking, all on one row
    RowLock,
    /// One node, 2,000 connections
    Node,
    /// One node, 256 connections, all for one ticket type
    NodeFew,
    /// Two nodes behind nginx
    TwoNodes,
    /// Four nodes behind nginx
    FourNodes,
    /// SQLite, with the ledger in the process
    Embedded,
    /// Redis without a store
    Ledger,
    /// The event's page of the ceiling
    ReadCeiling,
    /// The event's page of a node
    ReadNode,
    /// Everyone at once, with seats for all
    Rush,
    /// Everyone at once, with seats for one in five
    RushScarce,
    /// One booking at a time
    Idle,
    /// Memory with many open connections
    Memory,
    /// From the start in an empty folder to the first answer
    ColdStart,
    /// Open streams of one event while its seats change
    Streams,
}

/// The size of the measurements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) seconds: u32,
    /// People in the rush.
    pub(super) people: u32,
    /// Connections that are open while memory is measured, and open streams.
    pub(super) held: u32,
}

/// One scenario in one round.
pub(super) struct Measurement<'a> {
    pub(super) deployments: &'a Deployments<'a>,
    pub(super) scale: Scale,
    pub(super) scenario: Scenario,
    /// From 1.
    pub(super) round: usize,
}

impl Measurement<'_> {
    pub(super) fn take(&self) -> Result<Sample> {
        let deployments = self.deployments;
        match self.scenario {
            Scenario::Ceiling => {
                self.bookings(deployments.baseline("ceiling", None, &[])?, MANY, TICKET_TYPES)
            }
            Scenario::RowLock => self.bookings(
                deployments.baseline(
                    "row-lock",
                    Some(deployments.database()?),
                    &["--grades", &ONE_TICKET_TYPE.to_string()],
                )?,
                FEW,
                ONE_TICKET_TYPE,
            ),
            Scenario::Node => self.bookings(deployments.deployment(1, false)?, MANY, TICKET_TYPES),
            Scenario::NodeFew => self.bookings(deployments.deployment(1, false)?, FEW, ONE_TICKET_TYPE),
            Scenario::TwoNodes => self.bookings(deployments.deployment(2, true)?, MANY, TICKET_TYPES),
            Scenario::FourNodes => self.bookings(deployments.deployment(4, true)?, MANY, TICKET_TYPES),
            Scenario::Embedded => self.bookings(deployments.embedded()?, FEW, TICKET_TYPES),
            Scenario::Ledger => self.ledger(),
            Scenario::ReadCeiling => self.reads(deployments.baseline("ceiling", None, &[])?),
            Scenario::ReadNode => self.reads(deployments.deployment(1, false)?),
            Scenario::Rush => self.rush(self.scale.people / 5 * 6),
            Scenario::RushScarce => self.rush(self.scale.people / 5),
            Scenario::Idle => self.idle(),
            Scenario::Memory => self.memory(),
            Scenario::ColdStart => self.cold_starts(),
            Scenario::Streams => self.streams(),
        }
    }

    fn bookings(&self, deployment: Deployment, connections: u32, ticket_types: u32) -> Result<Sample> {
        let seconds = self.scale.seconds.to_string();
        let (connections, ticket_types) = (connections.to_string(), ticket_types.to_string());
        let words = [
            "--connections",
            &connections,
            "--seconds",
            &seconds,
            "--warmup-s",
            "1",
            "--grades",
            &ticket_types,
        ];
        let result = self.client(deployment, "book", "", &words)?;
        Ok(Sample::from([
            (PER_S, number(&result, "/per_s")?),
            ("p50_ms", number(&result, "/latency/winners/p50_us")? / 1e3),
            ("p99_ms", number(&result, "/latency/winners/p99_us")? / 1e3),
        ]))
    }

    fn reads(&self, deployment: Deployment) -> Result<Sample> {
        let seconds = self.scale.seconds.to_string();
        let words = ["--connections", &FEW.to_string(), "--seconds", &seconds, "--warmup-s", "1"];
        let result = self.client(deployment, "read", "", &words)?;
        Ok(Sample::from([(PER_S, number(&result, "/per_s")?)]))
    }

    fn rush(&self, seats: u32) -> Result<Sample> {
        let people = self.scale.people;
        let deployment = self.deployments.deployment(RUSH_NODES, false)?;
        let words = [
            "--people",
            &people.to_string(),
            "--seats",
            &seats.to_string(),
            "--processes",
            "4",
            "--connect",
            "before",
        ];
        let result = self.client(deployment, "rush", "", &words)?;
        let confirmed = number(&result, "/counts/confirmed")?;
        let mut sample = Sample::from([
            ("errors", errors(&result)),
            ("unserved", f64::from(people.min(seats)) - confirmed),
            ("unsold", (f64::from(people.min(seats)) - confirmed).abs()),
            ("mean_s", number(&result, "/latency/all/mean_us")? / 1e6),
            ("p99_s", number(&result, "/latency/all/p99_us")? / 1e6),
            ("last_s", number(&result, "/last_answer_ms")? / 1e3),
        ]);
        if seats < people {
            sample.insert("losers_mean_s", number(&result, "/latency/losers/mean_us")? / 1e6);
        }
        Ok(sample)
    }

    /// The example of `neticket-ledger` measures it: it sends batches directly to Redis.
    fn ledger(&self) -> Result<Sample> {
        // This empties Redis of the last scenario's data. The database is not needed here.
        drop(self.deployments.database()?);
        let mut command = process::command(&self.deployments.binary("examples/admit_rate"));
        command.args([
            "--redis-url",
            &self.deployments.redis_url(),
            "--seconds",
            &self.scale.seconds.to_string(),
        ]);
        command.arg("--settle").current_dir(self.deployments.folder()).stdin(Stdio::null());
        let said = crate::shell::read(&mut command)?;
        fs::write(self.file("", "json"), &said)?;
        let result: Value = serde_json::from_str(said.trim()).context("admit_rate printed no JSON")?;
        Ok(Sample::from([(PER_S, number(&result, "/admitted_per_s")?)]))
    }

    /// Measures a booking on an idle node, and its two necessary parts: the transaction, and HTTP with token
    /// and JSON. The difference is the time of the engine: both batchers, and the round trips to the ledger.
    fn idle(&self) -> Result<Sample> {
        let seconds = self.scale.seconds.to_string();
        let words = [
            "--connections",
            "1",
            "--processes",
            "1",
            "--seconds",
            &seconds,
            "--warmup-s",
            "1",
            "--grades",
            "1",
        ];
        let p50_ms =
            |result: &Value| Ok::<_, anyhow::Error>(number(result, "/latency/winners/p50_us")? / 1e3);

        let database = self.deployments.database()?;
        let file = self.file("-commit", "json");
        let mut command = process::command(&self.deployments.binary("neticket-loadtest"));
        command.args(["commit", "--seconds", &seconds, "--json"]).arg(&file);
        command.env("NETICKET_DATABASE_URL", database.url());
        run(command, &self.file("-commit", "log"))?;
        let commit: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
        drop(database);

        let booking = self.client(self.deployments.deployment(1, false)?, "book", "-booking", &words)?;
        let ceiling =
            self.client(self.deployments.baseline("ceiling", None, &[])?, "book", "-http", &words)?;
        Ok(Sample::from([
            ("commit_ms", number(&commit, "/p50_us")? / 1e3),
            ("booking_ms", p50_ms(&booking)?),
            ("http_ms", p50_ms(&ceiling)?),
        ]))
    }

    fn memory(&self) -> Result<Sample> {
        let deployment = self.deployments.deployment(1, false)?;
        let pid = deployment.nodes[0].pid();
        let mut command = process::command(&self.deployments.binary("neticket-loadtest"));
        command.args([
            "hold",
            "--target",
            &deployment.targets()[0],
            "--connections",
            &self.scale.held.to_string(),
        ]);
        command.args(["--seconds", "2"]).stdin(Stdio::null()).stdout(Stdio::null());
        let mut client = neticket_testservers::spawn(command)?;
        let wanted = usize::try_from(self.scale.held)?;
        let mut resident_mb = 0.0_f64;
        let status = loop {
            if open_files(pid)? >= wanted {
                resident_mb = resident_mb.max(resident(pid)?);
            }
            if let Some(status) = client.try_wait()? {
                break status;
            }
            thread::sleep(Duration::from_millis(50));
        };
        ensure!(status.success(), "the client that keeps connections open failed: {status}");
        ensure!(resident_mb > 0.0, "the node never had {wanted} connections");
        Ok(Sample::from([("resident_mb", resident_mb)]))
    }

    fn streams(&self) -> Result<Sample> {
        let deployment = self.deployments.deployment(1, false)?;
        let pid = deployment.nodes[0].pid();
        let seconds = self.scale.seconds.max(STREAMS_SECONDS_MIN).to_string();
        let words = ["--streams", &self.scale.held.to_string(), "--seconds", &seconds, "--grades", "4"];
        let (mut resident_mb, watching) = (0.0_f64, AtomicBool::new(true));
        let result = thread::scope(|scope| {
            let most = scope.spawn(|| {
                let mut most = 0.0_f64;
                while watching.load(Ordering::Relaxed) {
                    most = most.max(resident(pid).unwrap_or(0.0));
                    thread::sleep(Duration::from_millis(50));
                }
                most
            });
            let result = self.client(deployment, "streams", "", &words);
            watching.store(false, Ordering::Relaxed);
            resident_mb = most.join().unwrap_or(0.0);
            result
        })?;
        Ok(Sample::from([
            ("ledger_views_per_s", number(&result, "/ledger_views_per_s")?),
            ("unheard", number(&result, "/unheard")?),
            ("push_p50_ms", number(&result, "/push_p50_us")? / 1e3),
            ("push_p99_ms", number(&result, "/push_p99_us")? / 1e3),
            ("resident_mb", resident_mb),
        ]))
    }

    /// Each start uses a new folder, so the node creates the schema, the secret and everything else.
    fn cold_starts(&self) -> Result<Sample> {
        let mut times = Vec::new();
        for _ in 0..STARTS {
            let start = Instant::now();
            let deployment = self.deployments.embedded()?;
            let answer = http::get(deployment.nodes[0].address(), "/api/v1/events")?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
            ensure!(answer.status == 200, "the first answer was {}", answer.status);
        }
        let median = Spread::of(times).context("no node was started")?.median;
        Ok(Sample::from([("first_answer_ms", median)]))
    }

    /// Runs the load test against the site and returns its result. A failed audit is an error.
    fn client(&self, mut deployment: Deployment, load: &str, part: &str, words: &[&str]) -> Result<Value> {
        let file = self.file(part, "json");
        let mut command = process::command(&self.deployments.binary("neticket-loadtest"));
        command.arg(load).args(words).arg("--json").arg(&file);
        for target in deployment.targets() {
            command.args(["--target", &target]);
        }
        command.env("NETICKET_JWT_SECRET", JWT_SECRET);
        self.inventory(&mut command, &deployment, load);
        let log = self.file(part, "log");
        run(command, &log)
            .with_context(|| format!("{}, round {}: {}", self.name(), self.round, log.display()))?;
        deployment.ensure_alive()?;
        serde_json::from_str(&fs::read_to_string(&file)?).context("the load test wrote no JSON")
    }

    /// Adds the arguments for the database and the audit. Nodes are audited. Baselines have their own event
    /// with id 1 and are never audited.
    fn inventory(&self, command: &mut Command, deployment: &Deployment, load: &str) {
        let is_baseline =
            matches!(self.scenario, Scenario::Ceiling | Scenario::RowLock | Scenario::ReadCeiling)
                || deployment.database_url.is_empty();
        if is_baseline {
            command.args(["--event", "1"]);
            if load != "read" {
                command.arg("--no-audit");
            }
        } else if !deployment.database_url.starts_with("sqlite:") {
            command.env("NETICKET_REDIS_URL", self.deployments.redis_url());
        }
        if !deployment.database_url.is_empty() {
            command.env("NETICKET_DATABASE_URL", &deployment.database_url);
        }
    }

    fn name(&self) -> String {
        self.scenario.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The path of a result file of this measurement.
    fn file(&self, part: &str, extension: &str) -> PathBuf {
        self.deployments.results.join(format!("{}{part}-{}.{extension}", self.name(), self.round))
    }
}

/// A number in the load test's result.
fn number(result: &Value, pointer: &str) -> Result<f64> {
    let value = result.pointer(pointer).and_then(Value::as_f64);
    value.with_context(|| format!("the result contains no number at {pointer}"))
}

/// The number of answers of 429 or 5xx, lost answers, refusals other than "sold out", and wrong successful
/// answers.
fn errors(result: &Value) -> f64 {
    let of = |name: &str| -> f64 {
        let counts = result["counts"][name].as_object();
        counts.into_iter().flat_map(|counts| counts.values()).filter_map(Value::as_f64).sum()
    };
    let wrong = result["counts"]["wrong_answers"].as_f64().unwrap_or_default();
    of("errors") + of("refused") + wrong
}

fn open_files(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

/// The resident memory in megabytes of 1,000,000 bytes.
fn resident(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("the process status has no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024.0 / 1e6)
}
