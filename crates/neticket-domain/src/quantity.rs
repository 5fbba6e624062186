//! How many tickets one booking takes.

use serde::{Deserialize, Serialize};

/// The highest limit of tickets that an event can set for one person.
pub const QUANTITY_MAX: u32 = 100;
/// The limit of tickets per person of an event that does not set one.
pub const MAX_PER_USER_DEFAULT: u32 = 4;

/// A number of tickets, 1 to [`QUANTITY_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Quantity(u32);

impl Quantity {
    /// `None` if `tickets` is not 1 to [`QUANTITY_MAX`].
    pub fn new(tickets: u32) -> Option<Self> {
        (1..=QUANTITY_MAX).contains(&tickets).then_some(Self(tickets))
    }

    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Quantity {
    type Error = String;
    fn try_from(tickets: u32) -> Result<Self, Self::Error> {
        Self::new(tickets).ok_or_else(|| format!("must be between 1 and {QUANTITY_MAX}"))
    }
}

impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> u32 {
        quantity.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_between_one_and_the_maximum() {
        assert!(Quantity::new(0).is_none());
        assert_eq!(Quantity::new(1).map(Quantity::get), Some(1));
        assert_eq!(Quantity::new(QUANTITY_MAX).map(Quantity::get), Some(QUANTITY_MAX));
        assert!(Quantity::new(QUANTITY_MAX + 1).is_none());
    }
}
