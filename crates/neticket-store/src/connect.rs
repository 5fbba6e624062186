//! Connecting, migrating, and how a call is timed out and repeated.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use migrations::{Migrator, MigratorTrait};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Executor};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    IsolationLevel, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::time::{Instant, sleep, timeout_at};

use crate::error::{StoreError, TimedOut, is_transient};

/// How often a call is repeated after a deadlock or a lock that did not come.
const REPEATS_MAX: u32 = 6;
/// A pooled connection that has been idle for longer is asked whether it is still alive before it is used.
const IDLE_PING_MS: u64 = 5_000;
/// Migrations may rebuild tables; they get this much longer than a call.
const MIGRATION_TIMEOUT_FACTOR: u32 = 60;

/// Where the store is and how it is called.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// `mysql://user:password@host/database` or `sqlite:path` (relative to the working directory, or absolute). A SQLite
    /// file, and its folder, are made if they are not there, for this user's eyes only; those that are there keep their
    /// modes.
    pub url: String,
    /// Most connections at once, per node; on SQLite, most readers.
    pub connections_max: u32,
    /// How long one call may take, waiting for a connection and repeats included, in milliseconds.
    pub timeout_ms: u64,
}

impl StoreOptions {
    /// For `url`, with 16 connections and 5 s per call.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections_max: 16, timeout_ms: 5_000 }
    }
}

/// How a pool's connections are used at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUse {
    /// Connections there are, idle ones included.
    pub open: usize,
    pub idle: usize,
}

/// The SQL database. Cheap to clone; clones share the connections.
#[derive(Clone, Debug)]
pub struct Store {
    /// On SQLite one connection, so that writers queue here and not in SQLite's busy loop.
    write: DatabaseConnection,
    read: DatabaseConnection,
    timeout: Duration,
    guard: bool,
    suspicion: Suspicion,
}

/// When a call was last given up. Its connection may be in the midst of anything, such as a transaction that nobody knows to
/// have begun, or an answer of which nobody knows how much is still to come: so every connection that was there by then is
/// closed when it is next given back, instead of being tested, which could wait for ever.
#[derive(Clone, Debug, Default)]
struct Suspicion(Arc<Mutex<Option<std::time::Instant>>>);

impl Suspicion {
    fn raise(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::time::Instant::now());
    }

    /// Raises it unless it is told that what is about to be done has come to its end: whoever asked may go away before.
    fn watch(&self) -> Watch<'_> {
        Watch { suspicion: self, is_over: false }
    }

    /// Whether a connection of this age was there when a call was given up.
    fn covers(&self, age: Duration) -> bool {
        let raised = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        raised.is_some_and(|at| age >= at.elapsed())
    }
}

/// Sees a call come to its end. Has to go before the call does, and with it the connection.
struct Watch<'a> {
    suspicion: &'a Suspicion,
    is_over: bool,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.suspicion.raise();
        }
    }
}

impl Store {
    /// Connects, without migrating.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer, [`StoreError::Internal`] if the URL is of no database
    /// that can be used.
    pub async fn connect(options: &StoreOptions) -> Result<Self, StoreError> {
        let timeout = Duration::from_millis(options.timeout_ms);
        let suspicion = Suspicion::default();
        let (write, read) = if options.url.starts_with("sqlite:") {
            connect_sqlite(options, timeout).await?
        } else {
            let connection = connect_mysql(options, timeout, suspicion.clone()).await?;
            (connection.clone(), connection)
        };
        Ok(Self { write, read, timeout, guard: true, suspicion })
    }

    /// Whether the database is a file beside this process, and this node the only one that can use it.
    pub fn is_embedded(&self) -> bool {
        self.read.get_database_backend() == DbBackend::Sqlite
    }

