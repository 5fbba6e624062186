//! What a person reads when something is refused, by code. Every code has its text: the compiler sees to it.

use neticket_contract::ProblemCode;

use crate::api::ApiError;
use crate::i18n::T;

/// A sentence for what went wrong and what to do.
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
        // What this client cannot cause, unless it is older than the server. The booking form has a text of
        // its own for a changed price.
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

/// What is wrong with a field, by the code of the server or of the same rules run here.
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
