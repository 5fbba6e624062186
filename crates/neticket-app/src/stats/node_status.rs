//! The status that a node publishes, and the sum of all statuses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{StatsView, latencies};

/// The status of one node. Unknown fields are ignored and missing ones have their default, so that nodes of
/// different versions can read each other's status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct NodeStatus {
    pub(super) bookings_per_s: f64,
    /// Pairs of latency bucket and number of bookings.
    pub(super) latencies: Vec<(u32, u64)>,
    pub(super) in_flight: u64,
    pub(super) journal_len: u64,
    pub(super) drift: u64,
    pub(super) refusals: Vec<(String, u64)>,
}

impl NodeStatus {
    /// The status as it is published, in JSON.
    pub(crate) fn write(&self) -> Vec<u8> {
        // Numbers and strings cannot fail to be serialized.
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn read(status: &[u8]) -> Option<Self> {
        serde_json::from_slice(status).ok()
    }
}

/// Adds up the statuses of all nodes. All nodes sample the same journals, so the highest `journal_len` is
/// taken instead of the sum.
pub(super) fn merge(statuses: impl Iterator<Item = NodeStatus>, window_s: u32) -> StatsView {
    let mut stats = StatsView {
        nodes: 0,
        window_s,
        bookings_per_s: 0.0,
        p50_ms: None,
        p99_ms: None,
        in_flight: 0,
        journal_len: 0,
        drift: 0,
        refusals: Vec::new(),
    };
    let (mut counts, mut refusals) = (Vec::new(), BTreeMap::<String, u64>::new());
    for status in statuses {
        stats.nodes = stats.nodes.saturating_add(1);
        stats.bookings_per_s += status.bookings_per_s;
        stats.in_flight = stats.in_flight.saturating_add(status.in_flight);
        stats.journal_len = stats.journal_len.max(status.journal_len);
        stats.drift = stats.drift.saturating_add(status.drift);
        counts.extend(status.latencies);
        for (kind, count) in status.refusals {
            let all = refusals.entry(kind).or_default();
            *all = all.saturating_add(count);
        }
    }
    stats.p50_ms = latencies::quantile_ms(&counts, 500);
    stats.p99_ms = latencies::quantile_ms(&counts, 990);
    stats.refusals = refusals.into_iter().collect();
    stats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_statuses_have_the_sums_and_the_longest_journal() {
        let status = |bucket, journal_len| NodeStatus {
            bookings_per_s: 1.5,
            latencies: vec![(bucket, 3)],
            in_flight: 2,
            journal_len,
            drift: 1,
            refusals: vec![("sold_out".to_owned(), 4)],
        };
        let merged = merge([status(100, 5), status(200, 7)].into_iter(), 5);
        assert_eq!((merged.nodes, merged.window_s, merged.in_flight), (2, 5, 4));
        assert_eq!((merged.journal_len, merged.drift), (7, 2));
        assert!((merged.bookings_per_s - 3.0).abs() < 1e-9 && merged.p50_ms < merged.p99_ms);
        assert_eq!(merged.refusals, [("sold_out".to_owned(), 8)]);
    }

    #[test]
    fn a_status_of_another_version_is_parsed_and_an_invalid_one_is_not() {
        let status = NodeStatus { bookings_per_s: 2.0, latencies: vec![(1, 2)], ..NodeStatus::default() };
        assert_eq!(NodeStatus::read(&status.write()), Some(status));
        assert_eq!(NodeStatus::read(br#"{"in_flight": 3, "weather": "fair"}"#).unwrap().in_flight, 3);
        assert_eq!(NodeStatus::read(b"\0"), None);
    }
}
