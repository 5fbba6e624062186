//! What statements run on: a transaction, or a connection that is taken for one read or write.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use tokio::sync::Mutex;

use crate::error;
use crate::pool::{LOST_REPEATS_MAX, Lease, Pool};

/// An open transaction. It replaces SeaORM's type of that name, which gives a connection back to its pool in
/// any state. Dropping it closes the connection, and the database rolls back.
pub(crate) struct DatabaseTransaction {
    lease: Mutex<Lease>,
    backend: DbBackend,
}

/// Runs single statements that only read, each on a connection from the pool. If the connection turns out to
/// be lost, the read runs again on another one.
#[derive(Clone, Debug)]
pub(crate) struct Reader(Pool);

/// Runs single statements that write, each on a connection from the pool that has just answered a ping. A
/// write must not run twice, so it is not retried.
#[derive(Clone, Debug)]
pub(crate) struct Writer(Pool);

impl DatabaseTransaction {
    /// Begins a transaction with `sql`.
    pub(crate) async fn begin(pool: &Pool, sql: &'static str) -> Result<Self, DbErr> {
        Ok(Self { lease: Mutex::new(pool.begin(sql).await?), backend: backend(pool) })
    }

    /// # Errors
    /// Unless the error says that the transaction was rolled back, it may have been committed.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        self.lease.into_inner().commit().await.map_err(error::commit)
    }

    /// # Errors
    /// Nothing was committed. The connection is closed, and the database rolls back.
    pub(crate) async fn rollback(self) -> Result<(), DbErr> {
        self.lease.into_inner().rollback().await.map_err(error::query)
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for DatabaseTransaction {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.lease.lock().await.execute(&statement).await.map_err(error::exec)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.lease.lock().await.execute_unprepared(sql).await.map_err(error::exec)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.lease.lock().await.fetch_one(&statement).await.map_err(error::query)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.lease.lock().await.fetch_all(&statement).await.map_err(error::query)
    }
}

/// Runs `$work` on a lease of `$pool`. Runs it again on another lease if the connection turns out to be lost.
macro_rules! repeat_if_lost {
    ($pool:expr, $lease:ident => $work:expr) => {{
        let mut repeats = 0;
        loop {
            let mut $lease = $pool.lease().await?;
            match $work.await {
                Err(error) if error::is_lost(&error) && repeats < LOST_REPEATS_MAX => repeats += 1,
                done => break done,
            }
        }
    }};
}

impl Reader {
    pub(crate) fn new(pool: Pool) -> Self {
        Self(pool)
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.0
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        backend(&self.0)
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        repeat_if_lost!(self.0, lease => lease.execute(&statement)).map_err(error::exec)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        repeat_if_lost!(self.0, lease => lease.execute_unprepared(sql)).map_err(error::exec)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        repeat_if_lost!(self.0, lease => lease.fetch_one(&statement)).map_err(error::query)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        repeat_if_lost!(self.0, lease => lease.fetch_all(&statement)).map_err(error::query)
    }
}

impl Writer {
    pub(crate) fn new(pool: Pool) -> Self {
        Self(pool)
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.0
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Writer {
    fn get_database_backend(&self) -> DbBackend {
        backend(&self.0)
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.0.live_lease().await?.execute(&statement).await.map_err(error::exec)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.0.live_lease().await?.execute_unprepared(sql).await.map_err(error::exec)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.0.live_lease().await?.fetch_one(&statement).await.map_err(error::query)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.0.live_lease().await?.fetch_all(&statement).await.map_err(error::query)
    }
}

fn backend(pool: &Pool) -> DbBackend {
    if pool.is_sqlite() { DbBackend::Sqlite } else { DbBackend::MySql }
}
