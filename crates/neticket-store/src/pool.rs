//! Pools of connections, and when a connection may be used again.
//!
//! A connection goes back to its pool only in a known state: every statement on it was answered, and a
//! transaction that was begun on it has ended with a confirmed COMMIT or ROLLBACK. In every other case it is
//! closed, and the database rolls back what was open on it. This includes timeouts and callers that were
//! cancelled.
//!
//! SQLx would use such a connection again. When SQLite rolls back by itself (the disk is full), SQLx still
//! counts one open transaction and begins the next one as a savepoint. A later ROLLBACK leaves that savepoint
//! open, so nothing is committed any more (docs/decisions/0027).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sqlx::mysql::{MySql, MySqlConnectOptions, MySqlPool};
use sea_orm::sqlx::pool::{PoolConnection, PoolOptions};
use sea_orm::sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqlitePool};
use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _, Executor as _, IntoArguments};
use sea_orm::{
    DatabaseConnection, DbErr, ExecResult, QueryResult, SqlxMySqlConnector, SqlxSqliteConnector, Statement,
};
use sea_query_sqlx::SqlxValues;

use crate::error::{self, SqlxError};

/// A pooled connection that was idle for longer than this is tested before it is used. This is shorter than
/// the time for which a server keeps an idle connection (see `connect::session_settings`).
const IDLE_TEST: Duration = Duration::from_secs(1);
/// While the server refuses writes because it is read-only, all idle connections are replaced at most once
/// per this period. New connections may lead to another server by then. Reads continue in the meantime.
const READ_ONLY_PERIOD: Duration = Duration::from_secs(1);
/// The timeout for giving a connection back to the pool, which tests whether the connection still answers.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often connecting is retried after a connection was lost while it was being made.
const CONNECT_REPEATS_MAX: u32 = 6;
/// How often BEGIN or a read is retried after its connection turned out to be lost.
pub(crate) const LOST_REPEATS_MAX: u32 = 3;

/// Connections to one database. Cheap to clone; clones share the connections.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    connections: Connections,
    /// When the caller took the connection that was most recently found lost. Connections that were opened
    /// before that moment may be lost too.
    lost: LatestMoment,
    /// When the database last refused a write because it cannot store anything.
    refused: LatestMoment,
}

#[derive(Clone, Debug)]
enum Connections {
    MySql(MySqlPool),
    Sqlite(SqlitePool),
}

/// A moment that only moves forward, until it is cleared. Clones share it.
#[derive(Clone, Debug, Default)]
struct LatestMoment(Arc<Mutex<Option<Instant>>>);

/// A connection in use by one caller. Dropping the lease gives the connection back to the pool if its state
/// is known, and closes it otherwise.
pub(crate) struct Lease {
    connection: Connection,
    state: State,
    taken_at: Instant,
    pool: Pool,
}

enum Connection {
    MySql(PoolConnection<MySql>),
    Sqlite(PoolConnection<Sqlite>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is open. The connection can be given back.
    Idle,
    InTransaction,
    /// A statement was not answered, or its error may have ended the transaction. No further statement is
    /// sent, because outside its transaction it would take effect at once.
    Unknown,
}

/// Runs the same code on a connection of either kind.
macro_rules! on_connection {
    ($connection:expr, $inner:ident => $work:expr) => {
        match $connection {
            Connection::MySql($inner) => $work,
            Connection::Sqlite($inner) => $work,
        }
    };
}

impl Pool {
    /// Makes a pool and its first connection.
    pub(crate) async fn mysql(
        options: PoolOptions<MySql>,
        connect: MySqlConnectOptions,
    ) -> Result<Self, DbErr> {
        let lost = LatestMoment::default();
        let pool = tested(options, &lost).connect_with(connect).await.map_err(error::connect)?;
        Ok(Self { connections: Connections::MySql(pool), lost, refused: LatestMoment::default() })
    }

    /// Makes a pool and its first connection.
    pub(crate) async fn sqlite(
        options: PoolOptions<Sqlite>,
        connect: SqliteConnectOptions,
    ) -> Result<Self, DbErr> {
        let lost = LatestMoment::default();
        let pool = tested(options, &lost).connect_with(connect).await.map_err(error::connect)?;
        Ok(Self { connections: Connections::Sqlite(pool), lost, refused: LatestMoment::default() })
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.connections, Connections::Sqlite(_))
    }

    /// The connections to SQLite, for tests that inspect them.
    #[cfg(test)]
    pub(crate) fn sqlite_connections(&self) -> &SqlitePool {
        match &self.connections {
            Connections::Sqlite(pool) => pool,
            Connections::MySql(_) => panic!("not a SQLite pool"),
        }
    }

