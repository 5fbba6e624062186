//! What people enter about themselves: e-mail address, password, nickname. Every value of these types is
//! valid.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest e-mail address, in characters (RFC 5321, section 4.5.3.1.3: a path without its brackets).
pub const EMAIL_LEN_MAX: usize = 254;
pub const PASSWORD_LEN_MIN: usize = 8;
pub const PASSWORD_LEN_MAX: usize = 64;
pub const NICKNAME_LEN_MIN: usize = 2;
pub const NICKNAME_LEN_MAX: usize = 10;

/// Why an entered value was refused. `code` is stable, and clients choose a translation by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub code: &'static str,
    pub message: &'static str,
}

/// A plausible e-mail address, in lower case, at most [`EMAIL_LEN_MAX`] characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Trims the text, converts it to lower case and checks that it has the shape `local@domain.tld`.
    ///
    /// # Errors
    /// `too_long` or `invalid_email`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let email = text.trim().to_lowercase();
        Self::check(&email)?;
        Ok(Self(email))
    }

    /// Checks what [`Self::parse`] checks, without building a value. The conversion to lower case needs a
    /// table of 12 KB, which a browser that only checks does not have to load. Lower case may be longer (`İ`
    /// becomes two characters), so `parse` may still refuse an address of exactly the greatest length.
    ///
    /// # Errors
    /// The same as [`Self::parse`].
    pub fn check(text: &str) -> Result<(), FieldError> {
        let email = text.trim();
        if email.chars().count() > EMAIL_LEN_MAX {
            return Err(FieldError { code: "too_long", message: "must be at most 254 characters" });
        }
        if Self::has_shape(email) {
            Ok(())
        } else {
            Err(FieldError { code: "invalid_email", message: "must be an e-mail address" })
        }
    }

    fn has_shape(email: &str) -> bool {
        let Some((local, domain)) = email.rsplit_once('@') else { return false };
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"@<>(),;:\\\"[]".contains(c);
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        !local.is_empty()
            && local.len() <= 64
            && local.chars().all(plain)
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && domain.contains('.')
            && domain.split('.').all(label)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A password that may be set: 8 to 64 characters, with at least one letter, one digit and one special
/// character. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// # Errors
    /// `too_short`, `too_long` or `weak_password`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let len = text.chars().count();
        if len < PASSWORD_LEN_MIN {
            return Err(FieldError { code: "too_short", message: "must be at least 8 characters" });
        }
        if len > PASSWORD_LEN_MAX {
            return Err(FieldError { code: "too_long", message: "must be at most 64 characters" });
        }
        let letter = text.chars().any(char::is_alphabetic);
        let digit = text.chars().any(|c| c.is_ascii_digit());
        let special = text.chars().any(|c| !c.is_alphanumeric() && !c.is_control());
        if letter && digit && special {
            Ok(Self(text.to_owned()))
        } else {
            Err(FieldError {
                code: "weak_password",
                message: "must contain a letter, a digit and a special character",
            })
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The name that others see: 2 to 10 characters, namely Hangul syllables, Latin letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nickname(String);

impl Nickname {
    /// # Errors
    /// `too_short`, `too_long` or `invalid_nickname`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let nickname = text.trim();
        let len = nickname.chars().count();
        if len < NICKNAME_LEN_MIN {
            return Err(FieldError { code: "too_short", message: "must be at least 2 characters" });
        }
        if len > NICKNAME_LEN_MAX {
            return Err(FieldError { code: "too_long", message: "must be at most 10 characters" });
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || ('가'..='힣').contains(&c);
        if nickname.chars().all(allowed) {
            Ok(Self(nickname.to_owned()))
        } else {
            Err(FieldError {
                code: "invalid_nickname",
                message: "may contain only Hangul, Latin letters and digits",
            })
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which nicknames are compared. Nicknames that differ only in case have the same key.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

/// Which operations an account may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Admin,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::User, Self::Admin].into_iter().find(|role| role.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_trimmed_and_compared_case_insensitively() {
        assert_eq!(Email::parse(" Ann@Example.COM ").unwrap(), Email::parse("ann@example.com").unwrap());
    }

    #[test]
    fn a_malformed_email_is_refused() {
        for text in ["", "a", "a@", "@b.c", "a@b", "a b@c.kr", "a@b..kr", ".a@b.kr", "a@-b.kr", "a@@b.kr"] {
            assert_eq!(Email::parse(text).map_err(|e| e.code), Err("invalid_email"), "{text}");
        }
        let long = format!("a@{}.kr", "b".repeat(EMAIL_LEN_MAX));
        assert_eq!(Email::parse(&long).map_err(|e| e.code), Err("too_long"));
    }

    #[test]
    fn an_email_check_agrees_with_its_parser() {
        for text in [" Ann@Example.COM ", "홍@예시.한국", "ÄÖ@Ü.de", "", "a@-b.kr", "a b@c.kr"] {
            assert_eq!(Email::check(text), Email::parse(text).map(drop), "{text}");
        }
    }

    #[test]
    fn a_password_needs_a_letter_a_digit_and_a_special_character() {
        assert!(Password::parse("abcdef1!").is_ok());
        assert!(Password::parse("비밀번호가1! ").is_ok());
        for (text, code) in [
            ("abc1!", "too_short"),
            ("abcdefgh", "weak_password"),
            ("abcdefg1", "weak_password"),
            ("1234567!", "weak_password"),
        ] {
            assert_eq!(Password::parse(text).map_err(|e| e.code), Err(code), "{text}");
        }
        assert_eq!(Password::parse(&"a1!".repeat(22)).map_err(|e| e.code), Err("too_long"));
    }

    #[test]
    fn a_password_is_never_printed() {
        assert!(!format!("{:?}", Password::parse("abcdef1!").unwrap()).contains("abc"));
    }

    #[test]
    fn a_nickname_has_only_hangul_latin_letters_and_digits() {
        for text in ["홍길동", "ann", "A1", "가나다라마바사아자차"] {
            assert!(Nickname::parse(text).is_ok(), "{text}");
        }
        for (text, code) in [
            ("a", "too_short"),
            ("가나다라마바사아자차카", "too_long"),
            ("a b", "invalid_nickname"),
            ("<b>", "invalid_nickname"),
        ] {
            assert_eq!(Nickname::parse(text).map_err(|e| e.code), Err(code), "{text}");
        }
    }

    #[test]
    fn a_role_round_trips_through_its_name() {
        assert_eq!(Role::parse("admin"), Some(Role::Admin));
        assert_eq!(Role::parse("user"), Some(Role::User));
        assert_eq!(Role::parse("root"), None);
    }
}
