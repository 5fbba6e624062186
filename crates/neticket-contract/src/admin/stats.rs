//! How the service is doing at this moment.

use neticket_domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ProblemCode;

/// Of all nodes together.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Stats {
    #[schema(value_type = String, format = DateTime)]
    pub server_time: Timestamp,
    /// Nodes that have told how they are within the last seconds.
    pub nodes: u32,
    /// Over how many seconds rates and latencies are taken.
    pub window_s: u32,
    /// Confirmed bookings per second.
    pub bookings_per_s: f64,
    /// Half of all bookings were answered within this many milliseconds; `null` where there were none.
    pub p50_ms: Option<f64>,
    /// All but one in a hundred were.
    pub p99_ms: Option<f64>,
    /// Bookings and cancels that wait in queues.
    pub in_flight: u64,
    /// Reservations on their way into the store, of all events.
    pub journal_len: u64,
    /// Grades whose ledger was found to differ from the store, since the nodes started.
    pub drift: u64,
    /// Refusals of the last minute by code, the most frequent first.
    pub problems: Vec<ProblemCount>,
}

/// How often a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ProblemCount {
    pub code: ProblemCode,
    pub count: u64,
}
