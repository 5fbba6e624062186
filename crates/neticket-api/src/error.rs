//! The one place where an error becomes a problem (RFC 9457). Errors come from the application and from
//! actix.
//!
//! Handlers return [`ApiError`]. The outermost middleware (`envelope`) renders it, because only `envelope`
//! knows the id of the request.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use neticket_app::AppError;
use neticket_contract::{FieldProblem, Problem, ProblemCode};
use neticket_domain::FieldError;

use crate::extract::fields;

/// An error that is answered as a problem. Its problem has no `trace_id` yet.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Refusal>);

#[derive(Debug)]
struct Refusal {
    problem: Problem,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Goes only to the log, never to the client.
    cause: Option<String>,
}

impl ApiError {
    /// A refusal with the headers that its code always has.
    pub(crate) fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        let error = Self(Box::new(Refusal {
            problem: Problem::new(code, detail, String::new()),
            headers: Vec::new(),
            cause: None,
        }));
        match code {
            ProblemCode::Unauthenticated | ProblemCode::BadCredentials => {
                error.with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"neticket\""))
            }
            ProblemCode::Overloaded => error.with_retry_after(1),
            ProblemCode::LedgerUnavailable
            | ProblemCode::StoreUnavailable
            | ProblemCode::ImageStoreUnavailable => error.with_retry_after(2),
            _ => error,
        }
    }

    pub(crate) fn not_found(detail: &str) -> Self {
        Self::new(ProblemCode::NotFound, detail)
    }

    /// A refusal because of invalid fields. `errors` must not be empty.
    pub(crate) fn invalid(errors: Vec<FieldProblem>) -> Self {
        let mut error = Self::new(ProblemCode::ValidationFailed, "See `errors` for what to change.");
        error.0.problem.errors = errors;
        error
    }

    /// A refusal because of one invalid field.
    pub(crate) fn field(field: &str, error: FieldError) -> Self {
        Self::invalid(vec![FieldProblem {
            field: field.to_owned(),
            code: error.code.to_owned(),
            message: error.message.to_owned(),
        }])
    }

    /// `allow`: the methods of the path, in the form of the `Allow` header.
    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        Self::new(ProblemCode::MethodNotAllowed, format!("This path allows only {allow}."))
            .with_header(ALLOW, HeaderValue::from_static(allow))
    }

    /// `retry_after_s`: how long the client should wait, in seconds. Values below 1 become 1.
    pub(crate) fn rate_limited(retry_after_s: u64) -> Self {
        Self::new(ProblemCode::RateLimited, "Too many requests. Wait for the time in `Retry-After`.")
            .with_retry_after(retry_after_s.max(1))
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    fn with_retry_after(self, seconds: u64) -> Self {
        self.with_header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    fn with_cause(mut self, cause: String) -> Self {
        self.0.cause = Some(cause);
        self
    }

    fn with(mut self, members: impl FnOnce(&mut Problem)) -> Self {
        members(&mut self.0.problem);
        self
    }

    pub(crate) fn code(&self) -> ProblemCode {
        self.0.problem.code
    }

    /// The cause, for the log only. The client never sees it.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    pub(crate) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
    }

    /// The problem as it is sent, with `trace_id`.
    pub(crate) fn problem(&self, trace_id: &str) -> Problem {
        let mut problem = self.0.problem.clone();
        trace_id.clone_into(&mut problem.trace_id);
        problem
    }

    /// The problem for a bare status of actix. Actix answers with one when a request never reaches a handler.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::new(ProblemCode::Unauthenticated, "Sign in first."),
            StatusCode::FORBIDDEN => Self::new(ProblemCode::Forbidden, "You are not allowed to do this."),
            StatusCode::NOT_FOUND => Self::not_found("There is nothing at this address."),
            StatusCode::METHOD_NOT_ALLOWED => {
                Self::new(ProblemCode::MethodNotAllowed, "This path does not allow this method.")
            }
            StatusCode::NOT_ACCEPTABLE => Self::new(
                ProblemCode::NotAcceptable,
                "The `Accept` headers of the request exclude every form of the answer.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(ProblemCode::PayloadTooLarge, "The body is too large.")
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Self::new(ProblemCode::UnsupportedMediaType, "The body must be application/json.")
            }
            StatusCode::SERVICE_UNAVAILABLE => Self::new(ProblemCode::Overloaded, "Try again shortly."),
            status if status.is_client_error() => {
                Self::new(ProblemCode::MalformedRequest, "The request cannot be understood.")
            }
            _ => Self::new(ProblemCode::Internal, INTERNAL_DETAIL),
        }
    }

    /// The problem for errors that the caller did not cause: a backend does not answer, or the server has a
    /// bug. The cause goes to the log only.
    fn of_fault(error: &AppError) -> Self {
        let fault = match error {
            AppError::LedgerUnavailable(_) => Self::new(ProblemCode::LedgerUnavailable, UNCERTAIN_DETAIL),
            AppError::StoreUnavailable(_) => Self::new(ProblemCode::StoreUnavailable, UNCERTAIN_DETAIL),
            AppError::ImageStoreUnavailable(_) => Self::new(
                ProblemCode::ImageStoreUnavailable,
                "The image store does not answer. Nothing was changed.",
            ),
            _ => Self::new(ProblemCode::Internal, INTERNAL_DETAIL),
        };
        fault.with_cause(error.with_cause())
    }
}

