//! Makes figures from the rounds: ratios of values of the same round, then their medians. Absolute speeds
//! drift with the machine and its other work. A ratio of two values that were measured within seconds drifts
//! much less.

use std::collections::BTreeMap;

use serde::Serialize;

use super::rungs::Rung;
use super::sample::{PER_S, Sample, Spread};

/// One round: every rung once.
pub(super) type Round = BTreeMap<Rung, Sample>;

/// The goal of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Goal {
    /// The median must be at least this.
    AtLeast(f64),
    /// The median must be at most this.
    AtMost(f64),
    /// Every single round must measure exactly this.
    Always(f64),
}

impl Goal {
    fn is_reached(self, spread: &Spread) -> bool {
        match self {
            Self::AtLeast(goal) => spread.median >= goal,
            Self::AtMost(goal) => spread.median <= goal,
            Self::Always(goal) => spread.rounds.iter().all(|value| (value - goal).abs() < f64::EPSILON),
        }
    }
}

/// A figure that has a goal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Figure {
    pub(super) name: &'static str,
    /// `×` for ratios.
    pub(super) unit: &'static str,
    /// What a bare prototype without most of the checks reached, as text.
    pub(super) floor: &'static str,
    pub(super) goal: Goal,
    pub(super) reached: bool,
    pub(super) spread: Spread,
}

/// A value without a goal, for example one from which ratios are made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Speed {
    pub(super) rung: Rung,
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) spread: Spread,
}

struct Definition {
    name: &'static str,
    unit: &'static str,
    floor: &'static str,
    goal: Goal,
    of: fn(&Round) -> Option<f64>,
}

const FIGURES: [Definition; 16] = [
    Definition {
        name: "durable bookings/s ÷ ceiling, one node, 2,000 connections",
        unit: "×",
        floor: "0.54",
        goal: Goal::AtLeast(0.70),
        of: |round| ratio(round, Rung::Node, Rung::Ceiling),
    },
    Definition {
        name: "durable bookings/s ÷ row lock, one ticket type, 256 connections",
        unit: "×",
        floor: "13–15",
        goal: Goal::AtLeast(25.0),
        of: |round| ratio(round, Rung::NodeFew, Rung::RowLock),
    },
    Definition {
        name: "the rush, seats for all: errors",
        unit: "",
        floor: "–",
        goal: Goal::Always(0.0),
        of: |round| value(round, Rung::Rush, "errors"),
    },
    Definition {
        name: "the rush, seats for all: people without an answer or without a seat",
        unit: "",
        floor: "–",
        goal: Goal::Always(0.0),
        of: |round| value(round, Rung::Rush, "unserved"),
    },
    Definition {
        name: "the rush, seats for all: mean wait",
        unit: "s",
        floor: "≈ 1.2",
        goal: Goal::AtMost(1.0),
        of: |round| value(round, Rung::Rush, "mean_s"),
    },
    Definition {
        name: "the rush, seats for all: last answer",
        unit: "s",
        floor: "2.5",
        goal: Goal::AtMost(2.0),
        of: |round| value(round, Rung::Rush, "last_s"),
    },
    Definition {
        name: "the rush, seats for one in five: errors",
        unit: "",
        floor: "–",
        goal: Goal::Always(0.0),
        of: |round| value(round, Rung::RushScarce, "errors"),
    },
    Definition {
        name: "the rush, seats for one in five: difference between winners and seats",
        unit: "",
        floor: "–",
        goal: Goal::Always(0.0),
        of: |round| value(round, Rung::RushScarce, "unsold"),
    },
    Definition {
        name: "the rush, seats for one in five: losers' mean wait",
        unit: "s",
        floor: "–",
        goal: Goal::AtMost(0.6),
        of: |round| value(round, Rung::RushScarce, "losers_mean_s"),
    },
    Definition {
        name: "event detail reads/s ÷ ceiling's GET, 256 connections",
        unit: "×",
        floor: "–",
        goal: Goal::AtLeast(0.8),
        of: |round| ratio(round, Rung::ReadNode, Rung::ReadCeiling),
    },
    Definition {
        name: "idle node: a booking above HTTP and the same transaction alone, p50",
        unit: "ms",
        floor: "–",
        goal: Goal::AtMost(0.2),
        of: |round| {
            let [booking, commit, http] =
                ["booking_ms", "commit_ms", "http_ms"].map(|name| value(round, Rung::Idle, name));
            Some(booking? - commit? - http?)
        },
    },
    Definition {
        name: "resident memory of a node with 10,000 open connections",
        unit: "MB",
        floor: "–",
        goal: Goal::AtMost(200.0),
        of: |round| value(round, Rung::Memory, "resident_mb"),
    },
    Definition {
        name: "embedded, new folder: start to first 200",
        unit: "ms",
        floor: "–",
        goal: Goal::AtMost(150.0),
        of: |round| value(round, Rung::ColdStart, "first_answer_ms"),
    },
    Definition {
        name: "10,000 open streams of one event: reads of its ledger",
        unit: "/s",
        floor: "–",
        // One per 250 ms, and one more at the edge of the measured time.
        goal: Goal::AtMost(4.5),
        of: |round| value(round, Rung::Streams, "ledger_views_per_s"),
    },
    Definition {
        name: "10,000 open streams of one event: streams that missed the last booking",
        unit: "",
        floor: "–",
        goal: Goal::Always(0.0),
        of: |round| value(round, Rung::Streams, "unheard"),
    },
    Definition {
        name: "10,000 open streams of one event: from a booking to its message, p99",
        unit: "ms",
        floor: "–",
        goal: Goal::AtMost(1_000.0),
        of: |round| value(round, Rung::Streams, "push_p99_ms"),
    },
];

