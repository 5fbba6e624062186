//! The cache of events. Each process caches events for a short time, so that many concurrent readers do not
//! reach the store. Nodes that use Redis also share a cache of events there.

mod breaker;
mod clear;
mod coalesced;
mod generations;
mod journal;
mod names;
mod pending;
mod shared;

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use neticket_domain::{EventId, TicketTypeId};
use neticket_ledger::{Ledger, LedgerView};
use neticket_store::{CachedEvent, EventRecord, SharedEventCache, Store};
use tokio::runtime::Handle;

use self::breaker::Breaker;
use self::coalesced::Coalesced;
use self::generations::{CacheKey, Generations};
pub(crate) use self::journal::{EventsPending, JournalState};
pub(crate) use self::names::Names;
use self::shared::SharedCache;
use crate::config::VIEW_AGE_MAX_MS;
use crate::error::AppError;
use crate::metrics::Metrics;
use crate::views::{EventSearch, EventSummaryView, PageView};

/// Maximum age of a cached event in this process.
const EVENT_AGE_MAX: Duration = Duration::from_secs(1);
/// Maximum age of a cached page of the event list. A page contains the statuses of its moment, so a list may
/// show the opening of a sale late by this time.
const LIST_AGE_MAX: Duration = Duration::from_millis(500);
/// Maximum age of the cached event from which a booking's answer takes the names.
const NAMES_AGE_MAX: Duration = Duration::from_mins(1);
/// How long a reader waits for Redis before it continues without: for a view of the ledger, and for an entry
/// of the shared cache. Much shorter than the ledger's own timeout, which applies to bookings.
pub(crate) const READER_TIMEOUT: Duration = Duration::from_millis(200);
/// Maximum age of a cached view of a ledger.
const VIEW_AGE_MAX: Duration = Duration::from_millis(VIEW_AGE_MAX_MS);
/// Maximum age of the last view that is shown while the ledger does not answer. After that, the numbers of
/// the store are shown.
const STALE_VIEW_AGE_MAX: Duration = Duration::from_secs(10);
/// Maximum number of cached events.
const EVENTS_MAX: u64 = 10_000;
/// Maximum number of cached pages of the event list, with up to 100 events each.
const LISTS_MAX: u64 = 200;
/// Maximum number of ticket types whose event is cached: 20 ticket types for each event.
const TICKET_TYPES_MAX: u64 = 200_000;

/// The cache of events and of their ledgers' views. Concurrent reads of one entry share one query.
pub(crate) struct EventCache {
    store: Store,
    ledger: Arc<dyn Ledger>,
    /// The cache that all nodes share. `None` without Redis.
    shared: Option<Arc<SharedCache>>,
    generations: Generations,
    events: Cache<CacheKey, Arc<EventRecord>>,
    lists: Cache<(EventSearch, u64), Arc<PageView<EventSummaryView>>>,
    /// Older entries of `events`, which still have the names for a booking's answer while the store is slow.
    names: Cache<CacheKey, Arc<EventRecord>>,
    /// The entries of `names` whose refresh has begun within [`EVENT_AGE_MAX`].
    refreshing: Cache<CacheKey, ()>,
    views: Cache<CacheKey, Arc<Option<LedgerView>>>,
    stale_views: Cache<CacheKey, Arc<Option<LedgerView>>>,
    /// The events with entries in their journals; see [`EventCache::events_pending`].
    pending: Coalesced<(), Arc<EventsPending>>,
    /// Reads of events that bypass all caches.
    fresh: Coalesced<EventId, Arc<EventRecord>>,
    views_breaker: Arc<Breaker>,
    pending_breaker: Arc<Breaker>,
    metrics: Arc<Metrics>,
    /// The runtime for work that has to finish even if its caller stops waiting.
    runtime: Handle,
    /// Cached without a time limit, because a ticket type never moves to another event. The id of a removed
    /// ticket type leads to an event that no longer has it.
    event_of_ticket_type: Cache<TicketTypeId, EventId>,
}

