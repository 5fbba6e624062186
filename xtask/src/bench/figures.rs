//! Makes figures from the rounds: ratios of values of the same round, then their medians. Absolute speeds
//! drift with the machine and its other work. A ratio of two values that were measured within seconds drifts
//! much less.

use std::collections::BTreeMap;

use serde::Serialize;

use super::sample::{PER_S, Sample, Spread};
use super::scenarios::Scenario;

/// One round: every scenario once.
pub(super) type Round = BTreeMap<Scenario, Sample>;

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
    #[serde(rename = "rung")]
    pub(super) scenario: Scenario,
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
        of: |round| ratio(round, Scenario::Node, Scenario::Ceiling),
    },
    Definition {
        name: "durable bookings/s ÷ row lock, one ticket type, 256 connections",
        unit: "×",
        floor: "13–15",
        goal: Goal::AtLeast(25.0),
        of: |round| ratio(round, Scenario::NodeFew, Scenario::RowLock),
    },
    Definition {
        name: "the rush, seats for all: errors",
        unit: "",
        floor: "–",
        goal: Goal::Always(0.0),
        of: |round| value(round, Scenario::Rush, "errors"),
    },
    Definition {
        name: "the rush, seats for all: people without an answer or without a seat",
        unit: "",
        floor: "–",
        goal: Goal::Always(0.0),
        of: |round| value(round, Scenario::Rush, "unserved"),
    },
    Definition {
        name: "the rush, seats for all: mean wait",
        unit: "s",
        floor: "≈ 1.2",
        goal: Goal::AtMost(1.0),
        of: |round| value(round, Scenario::Rush, "mean_s"),
    },
    Definition {
        name: "the rush, seats for all: last answer",
        unit: "s",
        floor: "2.5",
        goal: Goal::AtMost(2.0),
        of: |round| value(round, Scenario::Rush, "last_s"),
    },
    Definition {
        name: "the rush, seats for one in five: errors",
        unit: "",
        floor: "–",
        goal: Goal::Always(0.0),
        of: |round| value(round, Scenario::RushScarce, "errors"),
    },
    Definition {
        name: "the rush, seats for one in five: difference between winners and seats",
        unit: "",
        floor: "–",
        goal: Goal::Always(0.0),
        of: |round| value(round, Scenario::RushScarce, "unsold"),
    },
    Definition {
        name: "the rush, seats for one in five: losers' mean wait",
        unit: "s",
        floor: "–",
        goal: Goal::AtMost(0.6),
        of: |round| value(round, Scenario::RushScarce, "losers_mean_s"),
    },
    Definition {
        name: "event detail reads/s ÷ ceiling's GET, 256 connections",
        unit: "×",
        floor: "–",
        goal: Goal::AtLeast(0.8),
        of: |round| ratio(round, Scenario::ReadNode, Scenario::ReadCeiling),
    },
    Definition {
        name: "idle node: a booking above HTTP and the same transaction alone, p50",
        unit: "ms",
        floor: "–",
        goal: Goal::AtMost(0.2),
        of: |round| {
            let [booking, commit, http] =
                ["booking_ms", "commit_ms", "http_ms"].map(|name| value(round, Scenario::Idle, name));
            Some(booking? - commit? - http?)
        },
    },
    Definition {
        name: "resident memory of a node with 10,000 open connections",
        unit: "MB",
        floor: "–",
        goal: Goal::AtMost(200.0),
        of: |round| value(round, Scenario::Memory, "resident_mb"),
    },
    Definition {
        name: "embedded, new folder: start to first 200",
        unit: "ms",
        floor: "–",
        goal: Goal::AtMost(150.0),
        of: |round| value(round, Scenario::ColdStart, "first_answer_ms"),
    },
    Definition {
        name: "10,000 open streams of one event: reads of its ledger",
        unit: "/s",
        floor: "–",
        // One per 250 ms, and one more at the edge of the measured time.
        goal: Goal::AtMost(4.5),
        of: |round| value(round, Scenario::Streams, "ledger_views_per_s"),
    },
    Definition {
        name: "10,000 open streams of one event: streams that missed the last booking",
        unit: "",
        floor: "–",
        goal: Goal::Always(0.0),
        of: |round| value(round, Scenario::Streams, "unheard"),
    },
    Definition {
        name: "10,000 open streams of one event: from a booking to its message, p99",
        unit: "ms",
        floor: "–",
        goal: Goal::AtMost(1_000.0),
        of: |round| value(round, Scenario::Streams, "push_p99_ms"),
    },
];

