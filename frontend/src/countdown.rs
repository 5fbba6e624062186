//! How long until a sale opens, in words.

use crate::i18n::{Language, Msg};

/// A sale that opens within this time gets a countdown on its card.
pub(crate) const SOON_MS: i64 = 24 * 60 * 60 * 1000;

/// The moments at which a countdown is read out, in seconds before the opening. Few, so that it does not
/// disturb.
const SPOKEN_S: [i64; 7] = [3_600, 600, 300, 60, 30, 10, 0];

/// The remaining time in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) days: i64,
    pub(crate) hours: i64,
    pub(crate) minutes: i64,
    pub(crate) seconds: i64,
}

/// Splits milliseconds into parts. A second that has begun counts as a whole one, so that zero means "now".
pub(crate) fn parts(left_ms: i64) -> Parts {
    let seconds = (left_ms.max(0) + 999) / 1_000;
    Parts {
        days: seconds / 86_400,
        hours: seconds / 3_600 % 24,
        minutes: seconds / 60 % 60,
        seconds: seconds % 60,
    }
}

/// `2일 03:04:05`, `03:04:05`.
pub(crate) fn digits(language: Language, left_ms: i64) -> String {
    let Parts { days, hours, minutes, seconds } = parts(left_ms);
    let clock = format!("{hours:02}:{minutes:02}:{seconds:02}");
    match days {
        0 => clock,
        1 => language.fill(Msg::CountdownDay, &[("clock", &clock)]),
        _ => language.fill(Msg::CountdownDays, &[("n", &days), ("clock", &clock)]),
    }
}

/// The last of the moments in `SPOKEN_S` that has passed, in seconds before the opening. `None` before the
/// first.
pub(crate) fn spoken_mark(left_ms: i64) -> Option<i64> {
    let Parts { days, hours, minutes, seconds } = parts(left_ms);
    let seconds_left = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
    SPOKEN_S.into_iter().rev().find(|mark| seconds_left <= *mark)
}

/// The text that is read out at a mark.
pub(crate) fn spoken(language: Language, mark_s: i64) -> String {
    match mark_s {
        0 => language.text(Msg::CountdownOpen).to_owned(),
        60 => language.text(Msg::CountdownSpokenMinute).to_owned(),
        3_600 => language.text(Msg::CountdownSpokenHour).to_owned(),
        mark if mark > 60 => language.fill(Msg::CountdownSpokenMinutes, &[("n", &(mark / 60))]),
        mark => language.fill(Msg::CountdownSpokenSeconds, &[("n", &mark)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_second_is_rounded_up() {
        assert_eq!(parts(1), Parts { days: 0, hours: 0, minutes: 0, seconds: 1 });
        assert_eq!(parts(1_000), Parts { days: 0, hours: 0, minutes: 0, seconds: 1 });
        assert_eq!(parts(0), Parts { days: 0, hours: 0, minutes: 0, seconds: 0 });
        assert_eq!(parts(-5), parts(0));
    }

    #[test]
    fn days_are_shown_only_if_there_are_any() {
        let (second, minute, hour, day) = (1_000, 60_000, 3_600_000, 86_400_000);
        assert_eq!(digits(Language::Korean, 3 * hour + 4 * minute + 5 * second), "03:04:05");
        assert_eq!(digits(Language::Korean, 2 * day + hour), "2일 01:00:00");
        assert_eq!(digits(Language::English, day + hour), "1 day 01:00:00");
    }

    #[test]
    fn a_countdown_is_announced_only_at_a_few_times() {
        assert_eq!(spoken_mark(7_200_000), None);
        assert_eq!(spoken_mark(3_600_000), Some(3_600));
        assert_eq!(spoken_mark(61_000), Some(300));
        assert_eq!(spoken_mark(60_000), Some(60));
        assert_eq!(spoken_mark(9_500), Some(10));
        assert_eq!(spoken_mark(0), Some(0));
    }

    #[test]
    fn every_announcement_has_a_text() {
        for mark in SPOKEN_S {
            for language in [Language::Korean, Language::English] {
                assert!(!spoken(language, mark).contains('{'));
            }
        }
    }
}
