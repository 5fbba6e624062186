//! The result of a worker: counts, latencies, answers over time. The statistics of several workers can be
//! merged.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Length of a slice of the answers over time.
pub const SLICE_MS: u64 = 100;
/// The most slices that are kept: ten minutes. Later answers count in the last slice.
const SLICES_MAX: usize = 6_000;
/// The longest latency that is recorded exactly: one hour, in microseconds.
const LATENCY_MAX_US: u64 = 3_600_000_000;

/// Latencies in microseconds, to three significant digits.
#[derive(Clone, Debug)]
pub(crate) struct Latencies(Histogram<u64>);

impl Default for Latencies {
    #[allow(clippy::expect_used, reason = "the bounds are constants that the library takes")]
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LATENCY_MAX_US, 3).expect("the bounds are valid"))
    }
}

impl Latencies {
    pub(crate) fn add(&mut self, us: u64) {
        self.0.saturating_record(us.max(1));
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        // Cannot fail: all have the same bounds.
        let _ = self.0.add(&other.0);
    }

    pub(crate) fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }
}

impl Serialize for Latencies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let recorded = self.0.iter_recorded();
        serializer.collect_seq(recorded.map(|step| (step.value_iterated_to(), step.count_at_value())))
    }
}

impl<'de> Deserialize<'de> for Latencies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut latencies = Self::default();
        for (value, count) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            latencies.0.saturating_record_n(value, count);
        }
        Ok(latencies)
    }
}

/// Counts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Bookings or reads that were begun.
    pub begun: u64,
    /// Bookings that ended in a reservation, or reads that were answered with 200.
    pub confirmed: u64,
    /// Confirmed bookings that were `pending` (202) at first.
    pub after_pending: u64,
    /// Confirmed bookings that an earlier try had already made, whose answer was lost.
    pub replayed: u64,
    /// Bookings that ended in "sold out".
    pub sold_out: u64,
    /// Bookings that ended in another refusal, by the problem's code.
    pub refused: BTreeMap<String, u64>,
    /// Bookings whose first try got no answer, 429 or a 5xx.
    pub first_try_errors: u64,
    /// Bookings that were given up without an answer. People saw an error.
    pub final_errors: u64,
    /// Every answer of 429 or 5xx, and every lost answer, by its name.
    pub errors: BTreeMap<String, u64>,
    /// Tries after the first.
    pub repeats: u64,
    /// Connections that were opened because the server had closed the previous ones.
    pub reconnects: u64,
    /// Successful answers that do not match their request.
    pub wrong_answers: u64,
}

impl Counts {
    /// The number of answers of 429 or 5xx and of lost answers.
    pub fn errors_total(&self) -> u64 {
        self.errors.values().sum()
    }

    fn merge(&mut self, other: &Self) {
        self.begun += other.begun;
        self.confirmed += other.confirmed;
        self.after_pending += other.after_pending;
        self.replayed += other.replayed;
        self.sold_out += other.sold_out;
        self.first_try_errors += other.first_try_errors;
        self.final_errors += other.final_errors;
        self.repeats += other.repeats;
        self.reconnects += other.reconnects;
        self.wrong_answers += other.wrong_answers;
        for (ours, theirs) in [(&mut self.refused, &other.refused), (&mut self.errors, &other.errors)] {
            for (name, count) in theirs {
                *ours.entry(name.clone()).or_default() += count;
            }
        }
    }
}

/// Answers within one slice of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    pub confirmed: u64,
    pub sold_out: u64,
    /// Answers of 429 or 5xx, and lost answers.
    pub errors: u64,
}

/// The result of a worker.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stats {
    pub(crate) counts: Counts,
    /// Latencies of bookings that were confirmed within the measured time.
    pub(crate) winners: Latencies,
    pub(crate) losers: Latencies,
    pub(crate) slices: Vec<Slice>,
    /// Microseconds from the start until the last booking was decided.
    pub(crate) last_answer_us: u64,
    /// Every reservation that a client was told is confirmed.
    pub(crate) confirmed: Vec<Uuid>,
    /// The users of bookings whose outcome is unknown, because the answer was lost for good.
    pub(crate) unknown_users: Vec<i64>,
    /// Processor time of the worker since the start, in microseconds.
    pub(crate) cpu_us: u64,
}

/// How an answer counts in the answers over time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Confirmed,
    SoldOut,
    Error,
}

impl Stats {
    /// Counts an answer that came `at_us` microseconds after the start.
    pub(crate) fn answer(&mut self, kind: Kind, at_us: u64) {
        let index = usize::try_from(at_us / (SLICE_MS * 1000)).unwrap_or(SLICES_MAX).min(SLICES_MAX - 1);
        if self.slices.len() <= index {
            self.slices.resize(index + 1, Slice::default());
        }
        let Some(slice) = self.slices.get_mut(index) else { return };
        match kind {
            Kind::Confirmed => slice.confirmed += 1,
            Kind::SoldOut => slice.sold_out += 1,
            Kind::Error => slice.errors += 1,
        }
    }

    pub(crate) fn error(&mut self, name: &str, at_us: u64) {
        *self.counts.errors.entry(name.to_owned()).or_default() += 1;
        self.answer(Kind::Error, at_us);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        self.winners.merge(&other.winners);
        self.losers.merge(&other.losers);
        if self.slices.len() < other.slices.len() {
            self.slices.resize(other.slices.len(), Slice::default());
        }
        for (ours, theirs) in self.slices.iter_mut().zip(&other.slices) {
            ours.confirmed += theirs.confirmed;
            ours.sold_out += theirs.sold_out;
            ours.errors += theirs.errors;
        }
        self.last_answer_us = self.last_answer_us.max(other.last_answer_us);
        self.confirmed.extend(&other.confirmed);
        self.unknown_users.extend(&other.unknown_users);
        self.cpu_us += other.cpu_us;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_add_up_and_round_trip_between_processes() {
        let mut one = Stats::default();
        one.winners.add(1_000);
        one.answer(Kind::Confirmed, 50_000);
        one.counts.confirmed = 1;
        let mut other = Stats::default();
        other.winners.add(3_000);
        other.losers.add(7);
        other.answer(Kind::SoldOut, 150_000);
        other.error("503", 150_000);
        let read: Stats = serde_json::from_str(&serde_json::to_string(&other).unwrap()).unwrap();
        one.merge(&read);
        assert_eq!((one.winners.histogram().len(), one.losers.histogram().len()), (2, 1));
        assert!((2_990..=3_010).contains(&one.winners.histogram().max()));
        assert_eq!(one.slices[0], Slice { confirmed: 1, sold_out: 0, errors: 0 });
        assert_eq!(one.slices[1], Slice { confirmed: 0, sold_out: 1, errors: 1 });
        assert_eq!(one.counts.errors["503"], 1);
    }
}
