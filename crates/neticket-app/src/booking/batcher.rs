//! Natural batching: the items that were queued during one batch form the next batch. There are no timers. An
//! idle system therefore adds no latency, and a loaded system shares each round trip between many items.
//!
//! Each key (an event) has its own bounded queue and its own workers. If one event has to wait, the batches
//! of the other events go on. The queue of a key is created with its first item, and removed when it is empty
//! and its last worker ends.

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

/// The limits of a [`Batcher`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    /// Maximum number of items that wait in one queue. Further items are refused at once.
    pub(crate) queue_len_max: usize,
    /// Maximum number of items in one batch.
    pub(crate) batch_len_max: usize,
    /// Maximum number of batches of one key in flight.
    pub(crate) in_flight_max: usize,
    /// Target for the number of batches in flight of all keys together. The keys share it evenly, but each
    /// key may always have one batch in flight.
    pub(crate) in_flight_shared: usize,
    /// Maximum number of keys that have a queue at once. Items for further keys are refused.
    pub(crate) queues_max: usize,
}

/// The item was refused: its queue is full, there are too many queues, or the batcher is closed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct QueueFull<T>(pub(crate) T);

/// One bounded queue per key, and the workers that process the queues in batches. An item contains its own
/// reply channel, if it needs one.
pub(crate) struct Batcher<K, T> {
    queues: Arc<Queues<K, T>>,
}

struct Queues<K, T> {
    limits: BatchLimits,
    process: Box<dyn Fn(K, Vec<T>) -> BoxFuture<'static, ()> + Send + Sync>,
    state: Mutex<State<K, T>>,
    workers: TaskTracker,
    /// The runtime of the workers, independent of the runtime of the caller that pushes an item.
    runtime: Handle,
}

struct State<K, T> {
    queues: HashMap<K, Queue<T>>,
    closed: bool,
}

/// The queue of one key, and its workers. While an item is queued, there is at least one worker. Without
/// items and workers, the queue is removed.
struct Queue<T> {
    items: VecDeque<T>,
    workers: usize,
    /// A worker has been started and has not taken its first batch yet.
    waking: bool,
    /// Notified when items leave the queue, so that a full queue has room again.
    room: Arc<Notify>,
}

/// The result of queueing items.
enum PushResult {
    All,
    /// Some items were queued. The caller has to await this before it offers the rest.
    Some(OwnedNotified),
    Refused,
}

impl<K: Copy + Eq + Hash + Send + 'static, T: Send + 'static> Batcher<K, T> {
    /// Starts a batcher. A panic in `process` loses that batch, but the queue goes on. The workers run on the
    /// runtime of the caller.
    pub(crate) fn start<P, F>(limits: BatchLimits, process: P) -> Self
    where
        P: Fn(K, Vec<T>) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let BatchLimits { queue_len_max, batch_len_max, in_flight_max, in_flight_shared, queues_max } =
            limits;
        assert!(queue_len_max > 0 && batch_len_max > 0 && in_flight_max > 0 && in_flight_shared > 0);
        assert!(queues_max > 0);
        let queues = Queues {
            limits,
            process: Box::new(move |key, batch| process(key, batch).boxed()),
            state: Mutex::new(State { queues: HashMap::new(), closed: false }),
            workers: TaskTracker::new(),
            runtime: Handle::current(),
        };
        Self { queues: Arc::new(queues) }
    }

    /// Queues `item`, or returns it at once in the error.
    pub(crate) fn try_push(&self, key: K, item: T) -> Result<(), QueueFull<T>> {
        let mut item = Some(item).into_iter();
        self.queues.push_until_full(key, &mut item);
        item.next().map_or(Ok(()), |item| Err(QueueFull(item)))
    }

    /// Queues `items` in order, and waits while the queue is full. If there are too many queues, or if the
    /// batcher is closed, returns the items that were not queued.
    pub(crate) async fn push_all(&self, key: K, items: Vec<T>) -> Result<(), QueueFull<Vec<T>>> {
        let mut items = items.into_iter();
        loop {
            match self.queues.push_until_full(key, &mut items) {
                PushResult::All => return Ok(()),
                PushResult::Some(room) => room.await,
                PushResult::Refused => return Err(QueueFull(items.collect())),
            }
        }
    }

    /// Number of items that wait in all queues.
    pub(crate) fn len(&self) -> usize {
        self.queues.state().queues.values().map(|queue| queue.items.len()).sum()
    }

    /// Closes the batcher for new items. Returns when all queued items have been processed.
    pub(crate) async fn drain(&self) {
        self.queues.close();
        self.queues.workers.close();
        self.queues.workers.wait().await;
    }
}