/// The values that are shown beside the figures: rung, name, unit, key of the value.
const SPEEDS: [(Rung, &str, &str, &str); 21] = [
    (Rung::Ceiling, "ceiling: no store, 2,000 connections", "/s", PER_S),
    (Rung::RowLock, "row lock, one ticket type, 256 connections", "/s", PER_S),
    (Rung::Node, "one node, 2,000 connections", "/s", PER_S),
    (Rung::NodeFew, "one node, one ticket type, 256 connections", "/s", PER_S),
    (Rung::TwoNodes, "two nodes behind nginx, 2,000 connections", "/s", PER_S),
    (Rung::FourNodes, "four nodes behind nginx, 2,000 connections", "/s", PER_S),
    (Rung::Embedded, "embedded: SQLite, ledger in the process, 256 connections", "/s", PER_S),
    (Rung::Ledger, "ledger only: admitted and settled in Redis", "/s", PER_S),
    (Rung::ReadCeiling, "event detail: ceiling's GET, 256 connections", "/s", PER_S),
    (Rung::ReadNode, "event detail: one node, 256 connections", "/s", PER_S),
    (Rung::Node, "one node, 2,000 connections: p50", "ms", "p50_ms"),
    (Rung::Node, "one node, 2,000 connections: p99", "ms", "p99_ms"),
    (Rung::NodeFew, "one node, one ticket type, 256 connections: p99", "ms", "p99_ms"),
    (Rung::RowLock, "row lock, one ticket type, 256 connections: p99", "ms", "p99_ms"),
    (Rung::Rush, "the rush, seats for all: p99 wait", "s", "p99_s"),
    (Rung::RushScarce, "the rush, seats for one in five: last answer", "s", "last_s"),
    (Rung::Idle, "idle node, one connection: a booking, p50", "ms", "booking_ms"),
    (Rung::Idle, "the same transaction alone, p50", "ms", "commit_ms"),
    (Rung::Idle, "ceiling, one connection, p50", "ms", "http_ms"),
    (Rung::Streams, "10,000 open streams: from a booking to its message, p50", "ms", "push_p50_ms"),
    (Rung::Streams, "resident memory of a node with 10,000 open streams", "MB", "resident_mb"),
];

