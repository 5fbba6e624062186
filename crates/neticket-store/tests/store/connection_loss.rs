//! Connections that the server has closed, because it was restarted, somebody killed them, or it became
//! read-only.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use neticket_domain::{Epoch, Nickname, ReservationId, UserId};
use neticket_store::{
    AccountError, CancelOutcome, CancelRequest, CommitOutcome, EventRecord, Store, StoreError, StoreOptions,
};
use neticket_testservers::{MariaDb, Server, TestDatabase};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, Statement, TransactionTrait as _};
use tokio::time::{Instant, sleep};

use crate::support::{NOW, at, new_event, one_seat, sign_up};

/// The number of the store's connections.
const CONNECTIONS: u32 = 6;
/// How long a server may take for anything, on a busy machine.
const TIMEOUT: Duration = Duration::from_mins(1);
/// InnoDB rebuilds its list of transactions at most every 100 ms.
const POLL_INTERVAL: Duration = Duration::from_millis(150);

/// A store on a server of its own, and a separate connection to that server.
struct Fixture {
    store: Store,
    event: EventRecord,
    user: UserId,
    other_connection: DatabaseConnection,
    database: TestDatabase,
    server: Server,
}

impl Fixture {
    async fn new() -> Self {
        let small = ["--innodb-log-file-size=16M", "--innodb-buffer-pool-size=64M"].map(str::to_owned);
        let mariadb = MariaDb { durable: true, extra_options: small.to_vec(), ..MariaDb::default() };
        let server = tokio::task::spawn_blocking(|| mariadb.start()).await.unwrap().unwrap();
        let database = TestDatabase::create_on(&server.url()).unwrap();
        let store = store(&database.url()).await;
        store.migrate().await.unwrap();
        let event = store.event_create(&new_event(&[1_000_000]), None, at(1)).await.unwrap();
        let user = sign_up(&store, "buyer").await.unwrap();
        let other_connection = Database::connect(server.url()).await.unwrap();
        Self { store, event, user, other_connection, database, server }
    }

    /// Opens all connections of the store and waits until they are idle. Returns their ids.
    async fn open_all(&self) -> BTreeSet<u64> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let snapshots = (0..CONNECTIONS).map(|_| self.store.inventory_of(self.event.id, &[]));
            for snapshot in futures::future::join_all(snapshots).await {
                snapshot.unwrap();
            }
            let connections = self.connections().await; // during this round trip the last lease is given back
            let usage = self.store.connections();
            let wanted = usize::try_from(CONNECTIONS).unwrap();
            if usage.open == wanted && usage.idle == wanted && connections.len() == wanted {
                return connections;
            }
            assert!(Instant::now() < deadline, "{usage:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// The ids that the server gave the store's connections.
    async fn connections(&self) -> BTreeSet<u64> {
        let sql = format!(
            "SELECT CAST(id AS UNSIGNED) AS id FROM information_schema.processlist WHERE db = '{}'",
            self.database.name()
        );
        let statement = Statement::from_string(self.other_connection.get_database_backend(), sql);
        let rows = self.other_connection.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get::<u64>("", "id").unwrap()).collect()
    }

    async fn kill_all(&self) {
        for id in self.open_all().await {
            self.other_connection.execute_unprepared(&format!("KILL {id}")).await.unwrap();
        }
    }
}

async fn store(url: &str) -> Store {
    let options = StoreOptions { timeout_ms: 60_000, connections_max: CONNECTIONS, ..StoreOptions::new(url) };
    Store::connect(&options).await.unwrap()
}

/// One call of each kind: a read, a snapshot, a single write, a transaction, and a batch of commits.
#[derive(Clone, Copy, Debug)]
enum Call {
    Read,
    Snapshot,
    Write,
    Transaction,
    Commit,
}

const CALLS: [Call; 5] = [Call::Read, Call::Snapshot, Call::Write, Call::Transaction, Call::Commit];

