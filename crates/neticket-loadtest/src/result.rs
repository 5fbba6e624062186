//! The result of a run, as `--json` writes it and `report` reads it.

use std::collections::BTreeMap;

use neticket_domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audit::Audit;
use crate::machine::Machine;
use crate::stats::{Counts, Latencies, SLICE_MS, Slice, Stats};

/// The version of this format.
pub const FORMAT: u32 = 1;

/// The kind of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Rush,
    Book,
    Read,
    Hold,
}

/// One run: the settings, the result, and the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// [`FORMAT`].
    pub format: u32,
    pub kind: Kind,
    pub at: Timestamp,
    /// The command line, without secrets.
    pub command: String,
    pub config: RunConfig,
    pub counts: Counts,
    /// `book` and `read`: successful answers per second of the measured time. `rush`: decided bookings per
    /// second until the last was decided.
    pub per_s: f64,
    /// Milliseconds from the start until the last booking was decided.
    pub last_answer_ms: f64,
    pub latency: RunLatency,
    /// Answers by the time at which they came, from the start on, including the warm-up.
    pub slices: Vec<Slice>,
    pub slice_ms: u64,
    pub client: Client,
    /// `None` if no audit was wanted, or if there is nothing to compare with.
    pub audit: Option<Audit>,
    pub machine: Machine,
    pub durability: Durability,
}

/// The arguments of the run, and what it chose. 0 or empty: does not apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunConfig {
    pub targets: Vec<String>,
    pub event: i64,
    /// Seats of the event in all ticket types.
    pub seats: u64,
    #[serde(rename = "grades")]
    pub ticket_types: u64,
    pub max_per_user: u32,
    pub people: u32,
    pub connections: u32,
    pub processes: u32,
    pub ramp_ms: u64,
    /// `before` or `during`.
    pub connect: String,
    pub warmup_s: u64,
    pub seconds: u64,
}

/// Latencies of bookings, from the moment at which they were meant to be sent. Latencies of reads are in
/// `winners`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunLatency {
    pub winners: Latency,
    pub losers: Latency,
    pub all: Latency,
}

/// In microseconds. All values are 0 if nothing was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    pub count: u64,
    pub mean_us: f64,
    pub min_us: u64,
    pub p50_us: u64,
    pub p90_us: u64,
    pub p99_us: u64,
    pub p999_us: u64,
    pub max_us: u64,
    /// Pairs of percentile (0 to 100) and microseconds.
    pub curve: Vec<(f64, u64)>,
}

/// What the load itself cost. The client uses the same machine as the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// Processor seconds of all workers, from start to end.
    pub cpu_s: f64,
    /// Requests that were sent, including repeats.
    pub requests: u64,
    pub cpu_us_per_request: f64,
}

/// The settings that decide what a confirmed booking survives, as the servers report them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durability {
    pub database: BTreeMap<String, String>,
    pub redis: BTreeMap<String, String>,
}

impl RunLatency {
    pub(crate) fn of(stats: &Stats) -> Self {
        let mut all = stats.winners.clone();
        all.merge(&stats.losers);
        Self {
            winners: Latency::of(&stats.winners),
            losers: Latency::of(&stats.losers),
            all: Latency::of(&all),
        }
    }
}

impl Latency {
    fn of(latencies: &Latencies) -> Self {
        let histogram = latencies.histogram();
        if histogram.is_empty() {
            return Self::default();
        }
        let at = |percentile: f64| histogram.value_at_percentile(percentile);
        // Denser towards 100, where the differences are.
        let whole = (0..=18).map(|n| f64::from(n) * 5.0);
        let tail = (0..=30).map(|n| 100.0 - 10.0 / 10_f64.powf(f64::from(n) / 10.0));
        let curve = whole.chain(tail.skip(1)).chain([100.0]).map(|p| (rounded(p), at(p))).collect();
        Self {
            count: histogram.len(),
            mean_us: rounded(histogram.mean()),
            min_us: histogram.min(),
            p50_us: at(50.0),
            p90_us: at(90.0),
            p99_us: at(99.0),
            p999_us: at(99.9),
            max_us: histogram.max(),
            curve,
        }
    }
}

impl Client {
    pub(crate) fn of(stats: &Stats) -> Self {
        let requests = stats.counts.begun + stats.counts.repeats;
        let cpu_us = float(stats.cpu_us);
        Self {
            cpu_s: rounded(cpu_us / 1e6),
            requests,
            cpu_us_per_request: if requests == 0 { 0.0 } else { rounded(cpu_us / float(requests)) },
        }
    }
}

/// Converts a number for display.
#[allow(clippy::cast_precision_loss, clippy::as_conversions, reason = "15 digits are enough to show")]
pub(crate) fn float(number: u64) -> f64 {
    number as f64
}

/// To three decimals, which survive JSON unchanged.
fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

impl Run {
    /// The result of a run. The measurement took `measured_ms`. `None`: until the last answer.
    pub(crate) fn new(
        kind: Kind,
        command: String,
        config: RunConfig,
        stats: &Stats,
        measured_ms: Option<u64>,
    ) -> Self {
        let latency = RunLatency::of(stats);
        let span_s = measured_ms.map_or(float(stats.last_answer_us) / 1e6, |ms| float(ms) / 1e3);
        let counted = if kind == Kind::Rush { latency.all.count } else { latency.winners.count };
        Self {
            format: FORMAT,
            kind,
            at: Timestamp::from_millis(i64::try_from(crate::token::now_ms()).unwrap_or(0)),
            command,
            config,
            counts: stats.counts.clone(),
            per_s: if span_s > 0.0 { rounded(float(counted) / span_s) } else { 0.0 },
            last_answer_ms: rounded(float(stats.last_answer_us) / 1e3),
            latency,
            slices: stats.slices.clone(),
            slice_ms: SLICE_MS,
            client: Client::of(stats),
            audit: None,
            machine: Machine::here(),
            durability: Durability::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_round_trips_through_json() {
        let mut stats = Stats::default();
        for us in 1..=1000 {
            stats.winners.add(us * 1000);
        }
        stats.last_answer_us = 1_000_000;
        stats.counts.begun = 1000;
        let run = Run::new(Kind::Rush, "rush".to_owned(), RunConfig::default(), &stats, None);
        let read: Run = serde_json::from_str(&serde_json::to_string(&run).unwrap()).unwrap();
        assert_eq!(read, run);
        assert!((run.per_s - 1000.0).abs() < 1.0);
        let p50 = run.latency.winners.p50_us;
        assert!((499_000..=501_000).contains(&p50), "{p50}");
        assert!(run.latency.winners.curve.is_sorted_by_key(|(percentile, _)| *percentile));
    }
}
