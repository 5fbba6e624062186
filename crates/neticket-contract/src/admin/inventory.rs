//! The control room: what the ledger says beside what the store says.

use neticket_domain::{EventStatus, SEARCH_LEN_MAX};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::event::EventStatusWord;
use crate::page::{PAGE_SIZE_MAX, first, size_default};

/// Which events, and which page of them.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InventoryListQuery {
    /// Every word of it occurs in the title or the place, whatever its case.
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
    /// Counted from 1.
    #[serde(default = "first")]
    #[param(default = 1, minimum = 1, maximum = 1_000_000)]
    #[validate(range(
        min = 1,
        max = 1_000_000,
        code = "out_of_range",
        message = "must be between 1 and 1000000"
    ))]
    pub page: u32,
    /// The most items of a page.
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

/// An event's ledger beside the store.
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
    /// Whether the sale is paused, by the ledger; by the store where it is not loaded.
    pub paused: bool,
    /// Of the load it came from; `null` where it is not loaded.
    pub epoch: Option<i64>,
    /// Reservations on their way into the store.
    pub pending: u64,
}

/// A grade, by ledger and store.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct InventoryTicketType {
    pub id: i64,
    pub name: String,
    pub capacity: u32,
    pub store_left: u32,
    /// `null` where the ledger is not loaded.
    pub ledger_left: Option<u32>,
    /// What the ledger has too many (above 0) or too few (below 0), beyond what is on its way. 0 as long as that cannot
    /// be told, because something moves.
    pub drift: i64,
}

/// Whether to change anything.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReconcileQuery {
    /// `true`: says what differs and changes nothing.
    #[serde(default)]
    #[param(default = false)]
    pub dry_run: bool,
}

/// What came of comparing a ledger with the store.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Reconciliation {
    /// Whether the ledger was loaded anew.
    pub applied: bool,
    /// What differed; empty: nothing.
    pub changes: Vec<SeatChange>,
}

/// A grade of which the ledger says something else than it should.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SeatChange {
    pub ticket_type_id: i64,
    /// What the ledger says is left.
    pub from: u32,
    /// What has to be left, by the store and what is on its way.
    pub to: u32,
}
