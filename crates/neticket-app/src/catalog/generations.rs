//! Which copies count: those that were asked for since the last forgetting.

use std::sync::atomic::{AtomicU64, Ordering};

use neticket_domain::EventId;

/// How many generations there are; events share them by their numbers, and lose no more by that than a copy now and then.
const GENERATIONS: usize = 1_024;

/// Counts how often the copies of an event were forgotten. Part of the key of each copy, so that one which was read before and
/// is put in its place only afterwards is found by nobody.
pub(super) struct Generations {
    events: Box<[AtomicU64]>,
    /// Of pages of the list, which any event may be on.
    lists: AtomicU64,
}

impl Generations {
    pub(super) fn new() -> Self {
        let events = (0..GENERATIONS).map(|_| AtomicU64::new(0)).collect();
        Self { events, lists: AtomicU64::new(0) }
    }

    fn slot(&self, event: EventId) -> &AtomicU64 {
        let number = usize::try_from(event.0.unsigned_abs()).unwrap_or(usize::MAX);
        &self.events[number % GENERATIONS]
    }

    pub(super) fn key(&self, event: EventId) -> CopyKey {
        (event, self.slot(event).load(Ordering::Acquire))
    }

    pub(super) fn of_lists(&self) -> u64 {
        self.lists.load(Ordering::Acquire)
    }

    pub(super) fn next(&self, event: EventId) {
        self.slot(event).fetch_add(1, Ordering::AcqRel);
        self.lists.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn next_of_all(&self) {
        for slot in &self.events {
            slot.fetch_add(1, Ordering::AcqRel);
        }
        self.lists.fetch_add(1, Ordering::AcqRel);
    }
}

/// A copy's event, and its generation when the copy was asked for.
pub(super) type CopyKey = (EventId, u64);
