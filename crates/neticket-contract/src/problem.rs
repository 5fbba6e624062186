//! Refusals as RFC 9457 problems: one table with the status and title of each code.

use std::fmt;

use neticket_domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The media type of all refusals.
pub const PROBLEM_CONTENT_TYPE: &str = "application/problem+json";

macro_rules! problem_codes {
    // `tt` and not `literal`, because utoipa does not read a token that a macro passes on as a literal.
    ($($(#[$doc:meta])* $variant:ident = $code:tt, $status:literal, $title:literal;)+) => {
        /// Why a request was refused. The codes are stable, so clients can rely on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, ToSchema)]
        pub enum ProblemCode {
            $($(#[$doc])* #[serde(rename = $code)] $variant,)+
        }

        impl ProblemCode {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The HTTP status of the response.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }

            /// The title, in English.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

problem_codes! {
    /// The request is not valid HTTP for this server, or its body is not JSON.
    MalformedRequest = "malformed_request", 400, "The request cannot be read";
    /// The access token is missing, invalid or expired.
    Unauthenticated = "unauthenticated", 401, "Sign in first";
    /// The e-mail address is unknown, or the password is wrong.
    BadCredentials = "bad_credentials", 401, "E-mail or password is wrong";
    /// You are signed in, but not allowed to do this.
    Forbidden = "forbidden", 403, "Not allowed";
    /// The thing does not exist, or it belongs to somebody else.
    NotFound = "not_found", 404, "Not found";
    /// The path exists, but does not allow this method.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed";
    /// The answer exists only in a media type that the request does not accept.
    NotAcceptable = "not_acceptable", 406, "Not acceptable";
    /// Fewer tickets are left than requested. `left` is the number of tickets left.
    SoldOut = "sold_out", 409, "Sold out";
    /// The person would hold more tickets than `max_per_user`. `already_held` is the number that the person
    /// holds.
    PurchaseLimitExceeded = "purchase_limit_exceeded", 409, "The limit per person is exceeded";
    /// The sale has not opened yet. It opens at `opens_at`.
    SaleNotOpen = "sale_not_open", 409, "The sale is not open yet";
    /// The sale is over, or the event is cancelled.
    SaleClosed = "sale_closed", 409, "The sale is closed";
    /// The sale is paused for a while.
    SalePaused = "sale_paused", 409, "The sale is paused";
    /// The price is no longer the `unit_price` of the request. `unit_price` is the current price. Nothing was
    /// booked.
    PriceChanged = "price_changed", 409, "The price has changed";
    /// The reservation cannot be cancelled, because the event has started.
    NotCancellable = "not_cancellable", 409, "The reservation cannot be cancelled any more";
    /// The event is cancelled, and a cancel is final.
    EventCancelled = "event_cancelled", 409, "The event is cancelled";
    /// The capacity of a ticket type cannot be lower than the number of sold tickets, which is `sold`.
    CapacityBelowSold = "capacity_below_sold", 409, "The capacity is below the tickets sold";
    /// The event, or a ticket type that was to be removed, has reservations.
    EventHasReservations = "event_has_reservations", 409, "There are reservations";
    /// The ledger has reservations in progress, or is changing. Nothing was changed.
    LedgerBusy = "ledger_busy", 409, "The ledger is busy";
    /// The event has no ledger at this moment.
    LedgerNotLoaded = "ledger_not_loaded", 409, "The ledger is not loaded";
    /// Another account has this e-mail address.
    EmailTaken = "email_taken", 409, "The e-mail address is taken";
    /// Another account has this nickname.
    NicknameTaken = "nickname_taken", 409, "The nickname is taken";
    /// Somebody else has changed it meanwhile, so its `ETag` is no longer that of `If-Match`.
    EditConflict = "edit_conflict", 412, "Somebody else has changed it";
    /// The body is larger than this operation accepts.
    PayloadTooLarge = "payload_too_large", 413, "The body is too large";
    /// This operation does not accept the media type of the body.
    UnsupportedMediaType = "unsupported_media_type", 415, "Unsupported media type";
    /// Fields are missing, unknown or out of range. `errors` names all of them.
    ValidationFailed = "validation_failed", 422, "Some fields are invalid";
    /// The idempotency key was used for another booking.
    IdempotencyKeyReused = "idempotency_key_reused", 422, "The idempotency key was used for another booking";
    /// Too many requests. `Retry-After` is the time to wait, in seconds.
    RateLimited = "rate_limited", 429, "Too many requests";
    /// The server has a bug.
    Internal = "internal", 500, "Internal server error";
    /// More requests than the queues can hold. `Retry-After` is the time to wait, in seconds.
    Overloaded = "overloaded", 503, "The server is overloaded";
    /// The ledger does not answer. `Retry-After` is the time to wait, in seconds.
    LedgerUnavailable = "ledger_unavailable", 503, "Booking is briefly unavailable";
    /// The store does not answer. `Retry-After` is the time to wait, in seconds.
    StoreUnavailable = "store_unavailable", 503, "Briefly unavailable";
    /// The image store does not answer. `Retry-After` is the time to wait, in seconds.
    ImageStoreUnavailable = "image_store_unavailable", 503, "Images are briefly unavailable";
}

impl ProblemCode {
    /// Whether the same request may succeed if it is repeated a little later.
    pub fn retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::Overloaded
                | Self::LedgerUnavailable
                | Self::StoreUnavailable
                | Self::ImageStoreUnavailable
        )
    }
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal (RFC 9457). The members after `trace_id` are present only for certain codes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Problem {
    /// `/problems/<code>`: the address of a page that explains the problem.
    #[serde(rename = "type")]
    #[schema(example = "/problems/sold_out")]
    pub type_: String,
    pub title: String,
    pub status: u16,
    pub code: ProblemCode,
    /// What happened in this request, in English.
    pub detail: String,
    /// The `X-Request-Id` of the response.
    pub trace_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_user: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub already_held: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sold: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub opens_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub server_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub starts_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct FieldProblem {
    /// The path of the field, for example `ticket_types[0].price`. Empty if the whole body is meant.
    pub field: String,
    /// A stable code: `required`, `unknown_field`, `invalid_type`, `too_short`, `too_long`, `out_of_range`,
    /// `invalid_email`, `weak_password`, `invalid_nickname`, `invalid_text` and others.
    pub code: String,
    /// Explains the mistake, in English.
    pub message: String,
}

impl Problem {
    /// A problem that has none of the members that belong to certain codes.
    pub fn new(code: ProblemCode, detail: impl Into<String>, trace_id: impl Into<String>) -> Self {
        Self {
            type_: format!("/problems/{code}"),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            detail: detail.into(),
            trace_id: trace_id.into(),
            left: None,
            max_per_user: None,
            already_held: None,
            sold: None,
            unit_price: None,
            opens_at: None,
            server_time: None,
            starts_at: None,
            errors: Vec::new(),
        }
    }
}