impl EventCache {
    /// An empty cache. Its background work runs on the current runtime.
    pub(crate) fn new(
        store: Store,
        ledger: Arc<dyn Ledger>,
        shared_cache: Option<SharedEventCache>,
        metrics: &Arc<Metrics>,
    ) -> Self {
        Self {
            store,
            ledger,
            shared: shared_cache.map(|cache| SharedCache::new(cache, Arc::clone(metrics))),
            generations: Generations::new(),
            events: Cache::builder().max_capacity(EVENTS_MAX).time_to_live(EVENT_AGE_MAX).build(),
            lists: Cache::builder().max_capacity(LISTS_MAX).time_to_live(LIST_AGE_MAX).build(),
            names: Cache::builder().max_capacity(EVENTS_MAX).time_to_live(NAMES_AGE_MAX).build(),
            refreshing: Cache::builder().max_capacity(EVENTS_MAX).time_to_live(EVENT_AGE_MAX).build(),
            views: Cache::builder().max_capacity(EVENTS_MAX).time_to_live(VIEW_AGE_MAX).build(),
            stale_views: Cache::builder().max_capacity(EVENTS_MAX).time_to_live(STALE_VIEW_AGE_MAX).build(),
            pending: Coalesced::new(),
            fresh: Coalesced::new(),
            views_breaker: Breaker::new("ledger_views", metrics.reads.ledger_views_open.clone()),
            pending_breaker: Breaker::new("ledger_pending", metrics.reads.ledger_pending_open.clone()),
            metrics: Arc::clone(metrics),
            runtime: Handle::current(),
            event_of_ticket_type: Cache::new(TICKET_TYPES_MAX),
        }
    }

    /// Invalidates the cached event. Call it after the COMMIT of an administrator's write. Reads on this node
    /// that begin after it see the write. Reads on other nodes see it within [`EVENT_AGE_MAX`], except the
    /// names in a booking's answer (see [`EventCache::names`]). The invalidation finishes even if its caller
    /// stops waiting.
    ///
    /// Returns `false` if Redis did not answer. The shared cache is then invalidated when Redis answers
    /// again. Until then, other nodes may show the old event for some seconds
    /// ([`neticket_store::EVENT_CACHE_AGE_MAX`]). This node does not.
    pub(crate) async fn invalidate(self: &Arc<Self>, event: EventId) -> bool {
        self.invalidate_detached(Some(event)).await
    }

    /// As [`Self::invalidate`], for all events.
    pub(crate) async fn invalidate_all(self: &Arc<Self>) -> bool {
        self.invalidate_detached(None).await
    }

    async fn invalidate_detached(self: &Arc<Self>, event: Option<EventId>) -> bool {
        let event_cache = Arc::clone(self);
        let invalidating = self.runtime.spawn(async move {
            // The shared cache first. Otherwise this node could fill its own cache again from an old shared
            // entry.
            let is_shared_invalidated = match &event_cache.shared {
                Some(shared) => shared.invalidate(event).await,
                None => true,
            };
            match event {
                Some(event) => event_cache.generations.bump(event),
                None => event_cache.generations.bump_all(),
            }
            is_shared_invalidated
        });
        invalidating.await.unwrap_or(false)
    }

    /// The event, from this process's cache (at most [`EVENT_AGE_MAX`] old), the shared cache or the store.
    ///
    /// # Errors
    /// `NotFound`; `StoreUnavailable`.
    pub(crate) async fn event(&self, id: EventId) -> Result<Arc<EventRecord>, AppError> {
        let key = self.generations.key(id);
        let read = async {
            let event = Arc::new(self.event_from_shared_or_store(id).await?);
            let is_older = |copy: &Arc<EventRecord>| copy.version <= event.version;
            self.names.entry(key).or_insert_with_if(async { Arc::clone(&event) }, is_older).await;
            Ok(event)
        };
        self.events.try_get_with(key, read).await.map_err(|error: Arc<AppError>| error.without_source())
    }

    /// The event as the store has it, read after this call began. Bypasses all caches.
    ///
    /// # Errors
    /// `NotFound`; `StoreUnavailable`.
    pub(crate) async fn event_fresh(&self, id: EventId) -> Result<Arc<EventRecord>, AppError> {
        let key = self.generations.key(id);
        let read = async { self.store.event(id).await?.map(Arc::new).ok_or(AppError::NotFound) };
        let event = self.fresh.get(id, Duration::ZERO, read).await?;
        for copies in [&self.events, &self.names] {
            let is_older = |copy: &Arc<EventRecord>| copy.version < event.version;
            copies.entry(key).or_insert_with_if(async { Arc::clone(&event) }, is_older).await;
        }
        Ok(event)
    }

