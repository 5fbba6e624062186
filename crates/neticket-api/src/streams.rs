//! Availability streams as server-sent events. The frame of a change is rendered once for all clients. A
//! stream costs one connection and one stream slot. If a client has not taken a frame yet, the next frame
//! replaces it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::web::Bytes;
use futures::{Stream, stream};
use neticket_app::{App, AppError, AvailabilityFeed, EventView, Subscription};
use neticket_domain::{EventId, Timestamp};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use crate::limits::network;
use crate::metrics::{HttpMetrics, StreamGuard};
use crate::wire;

/// Comments keep proxies from closing the stream as idle, and detect a client that has gone. They come in
/// pairs, every 15 s: the kernel of a client that has gone answers the first packet with a reset, and only
/// the second packet then fails to be sent.
const COMMENT_PAUSES: [Duration; 2] = [Duration::from_secs(14), Duration::from_secs(1)];
const COMMENT: Bytes = Bytes::from_static(b":\n\n");
/// How long a client waits before it connects again after its stream has ended, in milliseconds. Each stream
/// draws a random value, so that the clients of a node that stops do not all connect to the next node at
/// once.
const RETRY_MS: std::ops::Range<u32> = 1_000..5_000;

/// One network may take one tenth of the stream slots of a node. That is enough for an office, and one
/// network cannot use up all slots.
const NETWORK_SHARE: usize = 10;

pub(crate) struct Streams {
    feed: AvailabilityFeed<Bytes>,
    slots: Arc<Semaphore>,
    networks: Networks,
}

/// The number of open streams of each network.
#[derive(Clone, Default)]
struct Networks {
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
    /// The most open streams of one network.
    open_max: usize,
}

impl Networks {
    fn enter(&self, client_ip: IpAddr) -> Option<NetworkQuota> {
        let network = network(client_ip);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // A network that is refused gets no entry in the map.
        if open.get(&network).copied().unwrap_or(0) >= self.open_max {
            return None;
        }
        *open.entry(network).or_default() += 1;
        Some(NetworkQuota { networks: self.clone(), network })
    }
}

/// Guard of one open stream of a network.
struct NetworkQuota {
    networks: Networks,
    network: IpAddr,
}

impl Drop for NetworkQuota {
    fn drop(&mut self) {
        let mut open = self.networks.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(streams) = open.get_mut(&self.network) {
            *streams -= 1;
            if *streams == 0 {
                open.remove(&self.network);
            }
        }
    }
}

impl Streams {
    /// Its tasks will run on the current runtime.
    pub(crate) fn new(app: Arc<App>) -> Self {
        let slots = app.config().streams_max.min(Semaphore::MAX_PERMITS);
        // Rounded up, so that a network gets at least one slot if there are any.
        let open_max = if app.config().rate_limit { slots.div_ceil(NETWORK_SHARE) } else { slots };
        let networks = Networks { open_max, ..Networks::default() };
        Self { feed: AvailabilityFeed::new(app, frame), slots: Arc::new(Semaphore::new(slots)), networks }
    }

    /// Opens the stream of an event. It begins with the current availability.
    ///
    /// # Errors
    /// `Overloaded` if all slots or those of the caller's network are taken, or if the node is stopping;
    /// `NotFound`, `StoreUnavailable`.
    pub(crate) async fn open(
        &self,
        app: &App,
        event: EventId,
        client_ip: IpAddr,
        metrics: &HttpMetrics,
    ) -> Result<impl Stream<Item = Result<Bytes, Infallible>> + use<>, AppError> {
        let slots = (Arc::clone(&self.slots).try_acquire_owned(), self.networks.enter(client_ip));
        let (Ok(slot), Some(network_quota)) = slots else {
            metrics.streams_refused.inc();
            return Err(AppError::Overloaded);
        };
        let mut watch = self.feed.watch(event).await?;
        let first = {
            let seen = watch.borrow_and_update();
            // The shared frame may be old. Pages set their clocks by the time in a frame, so the first frame
            // is rendered for each client.
            let retry = format!("retry: {}\n", rand::random_range(RETRY_MS));
            [retry.as_bytes(), &frame(&seen.view, app.now())].concat()
        };
        let open = Open {
            first: Some(first.into()),
            watch,
            comment_at: Instant::now() + COMMENT_PAUSES[0],
            is_pair_begun: false,
            frames: metrics.frames.clone(),
            _stream_guard: metrics.streaming(),
            _slot: slot,
            _network_quota: network_quota,
        };
        Ok(stream::unfold(open, Open::next))
    }
}

/// Renders one server-sent event.
fn frame(view: &EventView, now: Timestamp) -> Bytes {
    let availability = serde_json::to_string(&wire::availability(view, now)).unwrap_or_default();
    format!("event: availability\ndata: {availability}\n\n").into()
}

struct Open {
    first: Option<Bytes>,
    watch: Subscription<Bytes>,
    comment_at: Instant,
    is_pair_begun: bool,
    frames: Counter,
    _stream_guard: StreamGuard,
    _slot: OwnedSemaphorePermit,
    _network_quota: NetworkQuota,
}

impl Open {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let bytes = if let Some(first) = self.first.take() {
            first
        } else {
            tokio::select! {
                changed = self.watch.changed() => {
                    changed.ok()?;
                    self.watch.borrow_and_update().frame.clone()
                }
                () = sleep_until(self.comment_at) => {
                    self.is_pair_begun = !self.is_pair_begun;
                    self.comment_at = Instant::now() + COMMENT_PAUSES[usize::from(self.is_pair_begun)];
                    return Some((Ok(COMMENT), self));
                }
            }
        };
        self.frames.inc();
        Some((Ok(bytes), self))
    }
}
