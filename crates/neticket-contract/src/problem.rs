//! Refusals, as RFC 9457 problems: one table from code to status and title.

use std::fmt;

use neticket_domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The media type of every refusal.
pub const PROBLEM_CONTENT_TYPE: &str = "application/problem+json";

macro_rules! problem_codes {
    // `tt` and not `literal`: utoipa does not look into what a macro has passed on as a literal.
    ($($(#[$doc:meta])* $variant:ident = $code:tt, $status:literal, $title:literal;)+) => {
        /// Why a request was refused. Stable: clients decide by it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, ToSchema)]
        pub enum ProblemCode {
            $($(#[$doc])* #[serde(rename = $code)] $variant,)+
        }

        impl ProblemCode {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The HTTP status it is sent with.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }

            /// What it is called, in English.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

problem_codes! {
    /// Not HTTP as this server understands it, or not JSON.
    MalformedRequest = "malformed_request", 400, "The request cannot be read";
    /// No access token, or a bad or expired one.
    Unauthenticated = "unauthenticated", 401, "Sign in first";
    /// Unknown e-mail or wrong password.
    BadCredentials = "bad_credentials", 401, "E-mail or password is wrong";
    /// Signed in, but not allowed.
    Forbidden = "forbidden", 403, "Not allowed";
    /// There is no such thing, or it is somebody else's.
    NotFound = "not_found", 404, "Not found";
    /// The path exists, but not with this method.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed";
    /// The answer exists only as a media type that the request does not accept.
    NotAcceptable = "not_acceptable", 406, "Not acceptable";
    /// Fewer tickets are left than asked for; `left` says how many.
    SoldOut = "sold_out", 409, "Sold out";
    /// More tickets than one person may hold; `max_per_user` and `already_held` say how many.
    PurchaseLimitExceeded = "purchase_limit_exceeded", 409, "Over the limit per person";
    /// The sale opens at `opens_at`.
    SaleNotOpen = "sale_not_open", 409, "The sale is not open yet";
    /// The sale is over, or the event is cancelled.
    SaleClosed = "sale_closed", 409, "The sale is closed";
    /// The sale is paused for a while.
    SalePaused = "sale_paused", 409, "The sale is paused";
    /// The price is not the `unit_price` of the request any more; `unit_price` says what it is. Nothing was booked.
    PriceChanged = "price_changed", 409, "The price has changed";
    /// The event has started.
    NotCancellable = "not_cancellable", 409, "Cannot be cancelled any more";
    /// The event is cancelled, and stays so.
    EventCancelled = "event_cancelled", 409, "The event is cancelled";
    /// A grade cannot have fewer seats than are sold; `sold` says how many.
    CapacityBelowSold = "capacity_below_sold", 409, "Fewer seats than are sold";
    /// The event, or a grade that was to be removed, has reservations.
    EventHasReservations = "event_has_reservations", 409, "There are reservations";
    /// The ledger has reservations on their way, or is in motion; nothing was changed.
    LedgerBusy = "ledger_busy", 409, "The ledger is in motion";
    /// The event has no ledger at this moment.
    LedgerNotLoaded = "ledger_not_loaded", 409, "The ledger is not loaded";
    /// Another account has this e-mail address.
    EmailTaken = "email_taken", 409, "The e-mail address is taken";
    /// Another account has this nickname.
    NicknameTaken = "nickname_taken", 409, "The nickname is taken";
    /// Somebody has changed it since: the `ETag` is not that of `If-Match` any more.
    EditConflict = "edit_conflict", 412, "Changed by somebody else meanwhile";
    /// The body is larger than this operation takes.
    PayloadTooLarge = "payload_too_large", 413, "The body is too large";
    /// The body is of a media type that this operation does not take.
    UnsupportedMediaType = "unsupported_media_type", 415, "Unsupported media type";
    /// Fields are missing, unknown or out of range; `errors` names them all.
    ValidationFailed = "validation_failed", 422, "Some fields are not right";
    /// The key was used for another booking.
    IdempotencyKeyReused = "idempotency_key_reused", 422, "The idempotency key was used for something else";
    /// Too many requests; `Retry-After` says when to come back.
    RateLimited = "rate_limited", 429, "Too many requests";
    /// A fault of the server's.
    Internal = "internal", 500, "Something went wrong";
    /// More requests than can be queued; `Retry-After` says when to come back.
    Overloaded = "overloaded", 503, "Too busy right now";
    /// The ledger does not answer; `Retry-After` says when to come back.
    LedgerUnavailable = "ledger_unavailable", 503, "Booking is briefly unavailable";
    /// The store does not answer; `Retry-After` says when to come back.
    StoreUnavailable = "store_unavailable", 503, "Briefly unavailable";
    /// Where images are kept does not answer; `Retry-After` says when to come back.
    ImageStoreUnavailable = "image_store_unavailable", 503, "Images are briefly unavailable";
}

impl ProblemCode {
    /// Whether the same request may succeed a little later.
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

/// A refusal (RFC 9457). The members after `trace_id` belong to single codes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Problem {
    /// `/problems/<code>`: a page that explains it.
    #[serde(rename = "type")]
    #[schema(example = "/problems/sold_out")]
    pub type_: String,
    pub title: String,
    pub status: u16,
    pub code: ProblemCode,
    /// What happened this time, in English.
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
    /// Its path, like `ticket_types[0].price`; empty where the whole body is meant.
    pub field: String,
    /// Stable: `required`, `unknown_field`, `invalid_type`, `too_short`, `too_long`, `out_of_range`,
    /// `invalid_email`, `weak_password`, `invalid_nickname`, `invalid_text` and the like.
    pub code: String,
    /// In English.
    pub message: String,
}

impl Problem {
    /// A problem without members of its own.
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
