//! Natural batching: whatever has queued since the last batch goes into the next one. No timers: an idle system adds
//! no latency, a loaded one pays each round trip once for many.
//!
//! Every key (an event) has a lane of its own: a bounded queue, and workers that empty it. Whatever one event waits for, the
//! batches of the others go on. A lane comes with its first item and goes with its last.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio_util::task::TaskTracker;

/// How much a [`Batcher`] takes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    /// Most items waiting in one lane; more are refused at once.
    pub(crate) queue_len_max: usize,
    /// Most items in one batch.
    pub(crate) batch_len_max: usize,
    /// Most batches of one lane under way at once.
    pub(crate) in_flight_max: usize,
    /// How many batches all lanes together should have under way: they share it out evenly, but each may have one.
    pub(crate) in_flight_shared: usize,
    /// Most lanes at once; items for more are refused.
    pub(crate) lanes_max: usize,
}

/// Why an item was not taken: its lane is full, there are too many lanes, or no more is taken at all.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct QueueFull<T>(pub(crate) T);

/// Bounded queues by key, and the workers that empty them batch by batch. Items carry their own way back.
pub(crate) struct Batcher<K, T> {
    lanes: Arc<Lanes<K, T>>,
}

struct Lanes<K, T> {
    limits: BatchLimits,
    process: Box<dyn Fn(K, Vec<T>) -> BoxFuture<'static, ()> + Send + Sync>,
    state: Mutex<State<K, T>>,
    workers: TaskTracker,
    /// Where the workers run, whoever pushes.
    runtime: Handle,
}

struct State<K, T> {
    lanes: HashMap<K, Lane<T>>,
    closed: bool,
}

/// While anything is queued there is a worker; without either there is no lane.
struct Lane<T> {
    queue: VecDeque<T>,
    workers: usize,
    /// One of them has been started and has not looked into the queue yet.
    waking: bool,
    /// Told when a full queue is full no longer.
    room: Arc<Notify>,
}

/// What became of items that were to be queued.
enum Put {
    All,
    /// The others have to wait for this.
    Some(OwnedNotified),
    Refused,
}

impl<K: Copy + Eq + Hash + Send + 'static, T: Send + 'static> Batcher<K, T> {
    /// A panic in `process` loses its batch, not the lane. Workers run where this is called.
    pub(crate) fn start<P, F>(limits: BatchLimits, process: P) -> Self
    where
        P: Fn(K, Vec<T>) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let BatchLimits { queue_len_max, batch_len_max, in_flight_max, in_flight_shared, lanes_max } = limits;
        assert!(queue_len_max > 0 && batch_len_max > 0 && in_flight_max > 0 && in_flight_shared > 0);
        assert!(lanes_max > 0);
        let lanes = Lanes {
            limits,
            process: Box::new(move |key, batch| process(key, batch).boxed()),
            state: Mutex::new(State { lanes: HashMap::new(), closed: false }),
            workers: TaskTracker::new(),
            runtime: Handle::current(),
        };
        Self { lanes: Arc::new(lanes) }
    }

    /// Queues `item`, or gives it back at once.
    pub(crate) fn try_push(&self, key: K, item: T) -> Result<(), QueueFull<T>> {
        let mut item = Some(item).into_iter();
        self.lanes.put(key, &mut item);
        item.next().map_or(Ok(()), |item| Err(QueueFull(item)))
    }

    /// Queues `items` in order, waiting for places; gives those back that are not taken because there are too many lanes, or
    /// because no more is taken at all.
    pub(crate) async fn push_all(&self, key: K, items: Vec<T>) -> Result<(), QueueFull<Vec<T>>> {
        let mut items = items.into_iter();
        loop {
            match self.lanes.put(key, &mut items) {
                Put::All => return Ok(()),
                Put::Some(room) => room.await,
                Put::Refused => return Err(QueueFull(items.collect())),
            }
        }
    }

    /// How many items wait.
    pub(crate) fn len(&self) -> usize {
        self.lanes.state().lanes.values().map(|lane| lane.queue.len()).sum()
    }

    /// Takes no more items, and returns when all that were queued are done.
    pub(crate) async fn drain(&self) {
        self.lanes.close();
        self.lanes.workers.close();
        self.lanes.workers.wait().await;
    }
}

