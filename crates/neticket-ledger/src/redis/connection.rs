//! The connection to the server, or to each master of a cluster: shared by all calls, each call under a time-out, made anew
//! when lost.
//!
//! One connection is enough: the server does one thing at a time anyway, and calls that wait share packets. The driver says
//! when the connection is lost, so none has to be asked whether it is still there before it is used.

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

/// One server, or the cluster that these servers belong to.
enum Address {
    Server(Client),
    Cluster(Box<ClusterClient>),
}

/// A connection, and whether it was found lost.
#[derive(Clone)]
struct Link {
    connection: Connection,
    lost: Arc<AtomicBool>,
    /// Shared with the calls that are under way.
    calls: Arc<()>,
}

/// One server of a cluster, by the address that the driver knows it under.
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
    /// `url` is the address of a server, or several with commas between them: some masters of a cluster.
    pub(super) fn new(url: &str, timeout_ms: u64) -> Result<Self, LedgerError> {
        let urls: Vec<&str> = url.split(',').map(str::trim).collect();
        let to = match urls[..] {
            [url] => Address::Server(server(url).map_err(unavailable)?),
            _ => Address::Cluster(Box::new(cluster(&urls, timeout_ms).map_err(unavailable)?)),
        };
        Ok(Self { to, link: Mutex::default(), timeout_ms })
    }

    /// How the connection is used now: it counts as idle while no call is under way.
    pub(super) fn pool_use(&self) -> PoolUse {
        let link = self.link.try_lock().ok();
        let link = link.as_ref().and_then(|link| link.as_ref());
        let link = link.filter(|link| !link.lost.load(Ordering::Relaxed));
        let idle = link.filter(|link| Arc::strong_count(&link.calls) == 1);
        PoolUse { open: usize::from(link.is_some()), idle: usize::from(idle.is_some()) }
    }

    /// Sends one command. In a cluster its first key says to whom.
    pub(super) async fn query(&self, command: &Cmd) -> Result<Value, LedgerError> {
        self.in_time(async |mut connection| connection.send(command).await).await
    }

    /// Sends one command to the server, or to all masters of the cluster.
    pub(super) async fn query_all(&self, command: &Cmd) -> Result<Vec<Value>, LedgerError> {
        Ok(self.query_each(command).await?.into_iter().map(|(_, answer)| answer).collect())
    }

    /// The same, with which master answered what; `None` is the one server.
    pub(super) async fn query_each(&self, command: &Cmd) -> Result<Vec<(Option<Node>, Value)>, LedgerError> {
        self.in_time(async |mut connection| connection.send_to_each(command).await).await
    }

    /// Sends one command to this master of the cluster, and to no other; `None` is the one server.
    pub(super) async fn query_at(&self, node: Option<&Node>, command: &Cmd) -> Result<Value, LedgerError> {
        self.in_time(async |mut connection| connection.send_to(node, command).await).await
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.to, Address::Cluster(_))
    }

    /// Makes the next call use a new connection, which learns anew which masters there are.
    pub(super) async fn renew(&self) {
        if let Some(link) = &*self.link.lock().await {
            link.lost.store(true, Ordering::Relaxed);
        }
    }

    /// Runs a script, and teaches it to the server first if that does not know it.
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
        // Nobody may have been there any more: the next call finds out with a connection of its own.
        link.lost.store(true, Ordering::Relaxed);
        Err(timeout())
    }

    /// The present connection, or a new one if there is none any more.
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

/// The newer protocol: only with it the driver says when the connection is lost.
fn server(url: &str) -> RedisResult<Client> {
    let connection = url.into_connection_info()?;
    let settings = connection.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Client::open(connection.set_redis_settings(settings))
}

/// The driver finds lost connections itself here, by time-outs that fit into the one around each call. It sends nothing twice:
/// a call whose connection broke may have taken effect, and whoever made it decides. One that meets a slot which has moved
/// fails, and the next one finds it.
fn cluster(urls: &[&str], timeout_ms: u64) -> RedisResult<ClusterClient> {
    let timeout = Duration::from_millis(timeout_ms);
    ClusterClientBuilder::new(urls.iter().copied())
        .retries(0)
        .connection_timeout(timeout)
        .response_timeout(timeout)
        .build()
}

/// Sets `lost` when the connection is. The time-out around each call, connecting included, is the only one: the driver's own
/// would cut it short.
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

/// A script that fails is a fault of ours; everything else (no connection, loading, read-only, out of memory) passes.
fn refused(error: RedisError) -> LedgerError {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::ResponseError)
        | ErrorKind::UnexpectedReturnType
        | ErrorKind::Parse => LedgerError::Protocol(error.to_string()),
        _ => unavailable(error),
    }
}
