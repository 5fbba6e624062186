//! Errors of the store, in the two kinds that a caller distinguishes: retry later, or never. Also: what an
//! error says about the connection and the transaction on which it happened.

use std::io;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use sea_orm::sqlx::Error as SqlxError;
use sea_orm::sqlx::error::ErrorKind;
use sea_orm::sqlx::mysql::MySqlDatabaseError;
use sea_orm::{DbErr, RuntimeErr, SqlErr};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The store did not carry out a call.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached, is overloaded, or did not answer in time. The call may or may not have
    /// taken effect. A retry may succeed.
    #[error("the store cannot be reached or does not answer in time")]
    Unavailable(#[source] BoxError),
    /// A retry will not help. The call has not taken effect.
    #[error("unexpected answer from the store")]
    Internal(#[source] BoxError),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if is_unavailable(&error) || is_transient(&error) {
            Self::Unavailable(Box::new(error))
        } else {
            Self::Internal(Box::new(error))
        }
    }
}

/// `what` did not finish within its timeout.
#[derive(Debug, thiserror::Error)]
#[error("{what} did not finish within {timeout_ms} ms")]
pub(crate) struct TimedOut {
    pub(crate) what: &'static str,
    pub(crate) timeout_ms: u128,
}

/// COMMIT was sent and not confirmed. The transaction may have taken effect.
#[derive(Debug, thiserror::Error)]
#[error("it is not known whether the transaction was committed")]
struct CommitUnknown(#[source] SqlxError);

/// Numbers of MySQL and MariaDB errors (`mysqld_error.h`, below 1000 `mysys_err.h`).
mod mysql {
    pub(super) const LOCK_WAIT_TIMEOUT: u16 = 1205;
    pub(super) const LOCK_DEADLOCK: u16 = 1213;
    /// MariaDB: the row has changed since the transaction's snapshot (`innodb_snapshot_isolation`).
    pub(super) const CHECKREAD: u16 = 1020;
    /// Too many connections, too many user connections, query interrupted, statement time exceeded (MariaDB,
    /// MySQL).
    pub(super) const UNAVAILABLE: [u16; 5] = [1040, 1203, 1317, 1969, 3024];
    /// The connection has ended or is about to: server shutdown, reading or writing packets failed or timed
    /// out, killed (MariaDB), idle for too long (MySQL).
    pub(super) const CONNECTION_ENDED: [u16; 7] = [1053, 1158, 1159, 1160, 1161, 1927, 4031];
    /// The server is read-only (MariaDB, MySQL). After a switchover, a new connection leads to the writable
    /// server.
    pub(super) const READ_ONLY: [u16; 2] = [1290, 1836];
    /// There is no room: error writing a file, disk full (twice), error writing a file, table full. InnoDB
    /// answers the last one when it cannot extend its files.
    pub(super) const NO_ROOM: [u16; 5] = [3, 20, 1021, 1026, 1114];
}

/// Primary result codes of SQLite (<https://www.sqlite.org/rescode.html>): the low byte of the extended ones.
mod sqlite {
    /// Misuse that SQLite detected before it executed anything.
    pub(super) const ERROR: i32 = 1;
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const CONSTRAINT: i32 = 19;
    /// Read-only (the file system was remounted as read-only), I/O error, disk full, cannot open.
    pub(super) const UNAVAILABLE: [i32; 4] = [8, 10, 13, 14];
}

/// The error number that a database answered.
enum Code {
    MySql(u16),
    Sqlite(i32),
}

fn sqlx_error(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(e))
        | DbErr::Query(RuntimeErr::SqlxError(e))
        | DbErr::Conn(RuntimeErr::SqlxError(e)) => Some(e),
        _ => None,
    }
}

fn code(error: &SqlxError) -> Option<Code> {
    let SqlxError::Database(database) = error else { return None };
    if let Some(mysql) = database.try_downcast_ref::<MySqlDatabaseError>() {
        return Some(Code::MySql(mysql.number()));
    }
    let extended: i32 = database.code()?.parse().ok()?;
    Some(Code::Sqlite(extended & 0xff))
}

fn commit_unknown(error: &SqlxError) -> Option<&CommitUnknown> {
    let SqlxError::Io(io) = error else { return None };
    io.get_ref()?.downcast_ref()
}

/// Wraps an error of making or testing a connection.
pub(crate) fn connect(error: SqlxError) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

/// Wraps an error of a statement that returns no rows.
pub(crate) fn exec(error: SqlxError) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

