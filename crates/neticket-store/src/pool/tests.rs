//! When a connection is used again.

use neticket_testservers::TestDatabase;
use tempfile::TempDir;

use super::*;

/// A database with a table `t`.
enum Database {
    MySql(TestDatabase),
    Sqlite(TempDir),
}

impl Database {
    /// One of each kind, with the SQL that begins a transaction there.
    fn both() -> [(Self, &'static str); 2] {
        [
            (Self::Sqlite(TempDir::new().unwrap()), "BEGIN IMMEDIATE"),
            (
                Self::MySql(TestDatabase::create().unwrap()),
                "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN",
            ),
        ]
    }

    /// A pool of one connection.
    async fn pool(&self) -> Pool {
        let pool = match self {
            Self::MySql(database) => {
                let connect = database.url().parse().unwrap();
                Pool::mysql(PoolOptions::new().max_connections(1), connect).await.unwrap()
            }
            Self::Sqlite(folder) => {
                let connect = SqliteConnectOptions::new().filename(folder.path().join("db"));
                let connect = connect.create_if_missing(true);
                Pool::sqlite(PoolOptions::new().max_connections(1), connect).await.unwrap()
            }
        };
        let mut lease = pool.lease().await.unwrap();
        lease.execute_unprepared("CREATE TABLE IF NOT EXISTS t (n INT PRIMARY KEY)").await.unwrap();
        pool
    }
}

/// Marks the connection with a temporary table, which disappears with the connection.
async fn mark(lease: &mut Lease) {
    lease.execute_unprepared("CREATE TEMPORARY TABLE mark (n INT)").await.unwrap();
}

async fn is_marked(pool: &Pool) -> bool {
    pool.lease().await.unwrap().execute_unprepared("SELECT * FROM mark").await.is_ok()
}

async fn rows(pool: &Pool) -> usize {
    let backend = if pool.is_sqlite() { sea_orm::DbBackend::Sqlite } else { sea_orm::DbBackend::MySql };
    let all = Statement::from_string(backend, "SELECT n FROM t");
    pool.lease().await.unwrap().fetch_all(&all).await.unwrap().len()
}

#[tokio::test]
async fn a_connection_returns_to_the_pool_after_a_confirmed_end() {
    for (database, begin) in Database::both() {
        let pool = database.pool().await;
        mark(&mut pool.lease().await.unwrap()).await;
        let mut lease = pool.begin(begin).await.unwrap();
        lease.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
        lease.commit().await.unwrap();
        drop(lease);
        pool.begin(begin).await.unwrap().rollback().await.unwrap();
        assert!(pool.lease().await.unwrap().execute_unprepared("nonsense").await.is_err());
        assert!(is_marked(&pool).await);
        assert_eq!(rows(&pool).await, 1);
    }
}

#[tokio::test]
async fn a_dropped_transaction_closes_its_connection() {
    for (database, begin) in Database::both() {
        let pool = database.pool().await;
        let mut lease = pool.begin(begin).await.unwrap();
        mark(&mut lease).await;
        lease.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
        drop(lease);
        assert!(!is_marked(&pool).await);
        assert_eq!(rows(&pool).await, 0);
    }
}

#[tokio::test]
async fn only_a_violated_constraint_leaves_a_transaction_open() {
    for (database, begin) in Database::both() {
        let pool = database.pool().await;
        let mut lease = pool.begin(begin).await.unwrap();
        lease.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
        assert!(lease.execute_unprepared("INSERT INTO t VALUES (1)").await.is_err());
        lease.execute_unprepared("INSERT INTO t VALUES (2)").await.unwrap();
        lease.commit().await.unwrap();
        drop(lease);

        let mut lease = pool.begin(begin).await.unwrap();
        lease.execute_unprepared("INSERT INTO t VALUES (3)").await.unwrap();
        assert!(lease.execute_unprepared("nonsense").await.is_err());
        assert!(lease.execute_unprepared("INSERT INTO t VALUES (4)").await.is_err());
        assert!(lease.commit().await.is_err());
        drop(lease);
        assert_eq!(rows(&pool).await, 2);
    }
}

/// No statement of this crate can cause this state, so the test sends `BEGIN` itself.
#[tokio::test]
async fn no_transaction_begins_inside_another() {
    for (database, begin) in Database::both() {
        let pool = database.pool().await;
        let mut lease = pool.lease().await.unwrap();
        lease.execute_unprepared("BEGIN").await.unwrap();
        lease.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
        drop(lease);
        assert!(pool.begin(begin).await.is_err(), "{begin}");
        let mut lease = pool.begin(begin).await.unwrap();
        lease.execute_unprepared("INSERT INTO t VALUES (2)").await.unwrap();
        lease.commit().await.unwrap();
        drop(lease);
        assert_eq!(rows(&pool).await, 1);
    }
}
