//! The status that a node publishes.

use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_of_another_version_is_parsed_and_an_invalid_one_is_not() {
        let status = NodeStatus { bookings_per_s: 2.0, latencies: vec![(1, 2)], ..NodeStatus::default() };
        assert_eq!(NodeStatus::read(&status.write()), Some(status));
        assert_eq!(NodeStatus::read(br#"{"in_flight": 3, "unknown": "value"}"#).unwrap().in_flight, 3);
        assert_eq!(NodeStatus::read(b"\0"), None);
    }
}