/// Wraps an error of a statement that returns rows.
pub(crate) fn query(error: SqlxError) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

/// Wraps an error of COMMIT. The outcome is unknown, unless the error says that the transaction was rolled
/// back.
pub(crate) fn commit(error: SqlxError) -> DbErr {
    if is_rolled_back(&error) {
        return query(error);
    }
    query(SqlxError::Io(io::Error::other(CommitUnknown(error))))
}

/// Whether the transaction was rolled back, or never begun, for a temporary reason.
pub(crate) fn is_transient(error: &DbErr) -> bool {
    sqlx_error(error).is_some_and(is_rolled_back)
}

fn is_rolled_back(error: &SqlxError) -> bool {
    match code(error) {
        Some(Code::MySql(number)) => {
            [mysql::LOCK_DEADLOCK, mysql::LOCK_WAIT_TIMEOUT, mysql::CHECKREAD].contains(&number)
        }
        Some(Code::Sqlite(code)) => [sqlite::BUSY, sqlite::LOCKED].contains(&code),
        None => false,
    }
}

/// Whether the connection is lost or has become useless, so that a new connection may succeed.
pub(crate) fn is_lost(error: &SqlxError) -> bool {
    match code(error) {
        Some(Code::MySql(number)) => {
            mysql::CONNECTION_ENDED.contains(&number) || mysql::READ_ONLY.contains(&number)
        }
        Some(Code::Sqlite(_)) => false,
        None => matches!(error, SqlxError::Io(_) | SqlxError::Tls(_) | SqlxError::WorkerCrashed),
    }
}

/// Whether the server accepts no writes. Reads on its other connections continue.
pub(crate) fn is_read_only(error: &SqlxError) -> bool {
    matches!(code(error), Some(Code::MySql(number)) if mysql::READ_ONLY.contains(&number))
}

/// Whether the call failed because its connection was lost, before or during COMMIT. The call may have taken
/// effect.
pub(crate) fn lost_its_connection(error: &DbErr) -> bool {
    let Some(error) = sqlx_error(error) else { return false };
    is_lost(commit_unknown(error).map_or(error, |unknown| &unknown.0))
}

/// Whether a connection can be used again after it answered a single statement with this error.
pub(crate) fn leaves_connection_usable(error: &SqlxError) -> bool {
    match code(error) {
        Some(Code::MySql(_)) => !is_lost(error),
        Some(Code::Sqlite(code)) => {
            [sqlite::ERROR, sqlite::BUSY, sqlite::LOCKED, sqlite::CONSTRAINT].contains(&code)
        }
        None => false,
    }
}

/// Whether the transaction is certainly still open after one of its statements failed with this error. A
/// violated constraint undoes only the statement. Other errors may have ended the transaction, and the next
/// statement would then take effect on its own.
pub(crate) fn leaves_transaction_open(error: &SqlxError) -> bool {
    matches!(error, SqlxError::Database(database) if !matches!(database.kind(), ErrorKind::Other))
}

/// Whether the database cannot store anything: no room, or read-only.
pub(crate) fn is_write_refused(error: &SqlxError) -> bool {
    match code(error) {
        Some(Code::MySql(number)) => mysql::NO_ROOM.contains(&number) || is_read_only(error),
        Some(Code::Sqlite(code)) => sqlite::UNAVAILABLE.contains(&code),
        None => false,
    }
}

fn is_unavailable(error: &DbErr) -> bool {
    let Some(sqlx) = sqlx_error(error) else {
        return matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_));
    };
    match code(sqlx) {
        Some(Code::MySql(number)) => {
            mysql::UNAVAILABLE.contains(&number) || is_lost(sqlx) || is_write_refused(sqlx)
        }
        Some(Code::Sqlite(code)) => sqlite::UNAVAILABLE.contains(&code),
        None => {
            matches!(error, DbErr::Conn(_))
                || is_lost(sqlx)
                || matches!(sqlx, SqlxError::PoolTimedOut | SqlxError::PoolClosed)
        }
    }
}

/// A random pause before a call is retried for the `repeats`th time: from 1 to 4 · 2^`repeats` ms, and at
/// most 1,024 ms.
pub(crate) fn pause(repeats: u32) -> Duration {
    Duration::from_millis(rand::random_range(1..=4_u64 << repeats.min(8)))
}

/// Whether a row with this key exists already.
pub(crate) fn is_duplicate(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Whether a row refers to a row that does not exist.
pub(crate) fn is_orphan(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_)))
}