impl<K: Copy + Eq + Hash + Send + 'static, T: Send + 'static> Queues<K, T> {
    fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.queues.values().for_each(|queue| queue.room.notify_waiters());
    }

    /// Queues as many of `items` as there is room for, and makes sure that a worker processes them.
    fn push_until_full(self: &Arc<Self>, key: K, items: &mut impl ExactSizeIterator<Item = T>) -> PushResult {
        if items.len() == 0 {
            return PushResult::All;
        }
        let mut state = self.state();
        if state.closed {
            return PushResult::Refused;
        }
        let others = state.queues.len();
        let queue = match state.queues.entry(key) {
            Entry::Occupied(queue) => queue.into_mut(),
            Entry::Vacant(_) if others >= self.limits.queues_max => return PushResult::Refused,
            Entry::Vacant(place) => place.insert(Queue::default()),
        };
        let room = self.limits.queue_len_max - queue.items.len();
        queue.items.extend(items.take(room));
        let result = if items.len() == 0 {
            PushResult::All
        } else {
            PushResult::Some(Arc::clone(&queue.room).notified_owned())
        };
        self.wake(&mut state, key);
        result
    }

    /// Starts another worker for this queue if there is work for one. The caller holds the lock. A call of
    /// [`Batcher::drain`], which takes the lock first, therefore waits for this worker too.
    fn wake(self: &Arc<Self>, state: &mut State<K, T>, key: K) {
        let share = self.share(state);
        let Some(queue) = state.queues.get_mut(&key) else { return };
        if queue.waking || queue.items.is_empty() || queue.workers >= share {
            return;
        }
        queue.workers += 1;
        queue.waking = true;
        let queues = Arc::clone(self);
        self.workers.spawn_on(async move { queues.work(key).await }, &self.runtime);
    }

    /// Number of workers that one queue may have now.
    fn share(&self, state: &State<K, T>) -> usize {
        (self.limits.in_flight_shared / state.queues.len().max(1)).clamp(1, self.limits.in_flight_max)
    }

    async fn work(self: Arc<Self>, key: K) {
        let mut is_first = true;
        while let Some(batch) = self.next_batch(key, is_first) {
            is_first = false;
            let process = &self.process;
            let done = AssertUnwindSafe(async move { process(key, batch).await }).catch_unwind().await;
            if done.is_err() {
                tracing::error!("a worker panicked, its batch is lost");
            }
        }
    }

    /// The next batch of a worker. `None` if the worker has to end. When the last worker of a key ends, the
    /// queue of the key is removed.
    fn next_batch(self: &Arc<Self>, key: K, is_first: bool) -> Option<Vec<T>> {
        let mut state = self.state();
        let share = self.share(&state);
        let queue = state.queues.get_mut(&key)?;
        if is_first {
            queue.waking = false;
        }
        if queue.items.is_empty() || queue.workers > share {
            queue.workers -= 1;
            if queue.workers == 0 {
                state.queues.remove(&key);
            }
            return None;
        }
        let len = queue.items.len().min(self.limits.batch_len_max);
        let batch = queue.items.drain(..len).collect();
        queue.room.notify_waiters();
        self.wake(&mut state, key);
        Some(batch)
    }

    fn state(&self) -> MutexGuard<'_, State<K, T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { items: VecDeque::new(), workers: 0, waking: false, room: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::{Semaphore, oneshot};

    use super::*;

    type Item = (u32, oneshot::Sender<usize>);

    fn limits(queue_len_max: usize, batch_len_max: usize, in_flight_max: usize) -> BatchLimits {
        BatchLimits { queue_len_max, batch_len_max, in_flight_max, in_flight_shared: 100, queues_max: 100 }
    }

    /// A batcher that replies to each item with the length of its batch, once the gate lets the batch
    /// through.
    fn gated(limits: BatchLimits, gate: &Arc<Semaphore>) -> Batcher<u8, Item> {
        let gate = Arc::clone(gate);
        Batcher::start(limits, move |_, batch: Vec<Item>| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.expect("the gate is open").forget();
                let len = batch.len();
                for (_, reply) in batch {
                    let _ = reply.send(len);
                }
            }
        })
    }

    #[tokio::test]
    async fn items_that_queue_during_a_batch_become_the_next_batch() {
        let gate = Arc::new(Semaphore::new(0));
        let batcher = gated(limits(100, 10, 1), &gate);
        let (reply, first) = oneshot::channel();
        batcher.try_push(1, (0, reply)).unwrap();
        while batcher.len() > 0 {
            tokio::task::yield_now().await; // until the worker has taken the first item
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
    async fn a_full_queue_returns_the_item_at_once() {
        let gate = Arc::new(Semaphore::new(0));
        let batcher = gated(limits(2, 1, 1), &gate);
        let mut waiting = Vec::new();
        let refused = loop {
            let (reply, answer) = oneshot::channel();
            match batcher.try_push(1, (7, reply)) {
                Ok(()) => waiting.push(answer),
                Err(QueueFull((n, _))) => break n,
            }
            assert!(waiting.len() <= 3, "at most one item is in flight and two are queued");
        };
        assert_eq!(refused, 7);
        gate.add_permits(100);
        for answer in waiting {
            assert_eq!(answer.await, Ok(1));
        }
    }

    #[tokio::test]
    async fn draining_finishes_the_queue_and_refuses_new_items() {
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
    async fn a_panic_loses_only_its_own_batch() {
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

    /// Queues an item, and returns the receiver of its reply.
    fn push(batcher: &Batcher<u8, Item>, key: u8) -> oneshot::Receiver<usize> {
        let (reply, answer) = oneshot::channel();
        batcher.try_push(key, (u32::from(key), reply)).unwrap();
        answer
    }

    /// A batcher in which the gate holds up the batches of key 0, and no others.
    fn stuck_at_zero(limits: BatchLimits, gate: &Arc<Semaphore>) -> Batcher<u8, Item> {
        let gate = Arc::clone(gate);
        Batcher::start(limits, move |key, batch: Vec<Item>| {
            let gate = Arc::clone(&gate);
            async move {
                if key == 0 {
                    gate.acquire().await.expect("the gate is open").forget();
                }
                for (_, reply) in batch {
                    let _ = reply.send(1);
                }
            }
        })
    }

    #[tokio::test]
    async fn a_stuck_and_full_queue_blocks_no_other_queue() {
        let gate = Arc::new(Semaphore::new(0));
        let batcher = stuck_at_zero(limits(3, 1, 2), &gate);
        let mut stuck = Vec::new();
        while batcher.queues.state().queues.get(&0).is_none_or(|queue| queue.items.len() < 3) {
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
    async fn empty_queues_are_removed_and_queues_over_the_maximum_are_refused() {
        let gate = Arc::new(Semaphore::new(0));
        let batcher = gated(BatchLimits { queues_max: 2, ..limits(10, 10, 2) }, &gate);
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
        while !batcher.queues.state().queues.is_empty() {
            tokio::task::yield_now().await;
        }
        assert!(batcher.queues.workers.is_empty(), "no worker remains without a queue");
        assert!(push(&batcher, 3).await.is_ok());
    }

    #[tokio::test]
    async fn items_that_wait_for_room_are_queued_in_order() {
        let gate = Arc::new(Semaphore::new(0));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (permit, order) = (Arc::clone(&gate), Arc::clone(&seen));
        let batcher = Batcher::start(limits(2, 2, 1), move |_: u8, batch: Vec<u32>| {
            let (permit, order) = (Arc::clone(&permit), Arc::clone(&order));
            async move {
                permit.acquire().await.expect("the gate is open").forget();
                order.lock().unwrap().extend(batch);
            }
        });
        let mut pushing = std::pin::pin!(batcher.push_all(1, (0..9).collect()));
        assert!(futures::poll!(&mut pushing).is_pending(), "the queue has room for two items only");
        gate.add_permits(100);
        pushing.await.unwrap();
        batcher.drain().await;
        assert_eq!(*seen.lock().unwrap(), (0..9).collect::<Vec<u32>>());
    }

    #[tokio::test]
    async fn draining_returns_the_items_that_still_wait_for_room() {
        let gate = Arc::new(Semaphore::new(0));
        let permit = Arc::clone(&gate);
        let batcher = Batcher::start(limits(1, 1, 1), move |_: u8, _: Vec<u32>| {
            let permit = Arc::clone(&permit);
            async move { permit.acquire().await.expect("the gate is open").forget() }
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
    async fn one_queue_has_many_workers_and_many_queues_have_one_each() {
        let gate = Arc::new(Semaphore::new(0));
        let batcher = gated(BatchLimits { in_flight_shared: 3, ..limits(10, 1, 2) }, &gate);
        let workers = |key: u8| batcher.queues.state().queues.get(&key).map_or(0, |queue| queue.workers);
        let mut answers: Vec<_> = (0..4).map(|_| push(&batcher, 1)).collect();
        while workers(1) < 2 {
            tokio::task::yield_now().await;
        }
        for key in 2..=4 {
            answers.extend([push(&batcher, key), push(&batcher, key)]);
        }
        while batcher.len() > 5 {
            tokio::task::yield_now().await; // until each worker has taken its batch
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
