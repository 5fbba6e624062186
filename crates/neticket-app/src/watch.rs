//! Watching what is left of events, for those who want to be told of every change. However many listen, a node looks at an
//! event's ledger once per interval; where nobody listens, never. Who is slow misses what was in between, and costs nothing.

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

use crate::App;
use crate::error::AppError;
use crate::events::{EventCopy, event_status};
use crate::views::EventView;

/// Between two looks: changes are told at most four times a second, and an opening at most this late.
const INTERVAL: Duration = Duration::from_millis(250);
/// How long a look waits for a new copy of the event. It goes on with the old one while the store is slow: what is left does not
/// come from there.
const COPY_PATIENCE: Duration = Duration::from_millis(50);

/// An event as it was seen last.
#[derive(Debug)]
pub struct Seen<F> {
    pub view: EventView,
    /// What it looks like on the wire, made once for all who listen.
    pub frame: F,
}

/// What listeners have: the latest, and word of every change. It ends when the event is deleted or the node stops.
pub type Watch<F> = watch::Receiver<Arc<Seen<F>>>;

type Running<F> = Mutex<HashMap<EventId, watch::Sender<Arc<Seen<F>>>>>;
type NextCopy = Pin<Box<dyn Future<Output = Result<Arc<EventRecord>, AppError>> + Send>>;

/// One watcher for each event that somebody listens to.
pub struct Watchers<F> {
    app: Arc<App>,
    /// Makes a frame of what is seen at a moment.
    frame: fn(&EventView, Timestamp) -> F,
    running: Arc<Running<F>>,
    /// Watchers outlive the request, and the worker, that they began with.
    runtime: Handle,
}

impl<F: Send + Sync + 'static> Watchers<F> {
    /// Of `app`, on the present runtime.
    pub fn new(app: Arc<App>, frame: fn(&EventView, Timestamp) -> F) -> Self {
        Self { app, frame, running: Arc::default(), runtime: Handle::current() }
    }

    /// Listens to an event.
    ///
    /// # Errors
    /// `NotFound`, `StoreUnavailable`; `Overloaded` on a node that stops.
    pub async fn watch(&self, event: EventId) -> Result<Watch<F>, AppError> {
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
            shown: Shown::of(&first, &self.app),
            record: Arc::clone(&first.record),
            next_copy: None,
        };
        let (sender, receiver) = watch::channel(Arc::new(watcher.seen(&first)));
        running.insert(event, sender.clone());
        self.runtime.spawn(watcher.run(sender, Arc::clone(&self.running)));
        Ok(receiver)
    }
}

fn lock<F>(running: &Running<F>) -> MutexGuard<'_, HashMap<EventId, watch::Sender<Arc<Seen<F>>>>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What listeners are told of: when it is the same, there is nothing to say.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    version: i64,
    status: EventStatus,
    left: Vec<(TicketTypeId, u32)>,
}

impl Shown {
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
    shown: Shown,
    record: Arc<EventRecord>,
    /// The one that is being read, if it takes longer than a look.
    next_copy: Option<NextCopy>,
}

/// The event is not there any more.
struct Gone;

impl<F: Send + Sync + 'static> Watcher<F> {
    async fn run(mut self, sender: watch::Sender<Arc<Seen<F>>>, running: Arc<Running<F>>) {
        let _end = RemoveAtEnd { event: self.event, sender: sender.clone(), running: Arc::clone(&running) };
        let stopping = self.app.stopping().clone();
        let mut ticks = interval_at(Instant::now() + INTERVAL, INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
            {
                // Under the lock, so that nobody begins to listen to a watcher that has decided to end.
                let mut running = lock(&running);
                if sender.receiver_count() == 0 {
                    running.remove(&self.event);
                    return;
                }
            }
            let Ok(copy) = self.look().await else { break };
            let shown = Shown::of(&copy, &self.app);
            if shown != self.shown {
                self.shown = shown;
                sender.send_replace(Arc::new(self.seen(&copy)));
            }
        }
    }

    fn seen(&self, copy: &EventCopy) -> Seen<F> {
        let view = self.app.event_of_copy(copy);
        Seen { frame: (self.frame)(&view, self.app.now()), view }
    }

    async fn look(&mut self) -> Result<EventCopy, Gone> {
        let (app, event) = (&self.app, self.event);
        let next_copy = self.next_copy.get_or_insert_with(|| {
            let catalog = Arc::clone(&app.catalog);
            Box::pin(async move { catalog.event(event).await })
        });
        if let Ok(read) = timeout(COPY_PATIENCE, next_copy).await {
            self.next_copy = None;
            match read {
                Ok(record) => self.record = record,
                Err(AppError::NotFound) => return Err(Gone),
                // The store will be back; what is left is seen without it.
                Err(error) => tracing::debug!(%event, %error, "goes on with an old copy of the event"),
            }
        }
        let ledger = app.catalog.view_anew(event).await;
        let status = event_status(&self.record, ledger.as_ref().as_ref(), app.now());
        Ok(EventCopy { record: Arc::clone(&self.record), ledger, status })
    }
}

/// Ends the listening when the watcher ends, whatever ended it: with the last sender, listeners are at the end.
struct RemoveAtEnd<F> {
    event: EventId,
    sender: watch::Sender<Arc<Seen<F>>>,
    running: Arc<Running<F>>,
}

impl<F> Drop for RemoveAtEnd<F> {
    fn drop(&mut self) {
        let mut running = lock(&self.running);
        // By now it may be another watcher's.
        if running.get(&self.event).is_some_and(|sender| sender.same_channel(&self.sender)) {
            running.remove(&self.event);
        }
    }
}
