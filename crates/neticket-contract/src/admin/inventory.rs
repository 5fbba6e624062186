//! The inventory: the state of the ledgers next to the state of the store.

use neticket_domain::{EventStatus, SEARCH_LEN_MAX};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::event::EventStatusWord;
use crate::page::{PAGE_SIZE_MAX, first, size_default};

/// Filters and page of the inventory.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InventoryListQuery {
    /// Search words. An event matches if its title or place contains every word, ignoring case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 100)]
    #[validate(length(
        max = "SEARCH_LEN_MAX",
        code = "too_long",
        message = "must be at most 100 characters"
    ))]
    pub q: Option<String>,
    /// Only events whose ledger differs from the store.
    #[serde(default)]
    #[param(default = false)]
    pub drifted: bool,
    /// The number of the page, counted from 1.
    #[serde(default = "first")]
    #[param(default = 1, minimum = 1, maximum = 1_000_000)]
    #[validate(range(
        min = 1,
        max = 1_000_000,
        code = "out_of_range",
        message = "must be between 1 and 1000000"
    ))]
    pub page: u32,
    /// The number of items per page.
    #[serde(default = "size_default")]
    #[param(default = 20, minimum = 1, maximum = 100)]
    #[validate(range(
        min = 1,
        max = "PAGE_SIZE_MAX",
        code = "out_of_range",
        message = "must be between 1 and 100"
    ))]
    pub size: u32,
}

/// The ledger of an event next to the store.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct InventoryEntry {
    pub event_id: i64,
    pub title: String,
    #[schema(value_type = EventStatusWord)]
    pub status: EventStatus,
    pub ledger: InventoryLedger,
    pub ticket_types: Vec<InventoryTicketType>,
}

/// The state of an event's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct InventoryLedger {
    pub loaded: bool,
    /// Whether the sale is paused, according to the ledger. If the ledger is not loaded, according to the
    /// store.
    pub paused: bool,
    /// The number of the load that built this ledger. `null` if the ledger is not loaded.
    pub epoch: Option<i64>,
    /// The number of reservations that are admitted but not committed to the store yet.
    pub pending: u64,
}

/// A ticket type in the ledger and in the store.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct InventoryTicketType {
    pub id: i64,
    pub name: String,
    pub capacity: u32,
    pub store_left: u32,
    /// `null` if the ledger is not loaded.
    pub ledger_left: Option<u32>,
    /// By how many seats the ledger has too many (above 0) or too few (below 0), apart from pending
    /// reservations. 0 while this cannot be determined, because bookings are in progress.
    pub drift: i64,
}

/// Whether to repair a difference or only to report it.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReconcileQuery {
    /// `true`: reports the differences and changes nothing.
    #[serde(default)]
    #[param(default = false)]
    pub dry_run: bool,
}

/// The result of a comparison of a ledger with the store.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Reconciliation {
    /// Whether the ledger was loaded anew to repair the differences.
    pub applied: bool,
    /// The differences. Empty if there are none.
    pub changes: Vec<SeatChange>,
}

/// A ticket type of which the ledger has a wrong number of seats left.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SeatChange {
    pub ticket_type_id: i64,
    /// How many seats are left according to the ledger.
    pub from: u32,
    /// How many seats the ledger should have left, according to the store and the pending reservations.
    pub to: u32,
}
