//! One node's use of the shared cache. The node bypasses the cache while the cache does not answer, and while
//! an invalidation by this node has not succeeded yet.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use neticket_domain::EventId;
use neticket_store::{CachedEvent, EventCacheError, EventRecord, SharedEventCache, WriteLease};

use super::breaker::Breaker;
use crate::metrics::Metrics;

/// Maximum number of events with a pending invalidation. If there are more, all events are invalidated.
const PENDING_INVALIDATIONS_MAX: usize = 1_000;

/// Invalidations that have not succeeded yet.
#[derive(Debug, Default)]
struct PendingInvalidations {
    events: BTreeSet<EventId>,
    all: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("invalidations are still pending")]
struct StillPending;

impl PendingInvalidations {
    fn is_empty(&self) -> bool {
        self.events.is_empty() && !self.all
    }

    fn add(&mut self, event: Option<EventId>) {
        match event {
            Some(event) if self.events.len() < PENDING_INVALIDATIONS_MAX => {
                self.events.insert(event);
            }
            _ => self.all = true,
        }
    }
}

pub(super) struct SharedCache {
    cache: SharedEventCache,
    breaker: Arc<Breaker>,
    pending_invalidations: Mutex<PendingInvalidations>,
    metrics: Arc<Metrics>,
}

impl SharedCache {
    pub(super) fn new(cache: SharedEventCache, metrics: Arc<Metrics>) -> Arc<Self> {
        let breaker = Breaker::new("read_cache", metrics.reads.read_cache_open.clone());
        Arc::new(Self { cache, breaker, pending_invalidations: Mutex::default(), metrics })
    }

    /// The cached event, or a lease to write one. `None`, at once, while the circuit breaker is open.
    pub(super) async fn get(self: &Arc<Self>, event: EventId) -> Option<CachedEvent> {
        if self.breaker.is_open() {
            return None;
        }
        if !self.pending_invalidations().is_empty() {
            // An invalidation failed while the circuit was about to close.
            self.trip(&StillPending);
            return None;
        }
        match self.cache.get(event).await {
            Ok(CachedEvent::Hit(copy)) => {
                self.metrics.reads.cache_hits.inc();
                Some(CachedEvent::Hit(copy))
            }
            Ok(missing) => {
                self.metrics.reads.cache_misses.inc();
                Some(missing)
            }
            Err(error) => {
                self.failed(&error);
                None
            }
        }
    }

    pub(super) async fn put(self: &Arc<Self>, lease: &WriteLease, event: &EventRecord) {
        if let Err(error) = self.cache.put(lease, event).await {
            self.failed(&error);
        }
    }

    /// Invalidates the event, or all events if `event` is `None`. Returns `false` if the cache did not
    /// answer. The invalidation is then done when the cache answers again.
    pub(super) async fn invalidate(self: &Arc<Self>, event: Option<EventId>) -> bool {
        match self.delete(event).await {
            Ok(()) => {
                self.metrics.reads.invalidations.inc();
                true
            }
            Err(error) => {
                self.metrics.reads.invalidation_failures.inc();
                tracing::warn!(event = event.map(|event| event.0), %error, "cannot invalidate the shared cache, other nodes may serve stale data");
                // Added before `trip`, because the circuit closes only when no invalidation is pending.
                self.pending_invalidations().add(event);
                self.trip(&error);
                false
            }
        }
    }

    async fn delete(&self, event: Option<EventId>) -> Result<(), EventCacheError> {
        match event {
            Some(event) => self.cache.invalidate(event).await,
            None => self.cache.invalidate_all().await,
        }
    }

    fn failed(self: &Arc<Self>, error: &EventCacheError) {
        self.metrics.reads.cache_failures.inc();
        self.trip(error);
    }

    fn trip(self: &Arc<Self>, error: &dyn std::error::Error) {
        let shared = Arc::downgrade(self);
        self.breaker.trip(error, move || {
            let shared = shared.upgrade();
            async move {
                match shared {
                    Some(shared) => shared.retry_invalidations().await,
                    None => true,
                }
            }
        });
    }

    /// Does the pending invalidations. Returns `true` if the cache answers and no invalidation is pending.
    async fn retry_invalidations(&self) -> bool {
        let PendingInvalidations { events, all } = std::mem::take(&mut *self.pending_invalidations());
        let each = events.into_iter().filter(|_| !all).map(Some);
        let mut left: Vec<Option<EventId>> = all.then_some(None).into_iter().chain(each).collect();
        if left.is_empty() {
            return self.cache.ping().await.is_ok();
        }
        while let Some(event) = left.last() {
            if self.delete(*event).await.is_err() {
                let mut pending_invalidations = self.pending_invalidations();
                for event in left {
                    pending_invalidations.add(event);
                }
                return false;
            }
            self.metrics.reads.invalidations.inc();
            left.pop();
        }
        // Further invalidations may have failed meanwhile.
        self.pending_invalidations().is_empty()
    }

    fn pending_invalidations(&self) -> std::sync::MutexGuard<'_, PendingInvalidations> {
        self.pending_invalidations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
