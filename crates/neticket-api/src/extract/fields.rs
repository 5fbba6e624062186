//! Turns the messages of serde and of the validator into the field problems of the contract.

use neticket_app::InvalidField;
use neticket_contract::FieldProblem;
use validator::{ValidationErrors, ValidationErrorsKind};

/// The most field problems that one answer lists. A request with more mistakes is not an honest one.
pub(crate) const FIELD_PROBLEMS_MAX: usize = 50;
/// How many characters of a name that the caller sent are repeated in the answer.
const NAME_LEN_MAX: usize = 100;

/// The field problem for a mistake that the application has found.
pub(crate) fn of_application(invalid: InvalidField) -> FieldProblem {
    FieldProblem { field: invalid.field, code: invalid.code.to_owned(), message: invalid.message }
}

/// What serde refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FieldErrorKind {
    /// The object lacks this field.
    Missing(String),
    /// The object has this field, and its type does not know it.
    Unknown(String),
    /// The object has this field twice.
    Duplicate(String),
    /// The value is invalid.
    Value { code: &'static str, message: String },
}

impl FieldErrorKind {
    /// Parses serde's error message. There is no other way to learn the kind, because `serde::de::Error`
    /// cannot be inspected.
    pub(crate) fn read(message: &str) -> Self {
        let quoted = |prefix: &str| {
            let rest = message.strip_prefix(prefix)?;
            // An unknown name comes from the caller and may contain anything, also these words. The last
            // match is therefore the end of the name.
            let end = rest.rfind("`, expected").or_else(|| rest.rfind("`, there are"));
            end.or_else(|| rest.rfind('`')).map(|end| rest[..end].to_owned())
        };
        if let Some(name) = quoted("missing field `") {
            return Self::Missing(name);
        }
        if let Some(name) = quoted("unknown field `") {
            return Self::Unknown(name);
        }
        if let Some(name) = quoted("duplicate field `") {
            return Self::Duplicate(name);
        }
        let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected);
        match expected {
            Some(expected) if message.starts_with("invalid type: ") => {
                Self::value("invalid_type", type_in_words(expected))
            }
            Some(expected) if message.starts_with("invalid length ") => {
                Self::value("invalid_type", type_in_words(expected))
            }
            Some(expected) if message.starts_with("invalid value: ") => {
                Self::value("out_of_range", type_in_words(expected))
            }
            Some(_) if message.starts_with("unknown variant ") => Self::value(
                "invalid_value",
                message.rsplit_once("`, expected ").map_or_else(
                    || "is not a known value".to_owned(),
                    |(_, variants)| format!("must be {}", variants.replace('`', "")),
                ),
            ),
            _ => Self::plain(message),
        }
    }

    fn value(code: &'static str, message: String) -> Self {
        Self::Value { code, message }
    }

    /// Handles the messages of the parsers of the standard library and of our own types.
    fn plain(message: &str) -> Self {
        if message.starts_with("number too ") {
            Self::value("out_of_range", "is too large or too small".to_owned())
        } else if message.starts_with("invalid digit") || message.starts_with("cannot parse integer") {
            Self::value("invalid_type", "must be an integer".to_owned())
        } else if message.starts_with("provided string was not `true`") {
            Self::value("invalid_type", "must be true or false".to_owned())
        } else {
            Self::value("invalid_value", message.to_owned())
        }
    }

    /// The field problem for the value at `path`, or for the named field of the object at `path`.
    pub(crate) fn at(&self, path: &str) -> FieldProblem {
        let (field, code, message) = match self {
            Self::Missing(name) => (join(path, name), "required", "is required".to_owned()),
            Self::Unknown(name) => {
                (join(path, name), "unknown_field", "is not a field of this request".to_owned())
            }
            Self::Duplicate(name) => {
                (join(path, name), "duplicate_field", "is given more than once".to_owned())
            }
            Self::Value { code, message } => (path.to_owned(), *code, message.clone()),
        };
        FieldProblem { field, code: code.to_owned(), message }
    }
}

fn type_in_words(expected: &str) -> String {
    match expected {
        "i64" => "must be an integer".to_owned(),
        "u32" | "u64" => "must be an integer of at least 0, and not too large".to_owned(),
        "a boolean" => "must be true or false".to_owned(),
        "a sequence" => "must be an array".to_owned(),
        expected if expected.starts_with("struct ") => "must be an object".to_owned(),
        expected => format!("must be {expected}"),
    }
}

/// The path of `name` inside the object at `path`. The empty path is the whole body.
pub(crate) fn join(path: &str, name: &str) -> String {
    let name: String = name.chars().take(NAME_LEN_MAX).collect();
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// All errors of the validator, sorted by path.
pub(crate) fn of_validator(errors: &ValidationErrors) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    collect(errors, "", &mut problems);
    problems.sort_by(|a, b| a.field.cmp(&b.field));
    problems
}

fn collect(errors: &ValidationErrors, path: &str, problems: &mut Vec<FieldProblem>) {
    for (name, kind) in errors.errors() {
        let field = join(path, name);
        match kind {
            ValidationErrorsKind::Field(errors) => {
                problems.extend(errors.iter().map(|error| FieldProblem {
                    field: field.clone(),
                    code: error.code.to_string(),
                    message: error.message.as_deref().unwrap_or("is invalid").to_owned(),
                }));
            }
            ValidationErrorsKind::Struct(inner) => collect(inner, &field, problems),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    collect(inner, &format!("{field}[{index}]"), problems);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(code: &'static str, message: &str) -> FieldErrorKind {
        FieldErrorKind::Value { code, message: message.to_owned() }
    }

    #[test]
    fn the_messages_of_serde_are_parsed() {
        for (message, kind) in [
            ("missing field `email`", FieldErrorKind::Missing("email".into())),
            ("unknown field `a`, expected one of `b`, `c`", FieldErrorKind::Unknown("a".into())),
            (
                "unknown field `x`, expected y`, expected `b`",
                FieldErrorKind::Unknown("x`, expected y".into()),
            ),
            ("duplicate field `email`", FieldErrorKind::Duplicate("email".into())),
            (
                "invalid type: string \"x, expected u32\", expected i64",
                value("invalid_type", "must be an integer"),
            ),
            (
                "invalid value: integer `-1`, expected u32",
                value("out_of_range", "must be an integer of at least 0, and not too large"),
            ),
            ("invalid type: null, expected struct TicketType", value("invalid_type", "must be an object")),
            (
                "unknown variant `x`, expected one of `on_sale`, `closed`",
                value("invalid_value", "must be one of on_sale, closed"),
            ),
            ("invalid digit found in string", value("invalid_type", "must be an integer")),
            ("must be an RFC 3339 date", value("invalid_value", "must be an RFC 3339 date")),
        ] {
            assert_eq!(FieldErrorKind::read(message), kind, "{message}");
        }
    }

    #[test]
    fn a_long_field_name_is_truncated() {
        assert_eq!(FieldErrorKind::Unknown("x".repeat(60_000)).at("a").field.len(), 102);
    }
}
