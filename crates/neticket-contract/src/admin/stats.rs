//! The current state of the service.

use neticket_domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ProblemCode;

/// Statistics of all nodes together.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Stats {
    #[schema(value_type = String, format = DateTime)]
    pub server_time: Timestamp,
    /// The number of nodes that have reported their state within the last seconds.
    pub nodes: u32,
    /// The period over which rates and latencies are measured, in seconds.
    pub window_s: u32,
    /// Confirmed bookings per second.
    pub bookings_per_s: f64,
    /// The time within which half of all bookings were answered, in milliseconds. `null` if there were none.
    pub p50_ms: Option<f64>,
    /// The time within which 99 % of all bookings were answered, in milliseconds. `null` if there were none.
    pub p99_ms: Option<f64>,
    /// The number of bookings and cancels that wait in queues.
    pub in_flight: u64,
    /// The number of reservations of all events that are admitted but not committed to the store yet.
    pub journal_len: u64,
    /// How many ticket types were found to differ between ledger and store, since the nodes started.
    pub drift: u64,
    /// Refusals of the last minute by code, the most frequent code first.
    pub problems: Vec<ProblemCount>,
}

/// How often requests were refused with a code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ProblemCount {
    pub code: ProblemCode,
    pub count: u64,
}
