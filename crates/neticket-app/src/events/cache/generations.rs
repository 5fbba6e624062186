//! The generations of cached events. A cache entry is valid only if its read began after the last
//! invalidation.

use std::sync::atomic::{AtomicU64, Ordering};

use neticket_domain::EventId;

/// Number of generation counters. Events share the counters by their ids, so an invalidation also invalidates
/// some other events. That costs at most an additional read.
const GENERATIONS: usize = 1_024;

/// Counts the invalidations of each event. The count is part of the key of each cache entry. An entry that
/// was read before an invalidation and inserted after it has an old key, so no reader finds it.
pub(super) struct Generations {
    events: Box<[AtomicU64]>,
    /// The count for pages of the event list. Every invalidation raises it, because a page can contain any
    /// event.
    lists: AtomicU64,
}

impl Generations {
    pub(super) fn new() -> Self {
        let events = (0..GENERATIONS).map(|_| AtomicU64::new(0)).collect();
        Self { events, lists: AtomicU64::new(0) }
    }

    fn counter(&self, event: EventId) -> &AtomicU64 {
        let number = usize::try_from(event.0.unsigned_abs()).unwrap_or(usize::MAX);
        &self.events[number % GENERATIONS]
    }

    pub(super) fn key(&self, event: EventId) -> CacheKey {
        (event, self.counter(event).load(Ordering::Acquire))
    }

    pub(super) fn lists(&self) -> u64 {
        self.lists.load(Ordering::Acquire)
    }

    pub(super) fn bump(&self, event: EventId) {
        self.counter(event).fetch_add(1, Ordering::AcqRel);
        self.lists.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn bump_all(&self) {
        for counter in &self.events {
            counter.fetch_add(1, Ordering::AcqRel);
        }
        self.lists.fetch_add(1, Ordering::AcqRel);
    }
}

/// The event of a cache entry, and the event's generation when the read of the entry began.
pub(super) type CacheKey = (EventId, u64);
