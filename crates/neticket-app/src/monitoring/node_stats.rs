//! What this node counts: samples of its counters, and its status from them. On the path of a booking this
//! costs two counters and nothing else.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::latencies::{self, Latencies};
use super::node_status::NodeStatus;

/// The period over which rates and latencies are computed.
pub(super) const WINDOW: Duration = Duration::from_secs(5);
/// The period over which refusals are counted.
const REFUSALS_WINDOW: Duration = Duration::from_mins(1);
/// The shortest time between two samples: half of the task's default interval, because a run may come a
/// little early.
const SAMPLE_AGE_MIN: Duration = Duration::from_millis(500);
/// Most kinds of refusals that are counted separately.
const REFUSAL_KINDS_MAX: usize = 64;

/// What this node counts.
pub(crate) struct NodeStats {
    /// Identifies this process.
    node: Uuid,
    latencies: Latencies,
    confirmed: AtomicU64,
    refusals: RwLock<Vec<(&'static str, AtomicU64)>>,
    journal_len: AtomicU64,
    /// Past values of the counters, oldest first. Never empty.
    samples: Mutex<VecDeque<Sample>>,
}

/// The values of the counters at one moment.
#[derive(Clone)]
struct Sample {
    at: Instant,
    confirmed: u64,
    latencies: Vec<u64>,
    refusals: Vec<(&'static str, u64)>,
}

impl NodeStats {
    pub(crate) fn new() -> Self {
        let stats = Self {
            node: uuid::Builder::from_random_bytes(rand::random()).into_uuid(),
            latencies: Latencies::default(),
            confirmed: AtomicU64::new(0),
            refusals: RwLock::default(),
            journal_len: AtomicU64::new(0),
            samples: Mutex::default(),
        };
        let first = stats.count();
        stats.samples().push_back(first);
        stats
    }

    /// Counts a booking that was answered with a reservation for the first time, and how long the answer
    /// took.
    pub(crate) fn booked(&self, latency: Duration, is_confirmed: bool) {
        self.latencies.record(latency);
        self.confirmed.fetch_add(u64::from(is_confirmed), Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, kind: &'static str) {
        let count = |known: &[(&'static str, AtomicU64)]| {
            let known = known.iter().find(|(known, _)| *known == kind);
            known.map(|(_, count)| count.fetch_add(1, Ordering::Relaxed)).is_some()
        };
        if count(&self.refusals.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut known = self.refusals.write().unwrap_or_else(PoisonError::into_inner);
        if !count(&known) && known.len() < REFUSAL_KINDS_MAX {
            known.push((kind, AtomicU64::new(1)));
        }
    }

    /// Sets the number of entries of all journals together, as they were last sampled.
    pub(crate) fn set_journal_len(&self, entries: u64) {
        self.journal_len.store(entries, Ordering::Relaxed);
    }

    fn count(&self) -> Sample {
        let refusals = self.refusals.read().unwrap_or_else(PoisonError::into_inner);
        Sample {
            at: Instant::now(),
            confirmed: self.confirmed.load(Ordering::Relaxed),
            latencies: self.latencies.counts(),
            refusals: refusals.iter().map(|(kind, count)| (*kind, count.load(Ordering::Relaxed))).collect(),
        }
    }

    /// Takes a sample, and drops samples that are too old to be compared with.
    pub(crate) fn sample(&self) {
        let now = self.count();
        let mut samples = self.samples();
        if samples.back().is_some_and(|last| now.at.duration_since(last.at) < SAMPLE_AGE_MIN) {
            return;
        }
        samples.push_back(now);
        // The last sample that is older than the longer window stays: the window begins with it.
        while samples.get(1).is_some_and(|second| second.at.elapsed() >= REFUSALS_WINDOW) {
            samples.pop_front();
        }
    }

    /// The status of this node at this moment.
    pub(crate) fn status(&self, in_flight: u64, drift: u64) -> NodeStatus {
        let now = self.count();
        let samples = self.samples();
        // The youngest sample that is at least as old as the window. A node that is younger than the window
        // uses its first sample.
        let since = |window: Duration| {
            let old = samples.iter().rev().find(|sample| now.at.duration_since(sample.at) >= window);
            old.or(samples.front())
        };
        let Some((window, minute)) = since(WINDOW).zip(since(REFUSALS_WINDOW)) else {
            return NodeStatus::default();
        };
        let seconds = now.at.duration_since(window.at).as_secs_f64();
        let confirmed = u32::try_from(now.confirmed - window.confirmed).unwrap_or(u32::MAX);
        let before =
            |kind: &str| minute.refusals.iter().find(|(known, _)| *known == kind).map_or(0, |(_, n)| *n);
        let refusals = now.refusals.iter().map(|(kind, count)| ((*kind).to_owned(), count - before(kind)));
        NodeStatus {
            bookings_per_s: if seconds > 0.0 { f64::from(confirmed) / seconds } else { 0.0 },
            latencies: latencies::difference(&now.latencies, &window.latencies),
            in_flight,
            journal_len: self.journal_len.load(Ordering::Relaxed),
            drift,
            refusals: refusals.filter(|(_, count)| *count > 0).collect(),
        }
    }

    pub(crate) fn node(&self) -> Uuid {
        self.node
    }

    fn samples(&self) -> MutexGuard<'_, VecDeque<Sample>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_reports_what_it_counted_since_its_start() {
        let stats = NodeStats::new();
        for n in 0..10 {
            stats.booked(Duration::from_millis(20), n > 0);
        }
        stats.refused("sold_out");
        stats.refused("overloaded");
        stats.refused("sold_out");
        stats.set_journal_len(7);
        let own = stats.status(3, 1);
        assert!(own.bookings_per_s > 0.0);
        assert_eq!(own.latencies.iter().map(|(_, count)| count).sum::<u64>(), 10);
        assert_eq!((own.in_flight, own.journal_len, own.drift), (3, 7, 1));
        assert_eq!(own.refusals, [("sold_out".to_owned(), 2), ("overloaded".to_owned(), 1)]);
    }

    #[test]
    fn counts_from_before_the_window_are_not_reported() {
        let stats = NodeStats::new();
        stats.booked(Duration::from_millis(20), true);
        stats.refused("sold_out");
        let long_ago = Instant::now().checked_sub(REFUSALS_WINDOW + WINDOW).unwrap();
        let counted = Sample { at: long_ago, ..stats.count() };
        *stats.samples() = VecDeque::from([counted]);
        stats.booked(Duration::from_millis(20), true);
        let own = stats.status(0, 0);
        assert_eq!((own.latencies.len(), own.refusals.len()), (1, 0));
        stats.sample();
        assert_eq!(stats.samples().len(), 2, "the old sample stays as the start of the window");
        stats.sample();
        assert_eq!(stats.samples().len(), 2, "a second sample comes too soon");
    }

    #[test]
    fn the_number_of_refusal_kinds_is_limited() {
        let stats = NodeStats::new();
        for n in 0..REFUSAL_KINDS_MAX + 5 {
            stats.refused(Box::leak(format!("kind{n}").into_boxed_str()));
        }
        assert_eq!(stats.count().refusals.len(), REFUSAL_KINDS_MAX);
    }
}
