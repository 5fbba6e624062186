//! Events, as administrators create and change them.

use neticket_domain::{EventStatus, QUANTITY_MAX, SEARCH_LEN_MAX, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::event::{EventDetail, EventStatusWord};
use crate::page::{PAGE_SIZE_MAX, first, size_default};
use crate::rules;

/// Filters and page of the list of all events. Past and cancelled events are included.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AdminEventListQuery {
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
    /// If absent, the sale closes at `starts_at`.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Timestamp>,
    /// The most tickets that one person may hold: 1 to 100. If absent, it is 4.
    #[validate(range(
        min = 1,
        max = "QUANTITY_MAX",
        code = "out_of_range",
        message = "must be between 1 and 100"
    ))]
    #[schema(minimum = 1, maximum = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_user: Option<u32>,
    /// The key of an uploaded image.
    #[validate(length(max = 100, code = "too_long", message = "must be at most 100 characters"))]
    #[schema(max_length = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_key: Option<String>,
    #[validate(
        length(
            min = 1,
            max = 20,
            code = "out_of_range",
            message = "must have between 1 and 20 ticket types"
        ),
        nested
    )]
    #[schema(min_items = 1, max_items = 20)]
    pub ticket_types: Vec<TicketTypeCreateRequest>,
}

/// A ticket type of a new event.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct TicketTypeCreateRequest {
    #[validate(
        custom(function = rules::line),
        length(max = 50, code = "too_long", message = "must be at most 50 characters")
    )]
    #[schema(min_length = 1, max_length = 50)]
    pub name: String,
    /// In won, at most 100,000,000.
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

/// A change of an event. Fields that are absent keep their values. `null` in `image_key` removes the image.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EventUpdateRequest {
    #[validate(
        custom(function = rules::line),
        length(max = 200, code = "too_long", message = "must be at most 200 characters")
    )]
    #[schema(min_length = 1, max_length = 200)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[validate(
        custom(function = rules::line),
        length(max = 200, code = "too_long", message = "must be at most 200 characters")
    )]
    #[schema(min_length = 1, max_length = 200)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    #[validate(
        custom(function = rules::visible),
        length(max = 10_000, code = "too_long", message = "must be at most 10000 characters")
    )]
    #[schema(max_length = 10_000)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Timestamp>,
    /// The most tickets that one person may hold: 1 to 100. People who already hold more keep their tickets.
    #[validate(range(
        min = 1,
        max = "QUANTITY_MAX",
        code = "out_of_range",
        message = "must be between 1 and 100"
    ))]
    #[schema(minimum = 1, maximum = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_user: Option<u32>,
    /// The key of an uploaded image. `null` removes the image.
    #[validate(length(max = 100, code = "too_long", message = "must be at most 100 characters"))]
    #[schema(value_type = Option<String>, max_length = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub image_key: Option<Option<String>>,
    /// All ticket types after the change, in the order in which they are shown. An item with `id` changes
    /// that ticket type; an item without `id` adds a new one. A ticket type that is left out is removed,
    /// unless it has reservations.
    #[validate(
        length(
            min = 1,
            max = 20,
            code = "out_of_range",
            message = "must have between 1 and 20 ticket types"
        ),
        nested
    )]
    #[schema(min_items = 1, max_items = 20)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_types: Option<Vec<TicketTypeUpdateRequest>>,
}

/// Distinguishes `null`, which becomes `Some(None)`, from an absent field.
#[allow(clippy::option_option, reason = "a field that is not there, one that is null, and one with a value")]
fn present<'de, D: serde::Deserializer<'de>>(field: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(field).map(Some)
}

/// A ticket type after the change.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct TicketTypeUpdateRequest {
    /// The ticket type to change. If absent, a new one is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    #[validate(
        custom(function = rules::line),
        length(max = 50, code = "too_long", message = "must be at most 50 characters")
    )]
    #[schema(min_length = 1, max_length = 50)]
    pub name: String,
    /// In won, at most 100,000,000. Existing reservations keep the price at which they were booked.
    #[validate(range(
        max = 100_000_000_u64,
        code = "out_of_range",
        message = "must be between 0 and 100000000"
    ))]
    #[schema(maximum = 100_000_000)]
    pub price: u64,
    /// At least the number of tickets that are sold, pending bookings included.
    #[validate(range(
        min = 1,
        max = 1_000_000,
        code = "out_of_range",
        message = "must be between 1 and 1000000"
    ))]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub capacity: u32,
}

/// An event as administrators see it. `left` of each ticket type comes from the store, so `capacity - left`
/// is the number of sold tickets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AdminEvent {
    #[serde(flatten)]
    pub detail: EventDetail,
    pub image_key: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When the event was cancelled. `null` if it was not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub cancelled_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_image_key_differs_from_an_absent_one() {
        let read = |text| serde_json::from_str::<EventUpdateRequest>(text).unwrap().image_key;
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"image_key": null}"#), Some(None));
        assert_eq!(read(r#"{"image_key": "k"}"#), Some(Some("k".to_owned())));
        let removes = EventUpdateRequest { image_key: Some(None), ..EventUpdateRequest::default() };
        assert_eq!(serde_json::to_string(&removes).unwrap(), r#"{"image_key":null}"#);
    }
}