/// The values that are shown beside the figures: scenario, name, unit, key of the value.
const SPEEDS: [(Scenario, &str, &str, &str); 21] = [
    (Scenario::Ceiling, "ceiling: no store, 2,000 connections", "/s", PER_S),
    (Scenario::RowLock, "row lock, one ticket type, 256 connections", "/s", PER_S),
    (Scenario::Node, "one node, 2,000 connections", "/s", PER_S),
    (Scenario::NodeFew, "one node, one ticket type, 256 connections", "/s", PER_S),
    (Scenario::TwoNodes, "two nodes behind nginx, 2,000 connections", "/s", PER_S),
    (Scenario::FourNodes, "four nodes behind nginx, 2,000 connections", "/s", PER_S),
    (Scenario::Embedded, "embedded: SQLite, ledger in the process, 256 connections", "/s", PER_S),
    (Scenario::Ledger, "ledger only: admitted and settled in Redis", "/s", PER_S),
    (Scenario::ReadCeiling, "event detail: ceiling's GET, 256 connections", "/s", PER_S),
    (Scenario::ReadNode, "event detail: one node, 256 connections", "/s", PER_S),
    (Scenario::Node, "one node, 2,000 connections: p50", "ms", "p50_ms"),
    (Scenario::Node, "one node, 2,000 connections: p99", "ms", "p99_ms"),
    (Scenario::NodeFew, "one node, one ticket type, 256 connections: p99", "ms", "p99_ms"),
    (Scenario::RowLock, "row lock, one ticket type, 256 connections: p99", "ms", "p99_ms"),
    (Scenario::Rush, "the rush, seats for all: p99 wait", "s", "p99_s"),
    (Scenario::RushScarce, "the rush, seats for one in five: last answer", "s", "last_s"),
    (Scenario::Idle, "idle node, one connection: a booking, p50", "ms", "booking_ms"),
    (Scenario::Idle, "the same transaction alone, p50", "ms", "commit_ms"),
    (Scenario::Idle, "ceiling, one connection, p50", "ms", "http_ms"),
    (Scenario::Streams, "10,000 open streams: from a booking to its message, p50", "ms", "push_p50_ms"),
    (Scenario::Streams, "resident memory of a node with 10,000 open streams", "MB", "resident_mb"),
];

/// The figures for which the rounds have values. A figure whose scenario was omitted is missing.
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
    let known = SPEEDS.iter().filter_map(|&(scenario, name, unit, key)| {
        let values = rounds.iter().filter_map(|round| value(round, scenario, key));
        Some(Speed { scenario, name, unit, spread: Spread::of(values.collect())? })
    });
    known.collect()
}

fn value(round: &Round, scenario: Scenario, name: &str) -> Option<f64> {
    round.get(&scenario)?.get(name).copied()
}

/// How many times as fast as `base` `scenario` was in this round.
fn ratio(round: &Round, scenario: Scenario, base: Scenario) -> Option<f64> {
    let base = value(round, base, PER_S).filter(|base| *base > 0.0)?;
    Some(value(round, scenario, PER_S)? / base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(values: &[(Scenario, &'static str, f64)]) -> Round {
        let mut round = Round::new();
        for (scenario, name, value) in values {
            round.entry(*scenario).or_default().insert(name, *value);
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
        let rounds =
            [(30_000.0, 24_000.0), (10_000.0, 8_000.0), (30_000.0, 21_000.0)].map(|(ceiling, node)| {
                round(&[(Scenario::Ceiling, PER_S, ceiling), (Scenario::Node, PER_S, node)])
            });
        let figures = figures(&rounds);
        assert_eq!(figures.len(), 1, "scenarios that were left out must have no figures: {figures:?}");
        assert!((figures[0].spread.median - 0.8).abs() < 1e-9 && figures[0].reached);
        assert!((figures[0].spread.min - 0.7).abs() < 1e-9);
    }

    #[test]
    fn a_baseline_of_zero_divides_nothing() {
        let rounds = [round(&[(Scenario::Ceiling, PER_S, 0.0), (Scenario::Node, PER_S, 8.0)])];
        assert_eq!(figures(&rounds), []);
    }

    #[test]
    fn a_forbidden_event_in_any_round_misses_the_goal() {
        let rounds = [0.0, 0.0, 1.0].map(|errors| round(&[(Scenario::Rush, "errors", errors)]));
        assert!(!figures(&rounds)[0].reached, "one error must miss the goal although the median is 0");
        assert!(figures(&rounds[..2])[0].reached);
    }

    #[test]
    fn the_cost_of_batching_is_the_rest_after_http_and_the_transaction() {
        let rounds = [round(&[
            (Scenario::Idle, "booking_ms", 1.0),
            (Scenario::Idle, "commit_ms", 0.7),
            (Scenario::Idle, "http_ms", 0.15),
        ])];
        let figure = &figures(&rounds)[0];
        assert!((figure.spread.median - 0.15).abs() < 1e-9 && figure.reached, "{figure:?}");
    }
}
