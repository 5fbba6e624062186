//! A broken rule, as `cargo xtask tidy` prints it.

use std::fmt;

/// A broken rule.
#[derive(Debug, PartialEq)]
pub(super) struct Finding {
    /// A file, with the line if there is one, or a crate.
    pub(super) place: String,
    pub(super) message: String,
}

impl Finding {
    pub(super) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}