impl Call {
    async fn make(self, fixture: &Fixture, n: u32) {
        let (store, user) = (&fixture.store, fixture.user);
        match self {
            Self::Read => drop(store.event(fixture.event.id).await.unwrap().unwrap()),
            Self::Snapshot => drop(store.inventory_of(fixture.event.id, &[]).await.unwrap().unwrap()),
            Self::Write => {
                let nickname = Nickname::parse(&format!("buyer{n}")).unwrap();
                store.user_rename(user, &nickname).await.unwrap();
            }
            Self::Transaction => drop(sign_up(store, &format!("person{n}")).await.unwrap()),
            Self::Commit => {
                let outcomes = store.commit(&[one_seat(&fixture.event, user)]).await.unwrap();
                assert_eq!(outcomes, [CommitOutcome::Confirmed]);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_because_idle_connections_were_killed() {
    let fixture = Fixture::new().await;
    for (n, call) in (0..).zip(CALLS) {
        fixture.kill_all().await;
        call.make(&fixture, n).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_after_the_server_was_restarted() {
    let mut fixture = Fixture::new().await;
    for (n, call) in (0..).zip(CALLS) {
        fixture.open_all().await;
        tokio::task::block_in_place(|| fixture.server.restart()).unwrap();
        fixture.other_connection = Database::connect(fixture.server.url()).await.unwrap();
        call.make(&fixture, n).await;
    }
}

/// Commits, cancels, rejects and reads until `stop` is set. No call may fail. Returns the reservations that
/// stay confirmed.
async fn book_and_cancel(
    store: Store,
    event: EventRecord,
    user: UserId,
    stop: Arc<AtomicBool>,
) -> Vec<ReservationId> {
    let mut confirmed = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let batch = [(); 3].map(|()| one_seat(&event, user));
        for outcome in store.commit(&batch).await.unwrap() {
            assert!(matches!(outcome, CommitOutcome::Confirmed | CommitOutcome::Existing(_)), "{outcome:?}");
        }
        let cancel = CancelRequest { id: batch[0].id, user };
        let outcome = store.cancel(&[cancel], at(NOW)).await.unwrap().remove(0);
        assert!(
            matches!(outcome, CancelOutcome::Cancelled { .. } | CancelOutcome::Already(_)),
            "{outcome:?}"
        );
        assert_eq!(store.reject(&batch, at(NOW)).await.unwrap(), 0);
        assert!(store.reservation(batch[1].id).await.unwrap().is_some());
        confirmed.extend(batch[1..].iter().map(|request| request.id));
    }
    confirmed
}

/// Calls that are running when the server dies are retried where that is safe.
#[tokio::test(flavor = "multi_thread")]
async fn reads_commits_and_cancels_survive_a_server_crash() {
    let mut fixture = Fixture::new().await;
    fixture.open_all().await;
    let stop = Arc::new(AtomicBool::new(false));
    let task =
        || book_and_cancel(fixture.store.clone(), fixture.event.clone(), fixture.user, Arc::clone(&stop));
    let tasks: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(task())).collect();
    for _ in 0..3 {
        wait_for_transactions(&fixture).await;
        tokio::task::block_in_place(|| {
            fixture.server.kill().unwrap();
            fixture.server.restart().unwrap();
        });
        fixture.other_connection = Database::connect(fixture.server.url()).await.unwrap();
    }
    wait_for_transactions(&fixture).await;
    stop.store(true, Ordering::Relaxed);
    let mut confirmed = Vec::new();
    for task in tasks {
        confirmed.extend(task.await.unwrap());
    }
    assert_eq!(fixture.store.reservations(&confirmed).await.unwrap().len(), confirmed.len());
    let seats = fixture.store.inventory_audit(Some(fixture.event.id)).await.unwrap()[0];
    assert_eq!(seats.capacity, seats.left + seats.confirmed, "{seats:?}");
    assert_eq!(
        usize::try_from(seats.confirmed).unwrap(),
        confirmed.len(),
        "no reservation is committed twice"
    );
}

/// Waits until transactions are running.
async fn wait_for_transactions(fixture: &Fixture) {
    let sql =
        "SELECT CAST(COUNT(*) AS SIGNED) AS n FROM information_schema.innodb_trx WHERE trx_rows_modified > 0";
    wait_until(async || count(&fixture.other_connection, sql).await > 0).await;
}

async fn count(connection: &DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
}

async fn wait_until(mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !condition().await {
        assert!(Instant::now() < deadline, "the condition was not met in time");
        sleep(POLL_INTERVAL).await;
    }
}

/// The transaction ends with its connection, and nothing of it was committed.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_connection_is_killed_is_retried() {
    let fixture = Fixture::new().await;
    let holder = Database::connect(fixture.database.url()).await.unwrap();
    let transaction = holder.begin().await.unwrap();
    let lock = format!("SELECT id FROM ticket_types WHERE event_id = {} FOR UPDATE", fixture.event.id);
    transaction.execute_unprepared(&lock).await.unwrap();
    let commit = {
        let (store, request) = (fixture.store.clone(), one_seat(&fixture.event, fixture.user));
        tokio::spawn(async move { store.commit(&[request]).await })
    };
    let waiting = "SELECT CAST(COALESCE(MAX(trx_mysql_thread_id), 0) AS SIGNED) AS n \
        FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
    wait_until(async || count(&fixture.other_connection, waiting).await > 0).await;
    let id = count(&fixture.other_connection, waiting).await;
    fixture.other_connection.execute_unprepared(&format!("KILL {id}")).await.unwrap();
    let others = format!("{waiting} AND trx_mysql_thread_id <> {id}");
    wait_until(async || count(&fixture.other_connection, &others).await > 0).await;
    transaction.rollback().await.unwrap();
    assert_eq!(commit.await.unwrap().unwrap(), [CommitOutcome::Confirmed]);
    let loaded = fixture.store.epoch_raise_and_load(fixture.event.id, Epoch(0)).await.unwrap().unwrap();
    assert_eq!(loaded.reservations.len(), 1);
}

/// After a switchover the old server refuses every write, and only new connections reach the new server.
#[tokio::test(flavor = "multi_thread")]
async fn connections_to_a_server_that_became_read_only_are_closed_at_once() {
    let mut fixture = Fixture::new().await;
    let grant = format!("GRANT ALL ON {}.* TO app@127.0.0.1", fixture.database.name());
    fixture.other_connection.execute_unprepared("CREATE USER app@127.0.0.1").await.unwrap();
    fixture.other_connection.execute_unprepared(&grant).await.unwrap();
    // `read_only` does not apply to root, and the store was connected as root.
    fixture.store = store(&fixture.database.url().replace("root@", "app@")).await;
    let before = fixture.open_all().await;

    fixture.other_connection.execute_unprepared("SET GLOBAL read_only = 1").await.unwrap();
    let refused = sign_up(&fixture.store, "early").await;
    assert!(matches!(refused, Err(AccountError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    wait_until(async || {
        let _ = sign_up(&fixture.store, "early").await; // the last refusal has to be recent
        matches!(fixture.store.ping().await, Err(StoreError::Unavailable(_)))
    })
    .await;
    let refused = fixture.store.commit(&[one_seat(&fixture.event, fixture.user)]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    fixture.other_connection.execute_unprepared("SET GLOBAL read_only = 0").await.unwrap();

    sign_up(&fixture.store, "late").await.unwrap();
    let after = fixture.open_all().await;
    assert!(before.is_disjoint(&after), "{before:?} {after:?}");
}
