//! What all connections of a worker share: the start and the statistics.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::outcome::Outcome;
use crate::stats::{Kind, Stats};
use crate::worker_config::{Progress, Span};

pub(crate) struct Shared {
    start: Instant,
    /// The interval after the start whose answers count in the latencies. The counts include all answers.
    measured: (Duration, Duration),
    // There is only one thread, so no lock is ever contended.
    stats: Mutex<Stats>,
}

impl Shared {
    /// `span` is that of a closed loop. `None`: everything is measured.
    pub(crate) fn new(start: Instant, span: Option<Span>) -> Self {
        let measured = span.map_or((Duration::ZERO, Duration::MAX), |span| {
            let from = Duration::from_millis(span.warmup_ms);
            (from, from + Duration::from_millis(span.measured_ms))
        });
        Self { start, measured, stats: Mutex::default() }
    }

    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    /// The end of the measurement. Only for closed loops.
    pub(crate) fn end(&self) -> Instant {
        self.start + self.measured.1
    }

    fn stats(&self) -> MutexGuard<'_, Stats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self) {
        self.stats().counts.begun += 1;
    }

    pub(crate) fn repeat(&self) {
        self.stats().counts.repeats += 1;
    }

    pub(crate) fn reconnects(&self, count: u64) {
        self.stats().counts.reconnects += count;
    }

    /// Counts an answer of 429 or 5xx, or a lost answer.
    pub(crate) fn error(&self, name: &str, first_try: bool) {
        let at_us = micros(self.start.elapsed());
        let mut stats = self.stats();
        stats.error(name, at_us);
        stats.counts.first_try_errors += u64::from(first_try);
    }

    /// Counts a booking of `user` that has ended. It was meant to be sent at `intended`.
    pub(crate) fn ended(&self, user: i64, intended: Instant, end: Outcome) {
        let now = Instant::now();
        let at = now - self.start;
        let measured = at >= self.measured.0 && at < self.measured.1;
        let (latency_us, at_us) = (micros(now - intended), micros(at));
        let mut stats = self.stats();
        stats.last_answer_us = stats.last_answer_us.max(at_us);
        match end {
            Outcome::Confirmed { id, after_pending, replayed } => {
                stats.counts.confirmed += 1;
                stats.counts.after_pending += u64::from(after_pending);
                stats.counts.replayed += u64::from(replayed);
                stats.confirmed.push(id);
                stats.answer(Kind::Confirmed, at_us);
                if measured {
                    stats.winners.add(latency_us);
                }
            }
            Outcome::SoldOut => {
                stats.counts.sold_out += 1;
                stats.answer(Kind::SoldOut, at_us);
                if measured {
                    stats.losers.add(latency_us);
                }
            }
            Outcome::Refused(code) => *stats.counts.refused.entry(code).or_default() += 1,
            Outcome::Wrong => {
                stats.counts.wrong_answers += 1;
                // It may be in the store.
                stats.unknown_users.push(user);
            }
            Outcome::GaveUp { unknown } => {
                stats.counts.final_errors += 1;
                if unknown {
                    stats.unknown_users.push(user);
                }
            }
        }
    }

    /// Counts a read that was sent at `asked` and answered with 200.
    pub(crate) fn read(&self, asked: Instant) {
        let now = Instant::now();
        let at = now - self.start;
        let mut stats = self.stats();
        stats.counts.confirmed += 1;
        stats.answer(Kind::Confirmed, micros(at));
        if at >= self.measured.0 && at < self.measured.1 {
            stats.winners.add(micros(now - asked));
        }
    }

    /// Counts a connection that was still open at the end.
    pub(crate) fn held(&self) {
        self.stats().counts.confirmed += 1;
    }

    /// Counts a failed read.
    pub(crate) fn read_failed(&self, name: &str) {
        self.error(name, true);
        self.stats().counts.final_errors += 1;
    }

    pub(crate) fn progress(&self) -> Progress {
        let stats = self.stats();
        let counts = &stats.counts;
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

    /// Returns the statistics so far and starts new ones.
    pub(crate) fn take(&self) -> Stats {
        std::mem::take(&mut self.stats())
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