    /// Reads the shared cache, then the store.
    async fn event_from_shared_or_store(&self, id: EventId) -> Result<EventRecord, AppError> {
        let lease = match &self.shared {
            None => None,
            Some(shared) => match shared.get(id).await {
                Some(CachedEvent::Hit(copy)) => return Ok(copy),
                Some(CachedEvent::Miss(lease)) => Some((shared, lease)),
                None => None,
            },
        };
        let event = self.store.event(id).await?.ok_or(AppError::NotFound)?;
        if let Some((shared, lease)) = lease {
            shared.put(&lease, &event).await;
        }
        Ok(event)
    }

    /// A page of the event list, at most [`LIST_AGE_MAX`] old. `read` makes it if it is not cached.
    ///
    /// # Errors
    /// The error of `read`.
    pub(crate) async fn list(
        &self,
        search: &EventSearch,
        read: impl Future<Output = Result<PageView<EventSummaryView>, AppError>>,
    ) -> Result<Arc<PageView<EventSummaryView>>, AppError> {
        let key = (search.clone(), self.generations.lists());
        let read = async { read.await.map(Arc::new) };
        self.lists.try_get_with(key, read).await.map_err(|error: Arc<AppError>| error.without_source())
    }

    /// The event to which this ticket type belongs.
    ///
    /// # Errors
    /// `NotFound`; `StoreUnavailable`.
    pub(crate) async fn event_of_ticket_type(&self, id: TicketTypeId) -> Result<EventId, AppError> {
        let read = async { self.store.event_of_ticket_type(id).await?.ok_or(AppError::NotFound) };
        self.event_of_ticket_type.try_get_with(id, read).await.map_err(|error| error.without_source())
    }

    /// The view of the event's ledger, at most [`VIEW_AGE_MAX`] old. While the ledger does not answer, its
    /// last view, at most [`STALE_VIEW_AGE_MAX`] old. `None` if the event is not loaded, or if the ledger has
    /// not answered for longer than that.
    pub(crate) async fn view(&self, event: EventId) -> Arc<Option<LedgerView>> {
        let key = self.generations.key(event);
        self.views.get_with(key, self.view_or_stale(key)).await
    }

    /// As [`Self::view`], but asks the ledger anew instead of the cache, and caches the answer for other
    /// readers. For a caller that polls.
    pub(crate) async fn view_fresh(&self, event: EventId) -> Arc<Option<LedgerView>> {
        let key = self.generations.key(event);
        let view = self.view_or_stale(key).await;
        self.views.insert(key, Arc::clone(&view)).await;
        view
    }

    async fn view_or_stale(&self, key: CacheKey) -> Arc<Option<LedgerView>> {
        if let Ok(view) = self.view_from_ledger(key.0).await.map(Arc::new) {
            self.stale_views.insert(key, Arc::clone(&view)).await;
            return view;
        }
        self.stale_views.get(&key).await.unwrap_or_default()
    }

    async fn view_from_ledger(&self, event: EventId) -> Result<Option<LedgerView>, NoAnswer> {
        if self.views_breaker.is_open() {
            return Err(NoAnswer);
        }
        self.metrics.reads.ledger_views.inc();
        let error: &dyn std::error::Error =
            &match tokio::time::timeout(READER_TIMEOUT, self.ledger.view(event)).await {
                Ok(Ok(view)) => return Ok(view),
                Ok(Err(error)) => NoAnswerCause::Ledger(error),
                Err(_) => NoAnswerCause::Late,
            };
        let ledger = Arc::clone(&self.ledger);
        self.views_breaker.trip(error, move || {
            let ledger = Arc::clone(&ledger);
            // The ping runs with the ledger's own timeout, by which the ledger detects lost connections. A
            // ping that takes longer than a reader may wait keeps the circuit open.
            async move {
                let asked = tokio::time::Instant::now();
                ledger.ping().await.is_ok() && asked.elapsed() < READER_TIMEOUT
            }
        });
        Err(NoAnswer)
    }
}

/// The ledger did not answer, or was not asked because the circuit is open.
struct NoAnswer;

/// Why the circuit was opened, for the log.
#[derive(Debug, thiserror::Error)]
enum NoAnswerCause {
    #[error(transparent)]
    Ledger(neticket_ledger::LedgerError),
    #[error("no answer within {} ms", READER_TIMEOUT.as_millis())]
    Late,
}
