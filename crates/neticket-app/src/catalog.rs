//! What events are like, kept in this process for a moment, so that the crowd does not reach the store; and beside it, where
//! nodes share a Redis, in the read cache.

mod generations;
mod names;
mod pending;
mod shared;

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use neticket_domain::{EventId, TicketTypeId};
use neticket_ledger::{Ledger, LedgerView};
use neticket_store::{CachedEvent, EventRecord, ReadCache, Store};
use tokio::runtime::Handle;

use self::generations::{CopyKey, Generations};
pub(crate) use self::names::Names;
pub(crate) use self::pending::{EventsPending, Journal};
use self::shared::SharedCopies;
use crate::breaker::Breaker;
use crate::coalesced::Coalesced;
use crate::config::VIEW_AGE_MAX_MS;
use crate::error::AppError;
use crate::metrics::Metrics;
use crate::views::{EventSearch, EventSummaryView, PageView};

/// How old a copy of an event may be.
const EVENT_AGE_MAX: Duration = Duration::from_secs(1);
/// How old a copy of a page of the list may be. Its statuses were right when it was made, so this is also how late a list may say
/// that a sale has opened.
const LIST_AGE_MAX: Duration = Duration::from_millis(500);
/// How old a copy may be that a booking's answer takes its names from.
const NAMES_AGE_MAX: Duration = Duration::from_mins(1);
/// How long a reader waits for Redis, at most, before it is skipped: for the ledger's word, and for a shared copy. Far below the
/// ledger's own time-out, which is for who books.
pub(crate) const READER_PATIENCE: Duration = Duration::from_millis(200);
/// How old a copy of what is left may be.
const VIEW_AGE_MAX: Duration = Duration::from_millis(VIEW_AGE_MAX_MS);
/// How old the ledger's last word may be that is shown while it does not answer; after that it is the store's.
const LAST_WORD_AGE_MAX: Duration = Duration::from_secs(10);
/// Most events kept.
const EVENTS_MAX: u64 = 10_000;
/// Most pages of the list kept, of up to 100 events each.
const LISTS_MAX: u64 = 200;
/// Most ticket types whose event is kept: 20 grades for each event.
const TICKET_TYPES_MAX: u64 = 200_000;

/// Copies of events, and of what their ledgers say. Many askers at once cause one query.
pub(crate) struct Catalog {
    store: Store,
    ledger: Arc<dyn Ledger>,
    /// `None` where this node is the only one.
    shared: Option<Arc<SharedCopies>>,
    generations: Generations,
    events: Cache<CopyKey, Arc<EventRecord>>,
    lists: Cache<(EventSearch, u64), Arc<PageView<EventSummaryView>>>,
    /// Older copies, good enough to name what was booked while the store is slow.
    names: Cache<CopyKey, Arc<EventRecord>>,
    /// Which of them are being read anew.
    renewals: Cache<CopyKey, ()>,
    views: Cache<CopyKey, Arc<Option<LedgerView>>>,
    last_words: Cache<CopyKey, Arc<Option<LedgerView>>>,
    /// The events in whose journals something is; see [`Catalog::events_pending`].
    pending: Coalesced<(), Arc<EventsPending>>,
    /// Events read past all copies.
    fresh: Coalesced<EventId, Arc<EventRecord>>,
    views_breaker: Arc<Breaker>,
    pending_breaker: Arc<Breaker>,
    metrics: Arc<Metrics>,
    /// Where work goes on whose caller may go away.
    runtime: Handle,
    /// Kept for as long as there is room: a number never changes its event. One whose grade was removed leads to an event that
    /// does not have it any more.
    event_of_ticket_type: Cache<TicketTypeId, EventId>,
}

impl Catalog {
    /// On the present runtime.
    pub(crate) fn new(
        store: Store,
        ledger: Arc<dyn Ledger>,
        read_cache: Option<ReadCache>,
        metrics: &Arc<Metrics>,
    ) -> Self {
        Self {
            store,
            ledger,
            shared: read_cache.map(|cache| SharedCopies::new(cache, Arc::clone(metrics))),
            generations: Generations::new(),
            events: Cache::builder().max_capacity(EVENTS_MAX).time_to_live(EVENT_AGE_MAX).build(),
            lists: Cache::builder().max_capacity(LISTS_MAX).time_to_live(LIST_AGE_MAX).build(),
            names: Cache::builder().max_capacity(EVENTS_MAX).time_to_live(NAMES_AGE_MAX).build(),
            renewals: Cache::builder().max_capacity(EVENTS_MAX).time_to_live(EVENT_AGE_MAX).build(),
            views: Cache::builder().max_capacity(EVENTS_MAX).time_to_live(VIEW_AGE_MAX).build(),
            last_words: Cache::builder().max_capacity(EVENTS_MAX).time_to_live(LAST_WORD_AGE_MAX).build(),
            pending: Coalesced::new(),
            fresh: Coalesced::new(),
            views_breaker: Breaker::new("the ledger, by readers,", metrics.reads.views_silent.clone()),
            pending_breaker: Breaker::new(
                "the ledger, for what is pending,",
                metrics.reads.pending_silent.clone(),
            ),
            metrics: Arc::clone(metrics),
            runtime: Handle::current(),
            event_of_ticket_type: Cache::new(TICKET_TYPES_MAX),
        }
    }

    /// Forgets the copies of the event. To be called after the COMMIT of whatever administration writes about it: whoever asks
    /// this node from then on gets what was written, and whoever asks another within a second. It goes on if its caller goes away.
    ///
    /// `false`: Redis did not answer, and is told as soon as it does; until then other nodes may show what was, for seconds
    /// ([`neticket_store::READ_CACHE_AGE_MAX`]). This one does not.
    pub(crate) async fn forget(self: &Arc<Self>, event: EventId) -> bool {
        self.forget_in_time(Some(event)).await
    }

