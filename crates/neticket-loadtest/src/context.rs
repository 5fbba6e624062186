//! What the connections of a worker share, and how they are opened a few at a time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::HeaderValue;
use tokio::sync::{Semaphore, mpsc, watch};

use crate::booking::Person;
use crate::connection::{Connection, Route};
use crate::shared::Shared;
use crate::worker_config::WorkerConfig;

/// Connections that are opened at the same time. More would overflow the server's backlog.
pub(crate) const OPENING_MAX: usize = 128;
/// The timeout for opening one connection.
pub(crate) const OPEN_TIMEOUT: Duration = Duration::from_secs(30);

/// What the connections of a worker share.
pub(crate) struct WorkerContext {
    pub(crate) worker_config: WorkerConfig,
    pub(crate) people: Vec<Person>,
    hosts: Vec<HeaderValue>,
    opening: Semaphore,
    opened: mpsc::Sender<bool>,
    go: watch::Receiver<Option<Arc<Shared>>>,
}

impl WorkerContext {
    /// `hosts`: the value of the `Host` header for each target. Each connection reports to `opened` whether
    /// it is open, and starts when `go` has a value.
    pub(crate) fn new(
        worker_config: WorkerConfig,
        people: Vec<Person>,
        hosts: Vec<HeaderValue>,
        opened: mpsc::Sender<bool>,
        go: watch::Receiver<Option<Arc<Shared>>>,
    ) -> Self {
        Self { worker_config, people, hosts, opening: Semaphore::new(OPENING_MAX), opened, go }
    }

    /// Connection `n` of this worker, not yet open, and the value of its `Host` header.
    pub(crate) fn connection(&self, n: usize) -> (Connection, &HeaderValue) {
        let target = n % self.worker_config.targets.len();
        let route =
            Route { target: self.worker_config.targets[target].address, source: self.worker_config.source };
        (Connection::new(route), &self.hosts[target])
    }

    /// Runs `open`, which opens a connection, a few at a time, and then waits for the start. `None`: the run
    /// does not start.
    pub(crate) async fn opened(&self, open: impl Future<Output = bool>) -> Option<Arc<Shared>> {
        let permit = self.opening.acquire().await.ok()?;
        let ok = open.await;
        drop(permit);
        self.opened.send(ok).await.ok()?;
        let mut go = self.go.clone();
        go.wait_for(Option::is_some).await.ok()?.clone()
    }
}
