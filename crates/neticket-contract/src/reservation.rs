//! Reservations, as their owner sees them.

use neticket_domain::{QUANTITY_MAX, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// A booking.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ReservationCreateRequest {
    pub ticket_type_id: i64,
    /// 1 to 100. Together with the tickets that you already hold, at most `max_per_user` of the event.
    #[validate(range(
        min = 1,
        max = "QUANTITY_MAX",
        code = "out_of_range",
        message = "must be between 1 and 100"
    ))]
    #[schema(minimum = 1, maximum = 100)]
    pub quantity: u32,
    /// The price of one ticket that you have seen, in won. If the price has changed since, the answer is
    /// `price_changed` and nothing is booked. A repeat with the same `Idempotency-Key` may name any price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(range(
        max = "PRICE_SEEN_MAX",
        code = "out_of_range",
        message = "must be at most 9007199254740991"
    ))]
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    pub unit_price: Option<u64>,
}

/// The highest integer that every JSON parser reads exactly (2^53 - 1). It is far above any price.
const PRICE_SEEN_MAX: u64 = 9_007_199_254_740_991;

/// The status of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReservationStatus {
    /// Admitted, and being saved. It becomes `confirmed` or `rejected`.
    Pending,
    Confirmed,
    /// It was pending, and was then refused.
    Rejected,
    Cancelled,
}

/// A reservation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Reservation {
    pub id: Uuid,
    pub status: ReservationStatus,
    pub event: ReservationEvent,
    pub ticket_type: ReservationTicketType,
    pub quantity: u32,
    /// The price of one ticket when it was booked, in won.
    pub unit_price: u64,
    /// In won.
    pub total_price: u64,
    /// Always `KRW`.
    #[schema(example = "KRW")]
    pub currency: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub cancelled_at: Option<Timestamp>,
    /// Whether the reservation can be cancelled now.
    pub cancellable: bool,
}

/// The event of a reservation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ReservationEvent {
    pub id: i64,
    pub title: String,
    pub place: String,
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    pub image_url: Option<String>,
    /// Whether the event was cancelled, and this reservation with it.
    pub cancelled: bool,
}

/// The ticket type of a reservation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ReservationTicketType {
    pub id: i64,
    pub name: String,
}
