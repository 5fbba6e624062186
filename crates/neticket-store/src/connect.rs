//! Connecting, migrating, and the timeout and the retries of a call.

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

/// How often a call is retried after a deadlock, a lock timeout, or a lost connection.
const REPEATS_MAX: u32 = 6;
/// Migrations may rebuild tables. Their timeout is this many times that of a call.
const MIGRATION_TIMEOUT_FACTOR: u32 = 60;
/// After the database has refused a write because it cannot store anything, the store reports for this long
/// that it is not ready. A small test write proves nothing, because it needs less room than the write that
/// was refused.
const REFUSAL_PERIOD: Duration = Duration::from_secs(5);
/// Lower and upper bound of the time for which the server lets a transaction stand idle, in seconds (see
/// [`session_settings`]).
const IDLE_TRANSACTION_S: (u64, u64) = (2, 5);

/// Where the store is and how it is called.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// `mysql://user:password@host/database` or `sqlite:path` (relative to the working directory, or
    /// absolute). A missing SQLite file and its missing folder are created so that only this user can read
    /// them. Existing ones keep their modes.
    pub url: String,
    /// The maximum number of open connections per node. On SQLite, the maximum number of readers.
    pub connections_max: u32,
    /// The timeout of one call in milliseconds. It includes waiting for a connection and retries.
    pub timeout_ms: u64,
}

impl StoreOptions {
    /// For `url`, with 16 connections and 5 s per call.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections_max: 16, timeout_ms: 5_000 }
    }
}

/// The connections of a pool at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUse {
    /// Open connections, idle ones included.
    pub open: usize,
    pub idle: usize,
}

/// The SQL database. Cheap to clone; clones share the connections.
#[derive(Clone, Debug)]
pub struct Store {
    /// On SQLite this is a single connection, so that writers queue for it and do not wait in SQLite's busy
    /// loop.
    write: Writer,
    read: Reader,
    timeout: Duration,
    #[cfg(feature = "testing")]
    guard: bool,
}

/// What to do with a call whose connection was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AfterLoss {
    /// The call may have taken effect. It must not take effect twice.
    Fail,
    /// The call recognises by its ids what it has done already, so it is repeated.
    Repeat,
}

impl Store {
    /// Connects, and does not migrate.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer, [`StoreError::Internal`] if the URL names
    /// no usable database.
    pub async fn connect(options: &StoreOptions) -> Result<Self, StoreError> {
        let timeout = Duration::from_millis(options.timeout_ms);
        let (write, read) = if options.url.starts_with("sqlite:") {
            connect_sqlite(options, timeout).await?
        } else {
            let pool = connect_mysql(options, timeout).await?;
            (pool.clone(), pool)
        };
        Ok(Self {
            write: Writer::new(write),
            read: Reader::new(read),
            timeout,
            #[cfg(feature = "testing")]
            guard: true,
        })
    }

    /// Whether the database is a local SQLite file, so that this node is the only one that can use it.
    pub fn is_embedded(&self) -> bool {
        self.read.pool().is_sqlite()
    }

    /// The number of open and idle connections. On SQLite this includes the writer's. Needs no I/O.
    pub fn connections(&self) -> PoolUse {
        let (open, idle) = self.read.pool().len();
        if !self.is_embedded() {
            return PoolUse { open, idle };
        }
        let (writers, idle_writers) = self.write.pool().len();
        PoolUse { open: open + writers, idle: idle + idle_writers }
    }

    /// Applies all pending migrations.
    ///
    /// # Errors
    /// [`StoreError`]. A part of them may have been applied: MySQL commits each change of the schema at once.
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

