//! When an event opens, closes and starts, as an administrator enters it, and the checks of these moments.

use crate::{FieldError, Timestamp};

/// The moments of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub opens_at: Timestamp,
    pub closes_at: Timestamp,
    pub starts_at: Timestamp,
}

/// A mistake in a [`Schedule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduleFault {
    pub field: &'static str,
    /// Other fields that take part in the mistake. If one of them is invalid itself, this may not be a
    /// mistake.
    pub because_of: &'static [&'static str],
    pub error: FieldError,
}

impl Schedule {
    /// The mistakes in the schedule of an event that is created at `now`. `opens_at` may be in the past: the
    /// sale then opens at once.
    pub fn faults_of_new(self, now: Timestamp) -> Vec<ScheduleFault> {
        let mut faults = Vec::new();
        if self.starts_at <= now {
            faults.push(in_the_past("starts_at"));
        }
        faults.extend(self.contradictions());
        if self.closes_at <= now && self.starts_at > now {
            faults.push(in_the_past("closes_at"));
        }
        faults
    }

    /// The mistakes in a change at `now` of an event whose schedule was `before`. `closes_at` may move to any
    /// moment between the opening and the start. If it moves into the past, the sale ends. An event that has
    /// started keeps its moments.
    pub fn faults_of_change(self, before: Self, now: Timestamp) -> Vec<ScheduleFault> {
        if before.starts_at <= now {
            let moments = [
                ("opens_at", self.opens_at == before.opens_at),
                ("closes_at", self.closes_at == before.closes_at),
                ("starts_at", self.starts_at == before.starts_at),
            ];
            let changed = moments.into_iter().filter(|(_, is_same)| !is_same);
            let message = "cannot change once the event has started";
            return changed.map(|(field, _)| fault(field, &[], "event_started", message)).collect();
        }
        let mut faults = Vec::new();
        if self.starts_at <= now && self.starts_at != before.starts_at {
            faults.push(in_the_past("starts_at"));
        }
        faults.extend(self.contradictions());
        faults
    }

    fn contradictions(self) -> impl Iterator<Item = ScheduleFault> {
        let opens_late = (self.opens_at >= self.closes_at).then(|| {
            fault("opens_at", &["closes_at", "starts_at"], "out_of_range", "must be before the sale closes")
        });
        let closes_late = (self.closes_at > self.starts_at)
            .then(|| fault("closes_at", &["starts_at"], "out_of_range", "must not be after the start"));
        opens_late.into_iter().chain(closes_late)
    }
}

fn in_the_past(field: &'static str) -> ScheduleFault {
    fault(field, &[], "out_of_range", "must be in the future")
}

fn fault(
    field: &'static str,
    because_of: &'static [&'static str],
    code: &'static str,
    message: &'static str,
) -> ScheduleFault {
    ScheduleFault { field, because_of, error: FieldError { code, message } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_000)
    }

    fn schedule(opens_at: i64, closes_at: i64, starts_at: i64) -> Schedule {
        let at = Timestamp::from_millis;
        Schedule { opens_at: at(opens_at), closes_at: at(closes_at), starts_at: at(starts_at) }
    }

    fn fields(faults: &[ScheduleFault]) -> Vec<&'static str> {
        faults.iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn a_new_event_starts_in_the_future_and_may_be_open_already() {
        let of_new = |opens_at, closes_at, starts_at| {
            fields(&schedule(opens_at, closes_at, starts_at).faults_of_new(now()))
        };
        assert_eq!(of_new(0, 2_000, 2_000), [""; 0]);
        assert_eq!(of_new(1_500, 1_600, 1_700), [""; 0]);
        assert_eq!(of_new(2_000, 2_000, 2_000), ["opens_at"], "the sale is never open");
        assert_eq!(of_new(1_500, 2_001, 2_000), ["closes_at"]);
        assert_eq!(of_new(0, 1_000, 2_000), ["closes_at"]);
        assert_eq!(of_new(0, 500, 1_000), ["starts_at"]);
        assert_eq!(
            of_new(3_000, 2_000, 1_000),
            ["starts_at", "opens_at", "closes_at"],
            "all errors are reported"
        );
    }

    #[test]
    fn a_sale_can_end_now_and_an_event_cannot_move_into_the_past() {
        let before = schedule(0, 2_000, 2_000);
        let changed = |to: Schedule| fields(&to.faults_of_change(before, now()));
        assert_eq!(changed(before), [""; 0]);
        assert_eq!(changed(schedule(0, 900, 2_000)), [""; 0], "a sale can end now");
        assert_eq!(changed(schedule(1_500, 2_000, 9_000)), [""; 0], "postponed");
        assert_eq!(changed(schedule(0, 900, 1_000)), ["starts_at"]);
        assert_eq!(changed(schedule(2_000, 900, 2_000)), ["opens_at"]);
    }

    #[test]
    fn the_times_of_a_started_event_cannot_change() {
        let before = schedule(0, 500, 1_000);
        assert_eq!(before.faults_of_change(before, now()), []);
        let after = schedule(1, 500, 2_000).faults_of_change(before, now());
        assert_eq!(fields(&after), ["opens_at", "starts_at"]);
        assert!(after.iter().all(|fault| fault.error.code == "event_started"));
    }
}
