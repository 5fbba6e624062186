//! The availability feed: pushes every change of an event's availability to its listeners. However many
//! listeners there are, a node reads an event's ledger once per interval, and not at all without listeners. A
//! slow listener misses the states in between, and does not slow down others.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use neticket_domain::{EventId, EventStatus, TicketTypeId, Timestamp};
use neticket_store::EventRecord;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::read::{EventCopy, event_status};
use crate::App;
use crate::error::AppError;
use crate::views::EventView;

/// The time between two reads of the ledger. Changes are pushed at most four times a second, and an opening
/// is pushed at most this late.
const INTERVAL: Duration = Duration::from_millis(250);
/// How long a read waits for the event from the cache. While the store is slow, the feed continues with the
/// old event, because the seats left do not come from the store.
const COPY_TIMEOUT: Duration = Duration::from_millis(50);

/// An event as it was last read.
#[derive(Debug)]
pub struct Snapshot<F> {
    pub view: EventView,
    /// Its form on the wire, made once for all listeners.
    pub frame: F,
}

/// What a listener holds: the latest snapshot, and a notification of every change. It ends when the event is
/// deleted or the node stops.
pub type Subscription<F> = watch::Receiver<Arc<Snapshot<F>>>;

type Running<F> = Mutex<HashMap<EventId, watch::Sender<Arc<Snapshot<F>>>>>;
type NextCopy = Pin<Box<dyn Future<Output = Result<Arc<EventRecord>, AppError>> + Send>>;

/// One watcher for each event that has listeners.
pub struct AvailabilityFeed<F> {
    app: Arc<App>,
    /// Makes a frame from an event at a moment.
    frame: fn(&EventView, Timestamp) -> F,
    running: Arc<Running<F>>,
    /// A watcher outlives the request, and the worker thread, in which it was started.
    runtime: Handle,
}

impl<F: Send + Sync + 'static> AvailabilityFeed<F> {
    /// For `app`, on the current runtime.
    pub fn new(app: Arc<App>, frame: fn(&EventView, Timestamp) -> F) -> Self {
        Self { app, frame, running: Arc::default(), runtime: Handle::current() }
    }

    /// Listens to an event.
    ///
    /// # Errors
    /// `NotFound`, `StoreUnavailable`; `Overloaded` if the node is stopping.
    pub async fn watch(&self, event: EventId) -> Result<Subscription<F>, AppError> {
        if let Some(sender) = lock(&self.running).get(&event) {
            return Ok(sender.subscribe());
        }
        let first = self.app.event_copy(event).await?;
        let mut running = lock(&self.running);
        if self.app.stopping().is_cancelled() {
            return Err(AppError::Overloaded);
        }
        if let Some(sender) = running.get(&event) {
            return Ok(sender.subscribe());
        }
        let watcher = Watcher {
            event,
            app: Arc::clone(&self.app),
            frame: self.frame,
            availability: Availability::of(&first, &self.app),
            record: Arc::clone(&first.record),
            next_copy: None,
        };
        let (sender, receiver) = watch::channel(Arc::new(watcher.snapshot(&first)));
        running.insert(event, sender.clone());
        self.runtime.spawn(watcher.run(sender, Arc::clone(&self.running)));
        Ok(receiver)
    }
}

fn lock<F>(running: &Running<F>) -> MutexGuard<'_, HashMap<EventId, watch::Sender<Arc<Snapshot<F>>>>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What listeners are notified of. If it is unchanged, nothing is sent.
#[derive(Debug, PartialEq, Eq)]
struct Availability {
    version: i64,
    status: EventStatus,
    left: Vec<(TicketTypeId, u32)>,
}

impl Availability {
    fn of(copy: &EventCopy, app: &App) -> Self {
        let view = app.event_of_copy(copy);
        let left = view.ticket_types.iter().map(|t| (t.id, t.left)).collect();
        Self { version: copy.record.version, status: copy.status, left }
    }
}

struct Watcher<F> {
    event: EventId,
    app: Arc<App>,
    frame: fn(&EventView, Timestamp) -> F,
    availability: Availability,
    record: Arc<EventRecord>,
    /// The read of the event that is under way, if it takes longer than `COPY_TIMEOUT`.
    next_copy: Option<NextCopy>,
}

/// The event no longer exists.
struct EventDeleted;

impl<F: Send + Sync + 'static> Watcher<F> {
    async fn run(mut self, sender: watch::Sender<Arc<Snapshot<F>>>, running: Arc<Running<F>>) {
        let _end = RemoveAtEnd { event: self.event, sender: sender.clone(), running: Arc::clone(&running) };
        let stopping = self.app.stopping().clone();
        let mut ticks = interval_at(Instant::now() + INTERVAL, INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
            {
                // Under the lock, so that nobody subscribes to a watcher that has decided to end.
                let mut running = lock(&running);
                if sender.receiver_count() == 0 {
                    running.remove(&self.event);
                    return;
                }
            }
            let Ok(copy) = self.read().await else { break };
            let availability = Availability::of(&copy, &self.app);
            if availability != self.availability {
                self.availability = availability;
                sender.send_replace(Arc::new(self.snapshot(&copy)));
            }
        }
    }

    fn snapshot(&self, copy: &EventCopy) -> Snapshot<F> {
        let view = self.app.event_of_copy(copy);
        Snapshot { frame: (self.frame)(&view, self.app.now()), view }
    }

    async fn read(&mut self) -> Result<EventCopy, EventDeleted> {
        let (app, event) = (&self.app, self.event);
        let next_copy = self.next_copy.get_or_insert_with(|| {
            let event_cache = Arc::clone(&app.event_cache);
            Box::pin(async move { event_cache.event(event).await })
        });
        if let Ok(read) = timeout(COPY_TIMEOUT, next_copy).await {
            self.next_copy = None;
            match read {
                Ok(record) => self.record = record,
                Err(AppError::NotFound) => return Err(EventDeleted),
                // The store will be back. The seats left can be read without it.
                Err(error) => tracing::debug!(%event, %error, "cannot refresh the event, using the old copy"),
            }
        }
        let ledger = app.event_cache.view_fresh(event).await;
        let status = event_status(&self.record, ledger.as_ref().as_ref(), app.now());
        Ok(EventCopy { record: Arc::clone(&self.record), ledger, status })
    }
}

/// Ends the feed of an event when its watcher ends for any reason: listeners see the end when the last sender
/// is dropped.
struct RemoveAtEnd<F> {
    event: EventId,
    sender: watch::Sender<Arc<Snapshot<F>>>,
    running: Arc<Running<F>>,
}

impl<F> Drop for RemoveAtEnd<F> {
    fn drop(&mut self) {
        let mut running = lock(&self.running);
        // By now the entry may be another watcher's.
        if running.get(&self.event).is_some_and(|sender| sender.same_channel(&self.sender)) {
            running.remove(&self.event);
        }
    }
}