const INTERNAL_DETAIL: &str = "The server failed. Its log has the details under `trace_id`.";
const UNCERTAIN_DETAIL: &str =
    "Repeat the request a little later. Requests with the same `Idempotency-Key` book only once.";

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        use ProblemCode as Code;
        match &error {
            AppError::Unauthenticated => {
                Self::new(Code::Unauthenticated, "The token is missing, invalid or expired. Sign in again.")
            }
            AppError::BadCredentials => {
                Self::new(Code::BadCredentials, "The e-mail address is unknown, or the password is wrong.")
            }
            AppError::NotFound => Self::not_found("It does not exist, or it belongs to somebody else."),
            AppError::SoldOut { left } => {
                Self::new(Code::SoldOut, format!("Tickets left of this type: {left}."))
                    .with(|problem| problem.left = Some(*left))
            }
            AppError::PurchaseLimitExceeded { max_per_user, already_held } => Self::new(
                Code::PurchaseLimitExceeded,
                format!("One person may hold at most {max_per_user} tickets of this event. You hold {already_held}."),
            )
            .with(|problem| {
                problem.max_per_user = Some(*max_per_user);
                problem.already_held = Some(*already_held);
            }),
            AppError::SaleNotOpen { opens_at, server_time } => {
                Self::new(Code::SaleNotOpen, format!("The sale opens at {opens_at}.")).with(|problem| {
                    problem.opens_at = Some(*opens_at);
                    problem.server_time = Some(*server_time);
                })
            }
            AppError::SaleClosed => Self::new(Code::SaleClosed, "The sale of this event is over."),
            AppError::SalePaused => {
                Self::new(Code::SalePaused, "The sale of this event is paused. Try again later.")
            }
            AppError::PriceChanged { unit_price } => Self::new(
                Code::PriceChanged,
                format!("A ticket now costs {unit_price} won. Nothing was booked."),
            )
            .with(|problem| problem.unit_price = Some(*unit_price)),
            AppError::NotCancellable { starts_at } => {
                Self::new(Code::NotCancellable, format!("The event started at {starts_at}."))
                    .with(|problem| problem.starts_at = Some(*starts_at))
            }
            AppError::EventCancelled => {
                Self::new(Code::EventCancelled, "The event is cancelled and cannot be changed any more.")
            }
            AppError::CapacityBelowSold { sold } => Self::new(
                Code::CapacityBelowSold,
                format!("The capacity of a ticket type cannot be below {sold}, the number of tickets sold."),
            )
            .with(|problem| problem.sold = Some(*sold)),
            AppError::EventHasReservations => Self::new(
                Code::EventHasReservations,
                "An event or a ticket type with reservations cannot be deleted. Cancel the event instead.",
            ),
            AppError::EditConflict => Self::new(
                Code::EditConflict,
                "Somebody else has changed it since you read it. Read it again, then decide.",
            ),
            AppError::LedgerBusy => Self::new(
                Code::LedgerBusy,
                "Bookings are in progress. Nothing was changed. Try again in a moment.",
            ),
            AppError::LedgerNotLoaded => Self::new(
                Code::LedgerNotLoaded,
                "The event has no ledger at this moment. Nothing was changed.",
            ),
            AppError::EmailTaken => Self::new(Code::EmailTaken, "Another account has this e-mail address."),
            AppError::NicknameTaken => Self::new(Code::NicknameTaken, "Another account has this nickname."),
            AppError::IdempotencyKeyReused => Self::new(
                Code::IdempotencyKeyReused,
                "You have used this key for another booking. Use a new key for a new booking.",
            ),
            AppError::Invalid(fields) => {
                Self::invalid(fields.iter().cloned().map(fields::of_application).collect())
            }
            AppError::UnsupportedImage => Self::new(
                Code::UnsupportedMediaType,
                "The file must be a JPEG, PNG, WebP or GIF. Its content decides, not its name.",
            ),
            AppError::Overloaded => Self::new(
                Code::Overloaded,
                "The server has too many requests. Try again shortly. Repeat a booking with the same key.",
            ),
            AppError::LedgerUnavailable(_)
            | AppError::StoreUnavailable(_)
            | AppError::ImageStoreUnavailable(_)
            | AppError::Internal(_) => Self::of_fault(&error),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.0.problem.detail)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// A bare status without a body. The middleware `envelope` replaces it by the problem.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