    /// How many connections there are; on SQLite, the writer's too. Costs nothing.
    pub fn connections(&self) -> PoolUse {
        let of = |size: u32, idle| PoolUse { open: usize::try_from(size).unwrap_or(usize::MAX), idle };
        if !self.is_embedded() {
            let pool = self.read.get_mysql_connection_pool();
            return of(pool.size(), pool.num_idle());
        }
        let (write, read) = (self.write.get_sqlite_connection_pool(), self.read.get_sqlite_connection_pool());
        of(write.size() + read.size(), write.num_idle() + read.num_idle())
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// [`StoreError`]; on MySQL, which commits each change of the schema at once, part of it may have been applied.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let deadline = self.timeout * MIGRATION_TIMEOUT_FACTOR;
        tokio::time::timeout(deadline, Migrator::up(&self.write, None))
            .await
            .map_err(|_| Self::timed_out("migrating", deadline))?
            .map_err(StoreError::from)
    }

    /// Undoes every migration: drops all tables and what is in them.
    ///
    /// # Errors
    /// [`StoreError`]; part of it may have been undone.
    pub async fn unmigrate(&self) -> Result<(), StoreError> {
        let deadline = self.timeout * MIGRATION_TIMEOUT_FACTOR;
        tokio::time::timeout(deadline, Migrator::down(&self.write, None))
            .await
            .map_err(|_| Self::timed_out("undoing the migrations", deadline))?
            .map_err(StoreError::from)
    }

    /// The names of the migrations that have not been applied, in order. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn migrations_pending(&self) -> Result<Vec<String>, StoreError> {
        self.attempt("listing migrations", || async {
            let pending = Migrator::get_pending_migrations_read_only(&self.read).await?;
            Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
        })
        .await
    }

    /// Whether the store answers: a read, and on SQLite, whose writer is a connection of its own, a transaction that takes
    /// the write lock and writes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.attempt("a ping", || async {
            self.read.execute_unprepared("SELECT 1").await?;
            if self.is_embedded() { self.begin().await?.rollback().await } else { Ok(()) }
        })
        .await
    }

    /// Switches the guard off: epoch and seats are no longer looked at when committing. For negative controls only, which
    /// show that a test would notice overselling.
    #[doc(hidden)]
    #[must_use]
    pub fn without_guard(self) -> Self {
        Self { guard: false, ..self }
    }

    pub(crate) fn guarded(&self) -> bool {
        self.guard
    }

    /// Where single reads go.
    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.read
    }

    /// Where single writes go.
    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.write
    }

    /// Begins a transaction that may write: on SQLite, by taking the write lock at once, since a transaction that takes it
    /// half-way is refused when someone else has written in between. On MySQL the session's isolation level is
    /// READ COMMITTED (see [`connect_mysql`]). Dropping the transaction rolls it back.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let mode = self.is_embedded().then_some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: mode, ..TransactionOptions::default() };
        self.write.begin_with_options(options).await
    }

    /// Begins a transaction that only reads, all of it as of the moment of its first statement, and holds up no commit.
    pub(crate) async fn begin_snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        // On SQLite every transaction is a snapshot, and the connections of `read` cannot write.
        let isolation_level = (!self.is_embedded()).then_some(IsolationLevel::RepeatableRead);
        let options = TransactionOptions { isolation_level, ..TransactionOptions::default() };
        self.read.begin_with_options(options).await
    }

    /// Does `work` within the time a call may take; again, after a random pause, if it lost to someone else's lock. `work`
    /// is one statement or one transaction, so that what failed has left nothing behind.
    pub(crate) async fn attempt<T, F>(
        &self,
        what: &'static str,
        work: impl Fn() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        let deadline = Instant::now() + self.timeout;
        let mut repeats = 0;
        loop {
            let call = pin!(work());
            // Goes before `call`, also where whoever waits for this goes away.
            let mut watch = self.suspicion.watch();
            let done = timeout_at(deadline, call).await;
            watch.is_over = done.is_ok();
            drop(watch);
            match done {
                Err(_) => return Err(Self::timed_out(what, self.timeout)),
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) if repeats < REPEATS_MAX && is_transient(&error) => {
                    repeats += 1;
                    tracing::debug!(what, repeats, %error, "lost to a lock, trying again");
                    sleep(Duration::from_millis(rand::random_range(1..=4_u64 << repeats))).await;
                }
                Ok(Err(error)) => return Err(error.into()),
            }
        }
    }

    fn timed_out(what: &'static str, timeout: Duration) -> StoreError {
        StoreError::Unavailable(Box::new(TimedOut { what, timeout_ms: timeout.as_millis() }))
    }
}

