//! Administration of events.

use neticket_domain::{EventStatus, QUANTITY_MAX, SEARCH_LEN_MAX, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::event::{EventDetail, EventStatusWord};
use crate::page::{PAGE_SIZE_MAX, first, size_default};
use crate::rules;

/// Which events, past and cancelled ones included, and which page of them.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AdminEventListQuery {
    /// Every word of it occurs in the title or the place, whatever its case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 100)]
    #[validate(length(
        max = "SEARCH_LEN_MAX",
        code = "too_long",
        message = "must be at most 100 characters"
    ))]
    pub q: Option<String>,
    /// Only events of this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<EventStatusWord>)]
    pub status: Option<EventStatus>,
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

/// A new event.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EventCreateRequest {
    #[validate(
        custom(function = rules::line),
        length(max = 200, code = "too_long", message = "must be at most 200 characters")
    )]
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    #[validate(
        custom(function = rules::line),
        length(max = 200, code = "too_long", message = "must be at most 200 characters")
    )]
    #[schema(min_length = 1, max_length = 200)]
    pub place: String,
    #[validate(
        custom(function = rules::visible),
        length(max = 10_000, code = "too_long", message = "must be at most 10000 characters")
    )]
    #[schema(max_length = 10_000)]
    pub description: String,
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub opens_at: Timestamp,
    /// `starts_at` if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Timestamp>,
    /// 1 to 100; 4 if absent.
    #[validate(range(
        min = 1,
        max = "QUANTITY_MAX",
        code = "out_of_range",
        message = "must be between 1 and 100"
    ))]
    #[schema(minimum = 1, maximum = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_user: Option<u32>,
    /// The key of an image that was uploaded before.
    #[validate(length(max = 100, code = "too_long", message = "must be at most 100 characters"))]
    #[schema(max_length = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_key: Option<String>,
    #[validate(
        length(min = 1, max = 20, code = "out_of_range", message = "must have between 1 and 20 grades"),
        nested
    )]
    #[schema(min_items = 1, max_items = 20)]
    pub ticket_types: Vec<TicketTypeCreateRequest>,
}

/// A grade of a new event.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct TicketTypeCreateRequest {
    #[validate(
        custom(function = rules::line),
        length(max = 50, code = "too_long", message = "must be at most 50 characters")
    )]
    #[schema(min_length = 1, max_length = 50)]
    pub name: String,
    /// In won.
    #[validate(range(
        max = 100_000_000_u64,
        code = "out_of_range",
        message = "must be between 0 and 100000000"
    ))]
    #[schema(maximum = 100_000_000)]
    pub price: u64,
    #[validate(range(
        min = 1,
        max = 1_000_000,
        code = "out_of_range",
        message = "must be between 1 and 1000000"
    ))]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub capacity: u32,
}

/// An event as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AdminEvent {
    #[serde(flatten)]
    pub detail: EventDetail,
    pub image_key: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}
