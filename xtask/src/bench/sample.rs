//! What a scenario measures, and the spread of a value over the rounds.

use std::collections::BTreeMap;

use serde::Serialize;

/// The values that one scenario measured in one round, by name.
pub(super) type Sample = BTreeMap<&'static str, f64>;

/// The key of each scenario's main value.
pub(super) const PER_S: &str = "per_s";

/// A figure over all rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) min: f64,
    pub(super) median: f64,
    pub(super) max: f64,
    /// One value per round, in the order of the rounds.
    pub(super) rounds: Vec<f64>,
}

impl Spread {
    /// `None` if there are no values. The median of an even number of values is the mean of the two in the
    /// middle.
    pub(super) fn of(rounds: Vec<f64>) -> Option<Self> {
        let mut sorted = rounds.clone();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let median = f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Some(Self { min, median, max, rounds })
    }
}
