//! The report of `neticket seed`, for a terminal.

use std::fmt;

use crate::accounts::{ADMIN, PERSON};

/// The result of creating the season.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The number of events of the season.
    pub events: usize,
    /// `false`: the season existed already, and nothing was changed.
    pub created: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.created {
            writeln!(
                f,
                "created the demo season: {} events, one of which opens in two minutes",
                self.events
            )?;
        } else {
            writeln!(f, "the demo season already exists: {} events, nothing changed", self.events)?;
        }
        writeln!(f, "  to book:       {}  {}", PERSON.email, PERSON.password)?;
        write!(f, "  to administer: {}  {}", ADMIN.email, ADMIN.password)
    }
}
