//! How the service is doing at this moment: each node samples itself, tells the others by the ledger's board, and answers for
//! all of them. Nothing of it is on the way of a booking but two counters.

mod latencies;
mod note;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::App;
use crate::booking::{BookingDesk, CancelDesk};
use latencies::Latencies;
pub(crate) use note::Note;

/// Over how long rates and latencies are taken.
const WINDOW: Duration = Duration::from_secs(5);
/// Over how long refusals are counted.
const REFUSALS_WINDOW: Duration = Duration::from_mins(1);
/// The shortest time between two samples that are kept: half of what the task waits, which is never on the dot.
const SAMPLE_AGE_MIN: Duration = Duration::from_millis(500);
/// Most kinds of refusals that are told apart.
const REFUSAL_KINDS_MAX: usize = 64;
/// How old what another node said may be.
const NOTE_AGE_MAX_MS: u32 = 5_000;

/// What this node counts of itself.
pub(crate) struct NodeStats {
    /// Of this process.
    node: Uuid,
    latencies: Latencies,
    confirmed: AtomicU64,
    refusals: RwLock<Vec<(&'static str, AtomicU64)>>,
    journal_len: AtomicU64,
    /// What was counted when, oldest first; never empty.
    samples: Mutex<VecDeque<Sample>>,
}

/// What had been counted by then.
#[derive(Clone)]
struct Sample {
    at: Instant,
    confirmed: u64,
    latencies: Vec<u64>,
    refusals: Vec<(&'static str, u64)>,
}

/// How all nodes are doing.
#[derive(Clone, Debug, PartialEq)]
pub struct StatsView {
    /// Those that have said how they are within the last seconds.
    pub nodes: u32,
    /// Over how many seconds rates and latencies are taken.
    pub window_s: u32,
    pub bookings_per_s: f64,
    /// In milliseconds, to within 4 %; `None` where nothing was booked.
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    /// What waits in queues.
    pub in_flight: u64,
    pub journal_len: u64,
    pub drift: u64,
    /// How often what was refused within the last minute, by the word it was told with; in no order.
    pub refusals: Vec<(String, u64)>,
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

    /// A booking was answered with a reservation, for the first time, after so long.
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

    /// How long all journals together are, as last seen.
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

    /// Keeps what is counted now, and forgets what is too old to be compared with.
    pub(crate) fn sample(&self) {
        let now = self.count();
        let mut samples = self.samples();
        if samples.back().is_some_and(|last| now.at.duration_since(last.at) < SAMPLE_AGE_MIN) {
            return;
        }
        samples.push_back(now);
        // The last one that is older than the longer window is what that begins with.
        while samples.get(1).is_some_and(|second| second.at.elapsed() >= REFUSALS_WINDOW) {
            samples.pop_front();
        }
    }

    /// What this node has to say of itself at this moment.
    pub(crate) fn note(&self, in_flight: u64, drift: u64) -> Note {
        let now = self.count();
        let samples = self.samples();
        // The youngest that is as old as the window; a node that is younger itself goes back to its beginning.
        let since = |window: Duration| {
            let old = samples.iter().rev().find(|sample| now.at.duration_since(sample.at) >= window);
            old.or(samples.front())
        };
        let Some((window, minute)) = since(WINDOW).zip(since(REFUSALS_WINDOW)) else {
            return Note::default();
        };
        let seconds = now.at.duration_since(window.at).as_secs_f64();
        let confirmed = u32::try_from(now.confirmed - window.confirmed).unwrap_or(u32::MAX);
        let before =
            |kind: &str| minute.refusals.iter().find(|(known, _)| *known == kind).map_or(0, |(_, n)| *n);
        let refusals = now.refusals.iter().map(|(kind, count)| ((*kind).to_owned(), count - before(kind)));
        Note {
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

impl App {
    /// Counts a refusal by the word that it is told with, of which there are few.
    pub fn count_refusal(&self, word: &'static str) {
        self.stats.refused(word);
    }

    /// How all nodes are doing. Where the others cannot be heard, it is this node alone.
    pub async fn stats(&self) -> StatsView {
        let own = self.stats.note(in_flight(&self.desk, &self.cancel_desk), self.metrics.drift());
        let notes = self.ledger.board().notes(NOTE_AGE_MAX_MS).await.unwrap_or_else(|error| {
            // The task that tells the others has said so once already, and is counted.
            tracing::debug!(%error, "this node speaks for itself alone");
            Vec::new()
        });
        let others = notes.into_iter().filter(|(node, _)| *node != self.stats.node());
        // What cannot be read is of another version: it is not counted, rather than counted wrong.
        let others = others.filter_map(|(_, note)| Note::read(&note));
        note::merge(std::iter::once(own).chain(others), u32::try_from(WINDOW.as_secs()).unwrap_or(u32::MAX))
    }
}

/// How many bookings and cancels wait in this node's queues.
pub(crate) fn in_flight(desk: &BookingDesk, cancel_desk: &CancelDesk) -> u64 {
    let (admit, commit) = desk.queue_lens();
    u64::try_from(admit.saturating_add(commit).saturating_add(cancel_desk.queue_len())).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_tells_what_it_counted_since_it_is_there() {
        let stats = NodeStats::new();
        for n in 0..10 {
            stats.booked(Duration::from_millis(20), n > 0);
        }
        stats.refused("sold_out");
        stats.refused("overloaded");
        stats.refused("sold_out");
        stats.set_journal_len(7);
        let note = stats.note(3, 1);
        assert!(note.bookings_per_s > 0.0);
        assert_eq!(note.latencies.iter().map(|(_, count)| count).sum::<u64>(), 10);
        assert_eq!((note.in_flight, note.journal_len, note.drift), (3, 7, 1));
        assert_eq!(note.refusals, [("sold_out".to_owned(), 2), ("overloaded".to_owned(), 1)]);
    }

    #[test]
    fn what_is_before_the_window_is_not_told() {
        let stats = NodeStats::new();
        stats.booked(Duration::from_millis(20), true);
        stats.refused("sold_out");
        let long_ago = Instant::now().checked_sub(REFUSALS_WINDOW + WINDOW).unwrap();
        let counted = Sample { at: long_ago, ..stats.count() };
        *stats.samples() = VecDeque::from([counted]);
        stats.booked(Duration::from_millis(20), true);
        let note = stats.note(0, 0);
        assert_eq!((note.latencies.len(), note.refusals.len()), (1, 0));
        stats.sample();
        assert_eq!(stats.samples().len(), 2, "the old one is what the window begins with");
        stats.sample();
        assert_eq!(stats.samples().len(), 2, "too soon");
    }

    #[test]
    fn kinds_of_refusals_have_an_end() {
        let stats = NodeStats::new();
        for n in 0..REFUSAL_KINDS_MAX + 5 {
            stats.refused(Box::leak(format!("kind{n}").into_boxed_str()));
        }
        assert_eq!(stats.count().refusals.len(), REFUSAL_KINDS_MAX);
    }
}
