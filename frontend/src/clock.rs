//! The server's clock, as well as the browser can know it. Sales open by it, so the countdown follows it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_domain::Timestamp;

use crate::browser;

/// How fast two clocks may drift apart, in milliseconds per minute. An old sample is less exact for that
/// reason.
const DRIFT_MS_PER_MIN: i64 = 20;

/// The longest sleep before an awaited moment, in milliseconds.
const WAKE_STEP_MS: i64 = 1_000;

/// One measurement of the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    /// What to add to the browser's clock, in milliseconds.
    offset_ms: i64,
    /// The largest error of the offset, in milliseconds.
    error_ms: i64,
    /// When the sample was taken, by the browser's clock.
    at_ms: i64,
}

impl Sample {
    /// From a request sent at `sent_ms` and answered at `received_ms`. The server wrote `server` at some
    /// moment between them. The middle is the best guess, and half of the round trip is the largest error.
    pub(crate) fn of(sent_ms: i64, server: Timestamp, received_ms: i64) -> Self {
        let half = (received_ms - sent_ms).max(0) / 2;
        Self { offset_ms: server.as_millis() - (sent_ms + half), error_ms: half, at_ms: received_ms }
    }

    /// From a `Date` header, which has only seconds.
    pub(crate) fn coarse(sent_ms: i64, server: Timestamp, received_ms: i64) -> Self {
        let middle = Self::of(sent_ms, server.plus_millis(500), received_ms);
        Self { error_ms: middle.error_ms + 1_000, ..middle }
    }

    /// The better of two: the newer one, unless it is less exact and agrees with the older one.
    fn better(self, newer: Self) -> Self {
        let aged_error = self.error_ms + (newer.at_ms - self.at_ms).max(0) * DRIFT_MS_PER_MIN / 60_000;
        let agree = (self.offset_ms - newer.offset_ms).abs() <= aged_error + newer.error_ms;
        if agree && aged_error < newer.error_ms { self } else { newer }
    }
}

/// The server's clock as a signal that changes once a second.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    sample: RwSignal<Option<Sample>>,
    now: RwSignal<Timestamp>,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let clock = Self {
            sample: RwSignal::new(None),
            now: RwSignal::new(Timestamp::from_millis(browser::now_ms())),
        };
        spawn_local(async move {
            loop {
                let now = clock.read();
                clock.now.set(now);
                browser::sleep(to_next_second(now)).await;
            }
        });
        clock
    }

    pub(crate) fn learn(self, sample: Sample) {
        self.sample.update(|known| *known = Some(known.map_or(sample, |known| known.better(sample))));
        self.now.set(self.read());
    }

    /// The server's time now. Not tracked.
    pub(crate) fn read(self) -> Timestamp {
        let offset = self.sample.get_untracked().map_or(0, |sample| sample.offset_ms);
        Timestamp::from_millis(browser::now_ms().saturating_add(offset))
    }

    /// Updates the signal once more at exactly `moment`, which need not be a full second.
    pub(crate) fn wake_at(self, moment: Timestamp) {
        spawn_local(async move {
            loop {
                let left_ms = moment.millis_since(self.read());
                if left_ms <= 0 {
                    break;
                }
                // In steps, because the offset may become more exact in the meantime.
                browser::sleep(left_ms.min(WAKE_STEP_MS)).await;
            }
            self.now.set(self.read());
        });
    }

    /// The server's time. Changes once a second. Tracked.
    pub(crate) fn now(self) -> Timestamp {
        self.now.get()
    }
}

/// Milliseconds until shortly after the next full second.
fn to_next_second(now: Timestamp) -> i64 {
    1_000 - now.as_millis().rem_euclid(1_000) + 2
}

pub(crate) fn use_clock() -> Clock {
    expect_context()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(offset_ms: i64, error_ms: i64, at_ms: i64) -> Sample {
        Sample { offset_ms, error_ms, at_ms }
    }

    #[test]
    fn the_round_trip_time_is_halved() {
        let found = Sample::of(1_000, Timestamp::from_millis(61_100), 1_200);
        assert_eq!(found, sample(60_000, 100, 1_200));
    }

    #[test]
    fn a_less_precise_sample_does_not_replace_a_better_one_that_it_agrees_with() {
        let good = sample(60_000, 10, 1_000);
        assert_eq!(good.better(sample(60_300, 500, 2_000)), good);
    }

    #[test]
    fn a_sample_that_disagrees_wins_because_the_clock_has_changed() {
        let good = sample(60_000, 10, 1_000);
        let new = sample(0, 500, 2_000);
        assert_eq!(good.better(new), new);
    }

    #[test]
    fn an_old_sample_loses_precision() {
        let old = sample(60_000, 10, 0);
        let new = sample(60_020, 100, 600_000);
        assert_eq!(old.better(new), new);
    }

    #[test]
    fn the_clock_ticks_just_after_a_full_second() {
        assert_eq!(to_next_second(Timestamp::from_millis(5_000)), 1_002);
        assert_eq!(to_next_second(Timestamp::from_millis(5_999)), 3);
    }
}
