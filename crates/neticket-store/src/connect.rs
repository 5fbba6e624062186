//! Connecting, migrating, and how a call is timed out and repeated.

use std::future::Future;
use std::io;
use std::path::Path;
use std::time::Duration;

use migrations::{Migrator, MigratorTrait};
use sea_orm::sqlx::mysql::{MySql, MySqlConnectOptions};
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use sea_orm::{ConnectionTrait, DbErr};
use tokio::time::{Instant, sleep, timeout_at};

use crate::error::{self, SqlxError, StoreError, TimedOut, is_transient, lost_its_connection};
use crate::pool::Pool;
use crate::transaction::{DatabaseTransaction, Reader, Writer};

/// How often a call is repeated after a deadlock, a lock that did not come, or a lost connection.
const REPEATS_MAX: u32 = 6;
/// Migrations may rebuild tables; they get this much longer than a call.
const MIGRATION_TIMEOUT_FACTOR: u32 = 60;
/// After a write was refused because the database cannot store anything, the store is not ready for so long:
/// no harmless write takes as much room as the one that was refused.
const REFUSAL_PERIOD: Duration = Duration::from_secs(5);
/// Bounds of how long the server lets a transaction stand idle, in seconds (see [`session_settings`]).
const IDLE_TRANSACTION_S: (u64, u64) = (2, 5);

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
    write: Writer,
    read: Reader,
    timeout: Duration,
    guard: bool,
}

/// What to do with a call whose connection was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AfterLoss {
    /// The call may have taken effect, and must not do so twice.
    Fail,
    /// The call recognises by its ids what it has done already.
    Repeat,
}

impl Store {
    /// Connects, without migrating.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer, [`StoreError::Internal`] if the URL is of no database
    /// that can be used.
    pub async fn connect(options: &StoreOptions) -> Result<Self, StoreError> {
        let timeout = Duration::from_millis(options.timeout_ms);
        let (write, read) = if options.url.starts_with("sqlite:") {
            connect_sqlite(options, timeout).await?
        } else {
            let pool = connect_mysql(options, timeout).await?;
            (pool.clone(), pool)
        };
        Ok(Self { write: Writer::new(write), read: Reader::new(read), timeout, guard: true })
    }

    /// Whether the database is a file beside this process, and this node the only one that can use it.
    pub fn is_embedded(&self) -> bool {
        self.read.pool().is_sqlite()
    }

    /// How many connections there are; on SQLite, the writer's too. Costs nothing.
    pub fn connections(&self) -> PoolUse {
        let (open, idle) = self.read.pool().len();
        if !self.is_embedded() {
            return PoolUse { open, idle };
        }
        let (writers, idle_writers) = self.write.pool().len();
        PoolUse { open: open + writers, idle: idle + idle_writers }
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// [`StoreError`]; on MySQL, which commits each change of the schema at once, part of it may have been applied.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let deadline = self.timeout * MIGRATION_TIMEOUT_FACTOR;
        tokio::time::timeout(deadline, async {
            let connection = self.write.pool().separate().await?;
            Migrator::up(&connection, None).await?;
            connection.close().await
        })
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
        tokio::time::timeout(deadline, async {
            let connection = self.write.pool().separate().await?;
            Migrator::down(&connection, None).await?;
            connection.close().await
        })
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
            let connection = self.read.pool().separate().await?;
            let pending = Migrator::get_pending_migrations_read_only(&connection).await?;
            connection.close().await?;
            Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
        })
        .await
    }

    /// Whether the store answers, and stores what it is given: a read, and on SQLite, whose writer is a
    /// connection of its own, a transaction that takes the write lock and writes nothing. For some seconds
    /// after a write was refused because the disk is full, it does not. On SQLite a small write has to
    /// succeed after that.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        let refused_at = self.write.pool().refused_at();
        self.attempt("a ping", || async move {
            self.read.execute_unprepared("SELECT 1").await?;
            if !self.is_embedded() {
                return Ok(());
            }
            if refused_at.is_none() {
                return self.begin().await?.rollback().await;
            }
            // Nobody reads this number. Writing it appends to the log, as every commit does.
            self.write.execute_unprepared("PRAGMA user_version = 0").await.map(drop)
        })
        .await?;
        if refused_at.is_some_and(|at| at.elapsed() < REFUSAL_PERIOD) {
            return Err(StoreError::Unavailable(Box::new(WritesRefused)));
        }
        self.write.pool().forget_refusal(refused_at);
        Ok(())
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
    pub(crate) fn reader(&self) -> &Reader {
        &self.read
    }

    /// Where single writes go.
    pub(crate) fn writer(&self) -> &Writer {
        &self.write
    }

    /// Begins a transaction that may write: on SQLite, by taking the write lock at once, since a transaction
    /// that takes it half-way is refused when someone else has written in between. On MySQL it is READ
    /// COMMITTED, and setting that is refused within a transaction: BEGIN alone would silently commit it.
    /// Dropping the transaction rolls it back.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let sql = if self.is_embedded() {
            "BEGIN IMMEDIATE"
        } else {
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN"
        };
        DatabaseTransaction::begin(self.write.pool(), sql).await
    }

    /// Begins a transaction that only reads, all of it as of the moment of its first statement, and holds up no commit.
    pub(crate) async fn begin_snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        // On SQLite every transaction is a snapshot, and the connections of `read` cannot write.
        let sql = if self.is_embedded() {
            "BEGIN"
        } else {
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; BEGIN"
        };
        DatabaseTransaction::begin(self.read.pool(), sql).await
    }

    /// Does `work` within the time a call may take; again, after a random pause, if it lost to someone else's
    /// lock. `work` is one statement or one transaction, so that what failed has left nothing behind. If it
    /// is given up, its connection is closed.
    pub(crate) async fn attempt<T, F>(
        &self,
        what: &'static str,
        work: impl Fn() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        self.attempt_as(AfterLoss::Fail, what, work).await
    }

    /// As [`Self::attempt`], and also again if its connection was lost, at COMMIT too: for work that
    /// recognises by its ids what it has done already.
    pub(crate) async fn attempt_idempotent<T, F>(
        &self,
        what: &'static str,
        work: impl Fn() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        self.attempt_as(AfterLoss::Repeat, what, work).await
    }

    async fn attempt_as<T, F>(
        &self,
        after_loss: AfterLoss,
        what: &'static str,
        work: impl Fn() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        let deadline = Instant::now() + self.timeout;
        let mut repeats = 0;
        loop {
            // In a box, so that the futures of callers do not nest too deeply for the compiler.
            let error = match timeout_at(deadline, Box::pin(work())).await {
                Err(_) => return Err(Self::timed_out(what, self.timeout)),
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => error,
            };
            let may_repeat =
                is_transient(&error) || after_loss == AfterLoss::Repeat && lost_its_connection(&error);
            if !may_repeat || repeats == REPEATS_MAX {
                return Err(error.into());
            }
            repeats += 1;
            tracing::debug!(what, repeats, %error, "trying again after a lock or a lost connection");
            sleep(error::pause(repeats)).await;
        }
    }

    fn timed_out(what: &'static str, timeout: Duration) -> StoreError {
        StoreError::Unavailable(Box::new(TimedOut { what, timeout_ms: timeout.as_millis() }))
    }
}