/// The figures for which the rounds have values. A figure whose rung was omitted is missing.
pub(super) fn figures(rounds: &[Round]) -> Vec<Figure> {
    let known = FIGURES.iter().filter_map(|definition| {
        let spread = Spread::of(rounds.iter().filter_map(definition.of).collect())?;
        let Definition { name, unit, floor, goal, .. } = *definition;
        Some(Figure { name, unit, floor, goal, reached: goal.is_reached(&spread), spread })
    });
    known.collect()
}

/// The speeds for which the rounds have values.
pub(super) fn speeds(rounds: &[Round]) -> Vec<Speed> {
    let known = SPEEDS.iter().filter_map(|&(rung, name, unit, key)| {
        let values = rounds.iter().filter_map(|round| value(round, rung, key));
        Some(Speed { rung, name, unit, spread: Spread::of(values.collect())? })
    });
    known.collect()
}

fn value(round: &Round, rung: Rung, name: &str) -> Option<f64> {
    round.get(&rung)?.get(name).copied()
}

/// How many times as fast as `base` `rung` was in this round.
fn ratio(round: &Round, rung: Rung, base: Rung) -> Option<f64> {
    let base = value(round, base, PER_S).filter(|base| *base > 0.0)?;
    Some(value(round, rung, PER_S)? / base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(values: &[(Rung, &'static str, f64)]) -> Round {
        let mut round = Round::new();
        for (rung, name, value) in values {
            round.entry(*rung).or_default().insert(name, *value);
        }
        round
    }

    #[test]
    fn the_median_is_the_middle_or_lies_between_the_middle_two() {
        let spread = |min, median, max, rounds: &[f64]| {
            assert_eq!(
                Spread::of(rounds.to_vec()),
                Some(Spread { min, median, max, rounds: rounds.to_vec() })
            );
        };
        spread(1.0, 3.0, 5.0, &[5.0, 1.0, 3.0]);
        spread(1.0, 3.0, 9.0, &[4.0, 1.0, 2.0, 9.0]);
        spread(7.0, 7.0, 7.0, &[7.0]);
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn a_ratio_is_taken_within_each_round_before_the_median() {
        // The machine was three times slower in the second round, but the ratio stayed the same.
        let rounds = [(30_000.0, 24_000.0), (10_000.0, 8_000.0), (30_000.0, 21_000.0)]
            .map(|(ceiling, node)| round(&[(Rung::Ceiling, PER_S, ceiling), (Rung::Node, PER_S, node)]));
        let figures = figures(&rounds);
        assert_eq!(figures.len(), 1, "rungs that were left out must have no figures: {figures:?}");
        assert!((figures[0].spread.median - 0.8).abs() < 1e-9 && figures[0].reached);
        assert!((figures[0].spread.min - 0.7).abs() < 1e-9);
    }

    #[test]
    fn a_baseline_of_zero_divides_nothing() {
        let rounds = [round(&[(Rung::Ceiling, PER_S, 0.0), (Rung::Node, PER_S, 8.0)])];
        assert_eq!(figures(&rounds), []);
    }

    #[test]
    fn a_forbidden_event_in_any_round_misses_the_goal() {
        let rounds = [0.0, 0.0, 1.0].map(|errors| round(&[(Rung::Rush, "errors", errors)]));
        assert!(!figures(&rounds)[0].reached, "one error must miss the goal although the median is 0");
        assert!(figures(&rounds[..2])[0].reached);
    }

    #[test]
    fn the_cost_of_batching_is_the_rest_after_http_and_the_transaction() {
        let rounds = [round(&[
            (Rung::Idle, "booking_ms", 1.0),
            (Rung::Idle, "commit_ms", 0.7),
            (Rung::Idle, "http_ms", 0.15),
        ])];
        let figure = &figures(&rounds)[0];
        assert!((figure.spread.median - 0.15).abs() < 1e-9 && figure.reached, "{figure:?}");
    }
}
