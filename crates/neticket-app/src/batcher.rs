//! Natural batching: whatever has queued since the last batch goes into the next one. No timers: an idle system adds
//! no latency, a loaded one pays each round trip once for many.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

/// How much a [`Batcher`] takes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    /// Most items waiting; more are refused at once.
    pub(crate) queue_len_max: usize,
    /// Most items in one batch.
    pub(crate) batch_len_max: usize,
    /// Most batches under way at once.
    pub(crate) in_flight_max: usize,
}

/// Why an item was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct QueueFull<T>(pub(crate) T);

/// A bounded queue and the workers that empty it batch by batch. Items carry their own way back.
pub(crate) struct Batcher<T> {
    queue: Mutex<Option<mpsc::Sender<T>>>,
    workers: TaskTracker,
}

impl<T: Send + 'static> Batcher<T> {
    /// Starts the workers. A panic in `process` loses its batch, not the worker.
    pub(crate) fn start<P, F>(limits: BatchLimits, process: P) -> Self
    where
        P: Fn(Vec<T>) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        assert!(limits.queue_len_max > 0 && limits.batch_len_max > 0 && limits.in_flight_max > 0);
        let (sender, receiver) = mpsc::channel(limits.queue_len_max);
        let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
        let process = Arc::new(process);
        let workers = TaskTracker::new();
        for _ in 0..limits.in_flight_max {
            workers.spawn(work(Arc::clone(&receiver), Arc::clone(&process), limits.batch_len_max));
        }
        workers.close();
        Self { queue: Mutex::new(Some(sender)), workers }
    }

    /// Queues `item`, or gives it back at once if the queue is full or closed.
    pub(crate) fn try_push(&self, item: T) -> Result<(), QueueFull<T>> {
        match self.sender() {
            Some(sender) => sender.try_send(item).map_err(|error| QueueFull(error.into_inner())),
            None => Err(QueueFull(item)),
        }
    }

    /// Queues `item`, waiting for a place; gives it back if the queue is closed.
    pub(crate) async fn push(&self, item: T) -> Result<(), QueueFull<T>> {
        match self.sender() {
            Some(sender) => sender.send(item).await.map_err(|error| QueueFull(error.0)),
            None => Err(QueueFull(item)),
        }
    }

    /// How many items wait.
    pub(crate) fn len(&self) -> usize {
        self.sender().map_or(0, |sender| sender.max_capacity() - sender.capacity())
    }

    /// Takes no more items, and returns when all that were queued are done.
    pub(crate) async fn drain(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.workers.wait().await;
    }

    fn sender(&self) -> Option<mpsc::Sender<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn work<T, P, F>(
    receiver: Arc<tokio::sync::Mutex<mpsc::Receiver<T>>>,
    process: Arc<P>,
    batch_len_max: usize,
) where
    T: Send + 'static,
    P: Fn(Vec<T>) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        let mut batch = Vec::new();
        let taken = receiver.lock().await.recv_many(&mut batch, batch_len_max).await;
        if taken == 0 {
            return; // closed and empty
        }
        if let Err(error) = tokio::spawn(process(batch)).await {
            tracing::error!(%error, "a batch was lost");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::{Semaphore, oneshot};

    use super::*;

    type Item = (u32, oneshot::Sender<usize>);

    fn limits(queue_len_max: usize, batch_len_max: usize, in_flight_max: usize) -> BatchLimits {
        BatchLimits { queue_len_max, batch_len_max, in_flight_max }
    }

    /// Answers each item with the length of its batch, once the gate lets the batch through.
    fn gated(limits: BatchLimits, gate: &Arc<Semaphore>) -> Batcher<Item> {
        let gate = Arc::clone(gate);
        Batcher::start(limits, move |batch: Vec<Item>| {
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
        batcher.try_push((0, reply)).unwrap();
        while batcher.sender().unwrap().capacity() < 100 {
            tokio::task::yield_now().await; // until the worker has taken the first
        }
        let rest: Vec<_> = (1..=25)
            .map(|n| {
                let (reply, answer) = oneshot::channel();
                batcher.try_push((n, reply)).unwrap();
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
            match batcher.try_push((7, reply)) {
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
        let batcher = Batcher::start(limits(100, 3, 2), move |batch: Vec<u32>| {
            let counter = Arc::clone(&counter);
            async move {
                counter.fetch_add(batch.len(), Ordering::SeqCst);
            }
        });
        for n in 0..50 {
            batcher.push(n).await.unwrap();
        }
        batcher.drain().await;
        assert_eq!(done.load(Ordering::SeqCst), 50);
        assert_eq!(batcher.try_push(1), Err(QueueFull(1)));
    }

    #[tokio::test]
    async fn a_panic_loses_its_batch_and_nothing_else() {
        let batcher = Batcher::start(limits(10, 1, 1), |batch: Vec<Item>| async move {
            for (n, reply) in batch {
                assert_ne!(n, 13);
                let _ = reply.send(1);
            }
        });
        let (unlucky, lost) = oneshot::channel();
        let (lucky, answer) = oneshot::channel();
        batcher.push((13, unlucky)).await.unwrap();
        batcher.push((14, lucky)).await.unwrap();
        assert!(lost.await.is_err());
        assert_eq!(answer.await, Ok(1));
    }
}