    /// The number of open connections, and how many of them are idle.
    pub(crate) fn len(&self) -> (usize, usize) {
        let (size, idle) = match &self.connections {
            Connections::MySql(pool) => (pool.size(), pool.num_idle()),
            Connections::Sqlite(pool) => (pool.size(), pool.num_idle()),
        };
        (usize::try_from(size).unwrap_or(usize::MAX), idle)
    }

    /// Opens a connection outside the pool with the same configuration. It is for migrations, which need
    /// SeaORM's own connection type. The caller closes it.
    pub(crate) async fn separate(&self) -> Result<DatabaseConnection, DbErr> {
        match &self.connections {
            Connections::MySql(pool) => {
                let options = pool.options().clone().max_connections(1);
                let pool = options.connect_with((*pool.connect_options()).clone()).await;
                pool.map(SqlxMySqlConnector::from_sqlx_mysql_pool).map_err(error::connect)
            }
            Connections::Sqlite(pool) => {
                let options = pool.options().clone().max_connections(1);
                let pool = options.connect_with((*pool.connect_options()).clone()).await;
                pool.map(SqlxSqliteConnector::from_sqlx_sqlite_pool).map_err(error::connect)
            }
        }
    }

    /// When the database last refused a write because it cannot store anything.
    pub(crate) fn refused_at(&self) -> Option<Instant> {
        self.refused.get()
    }

    /// Clears the record of the refused write, unless another write was refused after `at`.
    pub(crate) fn clear_refusal(&self, at: Option<Instant>) {
        self.refused.clear_if(at);
    }

    /// Takes a connection.
    pub(crate) async fn lease(&self) -> Result<Lease, DbErr> {
        let mut repeats = 0;
        let connection = loop {
            match self.acquire().await {
                Ok(connection) => break connection,
                Err(error) if error::is_lost(&error) && repeats < CONNECT_REPEATS_MAX => {
                    repeats += 1;
                    tokio::time::sleep(error::pause(repeats)).await;
                }
                Err(error) => return Err(error::connect(error)),
            }
        };
        Ok(Lease { connection, state: State::Idle, taken_at: Instant::now(), pool: self.clone() })
    }

    /// Takes a connection that has just answered a ping.
    pub(crate) async fn live_lease(&self) -> Result<Lease, DbErr> {
        let mut repeats = 0;
        loop {
            let mut lease = self.lease().await?;
            match lease.ping().await {
                Ok(()) => return Ok(lease),
                Err(error) if error::is_lost(&error) && repeats < LOST_REPEATS_MAX => repeats += 1,
                Err(error) => return Err(error::connect(error)),
            }
        }
    }

    /// Takes a connection and begins a transaction on it with `sql`. If the connection turns out to be lost,
    /// another one is used, because nothing has happened on the lost one.
    pub(crate) async fn begin(&self, sql: &'static str) -> Result<Lease, DbErr> {
        let mut repeats = 0;
        loop {
            let mut lease = self.lease().await?;
            match lease.begin(sql).await {
                Ok(()) => return Ok(lease),
                Err(error) if error::is_lost(&error) && repeats < LOST_REPEATS_MAX => repeats += 1,
                Err(error) => return Err(error::query(error)),
            }
        }
    }

    async fn acquire(&self) -> Result<Connection, SqlxError> {
        Ok(match &self.connections {
            Connections::MySql(pool) => Connection::MySql(pool.acquire().await?),
            Connections::Sqlite(pool) => Connection::Sqlite(pool.acquire().await?),
        })
    }
}

/// Configures the pool to test a connection before use if there is a reason to doubt it.
fn tested<DB: sqlx::Database>(options: PoolOptions<DB>, lost: &LatestMoment) -> PoolOptions<DB> {
    let lost = lost.clone();
    options.test_before_acquire(false).before_acquire(move |connection, about| {
        let lost = lost.clone();
        let taken_at = Instant::now();
        let is_doubtful = lost.get().is_some_and(|at| about.age >= at.elapsed());
        Box::pin(async move {
            if is_doubtful {
                return Ok(false);
            }
            if about.idle_for < IDLE_TEST {
                return Ok(true);
            }
            let answers = connection.ping().await.is_ok();
            if !answers {
                lost.advance(taken_at);
            }
            Ok(answers)
        })
    })
}

impl Lease {
    /// Runs `sql` without values.
    pub(crate) async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, SqlxError> {
        let before = self.start()?;
        let done = on_connection!(&mut self.connection, connection => {
            connection.execute(AssertSqlSafe(sql.to_owned())).await.map(Into::into)
        });
        self.finish(before, done)
    }

