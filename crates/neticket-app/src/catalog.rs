//! What events are like, kept in this process for a moment, so that the crowd does not reach the store.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use moka::future::Cache;
use neticket_domain::{Epoch, EventId, TicketTypeId};
use neticket_ledger::{Ledger, LedgerView};
use neticket_store::{EventRecord, Store};

use crate::config::VIEW_AGE_MAX_MS;
use crate::error::AppError;

/// How old a copy of an event may be.
const EVENT_AGE_MAX: Duration = Duration::from_secs(1);
/// How old a copy may be that a booking's answer takes its names from.
const NAMES_AGE_MAX: Duration = Duration::from_mins(1);
/// How long a ledger that did not answer is not asked again by readers, who would all wait for its time-out.
const SILENCE: Duration = Duration::from_secs(3);
/// How old a copy of what is left may be.
const VIEW_AGE_MAX: Duration = Duration::from_millis(VIEW_AGE_MAX_MS);
/// How many ledgers are looked at at once for what is pending.
const LOOKS_AT_ONCE: usize = 16;
/// Most events kept.
const EVENTS_MAX: u64 = 10_000;
/// Most ticket types whose event is kept: 20 grades for each event.
const TICKET_TYPES_MAX: u64 = 200_000;

/// How many generations there are; events share them by their numbers, and lose no more by that than a copy now and then.
const GENERATIONS: usize = 1_024;

/// Counts how often the copies of an event were forgotten. Part of the key of each copy, so that one which was read before and
/// is put in its place only afterwards is found by nobody.
struct Generations(Box<[AtomicU64]>);

impl Generations {
    fn new() -> Self {
        Self((0..GENERATIONS).map(|_| AtomicU64::new(0)).collect())
    }

    fn slot(&self, event: EventId) -> &AtomicU64 {
        let number = usize::try_from(event.0.unsigned_abs()).unwrap_or(usize::MAX);
        &self.0[number % GENERATIONS]
    }

    fn key(&self, event: EventId) -> CopyKey {
        (event, self.slot(event).load(Ordering::Acquire))
    }

    fn next(&self, event: EventId) {
        self.slot(event).fetch_add(1, Ordering::AcqRel);
    }

