//! What a show of the season is made of.

use serde::Deserialize;

use crate::poster::Poster;

/// One show of the season.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Show {
    pub(crate) title: String,
    pub(crate) place: String,
    pub(crate) starts: Start,
    pub(crate) sale: Sale,
    /// How many tickets are booked when the season is created.
    pub(crate) taken: Taken,
    pub(crate) max_per_user: u32,
    pub(crate) ticket_types: Vec<TicketType>,
    /// What the show is about, in a few sentences.
    pub(crate) story: String,
    pub(crate) running_time: String,
    pub(crate) age_limit: String,
    pub(crate) poster: Poster,
}

/// When a show starts, in the time of Seoul: `days` after today, or before today if negative.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    pub(crate) days: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
}

/// When tickets are sold. All sales close when the show starts, unless the variant states another time.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Sale {
    /// Open since 14:00, `days` days before today.
    OpenSince { days: i64 },
    /// Like [`Sale::OpenSince`], but it closes at 17:00, `days_before` days before the show.
    OpenUntil { days: i64, days_before: i64 },
    /// Opens exactly two minutes after the season is created, so that a visitor can watch a sale open.
    OpensInTwoMinutes,
    /// Opens at the first full hour that is at least `hours` hours away.
    OpensInHours { hours: i64 },
    /// Opens `days` days after today, at `hour`:00.
    OpensInDays { days: i64, hour: i64 },
}

/// How many tickets of a show are booked.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Taken {
    Nothing,
    /// This many tickets of each ticket type. If a ticket type has too few, about a tenth of it stays free.
    Some(u32),
    All,
}

/// A ticket type of a show.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TicketType {
    pub(crate) name: String,
    /// In won.
    pub(crate) price: u64,
    pub(crate) capacity: u32,
}

impl Show {
    /// The description on the event's page.
    pub(crate) fn description(&self) -> String {
        format!(
            "{}\n\n관람 시간: {}\n관람 연령: {}\n예매 제한: 1인 {}매",
            self.story, self.running_time, self.age_limit, self.max_per_user
        )
    }
}