impl<K: Copy + Eq + Hash + Send + 'static, T: Send + 'static> Lanes<K, T> {
    fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.lanes.values().for_each(|lane| lane.room.notify_waiters());
    }

    /// Queues as many of `items` as there is room for, and sees to it that a worker comes for them.
    fn put(self: &Arc<Self>, key: K, items: &mut impl ExactSizeIterator<Item = T>) -> Put {
        if items.len() == 0 {
            return Put::All;
        }
        let mut state = self.state();
        if state.closed {
            return Put::Refused;
        }
        let others = state.lanes.len();
        let lane = match state.lanes.entry(key) {
            Entry::Occupied(lane) => lane.into_mut(),
            Entry::Vacant(_) if others >= self.limits.lanes_max => return Put::Refused,
            Entry::Vacant(place) => place.insert(Lane::default()),
        };
        let room = self.limits.queue_len_max - lane.queue.len();
        lane.queue.extend(items.take(room));
        let put =
            if items.len() == 0 { Put::All } else { Put::Some(Arc::clone(&lane.room).notified_owned()) };
        self.wake(&mut state, key);
        put
    }

    /// Starts another worker for this lane if there is work for one. Under the lock, so that whoever closes and then waits for
    /// the workers waits for this one too.
    fn wake(self: &Arc<Self>, state: &mut State<K, T>, key: K) {
        let share = self.share(state);
        let Some(lane) = state.lanes.get_mut(&key) else { return };
        if lane.waking || lane.queue.is_empty() || lane.workers >= share {
            return;
        }
        lane.workers += 1;
        lane.waking = true;
        let lanes = Arc::clone(self);
        self.workers.spawn_on(async move { lanes.work(key).await }, &self.runtime);
    }

    /// How many workers a lane may have now.
    fn share(&self, state: &State<K, T>) -> usize {
        (self.limits.in_flight_shared / state.lanes.len().max(1)).clamp(1, self.limits.in_flight_max)
    }

    async fn work(self: Arc<Self>, key: K) {
        let mut is_first = true;
        while let Some(batch) = self.next_batch(key, is_first) {
            is_first = false;
            let process = &self.process;
            let done = AssertUnwindSafe(async move { process(key, batch).await }).catch_unwind().await;
            if done.is_err() {
                tracing::error!("a batch was lost: processing it panicked");
            }
        }
    }

    /// What a worker does next; `None`: it ends, and with the last one the lane.
    fn next_batch(self: &Arc<Self>, key: K, is_first: bool) -> Option<Vec<T>> {
        let mut state = self.state();
        let share = self.share(&state);
        let lane = state.lanes.get_mut(&key)?;
        if is_first {
            lane.waking = false;
        }
        if lane.queue.is_empty() || lane.workers > share {
            lane.workers -= 1;
            if lane.workers == 0 {
                state.lanes.remove(&key);
            }
            return None;
        }
        let len = lane.queue.len().min(self.limits.batch_len_max);
        let batch = lane.queue.drain(..len).collect();
        lane.room.notify_waiters();
        self.wake(&mut state, key);
        Some(batch)
    }

    fn state(&self) -> MutexGuard<'_, State<K, T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self { queue: VecDeque::new(), workers: 0, waking: false, room: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::{Semaphore, oneshot};

    use super::*;

    type Item = (u32, oneshot::Sender<usize>);

    fn limits(queue_len_max: usize, batch_len_max: usize, in_flight_max: usize) -> BatchLimits {
        BatchLimits { queue_len_max, batch_len_max, in_flight_max, in_flight_shared: 100, lanes_max: 100 }
    }

    /// Answers each item with the length of its batch, once the gate lets the batch through.
    fn gated(limits: BatchLimits, gate: &Arc<Semaphore>) -> Batcher<u8, Item> {
        let gate = Arc::clone(gate);
        Batcher::start(limits, move |_, batch: Vec<Item>| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.expect("open").forget();
                let len = batch.len();
                for (_, reply) in batch {
                    let _ = reply.send(len);
                }
            }
        })
    }

    #[tokio::test]
    async fn what_queued_meanwhile_becomes_the_next_batch() {
        let gate = Arc::new(Semaphore::new(0));
        let batcher = gated(limits(100, 10, 1), &gate);
        let (reply, first) = oneshot::channel();
        batcher.try_push(1, (0, reply)).unwrap();
        while batcher.len() > 0 {
            tokio::task::yield_now().await; // until the worker has taken the first
        }
        let rest: Vec<_> = (1..=25)
            .map(|n| {
                let (reply, answer) = oneshot::channel();
                batcher.try_push(1, (n, reply)).unwrap();
                answer
            })
            .collect();
        gate.add_permits(100);
        assert_eq!(first.await, Ok(1));
        let lens: Vec<_> = futures::future::join_all(rest).await.into_iter().map(Result::unwrap).collect();
        assert_eq!((lens[0], lens[10], lens[24]), (10, 10, 5));
    }

    #[tokio::test]
    async fn a_full_queue_gives_the_item_back_at_once() {
        let gate = Arc::new(Semaphore::new(0));
        let batcher = gated(limits(2, 1, 1), &gate);
        let mut waiting = Vec::new();
        let refused = loop {
            let (reply, answer) = oneshot::channel();
            match batcher.try_push(1, (7, reply)) {
                Ok(()) => waiting.push(answer),
                Err(QueueFull((n, _))) => break n,
            }
            assert!(waiting.len() <= 3, "one in flight and two queued at the most");
        };
        assert_eq!(refused, 7);
        gate.add_permits(100);
        for answer in waiting {
            assert_eq!(answer.await, Ok(1));
        }
    }

    #[tokio::test]
    async fn draining_finishes_what_is_queued_and_takes_no_more() {
        let done = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&done);
        let batcher = Batcher::start(limits(100, 3, 2), move |_: u8, batch: Vec<u32>| {
            let counter = Arc::clone(&counter);
            async move {
                counter.fetch_add(batch.len(), Ordering::SeqCst);
            }
        });
        batcher.push_all(1, (0..50).collect()).await.unwrap();
        batcher.drain().await;
        assert_eq!(done.load(Ordering::SeqCst), 50);
        assert_eq!(batcher.try_push(1, 1), Err(QueueFull(1)));
    }

    #[tokio::test]
    async fn a_panic_loses_its_batch_and_nothing_else() {
        let batcher = Batcher::start(limits(10, 1, 1), |_: u8, batch: Vec<Item>| async move {
            for (n, reply) in batch {
                assert_ne!(n, 13);
                let _ = reply.send(1);
            }
        });
        let (unlucky, lost) = oneshot::channel();
        let (lucky, answer) = oneshot::channel();
        batcher.try_push(1, (13, unlucky)).unwrap();
        batcher.try_push(1, (14, lucky)).unwrap();
        assert!(lost.await.is_err());
        assert_eq!(answer.await, Ok(1));
    }

    /// Puts an item into a lane; its way back.
    fn push(batcher: &Batcher<u8, Item>, key: u8) -> oneshot::Receiver<usize> {
        let (reply, answer) = oneshot::channel();
        batcher.try_push(key, (u32::from(key), reply)).unwrap();
        answer
    }

    /// Lane 0 is stuck behind its gate; the others are not.
    fn stuck_at_zero(limits: BatchLimits, gate: &Arc<Semaphore>) -> Batcher<u8, Item> {
        let gate = Arc::clone(gate);
        Batcher::start(limits, move |key, batch: Vec<Item>| {
            let gate = Arc::clone(&gate);
            async move {
                if key == 0 {
                    gate.acquire().await.expect("open").forget();
                }
                for (_, reply) in batch {
                    let _ = reply.send(1);
                }
            }
        })
    }

    #[tokio::test]
    async fn a_lane_that_is_stuck_and_full_holds_up_no_other() {
        let gate = Arc::new(Semaphore::new(0));
        let batcher = stuck_at_zero(limits(3, 1, 2), &gate);
        let mut stuck = Vec::new();
        while batcher.lanes.state().lanes.get(&0).is_none_or(|lane| lane.queue.len() < 3) {
            stuck.push(push(&batcher, 0));
            tokio::task::yield_now().await;
        }
        let (reply, _answer) = oneshot::channel();
        assert!(batcher.try_push(0, (0, reply)).is_err());
        for key in 1..=50 {
            assert_eq!(push(&batcher, key).await, Ok(1));
        }
        gate.add_permits(100);
        for answer in stuck {
            assert_eq!(answer.await, Ok(1));
        }
    }

    #[tokio::test]
    async fn lanes_go_when_they_are_empty_and_more_than_the_most_are_refused() {
        let gate = Arc::new(Semaphore::new(0));
        let batcher = gated(BatchLimits { lanes_max: 2, ..limits(10, 10, 2) }, &gate);
        let waiting = [push(&batcher, 1), push(&batcher, 2), push(&batcher, 2)];
        let (reply, _answer) = oneshot::channel();
        assert!(matches!(batcher.try_push(3, (7, reply)), Err(QueueFull((7, _)))));
        let (reply, _answer) = oneshot::channel();
        assert!(
            matches!(batcher.push_all(3, vec![(7, reply)]).await, Err(QueueFull(left)) if left.len() == 1)
        );
        gate.add_permits(100);
        for answer in waiting {
            assert!(answer.await.is_ok());
        }
        while !batcher.lanes.state().lanes.is_empty() {
            tokio::task::yield_now().await;
        }
        assert!(batcher.lanes.workers.is_empty(), "no lane, no worker");
        assert!(push(&batcher, 3).await.is_ok());
    }

    #[tokio::test]
    async fn whoever_waits_for_a_place_gets_it_in_order() {
        let gate = Arc::new(Semaphore::new(0));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (turn, order) = (Arc::clone(&gate), Arc::clone(&seen));
        let batcher = Batcher::start(limits(2, 2, 1), move |_: u8, batch: Vec<u32>| {
            let (turn, order) = (Arc::clone(&turn), Arc::clone(&order));
            async move {
                turn.acquire().await.expect("open").forget();
                order.lock().unwrap().extend(batch);
            }
        });
        let mut pushing = std::pin::pin!(batcher.push_all(1, (0..9).collect()));
        assert!(futures::poll!(&mut pushing).is_pending(), "two have room");
        gate.add_permits(100);
        pushing.await.unwrap();
        batcher.drain().await;
        assert_eq!(*seen.lock().unwrap(), (0..9).collect::<Vec<u32>>());
    }

    #[tokio::test]
    async fn closing_gives_back_what_still_waits_for_a_place() {
        let gate = Arc::new(Semaphore::new(0));
        let turn = Arc::clone(&gate);
        let batcher = Batcher::start(limits(1, 1, 1), move |_: u8, _: Vec<u32>| {
            let turn = Arc::clone(&turn);
            async move { turn.acquire().await.expect("open").forget() }
        });
        let mut pushing = std::pin::pin!(batcher.push_all(1, vec![1, 2, 3, 4]));
        assert!(futures::poll!(&mut pushing).is_pending());
        let mut draining = std::pin::pin!(batcher.drain());
        assert!(futures::poll!(&mut draining).is_pending());
        assert_eq!(pushing.await, Err(QueueFull(vec![2, 3, 4])));
        gate.add_permits(100);
        draining.await;
    }

    #[tokio::test]
    async fn one_lane_has_many_batches_under_way_and_many_lanes_one_each() {
        let gate = Arc::new(Semaphore::new(0));
        let batcher = gated(BatchLimits { in_flight_shared: 3, ..limits(10, 1, 2) }, &gate);
        let workers = |key: u8| batcher.lanes.state().lanes.get(&key).map_or(0, |lane| lane.workers);
        let mut answers: Vec<_> = (0..4).map(|_| push(&batcher, 1)).collect();
        while workers(1) < 2 {
            tokio::task::yield_now().await;
        }
        for key in 2..=4 {
            answers.extend([push(&batcher, key), push(&batcher, key)]);
        }
        while batcher.len() > 5 {
            tokio::task::yield_now().await; // until each has taken what it may
        }
        assert_eq!([1, 2, 3, 4].map(workers), [2, 1, 1, 1]);
        gate.add_permits(1);
        while workers(1) > 1 {
            gate.add_permits(1);
            tokio::task::yield_now().await;
        }
        gate.add_permits(100);
        for answer in answers {
            assert_eq!(answer.await, Ok(1));
        }
    }
}
