//! The connection to the server, or to the masters of a cluster. All calls share it. Each call has a timeout.
//! A lost connection is replaced by a new one.
//!
//! One connection is enough: the server runs one command at a time anyway, and calls that wait share packets.
//! The driver reports a lost connection, so a connection needs no check before it is used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo, SingleNodeRoutingInfo};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, IntoConnectionInfo, ProtocolVersion, PushInfo, PushKind,
    RedisError, RedisResult, ServerErrorKind, Value,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::script::Call;
use crate::{LedgerError, PoolUse};

pub(super) struct Connections {
    to: Address,
    link: Mutex<Option<Link>>,
    timeout_ms: u64,
}

/// One server, or the cluster to which these servers belong.
enum Address {
    Server(Client),
    Cluster(Box<ClusterClient>),
}

/// A connection, and whether it is known to be lost.
#[derive(Clone)]
struct Link {
    connection: Connection,
    lost: Arc<AtomicBool>,
    /// Shared with the calls in progress. The reference count shows whether there are any.
    calls: Arc<()>,
}

/// One server of a cluster, by the address under which the driver knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node {
    host: String,
    port: u16,
}

#[derive(Clone)]
enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connections {
    /// `url` is the address of a server, or the addresses of several masters of a cluster with commas between
    /// them.
    pub(super) fn new(url: &str, timeout_ms: u64) -> Result<Self, LedgerError> {
        let urls: Vec<&str> = url.split(',').map(str::trim).collect();
        let to = match urls[..] {
            [url] => Address::Server(server(url).map_err(unavailable)?),
            _ => Address::Cluster(Box::new(cluster(&urls, timeout_ms).map_err(unavailable)?)),
        };
        Ok(Self { to, link: Mutex::default(), timeout_ms })
    }

    /// How the connection is used now. It counts as idle while no call is in progress.
    pub(super) fn pool_use(&self) -> PoolUse {
        let link = self.link.try_lock().ok();
        let link = link.as_ref().and_then(|link| link.as_ref());
        let link = link.filter(|link| !link.lost.load(Ordering::Relaxed));
        let idle = link.filter(|link| Arc::strong_count(&link.calls) == 1);
        PoolUse { open: usize::from(link.is_some()), idle: usize::from(idle.is_some()) }
    }

    /// Sends one command. In a cluster, its first key decides which master receives it.
    pub(super) async fn query(&self, command: &Cmd) -> Result<Value, LedgerError> {
        self.in_time(async |mut connection| connection.send(command).await).await
    }

    /// Sends one command to the server, or to all masters of the cluster.
    pub(super) async fn query_all(&self, command: &Cmd) -> Result<Vec<Value>, LedgerError> {
        Ok(self.query_each(command).await?.into_iter().map(|(_, answer)| answer).collect())
    }

    /// The same, with the master that gave each answer; `None` is the single server.
    pub(super) async fn query_each(&self, command: &Cmd) -> Result<Vec<(Option<Node>, Value)>, LedgerError> {
        self.in_time(async |mut connection| connection.send_to_each(command).await).await
    }

    /// Sends one command to this master of the cluster only; `None` is the single server.
    pub(super) async fn query_at(&self, node: Option<&Node>, command: &Cmd) -> Result<Value, LedgerError> {
        self.in_time(async |mut connection| connection.send_to(node, command).await).await
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.to, Address::Cluster(_))
    }

    /// Makes the next call use a new connection, which then finds out again which masters there are.
    pub(super) async fn renew(&self) {
        if let Some(link) = &*self.link.lock().await {
            link.lost.store(true, Ordering::Relaxed);
        }
    }

    /// Runs a script. If the server does not know it, sends its source.
    pub(super) async fn run(&self, call: Call) -> Result<Value, LedgerError> {
        let run = async |mut connection: Connection| match connection.send(call.command()).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                connection.send(&call.with_source()).await
            }
            answer => answer,
        };
        self.in_time(run).await
    }

    async fn in_time<T>(
        &self,
        work: impl AsyncFnOnce(Connection) -> RedisResult<T>,
    ) -> Result<T, LedgerError> {
        let deadline = Instant::now() + Duration::from_millis(self.timeout_ms);
        let timeout = || LedgerError::Timeout { timeout_ms: self.timeout_ms };
        let link = timeout_at(deadline, self.link()).await.map_err(|_| timeout())?.map_err(refused)?;
        if let Ok(answer) = timeout_at(deadline, work(link.connection.clone())).await {
            return answer.map_err(refused);
        }
        // The server may be gone, so the next call opens a new connection.
        link.lost.store(true, Ordering::Relaxed);
        Err(timeout())
    }

    /// The present connection, or a new one if there is none or it is lost.
    async fn link(&self) -> RedisResult<Link> {
        let mut present = self.link.lock().await;
        if let Some(link) = present.as_ref().filter(|link| !link.lost.load(Ordering::Relaxed)) {
            return Ok(link.clone());
        }
        let lost = Arc::new(AtomicBool::new(false));
        let connection = match &self.to {
            Address::Server(client) => {
                let config = noticing(Arc::clone(&lost));
                Connection::Server(client.get_multiplexed_async_connection_with_config(&config).await?)
            }
            Address::Cluster(client) => Connection::Cluster(client.get_async_connection().await?),
        };
        Ok(present.insert(Link { connection, lost, calls: Arc::default() }).clone())
    }
}

