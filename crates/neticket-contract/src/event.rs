//! Events as everyone sees them.

use neticket_domain::{EventStatus, SEARCH_LEN_MAX, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::page::{PAGE_SIZE_MAX, first};

/// The currency of every price.
pub const CURRENCY: &str = "KRW";

/// Filters and page of the list of events.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventListQuery {
    /// Search words. An event matches if its title or place contains every word, ignoring case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 100)]
    #[validate(length(
        max = "SEARCH_LEN_MAX",
        code = "too_long",
        message = "must be at most 100 characters"
    ))]
    pub q: Option<String>,
    /// Only events with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<EventStatusWord>)]
    pub status: Option<EventStatus>,
    /// Whether to include events that have started.
    #[serde(default)]
    #[param(default = false)]
    pub include_past: bool,
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
    #[param(default = 12, minimum = 1, maximum = 100)]
    #[validate(range(
        min = 1,
        max = "PAGE_SIZE_MAX",
        code = "out_of_range",
        message = "must be between 1 and 100"
    ))]
    pub size: u32,
}

fn size_default() -> u32 {
    12
}

/// Which revision of an event to return.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// The lowest `revision` that the caller accepts. If the event has not reached it, the current one is
    /// returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 0)]
    #[validate(range(min = 0, code = "out_of_range", message = "must be at least 0"))]
    pub revision: Option<i64>,
}

/// The names of the statuses of an event.
#[derive(ToSchema)]
#[schema(as = EventStatus, rename_all = "snake_case")]
#[allow(dead_code, reason = "exists for the OpenAPI document; the values are the domain's")]
pub(crate) enum EventStatusWord {
    Scheduled,
    OnSale,
    SoldOut,
    Paused,
    Closed,
    Cancelled,
}

/// An event in a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct EventSummary {
    pub id: i64,
    pub title: String,
    pub place: String,
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub opens_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub closes_at: Timestamp,
    #[schema(value_type = EventStatusWord)]
    pub status: EventStatus,
    /// The lowest price, in won.
    pub price_from: u64,
    /// Always `KRW`.
    #[schema(example = "KRW")]
    pub currency: String,
    /// The address of the image. `null` if the event has none.
    pub image_url: Option<String>,
}

/// An event with everything that a person needs to know before booking.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct EventDetail {
    #[serde(flatten)]
    pub summary: EventSummary,
    pub description: String,
    /// The most tickets one person may hold of this event.
    pub max_per_user: u32,
    /// Increases with every edit of the event. Sales do not change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
    /// The time of the clock that opens the sale, at the moment of this answer.
    #[schema(value_type = String, format = DateTime)]
    pub server_time: Timestamp,
    pub ticket_types: Vec<TicketType>,
}

/// A ticket type of an event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct TicketType {
    pub id: i64,
    pub name: String,
    /// In won.
    pub price: u64,
    /// The number of tickets in total, sold ones included.
    pub capacity: u32,
    /// The number of tickets that can still be booked.
    pub left: u32,
}

/// How many tickets of an event can be booked now.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Availability {
    pub event_id: i64,
    #[schema(value_type = EventStatusWord)]
    pub status: EventStatus,
    #[schema(value_type = String, format = DateTime)]
    pub server_time: Timestamp,
    /// The `revision` of the event. It is higher than the one you have after an edit, for example of a price.
    /// Fetch `GET /api/v1/events/{id}?revision={revision}` to get the event of this revision or a later one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
    pub ticket_types: Vec<TicketTypeLeft>,
}

/// How many tickets of a ticket type are left.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct TicketTypeLeft {
    pub id: i64,
    pub left: u32,
}
