//! Validation functions for `validator`. The rules themselves are in `neticket-domain`.

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

/// Accepts one line of text that is not blank and has no invisible characters.
pub(crate) fn line(text: &str) -> Result<(), ValidationError> {
    if text.trim().is_empty() {
        return Err(ValidationError::new("required").with_message("must not be empty".into()));
    }
    if text.contains(['\n', '\r', '\t']) {
        return Err(ValidationError::new("invalid_text").with_message("must be one line".into()));
    }
    visible(text)
}

/// Accepts a text without characters that are invisible or change the direction of the text (Unicode
/// Technical Report 36, section 3.5).
pub(crate) fn visible(text: &str) -> Result<(), ValidationError> {
    let hides = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
            || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    if text.contains(hides) {
        let message = "must not contain invisible characters";
        Err(ValidationError::new("invalid_text").with_message(message.into()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_not_blank_and_has_no_invisible_characters() {
        for good in ["햄릿, 여름", "100% \u{1f468}\u{200d}\u{1f469}", "e\u{301}"] {
            assert!(line(good).is_ok(), "{good:?}");
        }
        for bad in ["", " ", "a\nb", "a\u{202e}b", "a\u{200b}b", "a\u{7}b", "\u{2066}x"] {
            assert!(line(bad).is_err(), "{bad:?}");
        }
        assert!(visible("두 줄\n짜리").is_ok());
    }
}