impl Connection {
    async fn send(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Server(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }

    async fn send_to_each(&mut self, command: &Cmd) -> RedisResult<Vec<(Option<Node>, Value)>> {
        match self {
            Self::Server(connection) => Ok(vec![(None, command.query_async(connection).await?)]),
            Self::Cluster(connection) => {
                let masters = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                match connection.route_command(command.clone(), masters).await? {
                    Value::Map(answers) => {
                        answers.into_iter().map(|(name, answer)| Ok((Node::parse(name)?, answer))).collect()
                    }
                    answer => Ok(vec![(None, answer)]),
                }
            }
        }
    }

    async fn send_to(&mut self, node: Option<&Node>, command: &Cmd) -> RedisResult<Value> {
        match (self, node) {
            (Self::Cluster(connection), Some(Node { host, port })) => {
                let to = SingleNodeRoutingInfo::ByAddress { host: host.clone(), port: *port };
                connection.route_command(command.clone(), RoutingInfo::SingleNode(to)).await?.extract_error()
            }
            (connection, _) => connection.send(command).await,
        }
    }
}

impl Node {
    /// The driver names masters as `host:port`.
    fn parse(name: Value) -> RedisResult<Option<Self>> {
        let name: String = redis::from_redis_value(name)?;
        let parts = name.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        Ok(parts.map(|(host, port)| Self { host: host.to_owned(), port }))
    }
}

/// Uses RESP3, because only with this protocol the driver reports a lost connection.
fn server(url: &str) -> RedisResult<Client> {
    let connection = url.into_connection_info()?;
    let settings = connection.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Client::open(connection.set_redis_settings(settings))
}

/// In a cluster, the driver finds lost connections itself. Its timeouts are as long as the one around each
/// call. It does not repeat a call: a call whose connection broke may have taken effect, and the caller
/// decides what to do. A call for a slot that has moved fails, and the next one finds the slot.
fn cluster(urls: &[&str], timeout_ms: u64) -> RedisResult<ClusterClient> {
    let timeout = Duration::from_millis(timeout_ms);
    ClusterClientBuilder::new(urls.iter().copied())
        .retries(0)
        .connection_timeout(timeout)
        .response_timeout(timeout)
        .build()
}

/// Sets `lost` when the connection is lost. The driver's own timeouts are off, because they would end a call
/// before the timeout around it does, which includes connecting.
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

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> LedgerError {
    LedgerError::Unavailable(Box::new(error))
}

/// An error in a script is a bug of ours. Every other error (no connection, loading, read-only, out of
/// memory) is temporary.
fn refused(error: RedisError) -> LedgerError {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::ResponseError)
        | ErrorKind::UnexpectedReturnType
        | ErrorKind::Parse => LedgerError::Protocol(error.to_string()),
        _ => unavailable(error),
    }
}