    /// The same of all events.
    pub(crate) async fn forget_all(self: &Arc<Self>) -> bool {
        self.forget_in_time(None).await
    }

    async fn forget_in_time(self: &Arc<Self>, event: Option<EventId>) -> bool {
        let catalog = Arc::clone(self);
        let forgetting = self.runtime.spawn(async move {
            // Nodes share their copies, so these first: a new copy of this node's must not be made of an old one of theirs.
            let told = match &catalog.shared {
                Some(shared) => shared.forget(event).await,
                None => true,
            };
            match event {
                Some(event) => catalog.generations.next(event),
                None => catalog.generations.next_of_all(),
            }
            told
        });
        forgetting.await.unwrap_or(false)
    }

    /// The event, at most [`EVENT_AGE_MAX`] old.
    ///
    /// # Errors
    /// `NotFound`; `StoreUnavailable`.
    pub(crate) async fn event(&self, id: EventId) -> Result<Arc<EventRecord>, AppError> {
        let key = self.generations.key(id);
        let read = async {
            let event = Arc::new(self.event_read(id).await?);
            let is_older = |copy: &Arc<EventRecord>| copy.version <= event.version;
            self.names.entry(key).or_insert_with_if(async { Arc::clone(&event) }, is_older).await;
            Ok(event)
        };
        self.events.try_get_with(key, read).await.map_err(|error: Arc<AppError>| error.again())
    }

    /// The event as it is, or as it has become since this was called, past all copies.
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

    /// Looks at the shared copy, then at the store.
    async fn event_read(&self, id: EventId) -> Result<EventRecord, AppError> {
        let permit = match &self.shared {
            None => None,
            Some(shared) => match shared.get(id).await {
                Some(CachedEvent::Copy(copy)) => return Ok(copy),
                Some(CachedEvent::Missing(permit)) => Some((shared, permit)),
                None => None,
            },
        };
        let event = self.store.event(id).await?.ok_or(AppError::NotFound)?;
        if let Some((shared, permit)) = permit {
            shared.put(&permit, &event).await;
        }
        Ok(event)
    }

    /// A page of the list, at most [`LIST_AGE_MAX`] old; `read` makes it.
    ///
    /// # Errors
    /// What `read` says.
    pub(crate) async fn list(
        &self,
        search: &EventSearch,
        read: impl Future<Output = Result<PageView<EventSummaryView>, AppError>>,
    ) -> Result<Arc<PageView<EventSummaryView>>, AppError> {
        let key = (search.clone(), self.generations.of_lists());
        let read = async { read.await.map(Arc::new) };
        self.lists.try_get_with(key, read).await.map_err(|error: Arc<AppError>| error.again())
    }

    /// Which event sells this ticket type.
    ///
    /// # Errors
    /// `NotFound`; `StoreUnavailable`.
    pub(crate) async fn event_of_ticket_type(&self, id: TicketTypeId) -> Result<EventId, AppError> {
        let read = async { self.store.event_of_ticket_type(id).await?.ok_or(AppError::NotFound) };
        self.event_of_ticket_type.try_get_with(id, read).await.map_err(|error| error.again())
    }

    /// What the ledger says, at most [`VIEW_AGE_MAX`] old; while it does not answer, what it said last, at most
    /// [`LAST_WORD_AGE_MAX`] old. `None` if the event is not loaded, or the ledger silent for longer.
    pub(crate) async fn view(&self, event: EventId) -> Arc<Option<LedgerView>> {
        let key = self.generations.key(event);
        self.views.get_with(key, self.view_read(key)).await
    }

    /// What the ledger says now, for who looks again and again: others may have the same.
    pub(crate) async fn view_anew(&self, event: EventId) -> Arc<Option<LedgerView>> {
        let key = self.generations.key(event);
        let view = self.view_read(key).await;
        self.views.insert(key, Arc::clone(&view)).await;
        view
    }

    async fn view_read(&self, key: CopyKey) -> Arc<Option<LedgerView>> {
        if let Ok(view) = self.view_asked(key.0).await.map(Arc::new) {
            self.last_words.insert(key, Arc::clone(&view)).await;
            return view;
        }
        self.last_words.get(&key).await.unwrap_or_default()
    }

    async fn view_asked(&self, event: EventId) -> Result<Option<LedgerView>, Silent> {
        if self.views_breaker.is_open() {
            return Err(Silent);
        }
        self.metrics.reads.ledger_views.inc();
        let error: &dyn std::error::Error =
            &match tokio::time::timeout(READER_PATIENCE, self.ledger.view(event)).await {
                Ok(Ok(view)) => return Ok(view),
                Ok(Err(error)) => Silence::Ledger(error),
                Err(_) => Silence::Late,
            };
        let ledger = Arc::clone(&self.ledger);
        self.views_breaker.trip(error, move || {
            let ledger = Arc::clone(&ledger);
            // Under the ledger's own time-out, by which it finds connections lost; but what answers late would keep readers waiting.
            async move {
                let asked = tokio::time::Instant::now();
                ledger.ping().await.is_ok() && asked.elapsed() < READER_PATIENCE
            }
        });
        Err(Silent)
    }
}

/// The ledger does not answer.
struct Silent;

/// Why it is not asked any more, for the log.
#[derive(Debug, thiserror::Error)]
enum Silence {
    #[error(transparent)]
    Ledger(neticket_ledger::LedgerError),
    #[error("no answer within {} ms", READER_PATIENCE.as_millis())]
    Late,
}