    fn next_of_all(&self) {
        for slot in &self.0 {
            slot.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// A copy's event, and its generation when the copy was asked for.
type CopyKey = (EventId, u64);

/// In whose journals something is.
#[derive(Debug, Default)]
pub(crate) struct EventsPending {
    pub(crate) events: Vec<EventId>,
    /// Some journals cannot be looked into yet: their ledgers are of another run of the server, and not loaded again.
    pub(crate) is_blind: bool,
}

/// What is to be seen of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Journal {
    Empty,
    Pending,
    /// Nothing: its ledger is of another run of the server, and not loaded again.
    Unseen,
}

/// Copies of events, and of what their ledgers say. Many askers at once cause one query.
pub(crate) struct Catalog {
    store: Store,
    ledger: Arc<dyn Ledger>,
    generations: Generations,
    events: Cache<CopyKey, Arc<EventRecord>>,
    /// Older copies, good enough to name what was booked while the store is slow.
    names: Cache<CopyKey, Arc<EventRecord>>,
    views: Cache<CopyKey, Arc<Option<LedgerView>>>,
    /// The events in whose journals something is; see [`Catalog::events_pending`].
    pending: Cache<(), Arc<EventsPending>>,
    silent_until: Mutex<Option<Instant>>,
    /// Never changes, so it is kept for as long as there is room.
    event_of_ticket_type: Cache<TicketTypeId, EventId>,
}

impl Catalog {
    pub(crate) fn new(store: Store, ledger: Arc<dyn Ledger>) -> Self {
        Self {
            store,
            ledger,
            generations: Generations::new(),
            events: Cache::builder().max_capacity(EVENTS_MAX).time_to_live(EVENT_AGE_MAX).build(),
            names: Cache::builder().max_capacity(EVENTS_MAX).time_to_live(NAMES_AGE_MAX).build(),
            silent_until: Mutex::new(None),
            views: Cache::builder().max_capacity(EVENTS_MAX).time_to_live(VIEW_AGE_MAX).build(),
            pending: Cache::builder().max_capacity(1).time_to_live(VIEW_AGE_MAX).build(),
            event_of_ticket_type: Cache::new(TICKET_TYPES_MAX),
        }
    }

    /// Forgets the copies of the event. To be called after the COMMIT of whatever administration writes about it: whoever asks
    /// this node from then on gets what was written.
    #[allow(clippy::unused_async, reason = "other nodes will be told")]
    pub(crate) async fn forget(&self, event: EventId) {
        self.generations.next(event);
    }

    /// Forgets all copies of events.
    #[allow(dead_code, clippy::unused_async, reason = "other nodes will be told")]
    pub(crate) async fn forget_all(&self) {
        self.generations.next_of_all();
    }

    /// The event, at most [`EVENT_AGE_MAX`] old.
    ///
    /// # Errors
    /// `NotFound`; `StoreUnavailable`.
    pub(crate) async fn event(&self, id: EventId) -> Result<Arc<EventRecord>, AppError> {
        let key = self.generations.key(id);
        let read = async {
            let event = self.store.event(id).await?.map(Arc::new).ok_or(AppError::NotFound)?;
            self.names.insert(key, Arc::clone(&event)).await;
            Ok(event)
        };
        self.events.try_get_with(key, read).await.map_err(|error: Arc<AppError>| error.again())
    }

    /// The event of a ticket type, at most [`NAMES_AGE_MAX`] old: what a booking's answer names it by. Asks the store only if
    /// nobody has read the event for that long, or if the ticket type is newer.
    ///
    /// # Errors
    /// `NotFound`; `StoreUnavailable`.
    pub(crate) async fn names(
        &self,
        id: EventId,
        ticket_type: TicketTypeId,
    ) -> Result<Arc<EventRecord>, AppError> {
        match self.names.get(&self.generations.key(id)).await {
            Some(event) if event.ticket_types.iter().any(|t| t.id == ticket_type) => Ok(event),
            _ => self.event(id).await,
        }
    }

    /// Which event sells this ticket type.
    ///
    /// # Errors
    /// `NotFound`; `StoreUnavailable`.
    pub(crate) async fn event_of_ticket_type(&self, id: TicketTypeId) -> Result<EventId, AppError> {
        let read = async { self.store.event_of_ticket_type(id).await?.ok_or(AppError::NotFound) };
        self.event_of_ticket_type.try_get_with(id, read).await.map_err(|error| error.again())
    }

    /// What the ledger says, at most [`VIEW_AGE_MAX`] old; `None` if the event is not loaded or the ledger silent.
    pub(crate) async fn view(&self, event: EventId) -> Arc<Option<LedgerView>> {
        let read = async {
            if self.is_silent() {
                return Arc::new(None);
            }
            match self.ledger.view(event).await {
                Ok(view) => Arc::new(view),
                Err(error) => {
                    tracing::warn!(%event, %error, "showing what the store says is left: the ledger does not answer");
                    self.keep_silent();
                    Arc::new(None)
                }
            }
        };
        self.views.get_with(self.generations.key(event), read).await
    }

    /// The events with reservations on their way, as of at most [`VIEW_AGE_MAX`] ago. Whoever has been told `pending` has been
    /// in the journal for longer than that (see the booking desk), so their event is among them until they are decided.
    ///
    /// # Errors
    /// `LedgerUnavailable`: at once, if it did not answer lately.
    pub(crate) async fn events_pending(&self) -> Result<Arc<EventsPending>, AppError> {
        let read = async {
            if self.is_silent() {
                return Err(AppError::LedgerUnavailable(None));
            }
            let pending = self.look_for_pending().await;
            if pending.is_err() {
                self.keep_silent();
            }
            Ok(Arc::new(pending?))
        };
        self.pending.try_get_with((), read).await.map_err(|error: Arc<AppError>| error.again())
    }

    async fn look_for_pending(&self) -> Result<EventsPending, AppError> {
        let looks = self.ledger.loaded().await?.into_iter();
        let looks = looks.map(|event| async move { Ok::<_, AppError>((event, self.journal(event).await?)) });
        let journals: Vec<_> = stream::iter(looks).buffer_unordered(LOOKS_AT_ONCE).try_collect().await?;
        let mut found = EventsPending::default();
        for (event, journal) in journals {
            match journal {
                Journal::Empty => {}
                Journal::Pending => found.events.push(event),
                Journal::Unseen => found.is_blind = true,
            }
        }
        Ok(found)
    }

    /// What is to be seen of the event's journal at this moment.
    ///
    /// # Errors
    /// `LedgerUnavailable`.
    pub(crate) async fn journal(&self, event: EventId) -> Result<Journal, AppError> {
        Ok(match self.ledger.view(event).await? {
            Some(view) if view.pending > 0 => Journal::Pending,
            None if self.ledger.begin_load(event).await?.floor > Epoch(0) => Journal::Unseen,
            // Without any ledger there is no journal: it was lost or let go, or the event is loaded for the first time.
            Some(_) | None => Journal::Empty,
        })
    }

    fn is_silent(&self) -> bool {
        self.silent_until().is_some_and(|until| Instant::now() < until)
    }

    fn keep_silent(&self) {
        *self.silent_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + SILENCE);
    }

    fn silent_until(&self) -> Option<Instant> {
        *self.silent_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