fn connect_options(options: &StoreOptions, timeout: Duration) -> ConnectOptions {
    let mut connect = ConnectOptions::new(options.url.clone());
    connect
        .max_connections(options.connections_max.max(1))
        .acquire_timeout(timeout)
        .test_before_acquire_if_idle_for(Duration::from_millis(IDLE_PING_MS))
        .sqlx_logging(false)
        .record_stmt_in_spans(false);
    connect
}

/// READ COMMITTED: a statement after a lock sees what was committed before the lock was had, and there are no gap locks.
/// Strict mode: a value that does not fit is an error. A lock is waited for at most half as long as the call may take.
async fn connect_mysql(
    options: &StoreOptions,
    timeout: Duration,
    suspicion: Suspicion,
) -> Result<DatabaseConnection, StoreError> {
    let lock_wait_s = (timeout.as_secs() / 2).max(1);
    let session = format!(
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), \
         SESSION innodb_lock_wait_timeout = {lock_wait_s}; \
         SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
    );
    let mut connect = connect_options(options, timeout);
    connect.map_sqlx_mysql_pool_opts(move |pool| {
        let (session, suspicion) = (session.clone(), suspicion.clone());
        let pool = pool.after_release(move |_, connection| {
            let is_trusted = !suspicion.covers(connection.age);
            Box::pin(async move { Ok(is_trusted) })
        });
        pool.after_connect(move |connection, _| {
            let session = session.clone();
            Box::pin(async move {
                connection.execute(sqlx::AssertSqlSafe(session)).await?;
                Ok(())
            })
        })
    });
    Ok(Database::connect(connect).await?)
}

/// One connection that writes and several that read. WAL: readers do not wait for the writer. `synchronous=FULL`: what has
/// been committed survives a power cut.
async fn connect_sqlite(
    options: &StoreOptions,
    timeout: Duration,
) -> Result<(DatabaseConnection, DatabaseConnection), StoreError> {
    let parsed: SqliteConnectOptions =
        options.url.parse().map_err(|error: sqlx::Error| StoreError::Internal(Box::new(error)))?;
    let path = parsed.get_filename();
    // In memory each connection would have a database of its own; `file:` is a URI to SQLite, and `:memory:` one to SQLx.
    if options.url.contains("mode=memory") || path.as_os_str().as_encoded_bytes().starts_with(b"file:") {
        let error = DbErr::Custom("the store needs the path of a SQLite file".to_owned());
        return Err(StoreError::Internal(Box::new(error)));
    }
    make_file(path).await.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    let configure = move |sqlite: SqliteConnectOptions| {
        sqlite
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(timeout / 2)
    };
    let mut writer = connect_options(options, timeout);
    writer.max_connections(1).map_sqlx_sqlite_opts(configure);
    let mut reader = connect_options(options, timeout);
    reader.map_sqlx_sqlite_opts(move |sqlite| configure(sqlite).pragma("query_only", "ON"));
    // The writer first: it makes the file and switches it to WAL.
    Ok((Database::connect(writer).await?, Database::connect(reader).await?))
}

/// Makes an empty file, and its folder, unless they are there. The file holds password hashes and the folder may hold
/// keys: no other user of the machine may read either. SQLite gives the files beside it (`-wal`, `-shm`) the file's mode.
async fn make_file(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
        let mut make = tokio::fs::DirBuilder::new();
        make.recursive(true);
        #[cfg(unix)]
        make.mode(0o700);
        make.create(folder).await?;
    }
    let mut make = tokio::fs::OpenOptions::new();
    // Never one that is there: closing any handle of a file gives up all locks that this process has on it.
    make.write(true).create_new(true);
    #[cfg(unix)]
    make.mode(0o600);
    match make.open(path).await {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
