//! The control room: ledgers beside the store, and the buttons that make a ledger anew, let it go, pause a sale or resume it.
//!
//! No button writes numbers into a ledger or takes anything out of the store. What outdates a ledger does so in the store
//! first, with its entry in the audit log, in one transaction: from its COMMIT on the guard holds, and whoever meets the old
//! ledger loads a new one, even if this node dies in between (docs/decisions/0023).

mod buttons;
mod inventory;
mod reconciling;

use neticket_domain::{Epoch, EventId, EventStatus, TicketTypeId};

pub use reconciling::{Reconcile, Reconciliation};

/// An event's ledger beside the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryView {
    pub event: EventId,
    pub title: String,
    pub status: EventStatus,
    /// By the ledger; by the store where it is not loaded.
    pub paused: bool,
    /// Of the ledger; `None`: it is not loaded.
    pub epoch: Option<Epoch>,
    /// Reservations on their way into the store.
    pub pending: u64,
    /// In the order in which they are shown.
    pub ticket_types: Vec<InventoryTicketTypeView>,
}

/// A grade, by ledger and store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryTicketTypeView {
    pub id: TicketTypeId,
    pub name: String,
    pub capacity: u32,
    pub store_left: u32,
    /// `None` where the ledger is not loaded.
    pub ledger_left: Option<u32>,
    /// What the ledger has too many (above 0) or too few; 0 as long as that cannot be told.
    pub drift: i64,
}
