//! The inventory: ledger and store side by side, and the actions that load, evict or reconcile a ledger, or
//! pause or resume a sale.
//!
//! No action writes numbers into a ledger or removes anything from the store. An action that makes a ledger
//! stale raises the epoch in the store first, in one transaction with its entry in the audit log. From that
//! `COMMIT` on the guard refuses what the old ledger admits, and the refused commit loads a new ledger. This
//! also holds if this node dies in between (docs/decisions/0023).

mod actions;
mod inspector;
mod list;
mod reconcile;

use neticket_domain::{Epoch, EventId, EventStatus, TicketTypeId};

pub use inspector::SeatChange;
pub(crate) use inspector::{INSPECTIONS_CONCURRENT_MAX, Inspection, Inspector};
pub use reconcile::{Reconcile, Reconciliation};

/// What the ledger and the store say about an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryView {
    pub event: EventId,
    pub title: String,
    pub status: EventStatus,
    /// As the ledger says, or as the store says if the ledger is not loaded.
    pub paused: bool,
    /// The epoch of the ledger. `None` if it is not loaded.
    pub epoch: Option<Epoch>,
    /// Number of bookings that are admitted and not settled yet.
    pub journal_len: u64,
    /// In the order in which they are shown.
    pub ticket_types: Vec<InventoryTicketTypeView>,
}

/// A ticket type, as the ledger and the store have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryTicketTypeView {
    pub id: TicketTypeId,
    pub name: String,
    pub capacity: u32,
    pub store_left: u32,
    /// `None` if the ledger is not loaded.
    pub ledger_left: Option<u32>,
    /// How many seats the ledger has too many (above 0) or too few (below 0). 0 as long as this is not known.
    pub drift: i64,
}
