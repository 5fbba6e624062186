//! Databases that count the rows they read, and whose statistics can be falsified.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use neticket_testservers::{MariaDb, Server, TestDatabase};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};
use tempfile::TempDir;

use crate::{Store, StoreOptions};

/// SQLite's virtual machine takes a few steps to skip a row, and some dozens to read or delete one.
const STEPS_PER_ROW: u64 = 40;

/// What the statistics say. SQLite has none until `ANALYZE` runs. There they are falsified for reservations
/// and the outbox only, because statements read a table by its numeric id without naming an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statistics {
    /// The statistics from before the tables were filled. MariaDB knows how many rows were added since, and
    /// nothing else.
    OfBefore,
    /// The tables are almost empty. MariaDB believes this after a restart, until it takes statistics again.
    AlmostEmpty,
    /// The tables are huge, and all values of an index are the same.
    Useless,
}

impl Statistics {
    pub(super) const ALL: [Self; 3] = [Self::OfBefore, Self::AlmostEmpty, Self::Useless];

    /// The number of rows of each table, and the number of different values in each index.
    fn numbers(self) -> Option<(u64, u64)> {
        match self {
            Self::OfBefore => None,
            Self::AlmostEmpty => Some((1, 1)),
            Self::Useless => Some((10_000_000, 1)),
        }
    }
}

/// A database of the test's own.
pub(super) enum CountingDatabase {
    Sqlite { folder: TempDir },
    MariaDb { server: Server, database: TestDatabase },
}

impl CountingDatabase {
    pub(super) fn sqlite() -> Self {
        Self::Sqlite { folder: TempDir::new().unwrap() }
    }

    /// Starts a server of the test's own, because a server counts for all of its databases together.
    pub(super) fn mariadb() -> Self {
        let options = ["--userstat=ON", "--innodb-stats-auto-recalc=OFF"].map(ToOwned::to_owned);
        let server = MariaDb { extra_options: options.into(), ..MariaDb::default() }.start().unwrap();
        let database = TestDatabase::create_on(&server.url()).unwrap();
        Self::MariaDb { server, database }
    }

    pub(super) fn url(&self) -> String {
        match self {
            Self::Sqlite { folder } => {
                format!("sqlite:{}?mode=rwc", folder.path().join("store.db").display())
            }
            Self::MariaDb { database, .. } => database.url(),
        }
    }

    /// Runs statements on a separate connection, without the store.
    pub(super) async fn sql(&self, sql: &str) {
        let connection = Database::connect(self.url()).await.unwrap();
        connection.execute_unprepared(sql).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Takes the statistics of all tables, as they are now.
    pub(super) async fn analyze(&self) {
        match self {
            Self::Sqlite { .. } => {}
            Self::MariaDb { .. } => {
                let tables =
                    "users, refresh_tokens, events, ticket_types, reservations, release_outbox, audit_log";
                self.sql(&format!("ANALYZE TABLE {tables}")).await;
            }
        }
    }

    /// Replaces the statistics. Only connections that are opened afterwards use them.
    pub(super) async fn set_statistics(&mut self, statistics: Statistics) {
        let Some((rows, distinct)) = statistics.numbers() else { return };
        match self {
            Self::Sqlite { .. } => {
                let stat = format!("{rows} {0} {0} {0} {0}", rows / distinct);
                self.sql("ANALYZE").await;
                self.sql("DELETE FROM sqlite_stat1").await;
                self.sql(&format!(
                    "INSERT INTO sqlite_stat1 \
                     SELECT tbl_name, name, '{stat}' FROM sqlite_master \
                     WHERE type = 'index' AND tbl_name IN ('reservations', 'release_outbox')"
                ))
                .await;
            }
            Self::MariaDb { server, database } => {
                let here = format!("WHERE database_name = '{}'", database.name());
                let url = database.url();
                let connection = Database::connect(&url).await.unwrap();
                for change in [
                    format!(
                        "UPDATE mysql.innodb_table_stats SET n_rows = {rows}, clustered_index_size = 1 {here}"
                    ),
                    format!("UPDATE mysql.innodb_index_stats SET stat_value = {distinct} {here}"),
                ] {
                    connection.execute_unprepared(&change).await.unwrap();
                }
                connection.close().await.unwrap();
                // The server reads the changed statistics only after a restart.
                server.restart().unwrap();
            }
        }
    }

    /// Opens the store, with a meter of everything that its connections do.
    pub(super) async fn open(&self) -> (Store, Meter) {
        let options =
            StoreOptions { timeout_ms: 60_000, connections_max: 1, ..StoreOptions::new(self.url()) };
        let store = Store::connect(&options).await.unwrap();
        let meter = match self {
            Self::Sqlite { .. } => {
                let steps = Arc::new(AtomicU64::new(0));
                for pool in [store.reader().pool(), store.writer().pool()] {
                    let mut connection = pool.sqlite_connections().acquire().await.unwrap();
                    let steps = Arc::clone(&steps);
                    connection.lock_handle().await.unwrap().set_progress_handler(1, move || {
                        steps.fetch_add(1, Ordering::Relaxed);
                        true
                    });
                }
                Meter::Steps(steps)
            }
            Self::MariaDb { database, .. } => {
                let observer = Database::connect(self.url()).await.unwrap();
                Meter::Rows { observer, schema: database.name().to_owned() }
            }
        };
        (store, meter)
    }
}

/// Counts what a database reads.
pub(super) enum Meter {
    Steps(Arc<AtomicU64>),
    Rows { observer: DatabaseConnection, schema: String },
}

impl Meter {
    /// The number of rows read so far, including those that did not match. On SQLite this is an estimate that
    /// is at most ten times too low.
    pub(super) async fn rows(&self) -> u64 {
        match self {
            Self::Steps(steps) => steps.load(Ordering::Relaxed) / STEPS_PER_ROW,
            Self::Rows { observer, schema } => {
                // `rows_read` does not include the rows that index condition pushdown rejects.
                let sql = format!(
                    "SELECT CAST((SELECT COALESCE(SUM(rows_read), 0) \
                     FROM information_schema.table_statistics WHERE table_schema = '{schema}') \
                     + (SELECT variable_value FROM information_schema.global_status \
                     WHERE variable_name = 'HANDLER_ICP_ATTEMPTS') \
                     - (SELECT variable_value FROM information_schema.global_status \
                     WHERE variable_name = 'HANDLER_ICP_MATCH') AS UNSIGNED) AS total"
                );
                let statement = Statement::from_string(DbBackend::MySql, sql);
                observer.query_one_raw(statement).await.unwrap().unwrap().try_get("", "total").unwrap()
            }
        }
    }
}
