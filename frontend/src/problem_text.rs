//! The texts for refusals, by problem code. The compiler checks that every code has one.

use neticket_contract::ProblemCode;

use crate::api::ApiError;
use crate::i18n::Msg;

/// A sentence that says what went wrong and what to do.
pub(crate) fn error_text(error: &ApiError) -> Msg {
    match error {
        ApiError::Refused { problem, .. } => problem_text(problem.code),
        ApiError::Lost => Msg::ProblemLost,
        ApiError::OtherUser => Msg::ProblemOtherUser,
        ApiError::Unreadable(_) => Msg::ProblemInternal,
    }
}

pub(crate) fn problem_text(code: ProblemCode) -> Msg {
    match code {
        ProblemCode::Unauthenticated => Msg::ProblemUnauthenticated,
        ProblemCode::BadCredentials => Msg::ProblemBadCredentials,
        ProblemCode::Forbidden => Msg::ProblemForbidden,
        ProblemCode::NotFound => Msg::ProblemNotFound,
        ProblemCode::SoldOut => Msg::ProblemSoldOut,
        ProblemCode::PurchaseLimitExceeded => Msg::ProblemLimit,
        ProblemCode::SaleNotOpen => Msg::ProblemSaleNotOpen,
        ProblemCode::SaleClosed => Msg::ProblemSaleClosed,
        ProblemCode::SalePaused => Msg::ProblemSalePaused,
        ProblemCode::NotCancellable => Msg::ProblemNotCancellable,
        ProblemCode::EmailTaken => Msg::ProblemEmailTaken,
        ProblemCode::NicknameTaken => Msg::ProblemNicknameTaken,
        ProblemCode::ValidationFailed => Msg::ProblemValidation,
        ProblemCode::RateLimited => Msg::ProblemRateLimited,
        ProblemCode::Overloaded => Msg::ProblemBusy,
        // Problems that this client cannot cause, unless it is older than the server. The booking form has
        // its own text for a changed price.
        ProblemCode::MalformedRequest
        | ProblemCode::MethodNotAllowed
        | ProblemCode::NotAcceptable
        | ProblemCode::PayloadTooLarge
        | ProblemCode::UnsupportedMediaType
        | ProblemCode::IdempotencyKeyReused
        | ProblemCode::PriceChanged
        | ProblemCode::EventCancelled
        | ProblemCode::CapacityBelowSold
        | ProblemCode::EventHasReservations
        | ProblemCode::LedgerBusy
        | ProblemCode::LedgerNotLoaded
        | ProblemCode::EditConflict => Msg::ProblemStale,
        ProblemCode::Internal
        | ProblemCode::LedgerUnavailable
        | ProblemCode::StoreUnavailable
        | ProblemCode::ImageStoreUnavailable => Msg::ProblemInternal,
    }
}

/// What is wrong with a field. The code comes from the server, or from the same rules run here.
pub(crate) fn field_text(field: &str, code: &str) -> Msg {
    match (field, code) {
        (_, "required") => Msg::FieldRequired,
        ("password" | "new_password", "too_short") => Msg::FieldPasswordShort,
        ("password" | "new_password", "too_long") => Msg::FieldPasswordLong,
        ("nickname", "too_short" | "too_long") => Msg::FieldNicknameLength,
        (_, "invalid_email") => Msg::FieldEmail,
        (_, "weak_password") => Msg::FieldPasswordWeak,
        (_, "invalid_nickname") => Msg::FieldNickname,
        (_, "too_long") => Msg::FieldLong,
        _ => Msg::FieldInvalid,
    }
}
