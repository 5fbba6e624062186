//! When an event sells tickets, and which status it has at each moment.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// When tickets can be booked: from `opens_at` (inclusive) to `closes_at` (exclusive).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleWindow {
    pub opens_at: Timestamp,
    pub closes_at: Timestamp,
}

impl SaleWindow {
    /// Whether `now` is before, in or after the window.
    pub fn at(self, now: Timestamp) -> SaleState {
        if now < self.opens_at {
            SaleState::NotOpen
        } else if now < self.closes_at {
            SaleState::Open
        } else {
            SaleState::Closed
        }
    }
}

/// The position of a moment relative to a [`SaleWindow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaleState {
    NotOpen,
    Open,
    Closed,
}

/// The status of an event for people who want to book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    Scheduled,
    OnSale,
    SoldOut,
    Paused,
    Closed,
    Cancelled,
}

impl EventStatus {
    pub const ALL: [Self; 6] =
        [Self::Scheduled, Self::OnSale, Self::SoldOut, Self::Paused, Self::Closed, Self::Cancelled];

    /// The status at `now`. If several apply, the first of these counts: cancelled, closed, scheduled,
    /// paused, sold out.
    pub fn of(cancelled: bool, paused: bool, window: SaleWindow, left: u64, now: Timestamp) -> Self {
        match window.at(now) {
            _ if cancelled => Self::Cancelled,
            SaleState::Closed => Self::Closed,
            SaleState::NotOpen => Self::Scheduled,
            SaleState::Open if paused => Self::Paused,
            SaleState::Open if left == 0 => Self::SoldOut,
            SaleState::Open => Self::OnSale,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::OnSale => "on_sale",
            Self::SoldOut => "sold_out",
            Self::Paused => "paused",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

impl fmt::Display for EventStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a confirmed reservation can be cancelled: until the event starts.
pub fn cancellable(starts_at: Timestamp, now: Timestamp) -> bool {
    now < starts_at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> SaleWindow {
        SaleWindow { opens_at: at(1_000), closes_at: at(2_000) }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_sale_includes_its_opening_time_and_excludes_its_closing_time() {
        assert_eq!(window().at(at(999)), SaleState::NotOpen);
        assert_eq!(window().at(at(1_000)), SaleState::Open);
        assert_eq!(window().at(at(1_999)), SaleState::Open);
        assert_eq!(window().at(at(2_000)), SaleState::Closed);
    }

    #[test]
    fn a_status_names_the_most_important_state() {
        assert_eq!(EventStatus::of(true, true, window(), 0, at(0)), EventStatus::Cancelled);
        assert_eq!(EventStatus::of(false, true, window(), 0, at(0)), EventStatus::Scheduled);
        assert_eq!(EventStatus::of(false, true, window(), 0, at(1_500)), EventStatus::Paused);
        assert_eq!(EventStatus::of(false, false, window(), 0, at(1_500)), EventStatus::SoldOut);
        assert_eq!(EventStatus::of(false, false, window(), 1, at(1_500)), EventStatus::OnSale);
        assert_eq!(EventStatus::of(false, true, window(), 1, at(2_000)), EventStatus::Closed);
    }

    #[test]
    fn every_status_round_trips_through_its_name() {
        for status in EventStatus::ALL {
            assert_eq!(EventStatus::parse(status.as_str()), Some(status));
        }
        assert_eq!(EventStatus::parse("open"), None);
    }

    #[test]
    fn a_reservation_can_be_cancelled_until_the_event_starts() {
        assert!(cancellable(at(1_000), at(999)));
        assert!(!cancellable(at(1_000), at(1_000)));
    }
}