    /// Undoes every migration. This drops all tables and their rows.
    ///
    /// # Errors
    /// [`StoreError`]. A part of them may have been undone.
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
        self.with_retries("listing migrations", || async {
            let connection = self.read.pool().separate().await?;
            let pending = Migrator::get_pending_migrations_read_only(&connection).await?;
            connection.close().await?;
            Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
        })
        .await
    }

    /// Checks that the store answers and accepts writes. It runs a `SELECT`. On SQLite, whose writer is a
    /// separate connection, it also begins a transaction that takes the write lock, and rolls it back.
    ///
    /// After the database has refused a write because the disk is full or the server is read-only, this fails
    /// for some seconds (`REFUSAL_PERIOD`). On SQLite a small write must then succeed too before the store
    /// counts as ready again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        let refused_at = self.write.pool().refused_at();
        self.with_retries("a ping", || async move {
            self.read.execute_unprepared("SELECT 1").await?;
            if !self.is_embedded() {
                return Ok(());
            }
            if refused_at.is_none() {
                return self.begin().await?.rollback().await;
            }
            // Nothing reads this number. Writing it appends to the WAL, as every commit does.
            self.write.execute_unprepared("PRAGMA user_version = 0").await.map(drop)
        })
        .await?;
        if refused_at.is_some_and(|at| at.elapsed() < REFUSAL_PERIOD) {
            return Err(StoreError::Unavailable(Box::new(WritesRefused)));
        }
        self.write.pool().clear_refusal(refused_at);
        Ok(())
    }

    /// Switches the guard off: a commit then ignores the epoch and the seats left. Only for negative
    /// controls, which show that a test would notice overselling.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn without_guard(self) -> Self {
        Self { guard: false, ..self }
    }

    #[cfg(feature = "testing")]
    pub(crate) fn guarded(&self) -> bool {
        self.guard
    }

    #[cfg(not(feature = "testing"))]
    #[allow(clippy::unused_self, reason = "with the feature, the guard is a property of the store")]
    pub(crate) fn guarded(&self) -> bool {
        true
    }

    /// Runs single reads.
    pub(crate) fn reader(&self) -> &Reader {
        &self.read
    }

    /// Runs single writes.
    pub(crate) fn writer(&self) -> &Writer {
        &self.write
    }

    /// Begins a transaction that may write. On SQLite it takes the write lock at once, because SQLite refuses
    /// a transaction that takes the lock later if another connection has written in between. On MySQL the
    /// isolation level is READ COMMITTED. The server refuses to set the level inside a transaction, so a
    /// transaction that is still open causes an error. BEGIN alone would silently commit it. Dropping the
    /// transaction rolls it back.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let sql = if self.is_embedded() {
            "BEGIN IMMEDIATE"
        } else {
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN"
        };
        DatabaseTransaction::begin(self.write.pool(), sql).await
    }

    /// Begins a read-only transaction. It sees everything as of its first statement, and no commit waits for
    /// it.
    pub(crate) async fn begin_snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        // On SQLite every transaction is a snapshot, and the connections of `read` cannot write.
        let sql = if self.is_embedded() {
            "BEGIN"
        } else {
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; BEGIN"
        };
        DatabaseTransaction::begin(self.read.pool(), sql).await
    }

    /// Runs `work` within the timeout of a call. Retries it after a random pause if it failed because of
    /// another transaction's lock. `work` is one statement or one transaction, so a failed attempt leaves
    /// nothing behind. If `work` is aborted, its connection is closed.
    pub(crate) async fn with_retries<T, F>(
        &self,
        what: &'static str,
        work: impl Fn() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        self.with_retries_as(AfterLoss::Fail, what, work).await
    }

    /// Like [`Self::with_retries`], but also retries if the connection was lost, even during COMMIT. `work`
    /// must recognise by its ids what it has done already.
    pub(crate) async fn with_retries_after_loss<T, F>(
        &self,
        what: &'static str,
        work: impl Fn() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        self.with_retries_as(AfterLoss::Repeat, what, work).await
    }

    async fn with_retries_as<T, F>(
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
            // Boxed, so that the futures of callers do not nest too deeply for the compiler.
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
            tracing::debug!(what, repeats, %error, "retrying after a lock conflict or a lost connection");
            sleep(error::pause(repeats)).await;
        }
    }

    fn timed_out(what: &'static str, timeout: Duration) -> StoreError {
        StoreError::Unavailable(Box::new(TimedOut { what, timeout_ms: timeout.as_millis() }))
    }
}

/// A server has refused a write within the last [`REFUSAL_PERIOD`].
#[derive(Debug, thiserror::Error)]
#[error("the database refused a write a moment ago: its disk is full, or it is read-only")]
struct WritesRefused;

/// The statements that set up a session. READ COMMITTED: a statement that runs after a lock was taken sees
/// what was committed before that, and there are no gap locks. Strict mode: a value that does not fit is an
/// error. A statement waits for a lock for at most half of a call's timeout.
///
/// A node that stops inside a transaction (it is frozen, or cut off) keeps its locks until the server ends
/// the transaction. MariaDB does so after `idle_transaction_timeout`. MySQL has no such setting. There the
/// connection ends after that time, inside a transaction or not, and the pool replaces it. Each of the two
/// version comments is executed by one of the two servers only. The network timeouts are for a node that
/// stops while it sends a statement or receives rows.
///
/// The idle limit is half of a call's timeout, so that a call of another node that waits for the lock can
/// still succeed. It is far above any pause between two statements of a transaction, because nothing else
/// runs between them.
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

/// How long a call may wait for a connection: three quarters of its timeout. A call that got its connection
/// later would be aborted in the middle of its work, which closes the connection. With many callers, no call
/// would ever finish.
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

/// One connection that writes and several that read. With WAL, readers do not wait for the writer. With
/// `synchronous=FULL`, committed data survives a power cut.
async fn connect_sqlite(options: &StoreOptions, timeout: Duration) -> Result<(Pool, Pool), StoreError> {
    let parsed: SqliteConnectOptions =
        options.url.parse().map_err(|error: SqlxError| StoreError::Internal(Box::new(error)))?;
    let path = parsed.get_filename();
    // In memory, each connection would have its own database. `file:` is a URI to SQLite, and SQLx treats
    // `:memory:` as one.
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
    // The writer comes first, because it creates the file and switches it to WAL.
    let writer = Pool::sqlite(pool(1), connect.clone()).await?;
    let readers = pool(options.connections_max.max(1));
    Ok((writer, Pool::sqlite(readers, connect.pragma("query_only", "ON")).await?))
}

/// Creates an empty file and its folder, unless they exist. The file holds password hashes and the folder may
/// hold keys, so no other user of the machine may read them. SQLite gives the files beside it (`-wal`,
/// `-shm`) the same mode.
async fn make_file(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
        let mut make = tokio::fs::DirBuilder::new();
        make.recursive(true);
        #[cfg(unix)]
        make.mode(0o700);
        make.create(folder).await?;
    }
    let mut make = tokio::fs::OpenOptions::new();
    // Never opens an existing file: closing any handle of a file releases all locks that this process has on
    // it.
    make.write(true).create_new(true);
    #[cfg(unix)]
    make.mode(0o600);
    match make.open(path).await {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
