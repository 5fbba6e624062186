//! The texts for refusals, by problem code. The compiler checks that every code has one.

use neticket_contract::ProblemCode;

use crate::api::ApiError;
use crate::i18n::T;

/// A sentence that says what went wrong and what to do.
pub(crate) fn error_text(error: &ApiError) -> T {
    match error {
        ApiError::Refused { problem, .. } => problem_text(problem.code),
        ApiError::Lost => T::ProblemLost,
        ApiError::OtherUser => T::ProblemOtherUser,
        ApiError::Unreadable(_) => T::ProblemInternal,
    }
}

pub(crate) fn problem_text(code: ProblemCode) -> T {
    match code {
        ProblemCode::Unauthenticated => T::ProblemUnauthenticated,
        ProblemCode::BadCredentials => T::ProblemBadCredentials,
        ProblemCode::Forbidden => T::ProblemForbidden,
        ProblemCode::NotFound => T::ProblemNotFound,
        ProblemCode::SoldOut => T::ProblemSoldOut,
        ProblemCode::PurchaseLimitExceeded => T::ProblemLimit,
        ProblemCode::SaleNotOpen => T::ProblemSaleNotOpen,
        ProblemCode::SaleClosed => T::ProblemSaleClosed,
        ProblemCode::SalePaused => T::ProblemSalePaused,
        ProblemCode::NotCancellable => T::ProblemNotCancellable,
        ProblemCode::EmailTaken => T::ProblemEmailTaken,
        ProblemCode::NicknameTaken => T::ProblemNicknameTaken,
        ProblemCode::ValidationFailed => T::ProblemValidation,
        ProblemCode::RateLimited => T::ProblemRateLimited,
        ProblemCode::Overloaded => T::ProblemBusy,
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
        | ProblemCode::EditConflict => T::ProblemOutdated,
        ProblemCode::Internal
        | ProblemCode::LedgerUnavailable
        | ProblemCode::StoreUnavailable
        | ProblemCode::ImageStoreUnavailable => T::ProblemInternal,
    }
}

/// What is wrong with a field. The code comes from the server, or from the same rules run here.
pub(crate) fn field_text(field: &str, code: &str) -> T {
    match (field, code) {
        (_, "required") => T::FieldRequired,
        ("password" | "new_password", "too_short") => T::FieldPasswordShort,
        ("password" | "new_password", "too_long") => T::FieldPasswordLong,
        ("nickname", "too_short" | "too_long") => T::FieldNicknameLength,
        (_, "invalid_email") => T::FieldEmail,
        (_, "weak_password") => T::FieldPasswordWeak,
        (_, "invalid_nickname") => T::FieldNickname,
        (_, "too_long") => T::FieldLong,
        _ => T::FieldInvalid,
    }
}
