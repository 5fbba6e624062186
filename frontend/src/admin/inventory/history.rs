//! The statistics of the last minutes. Pure.

use std::collections::VecDeque;

use neticket_contract::Stats;
use neticket_domain::Timestamp;

/// How far back the charts reach, in milliseconds.
pub(crate) const SPAN_MS: i64 = 150_000;
/// The most samples that are kept: one a second, and a few to spare.
const LEN_MAX: usize = 200;
/// A gap of more than this many milliseconds between two samples interrupts the line.
const GAP_MS: i64 = 5_000;

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Look {
    pub(crate) at: Timestamp,
    pub(crate) bookings_per_s: f64,
    pub(crate) p99_ms: Option<f64>,
    pub(crate) in_flight: u64,
    pub(crate) journal_len: u64,
}

impl Look {
    pub(crate) fn of(stats: &Stats) -> Self {
        Self {
            at: stats.server_time,
            bookings_per_s: stats.bookings_per_s,
            p99_ms: stats.p99_ms,
            in_flight: stats.in_flight,
            journal_len: stats.journal_len,
        }
    }
}

/// The samples of the last minutes, the oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct History(VecDeque<Look>);

impl History {
    pub(crate) fn add(&mut self, look: Look) {
        // The clocks of nodes differ a little. A sample that is not newer is ignored.
        if self.0.back().is_some_and(|last| last.at >= look.at) {
            return;
        }
        self.0.push_back(look);
        while self.0.len() > LEN_MAX
            || self.0.front().is_some_and(|first| look.at.millis_since(first.at) > SPAN_MS)
        {
            self.0.pop_front();
        }
    }

    /// The points of one value over time: how many milliseconds ago, and the value. Split into several lines
    /// where samples are missing.
    pub(crate) fn lines(&self, value: impl Fn(&Look) -> Option<f64>) -> Vec<Vec<(i64, f64)>> {
        let Some(newest) = self.0.back() else { return Vec::new() };
        let mut lines: Vec<Vec<(i64, f64)>> = Vec::new();
        let mut before: Option<Timestamp> = None;
        for look in &self.0 {
            let Some(value) = value(look) else {
                before = None;
                continue;
            };
            let point = (newest.at.millis_since(look.at), value);
            match lines.last_mut() {
                Some(line) if before.is_some_and(|before| look.at.millis_since(before) <= GAP_MS) => {
                    line.push(point);
                }
                _ => lines.push(vec![point]),
            }
            before = Some(look.at);
        }
        lines
    }

    /// About one sample in `every_ms` milliseconds, the newest first, for the table.
    pub(crate) fn sparse(&self, every_ms: i64) -> Vec<Look> {
        let mut chosen: Vec<Look> = Vec::new();
        for look in self.0.iter().rev() {
            if chosen.last().is_none_or(|last| last.at.millis_since(look.at) >= every_ms) {
                chosen.push(*look);
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(at_ms: i64, p99_ms: Option<f64>) -> Look {
        let at = Timestamp::from_millis(at_ms);
        Look { at, bookings_per_s: 1.0, p99_ms, in_flight: 0, journal_len: 0 }
    }

    fn history(looks: &[(i64, Option<f64>)]) -> History {
        let mut history = History::default();
        for (at, p99) in looks {
            history.add(look(*at, *p99));
        }
        history
    }

    #[test]
    fn old_samples_are_dropped() {
        let history = history(&[(0, None), (SPAN_MS, None), (SPAN_MS + 1, None)]);
        assert_eq!(history.0.len(), 2);
    }

    #[test]
    fn a_repeated_sample_counts_once() {
        assert_eq!(history(&[(1_000, None), (1_000, None), (900, None)]).0.len(), 1);
    }

    #[test]
    fn a_line_is_interrupted_where_samples_are_missing() {
        let history = history(&[
            (0, Some(1.0)),
            (1_000, None),
            (2_000, Some(2.0)),
            (3_000, Some(3.0)),
            (60_000, Some(4.0)),
        ]);
        let lines = history.lines(|look| look.p99_ms);
        assert_eq!(lines, [vec![(60_000, 1.0)], vec![(58_000, 2.0), (57_000, 3.0)], vec![(0, 4.0)]]);
    }

    #[test]
    fn the_table_has_one_row_per_ten_seconds() {
        let looks: Vec<_> = (0..30).map(|second| (second * 1_000, None)).collect();
        assert_eq!(history(&looks).sparse(10_000).len(), 3);
    }
}