#[cfg(test)]
mod tests {
    use neticket_app::InvalidField;
    use neticket_domain::Timestamp;

    use super::*;

    fn every_refusal() -> Vec<AppError> {
        let moment = Timestamp::from_millis(1_800_000_000_000);
        vec![
            AppError::Unauthenticated,
            AppError::BadCredentials,
            AppError::NotFound,
            AppError::SoldOut { left: 1 },
            AppError::PurchaseLimitExceeded { max_per_user: 4, already_held: 3 },
            AppError::SaleNotOpen { opens_at: moment, server_time: moment.plus_millis(-1) },
            AppError::SaleClosed,
            AppError::SalePaused,
            AppError::PriceChanged { unit_price: 90_000 },
            AppError::NotCancellable { starts_at: moment },
            AppError::EventCancelled,
            AppError::CapacityBelowSold { sold: 3 },
            AppError::EventHasReservations,
            AppError::EditConflict,
            AppError::LedgerBusy,
            AppError::LedgerNotLoaded,
            AppError::EmailTaken,
            AppError::NicknameTaken,
            AppError::IdempotencyKeyReused,
            AppError::Invalid(vec![InvalidField {
                field: "closes_at".into(),
                code: "out_of_range",
                message: "must be after opens_at".into(),
                because_of: &[],
            }]),
            AppError::UnsupportedImage,
            AppError::Overloaded,
            AppError::LedgerUnavailable(None),
            AppError::StoreUnavailable(None),
            AppError::ImageStoreUnavailable(None),
            AppError::Internal("SELECT secret FROM /var/lib".into()),
        ]
    }

    #[test]
    fn every_application_error_becomes_its_problem() {
        let table: Vec<_> = every_refusal()
            .into_iter()
            .map(|refusal| {
                let error = ApiError::from(refusal);
                let headers: Vec<_> = error
                    .headers()
                    .iter()
                    .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
                    .collect();
                (headers, error.problem("0"))
            })
            .collect();
        insta::assert_json_snapshot!(table);
    }

    #[test]
    fn internal_details_go_only_to_the_log() {
        let error = ApiError::from(AppError::Internal("SELECT secret FROM /var/lib".into()));
        assert!(error.cause().unwrap().contains("SELECT secret"));
        assert!(!serde_json::to_string(&error.problem("0")).unwrap().contains("secret"));
    }

    #[test]
    fn a_bare_status_becomes_a_problem_code_that_agrees() {
        for status in [401, 403, 404, 405, 406, 413, 415, 500, 503] {
            let error = ApiError::of_status(StatusCode::from_u16(status).unwrap());
            assert_eq!(error.status_code().as_u16(), status);
        }
        for status in [400, 402, 408, 414, 431] {
            let error = ApiError::of_status(StatusCode::from_u16(status).unwrap());
            assert_eq!(error.code(), ProblemCode::MalformedRequest);
        }
    }
}
