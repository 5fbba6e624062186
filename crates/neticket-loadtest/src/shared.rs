//! What all connections of a worker share: the start and the tally.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::end::End;
use crate::orders::{Progress, Span};
use crate::tally::{Kind, Tally};

pub(crate) struct Shared {
    start: Instant,
    /// The interval after the start whose answers count in the latencies. The counts include all answers.
    measured: (Duration, Duration),
    // There is only one thread, so no lock is ever contended.
    tally: Mutex<Tally>,
}

impl Shared {
    /// `span` is that of a closed loop. `None`: everything is measured.
    pub(crate) fn new(start: Instant, span: Option<Span>) -> Self {
        let measured = span.map_or((Duration::ZERO, Duration::MAX), |span| {
            let from = Duration::from_millis(span.warmup_ms);
            (from, from + Duration::from_millis(span.measured_ms))
        });
        Self { start, measured, tally: Mutex::default() }
    }

    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    /// The end of the measurement. Only for closed loops.
    pub(crate) fn end(&self) -> Instant {
        self.start + self.measured.1
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self) {
        self.tally().counts.begun += 1;
    }

    pub(crate) fn repeat(&self) {
        self.tally().counts.repeats += 1;
    }

    pub(crate) fn reconnects(&self, count: u64) {
        self.tally().counts.reconnects += count;
    }

    /// Counts an answer of 429 or 5xx, or a lost answer.
    pub(crate) fn error(&self, name: &str, first_try: bool) {
        let at_us = micros(self.start.elapsed());
        let mut tally = self.tally();
        tally.error(name, at_us);
        tally.counts.first_try_errors += u64::from(first_try);
    }

    /// Counts a booking of `user` that has ended. It was meant to be sent at `intended`.
    pub(crate) fn ended(&self, user: i64, intended: Instant, end: End) {
        let now = Instant::now();
        let at = now - self.start;
        let measured = at >= self.measured.0 && at < self.measured.1;
        let (latency_us, at_us) = (micros(now - intended), micros(at));
        let mut tally = self.tally();
        tally.last_answer_us = tally.last_answer_us.max(at_us);
        match end {
            End::Confirmed { id, after_pending, replayed } => {
                tally.counts.confirmed += 1;
                tally.counts.after_pending += u64::from(after_pending);
                tally.counts.replayed += u64::from(replayed);
                tally.confirmed.push(id);
                tally.answer(Kind::Confirmed, at_us);
                if measured {
                    tally.winners.add(latency_us);
                }
            }
            End::SoldOut => {
                tally.counts.sold_out += 1;
                tally.answer(Kind::SoldOut, at_us);
                if measured {
                    tally.losers.add(latency_us);
                }
            }
            End::Refused(code) => *tally.counts.refused.entry(code).or_default() += 1,
            End::Wrong => {
                tally.counts.wrong_answers += 1;
                // It may be in the store.
                tally.unknown_users.push(user);
            }
            End::GaveUp { unknown } => {
                tally.counts.final_errors += 1;
                if unknown {
                    tally.unknown_users.push(user);
                }
            }
        }
    }

    /// Counts a read that was sent at `asked` and answered with 200.
    pub(crate) fn read(&self, asked: Instant) {
        let now = Instant::now();
        let at = now - self.start;
        let mut tally = self.tally();
        tally.counts.confirmed += 1;
        tally.answer(Kind::Confirmed, micros(at));
        if at >= self.measured.0 && at < self.measured.1 {
            tally.winners.add(micros(now - asked));
        }
    }

    /// Counts a connection that was still open at the end.
    pub(crate) fn held(&self) {
        self.tally().counts.confirmed += 1;
    }

    /// Counts a failed read.
    pub(crate) fn read_failed(&self, name: &str) {
        self.error(name, true);
        self.tally().counts.final_errors += 1;
    }

    pub(crate) fn progress(&self) -> Progress {
        let tally = self.tally();
        let counts = &tally.counts;
        let refused: u64 = counts.refused.values().sum();
        Progress {
            confirmed: counts.confirmed,
            decided: counts.confirmed
                + counts.sold_out
                + counts.final_errors
                + counts.wrong_answers
                + refused,
            errors: counts.errors_total(),
        }
    }

    /// Returns the tally so far and starts a new one.
    pub(crate) fn take(&self) -> Tally {
        std::mem::take(&mut self.tally())
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
