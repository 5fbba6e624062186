//! The times of the shows. They are relative to the moment when the season is created, and at hours at which
//! shows usually are.

use neticket_domain::{SaleWindow, Timestamp};

use crate::season::{Sale, Show, Start};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Korea Standard Time is nine hours ahead of UTC, all year.
const KST_OFFSET_MS: i64 = 9 * HOUR_MS;
/// The hour at which sales that opened on an earlier day opened.
const OPENING_HOUR: i64 = 14;
/// The hour at which sales that close before the day of the show close.
const CLOSING_HOUR: i64 = 17;
/// How far in the future the sale is that a visitor can wait for, in milliseconds.
pub(super) const SOON_MS: i64 = 2 * MINUTE_MS;

/// The times of one show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) starts_at: Timestamp,
    pub(super) window: SaleWindow,
}

impl Times {
    /// The times of `show` in a season that is created at `now`.
    pub(super) fn of(show: &Show, now: Timestamp) -> Self {
        let Start { days, hour, minute } = show.starts;
        let starts_at = seoul(now, days, hour).plus_millis(minute * MINUTE_MS);
        let opens_at = match show.sale {
            Sale::OpenSince { days } | Sale::OpenUntil { days, .. } => seoul(now, -days, OPENING_HOUR),
            Sale::OpensInTwoMinutes => now.plus_millis(SOON_MS),
            Sale::OpensInHours { hours } => full_hour_from(now.plus_millis(hours * HOUR_MS)),
            Sale::OpensInDays { days, hour } => seoul(now, days, hour),
        };
        let closes_at = match show.sale {
            Sale::OpenUntil { days_before, .. } => seoul(now, days - days_before, CLOSING_HOUR),
            _ => starts_at,
        };
        Self { starts_at, window: SaleWindow { opens_at, closes_at } }
    }
}

/// `hour`:00 in Seoul, `days` days after the current day in Seoul at `now`.
fn seoul(now: Timestamp, days: i64, hour: i64) -> Timestamp {
    let today = (now.as_millis() + KST_OFFSET_MS).div_euclid(DAY_MS);
    Timestamp::from_millis((today + days) * DAY_MS + hour * HOUR_MS - KST_OFFSET_MS)
}

/// `moment`, rounded up to the next full hour.
fn full_hour_from(moment: Timestamp) -> Timestamp {
    Timestamp::from_millis((moment.as_millis() + HOUR_MS - 1).div_euclid(HOUR_MS) * HOUR_MS)
}

/// `moment` in the format of a poster and in the time of Seoul: `2026.12.24 목 19:30`.
pub(super) fn poster_date(moment: Timestamp) -> String {
    let seoul = moment.plus_millis(KST_OFFSET_MS);
    // RFC 3339: 2026-12-24T19:30:00Z
    let text = seoul.to_string();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    let hour_and_minute: String = time.chars().take(5).collect();
    // 1970-01-01 was a Thursday.
    let weekday = match seoul.as_millis().div_euclid(DAY_MS).rem_euclid(7) {
        0 => '목',
        1 => '금',
        2 => '토',
        3 => '일',
        4 => '월',
        5 => '화',
        _ => '수',
    };
    format!("{} {weekday} {hour_and_minute}", date.replace('-', "."))
}

#[cfg(test)]
mod tests {
    use neticket_domain::EventStatus;

    use super::*;
    use crate::season::{Taken, shows};

    fn now() -> Timestamp {
        // 01:15 of the next day in Seoul.
        Timestamp::parse("2026-11-21T16:15:42.123Z").unwrap()
    }

    #[test]
    fn a_poster_shows_the_time_in_seoul() {
        let moment = Timestamp::parse("2026-12-24T10:30:00Z").unwrap();
        assert_eq!(poster_date(moment), "2026.12.24 목 19:30");
        let night = Timestamp::parse("2026-12-31T15:00:00Z").unwrap();
        assert_eq!(poster_date(night), "2027.01.01 금 00:00");
    }

    #[test]
    fn days_are_counted_in_the_time_zone_of_seoul() {
        assert_eq!(seoul(now(), 0, 19).to_string(), "2026-11-22T10:00:00Z");
        assert_eq!(seoul(now(), -1, 8).to_string(), "2026-11-20T23:00:00Z");
        assert_eq!(full_hour_from(now()).to_string(), "2026-11-21T17:00:00Z");
    }

    #[test]
    fn every_sale_opens_before_it_closes_and_closes_by_the_start() {
        for show in &shows().unwrap() {
            let Times { starts_at, window } = Times::of(show, now());
            assert!(window.opens_at < window.closes_at, "{}", show.title);
            assert!(window.closes_at <= starts_at, "{}", show.title);
        }
    }

    #[test]
    fn one_sale_opens_two_minutes_after_the_seeding() {
        let soon = now().plus_millis(120_000);
        let shows = shows().unwrap();
        let opening = shows.iter().filter(|show| Times::of(show, now()).window.opens_at == soon);
        assert_eq!(opening.count(), 1);
    }

    #[test]
    fn every_status_that_a_new_event_can_have_occurs_at_any_hour_of_the_day() {
        let shows = shows().unwrap();
        for hour in 0..24 {
            let now = now().plus_millis(hour * HOUR_MS);
            let statuses: Vec<_> = shows
                .iter()
                .map(|show| {
                    let left = u64::from(show.taken != Taken::All);
                    EventStatus::of(false, false, Times::of(show, now).window, left, now)
                })
                .collect();
            let count = |status| statuses.iter().filter(|other| **other == status).count();
            assert!(count(EventStatus::OnSale) >= 20, "{hour}");
            assert!(count(EventStatus::Scheduled) >= 8, "{hour}");
            assert!(count(EventStatus::SoldOut) >= 4, "{hour}");
            assert!(count(EventStatus::Closed) >= 5, "{hour}");
        }
    }
}
