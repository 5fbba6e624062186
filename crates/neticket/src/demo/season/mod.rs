//! The demo season: shows that could be on in Korea, with times relative to the moment the season is made.

mod classical;
mod concerts;
mod family;
mod theatre;

use super::poster::Design;

/// One show of the season.
#[derive(Clone, Copy, Debug)]
pub(super) struct Show {
    pub(super) title: &'static str,
    pub(super) place: &'static str,
    pub(super) starts: Start,
    pub(super) sale: Sale,
    /// How much of it is booked when the season is made.
    pub(super) taken: Taken,
    pub(super) max_per_user: u32,
    pub(super) grades: &'static [Grade],
    /// What it is about, in a few sentences.
    pub(super) story: &'static str,
    pub(super) running_time: &'static str,
    pub(super) age_limit: &'static str,
    pub(super) design: Design,
}

/// When a show starts: `days` after today (before, where negative), by the clock of Seoul.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) days: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
}

/// When tickets are sold. All close when the show starts, unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sale {
    /// Since `days` days before today, 14:00.
    OpenSince { days: i64 },
    /// As [`Sale::OpenSince`], but only until 17:00 of the day `days_before` days before the show.
    OpenUntil { days: i64, days_before: i64 },
    /// Exactly two minutes after the season is made: to see a sale open.
    OpensInTwoMinutes,
    /// At the first full hour that is at least `hours` away.
    OpensInHours { hours: i64 },
    /// `days` days after today, at `hour`:00.
    OpensInDays { days: i64, hour: i64 },
}

/// How much of a show is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Nothing,
    /// This many tickets of each grade, or all but a few where there are fewer.
    Some(u32),
    All,
}

/// A grade of seats.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grade {
    pub(super) name: &'static str,
    /// In won.
    pub(super) price: u64,
    pub(super) capacity: u32,
}

const fn grade(name: &'static str, price: u64, capacity: u32) -> Grade {
    Grade { name, price, capacity }
}

const fn at(days: i64, hour: i64, minute: i64) -> Start {
    Start { days, hour, minute }
}

/// Every show of the season.
pub(super) fn shows() -> impl Iterator<Item = &'static Show> {
    [theatre::SHOWS, concerts::SHOWS, classical::SHOWS, family::SHOWS].into_iter().flatten()
}

impl Show {
    /// What the event's page says about the show.
    pub(super) fn description(&self) -> String {
        format!(
            "{}\n\n관람 시간: {}\n관람 연령: {}\n예매 제한: 1인 {}매",
            self.story, self.running_time, self.age_limit, self.max_per_user
        )
    }
}
