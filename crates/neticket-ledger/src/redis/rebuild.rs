//! How far this node's rebuild of the list of loaded events has come.

use neticket_domain::EventId;
use tokio::time::Instant;
use uuid::Uuid;

use super::connection::Node;
use super::masters::Masters;

/// The state of this node's rebuild of the list. One call at a time works on it.
#[derive(Default)]
pub(super) struct Rebuild {
    pub(super) scan: Option<Scan>,
    pub(super) not_before: Option<Instant>,
}

/// A scan in progress. If a call runs out of time, the next call continues it.
pub(super) struct Scan {
    pub(super) id: Uuid,
    /// The masters when the scan began.
    pub(super) masters: Masters,
    /// The cursors at which the scan continues, for each master that is not done.
    pub(super) cursors: Vec<(Option<Node>, String)>,
    /// Ledgers that are not listed yet.
    pub(super) found: Vec<EventId>,
}
