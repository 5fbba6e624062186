//! Validation rules as `validator` wants them; the rules themselves are the domain's.

use neticket_domain::{Email, FieldError, Nickname, Password};
use validator::ValidationError;

fn refuse(error: FieldError) -> ValidationError {
    ValidationError::new(error.code).with_message(error.message.into())
}

pub(crate) fn email(text: &str) -> Result<(), ValidationError> {
    Email::parse(text).map(drop).map_err(refuse)
}

pub(crate) fn password(text: &str) -> Result<(), ValidationError> {
    Password::parse(text).map(drop).map_err(refuse)
}

pub(crate) fn nickname(text: &str) -> Result<(), ValidationError> {
    Nickname::parse(text).map(drop).map_err(refuse)
}

/// A text that is more than white space.
pub(crate) fn not_blank(text: &str) -> Result<(), ValidationError> {
    if text.trim().is_empty() {
        Err(ValidationError::new("required").with_message("must not be empty".into()))
    } else {
        Ok(())
    }
}
