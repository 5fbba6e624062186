//! Events, as administrators make and change them.

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

/// What is to change of an event. What is absent stays as it is; `null` takes the image away.
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
    /// 1 to 100. Who holds more already keeps it.
    #[validate(range(
        min = 1,
        max = "QUANTITY_MAX",
        code = "out_of_range",
        message = "must be between 1 and 100"
    ))]
    #[schema(minimum = 1, maximum = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_user: Option<u32>,
    /// The key of an image that was uploaded before; `null`: no image.
    #[validate(length(max = 100, code = "too_long", message = "must be at most 100 characters"))]
    #[schema(value_type = Option<String>, max_length = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub image_key: Option<Option<String>>,
    /// All grades as they are to be, in the order in which they are shown: with `id` one that is there, without a new
    /// one. One that is left out is removed, unless it has reservations.
    #[validate(
        length(min = 1, max = 20, code = "out_of_range", message = "must have between 1 and 20 grades"),
        nested
    )]
    #[schema(min_items = 1, max_items = 20)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_types: Option<Vec<TicketTypeUpdateRequest>>,
}

/// Tells `null`, which is `Some(None)`, from a field that is not there.
#[allow(clippy::option_option, reason = "a field that is not there, one that is null, and one with a value")]
fn present<'de, D: serde::Deserializer<'de>>(field: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(field).map(Some)
}

/// A grade as it is to be.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct TicketTypeUpdateRequest {
    /// Of the grade that is changed; absent: a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    #[validate(
        custom(function = rules::line),
        length(max = 50, code = "too_long", message = "must be at most 50 characters")
    )]
    #[schema(min_length = 1, max_length = 50)]
    pub name: String,
    /// In won. What is booked already keeps the price it was booked at.
    #[validate(range(
        max = 100_000_000_u64,
        code = "out_of_range",
        message = "must be between 0 and 100000000"
    ))]
    #[schema(maximum = 100_000_000)]
    pub price: u64,
    /// No less than is sold.
    #[validate(range(
        min = 1,
        max = 1_000_000,
        code = "out_of_range",
        message = "must be between 1 and 1000000"
    ))]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub capacity: u32,
}

/// An event as administrators see it; `left` of its grades is the store's, so `capacity - left` is sold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AdminEvent {
    #[serde(flatten)]
    pub detail: EventDetail,
    pub image_key: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When the event was cancelled; `null`: it was not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub cancelled_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_image_is_told_from_no_change_of_the_image() {
        let read = |text| serde_json::from_str::<EventUpdateRequest>(text).unwrap().image_key;
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"image_key": null}"#), Some(None));
        assert_eq!(read(r#"{"image_key": "k"}"#), Some(Some("k".to_owned())));
        let removes = EventUpdateRequest { image_key: Some(None), ..EventUpdateRequest::default() };
        assert_eq!(serde_json::to_string(&removes).unwrap(), r#"{"image_key":null}"#);
    }
}
