//! What can go wrong with the store, in the two kinds that a caller tells apart: later, or never.

use sea_orm::sqlx::{Error as SqlxError, mysql::MySqlDatabaseError};
use sea_orm::{DbErr, RuntimeErr, SqlErr};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached, is overloaded, or did not answer in time. The call may or may not have taken effect;
    /// it is worth repeating.
    #[error("the store cannot be reached or does not answer in time")]
    Unavailable(#[source] BoxError),
    /// Something is wrong that repeating will not mend. The call has not taken effect.
    #[error("the store answered what it should not")]
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

/// `what` did not come back within its time.
#[derive(Debug, thiserror::Error)]
#[error("{what} did not come back within {timeout_ms} ms")]
pub(crate) struct TimedOut {
    pub(crate) what: &'static str,
    pub(crate) timeout_ms: u128,
}

/// Numbers of MySQL and MariaDB errors (`mysqld_error.h`).
mod mysql {
    pub(super) const LOCK_WAIT_TIMEOUT: u16 = 1205;
    pub(super) const LOCK_DEADLOCK: u16 = 1213;
    /// MariaDB: the row has changed since the transaction's snapshot (`innodb_snapshot_isolation`).
    pub(super) const CHECKREAD: u16 = 1020;
    /// Too many connections, server shutdown, read-only server, connection killed, too many user connections,
    /// query interrupted, statement time exceeded (MariaDB, MySQL), disk full.
    pub(super) const UNAVAILABLE: [u16; 9] = [1040, 1053, 1290, 1927, 1203, 1317, 1969, 3024, 1021];
}

/// Primary result codes of SQLite (<https://www.sqlite.org/rescode.html>): the low byte of the extended ones.
mod sqlite {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    /// I/O error, disk full, cannot open.
    pub(super) const UNAVAILABLE: [i32; 3] = [10, 13, 14];
}

/// What a database said, by number.
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

fn code(error: &DbErr) -> Option<Code> {
    let SqlxError::Database(database) = sqlx_error(error)? else { return None };
    if let Some(mysql) = database.try_downcast_ref::<MySqlDatabaseError>() {
        return Some(Code::MySql(mysql.number()));
    }
    let extended: i32 = database.code()?.parse().ok()?;
    Some(Code::Sqlite(extended & 0xff))
}

/// Whether the transaction was rolled back, or never begun, for a reason that passes by itself.
pub(crate) fn is_transient(error: &DbErr) -> bool {
    match code(error) {
        Some(Code::MySql(number)) => {
            [mysql::LOCK_DEADLOCK, mysql::LOCK_WAIT_TIMEOUT, mysql::CHECKREAD].contains(&number)
        }
        Some(Code::Sqlite(code)) => [sqlite::BUSY, sqlite::LOCKED].contains(&code),
        None => false,
    }
}

fn is_unavailable(error: &DbErr) -> bool {
    match code(error) {
        Some(Code::MySql(number)) => mysql::UNAVAILABLE.contains(&number),
        Some(Code::Sqlite(code)) => sqlite::UNAVAILABLE.contains(&code),
        None => {
            matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_))
                || matches!(
                    sqlx_error(error),
                    Some(
                        SqlxError::Io(_)
                            | SqlxError::Tls(_)
                            | SqlxError::PoolTimedOut
                            | SqlxError::PoolClosed
                            | SqlxError::WorkerCrashed
                    )
                )
        }
    }
}

/// Whether a row with this key is there already.
pub(crate) fn is_duplicate(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Whether a row refers to one that is not there.
pub(crate) fn is_orphan(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_)))
}
