//! The connections to the server: pooled, each call under a time-out, made anew when lost.

use std::future::Future;
use std::time::Duration;

use deadpool_redis::{Connection, Manager, Pool, PoolError, Runtime};
use redis::{AsyncConnectionConfig, Cmd, ErrorKind, RedisError, ServerErrorKind, Value};

use super::script::Call;
use crate::{LedgerError, PoolUse};

pub(super) struct Connections {
    pool: Pool,
    timeout_ms: u64,
}

impl Connections {
    pub(super) fn new(url: &str, timeout_ms: u64, pool_size: usize) -> Result<Self, LedgerError> {
        // The time-out around each call, connecting included, is the only one: the driver's own would cut it short.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let manager = Manager::new_with_config(url, config).map_err(unavailable)?;
        let pool = Pool::builder(manager).max_size(pool_size).runtime(Runtime::Tokio1).build();
        Ok(Self { pool: pool.map_err(unavailable)?, timeout_ms })
    }

    /// How the connections are used now.
    pub(super) fn pool_use(&self) -> PoolUse {
        let status = self.pool.status();
        PoolUse { open: status.size, idle: status.available }
    }

    /// Sends one command.
    pub(super) async fn query(&self, command: &Cmd) -> Result<Value, LedgerError> {
        self.in_time(async {
            let mut connection = self.connection().await?;
            command.query_async(&mut connection).await.map_err(refused)
        })
        .await
    }

    /// Runs a script, and teaches it to the server first if that does not know it.
    pub(super) async fn run(&self, call: Call) -> Result<Value, LedgerError> {
        self.in_time(async {
            let mut connection = self.connection().await?;
            match call.command().query_async(&mut connection).await {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    call.script().load_async(&mut connection).await.map_err(refused)?;
                    call.command().query_async(&mut connection).await.map_err(refused)
                }
                answer => answer.map_err(refused),
            }
        })
        .await
    }

    async fn connection(&self) -> Result<Connection, LedgerError> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => refused(error),
            error => unavailable(error),
        })
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, LedgerError>>) -> Result<T, LedgerError> {
        let timeout = LedgerError::Timeout { timeout_ms: self.timeout_ms };
        tokio::time::timeout(Duration::from_millis(self.timeout_ms), work).await.unwrap_or(Err(timeout))
    }
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
