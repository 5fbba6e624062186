//! The state of all nodes together: the sum of the statuses that they publish.

use std::collections::BTreeMap;

use super::in_flight::in_flight;
use super::latencies;
use super::node_stats::WINDOW;
use super::node_status::NodeStatus;
use crate::App;

/// The age, in milliseconds, up to which the status of another node counts.
const NODE_STATUS_AGE_MAX_MS: u32 = 5_000;

/// The state of all nodes together.
#[derive(Clone, Debug, PartialEq)]
pub struct StatsView {
    /// Number of nodes that have published a status within the last 5 s, including this one.
    pub nodes: u32,
    /// The period over which rates and latencies are computed, in seconds.
    pub window_s: u32,
    pub bookings_per_s: f64,
    /// In milliseconds, to within 4 %. `None` if nothing was booked.
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    /// Number of bookings and cancels that wait in queues.
    pub in_flight: u64,
    pub journal_len: u64,
    pub drift: u64,
    /// Number of refusals within the last minute by problem code, in no particular order.
    pub refusals: Vec<(String, u64)>,
}

impl App {
    /// Counts a refusal by its problem code. There are few codes.
    pub fn count_refusal(&self, word: &'static str) {
        self.stats.refused(word);
    }

    /// The state of all nodes. If the statuses of the other nodes cannot be read, the state of this node
    /// alone.
    pub async fn stats(&self) -> StatsView {
        let own =
            self.stats.status(in_flight(&self.booking_service, &self.cancel_service), self.metrics.drift());
        let statuses =
            self.ledger.node_registry().statuses(NODE_STATUS_AGE_MAX_MS).await.unwrap_or_else(|error| {
                // The task that publishes the status meets the same failure. It has logged and counted it
                // already.
                tracing::debug!(%error, "cannot read the statuses of other nodes, reporting this node only");
                Vec::new()
            });
        let others = statuses.into_iter().filter(|(node, _)| *node != self.stats.node());
        // A status that cannot be parsed is of another version. It is left out, because it could be counted
        // wrongly.
        let others = others.filter_map(|(_, status)| NodeStatus::read(&status));
        merge(std::iter::once(own).chain(others), u32::try_from(WINDOW.as_secs()).unwrap_or(u32::MAX))
    }
}

/// Adds up the statuses of all nodes. All nodes sample the same journals, so the highest `journal_len` is
/// taken instead of the sum.
fn merge(statuses: impl Iterator<Item = NodeStatus>, window_s: u32) -> StatsView {
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
}