    pub(crate) async fn execute(&mut self, statement: &Statement) -> Result<ExecResult, SqlxError> {
        let before = self.start()?;
        let done = on_connection!(&mut self.connection, connection => {
            query(statement).execute(&mut **connection).await.map(Into::into)
        });
        self.finish(before, done)
    }

    /// The first row.
    pub(crate) async fn fetch_one(
        &mut self,
        statement: &Statement,
    ) -> Result<Option<QueryResult>, SqlxError> {
        let before = self.start()?;
        let done = on_connection!(&mut self.connection, connection => {
            query(statement).fetch_optional(&mut **connection).await.map(|row| row.map(Into::into))
        });
        self.finish(before, done)
    }

    pub(crate) async fn fetch_all(&mut self, statement: &Statement) -> Result<Vec<QueryResult>, SqlxError> {
        let before = self.start()?;
        let done = on_connection!(&mut self.connection, connection => {
            let rows = query(statement).fetch_all(&mut **connection).await;
            rows.map(|rows| rows.into_iter().map(Into::into).collect())
        });
        self.finish(before, done)
    }

    /// Commits the transaction.
    pub(crate) async fn commit(&mut self) -> Result<(), SqlxError> {
        self.end("COMMIT").await
    }

    /// Rolls the transaction back.
    pub(crate) async fn rollback(&mut self) -> Result<(), SqlxError> {
        self.end("ROLLBACK").await
    }

    async fn begin(&mut self, sql: &str) -> Result<(), SqlxError> {
        self.execute_to(State::InTransaction, sql).await
    }

    async fn end(&mut self, sql: &str) -> Result<(), SqlxError> {
        self.execute_to(State::Idle, sql).await
    }

    /// Runs `sql`, which changes the state to `state`. If `sql` fails, the state is unknown.
    async fn execute_to(&mut self, state: State, sql: &str) -> Result<(), SqlxError> {
        let done = self.execute_unprepared(sql).await;
        self.state = if done.is_ok() { state } else { State::Unknown };
        done.map(drop)
    }

    async fn ping(&mut self) -> Result<(), SqlxError> {
        let before = self.start()?;
        let done = on_connection!(&mut self.connection, connection => connection.ping().await);
        self.finish(before, done)
    }

    /// The state is unknown from here until [`Self::finish`], also if the caller is cancelled in between.
    fn start(&mut self) -> Result<State, SqlxError> {
        match std::mem::replace(&mut self.state, State::Unknown) {
            State::Unknown => Err(SqlxError::Protocol("the state of the connection is unknown".to_owned())),
            known => Ok(known),
        }
    }

    fn finish<T>(&mut self, before: State, done: Result<T, SqlxError>) -> Result<T, SqlxError> {
        let error = match done {
            Ok(value) => {
                self.state = before;
                return Ok(value);
            }
            Err(error) => error,
        };
        let is_usable = match before {
            State::Idle => error::leaves_connection_usable(&error),
            State::InTransaction => error::leaves_transaction_open(&error),
            State::Unknown => false,
        };
        if is_usable {
            self.state = before;
        }
        let others_are_doubtful = !error::is_read_only(&error)
            || self.pool.lost.get().is_none_or(|at| at.elapsed() >= READ_ONLY_PERIOD);
        if error::is_lost(&error) && others_are_doubtful {
            self.pool.lost.advance(self.taken_at);
        }
        if error::is_write_refused(&error) {
            self.pool.refused.advance(Instant::now());
        }
        Err(error)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let can_be_reused = self.state == State::Idle;
        on_connection!(&mut self.connection, connection => {
            if can_be_reused {
                // `return_to_pool` tests the connection and has no time limit of its own. A connection that
                // does not answer is dropped together with the future.
                tokio::spawn(tokio::time::timeout(RELEASE_TIMEOUT, connection.return_to_pool()));
            } else {
                connection.close_on_drop();
            }
        });
    }
}

fn query<DB>(statement: &Statement) -> sqlx::query::Query<'_, DB, SqlxValues>
where
    DB: sqlx::Database,
    SqlxValues: IntoArguments<DB>,
{
    let values = statement.values.clone().unwrap_or(sea_orm::Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}

impl LatestMoment {
    fn get(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self, at: Instant) {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = (*latest).max(Some(at));
    }

    fn clear_if(&self, at: Option<Instant>) {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *latest == at {
            *latest = None;
        }
    }
}

#[cfg(test)]
mod tests;
