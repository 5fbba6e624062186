//! The event cache's own Redis connection, separate from the ledger's. So reads never wait behind bookings,
//! and bookings never wait behind reads. Every call has one short timeout that includes connecting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, IntoConnectionInfo, Pipeline, ProtocolVersion, PushInfo, PushKind,
    RedisFuture, RedisResult, Value,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::error::EventCacheError;

pub(super) struct Connection {
    to: Address,
    link: Mutex<Option<(Link, Arc<AtomicBool>)>>,
    timeout: Duration,
}

/// One server, or the cluster to which these servers belong.
enum Address {
    Server(Client),
    Cluster(Box<ClusterClient>),
}

#[derive(Clone)]
pub(super) enum Link {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    /// `url` is the address of a server, or the addresses of several masters of a cluster, separated by
    /// commas.
    pub(super) fn new(url: &str, timeout: Duration) -> RedisResult<Self> {
        let urls: Vec<&str> = url.split(',').map(str::trim).collect();
        let to = match urls[..] {
            [url] => Address::Server(server(url)?),
            _ => Address::Cluster(Box::new(cluster(&urls, timeout)?)),
        };
        Ok(Self { to, link: Mutex::default(), timeout })
    }

    /// Runs `work` on the connection, within the timeout.
    pub(super) async fn in_time<T>(
        &self,
        work: impl AsyncFnOnce(Link) -> RedisResult<T>,
    ) -> Result<T, EventCacheError> {
        let deadline = Instant::now() + self.timeout;
        let late = || EventCacheError::Timeout { timeout_ms: self.timeout.as_millis() };
        let (link, lost) = timeout_at(deadline, self.link()).await.map_err(|_| late())??;
        if let Ok(answer) = timeout_at(deadline, work(link)).await {
            return Ok(answer?);
        }
        // The server may be gone without having closed the connection. The next call opens a new one.
        lost.store(true, Ordering::Relaxed);
        Err(late())
    }

    /// The current connection, or a new one if there is none or it is lost.
    async fn link(&self) -> RedisResult<(Link, Arc<AtomicBool>)> {
        let mut present = self.link.lock().await;
        if let Some(link) = present.as_ref().filter(|(_, lost)| !lost.load(Ordering::Relaxed)) {
            return Ok(link.clone());
        }
        let lost = Arc::new(AtomicBool::new(false));
        let link = match &self.to {
            Address::Server(client) => {
                let config = noticing(Arc::clone(&lost));
                Link::Server(client.get_multiplexed_async_connection_with_config(&config).await?)
            }
            Address::Cluster(client) => Link::Cluster(client.get_async_connection().await?),
        };
        Ok(present.insert((link, lost)).clone())
    }
}

/// Uses RESP3, because the driver reports a lost connection only with that protocol.
fn server(url: &str) -> RedisResult<Client> {
    let connection = url.into_connection_info()?;
    let settings = connection.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Client::open(connection.set_redis_settings(settings))
}

fn cluster(urls: &[&str], timeout: Duration) -> RedisResult<ClusterClient> {
    let builder = ClusterClientBuilder::new(urls.iter().copied());
    builder.retries(0).connection_timeout(timeout).response_timeout(timeout).build()
}

/// The configuration of a connection. The driver sets `lost` when the connection is lost. It has no timeouts,
/// because each call has its own.
fn noticing(lost: Arc<AtomicBool>) -> AsyncConnectionConfig {
    let notice = move |push: PushInfo| {
        if push.kind == PushKind::Disconnection {
            lost.store(true, Ordering::Relaxed);
        }
        Ok::<(), ()>(())
    };
    AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_push_sender(notice)
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Server(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Server(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