/// A server has refused a write within [`REFUSAL_PERIOD`].
#[derive(Debug, thiserror::Error)]
#[error("the database has just refused a write: there is no room, or it is read-only")]
struct WritesRefused;

/// How the settings of a session are written. READ COMMITTED: a statement after a lock sees what was
/// committed before the lock was had, and there are no gap locks. Strict mode: a value that does not fit is
/// an error. A lock is waited for at most half as long as the call may take.
///
/// A node that stops inside a transaction (frozen, or cut off) keeps its locks until the server ends the
/// transaction. MariaDB does so with `idle_transaction_timeout`. MySQL has no such setting, so there the
/// connection ends after that time, whether in a transaction or not, and the pool replaces it. The comments
/// are read by one of the two only. The time-outs of the network are for a node that stops while it sends a
/// statement or receives rows. The limit is half of what a call may take, so that a call of another node that
/// waits for the lock can still succeed, and far above any pause between two statements: nothing else is done
/// in between.
fn session_settings(timeout: Duration) -> String {
    let lock_wait_s = (timeout.as_secs() / 2).max(1);
    let (least, most) = IDLE_TRANSACTION_S;
    let idle_s = lock_wait_s.clamp(least, most);
    format!(
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), \
         SESSION innodb_lock_wait_timeout = {lock_wait_s}, \
         SESSION net_read_timeout = {idle_s}, SESSION net_write_timeout = {idle_s} \
         /*M!100300 , SESSION idle_transaction_timeout = {idle_s} */ \
         /*!80000 , SESSION wait_timeout = {idle_s} */; \
         SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
    )
}

/// How long a call may wait for a connection. One that got it later would be interrupted in the midst of its
/// work, which costs the connection: with many callers none would ever be done.
fn acquire_timeout(timeout: Duration) -> Duration {
    timeout * 3 / 4
}

async fn connect_mysql(options: &StoreOptions, timeout: Duration) -> Result<Pool, StoreError> {
    let connect: MySqlConnectOptions =
        options.url.parse().map_err(|error: SqlxError| StoreError::Internal(Box::new(error)))?;
    let settings = session_settings(timeout);
    let pool = PoolOptions::<MySql>::new()
        .max_connections(options.connections_max.max(1))
        .acquire_timeout(acquire_timeout(timeout))
        .after_connect(move |connection, _| {
            let settings = settings.clone();
            Box::pin(async move { connection.execute(AssertSqlSafe(settings)).await.map(drop) })
        });
    Ok(Pool::mysql(pool, connect.disable_statement_logging()).await?)
}

/// One connection that writes and several that read. WAL: readers do not wait for the writer. `synchronous=FULL`: what has
/// been committed survives a power cut.
async fn connect_sqlite(options: &StoreOptions, timeout: Duration) -> Result<(Pool, Pool), StoreError> {
    let parsed: SqliteConnectOptions =
        options.url.parse().map_err(|error: SqlxError| StoreError::Internal(Box::new(error)))?;
    let path = parsed.get_filename();
    // In memory each connection would have a database of its own; `file:` is a URI to SQLite, and `:memory:` one to SQLx.
    if options.url.contains("mode=memory") || path.as_os_str().as_encoded_bytes().starts_with(b"file:") {
        let error = DbErr::Custom("the store needs the path of a SQLite file".to_owned());
        return Err(StoreError::Internal(Box::new(error)));
    }
    make_file(path).await.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    let connect = parsed
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(timeout / 2)
        .disable_statement_logging();
    let pool = |connections_max| {
        PoolOptions::new().max_connections(connections_max).acquire_timeout(acquire_timeout(timeout))
    };
    // The writer first: it makes the file and switches it to WAL.
    let writer = Pool::sqlite(pool(1), connect.clone()).await?;
    let readers = pool(options.connections_max.max(1));
    Ok((writer, Pool::sqlite(readers, connect.pragma("query_only", "ON")).await?))
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
