//! The state of the service at this moment: whether this node is ready, and the statistics of all nodes. Each
//! node samples itself, publishes its status through the ledger, and adds up the statuses of all nodes when
//! it is asked.

mod in_flight;
mod latencies;
mod node_stats;
mod node_status;
mod overview;
mod readiness;

pub(crate) use in_flight::in_flight;
pub(crate) use node_stats::NodeStats;
pub use overview::StatsView;
pub(crate) use readiness::Readiness;
