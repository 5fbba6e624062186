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
const PATIENCE: Duration = Duration::from_mins(1);
/// InnoDB rebuilds its list of transactions at most every 100 ms.
const GLANCE: Duration = Duration::from_millis(150);

/// A store on a server of its own, and a separate connection to that server.
struct Place {
    store: Store,
    event: EventRecord,
    user: UserId,
    beside: DatabaseConnection,
    database: TestDatabase,
    server: Server,
}

impl Place {
    async fn new() -> Self {
        let small = ["--innodb-log-file-size=16M", "--innodb-buffer-pool-size=64M"].map(str::to_owned);
        let mariadb = MariaDb { durable: true, extra_options: small.to_vec(), ..MariaDb::default() };
        let server = tokio::task::spawn_blocking(|| mariadb.start()).await.unwrap().unwrap();
        let database = TestDatabase::create_on(&server.url()).unwrap();
        let store = store(&database.url()).await;
        store.migrate().await.unwrap();
        let event = store.event_create(&new_event(&[1_000_000]), None, at(1)).await.unwrap();
        let user = sign_up(&store, "buyer").await.unwrap();
        let beside = Database::connect(server.url()).await.unwrap();
        Self { store, event, user, beside, database, server }
    }

    /// Opens all connections of the store and waits until they are idle. Returns their ids.
    async fn open_all(&self) -> BTreeSet<u64> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let looks = (0..CONNECTIONS).map(|_| self.store.inventory_of(self.event.id, &[]));
            for look in futures::future::join_all(looks).await {
                look.unwrap();
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
        let statement = Statement::from_string(self.beside.get_database_backend(), sql);
        let rows = self.beside.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get::<u64>("", "id").unwrap()).collect()
    }

    async fn kill_all(&self) {
        for id in self.open_all().await {
            self.beside.execute_unprepared(&format!("KILL {id}")).await.unwrap();
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
    async fn make(self, place: &Place, n: u32) {
        let (store, user) = (&place.store, place.user);
        match self {
            Self::Read => drop(store.event(place.event.id).await.unwrap().unwrap()),
            Self::Snapshot => drop(store.inventory_of(place.event.id, &[]).await.unwrap().unwrap()),
            Self::Write => {
                let nickname = Nickname::parse(&format!("buyer{n}")).unwrap();
                store.user_rename(user, &nickname).await.unwrap();
            }
            Self::Transaction => drop(sign_up(store, &format!("person{n}")).await.unwrap()),
            Self::Commit => {
                let outcomes = store.commit(&[one_seat(&place.event, user)]).await.unwrap();
                assert_eq!(outcomes, [CommitOutcome::Confirmed]);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_because_idle_connections_were_killed() {
    let place = Place::new().await;
    for (n, call) in (0..).zip(CALLS) {
        place.kill_all().await;
        call.make(&place, n).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_after_the_server_was_restarted() {
    let mut place = Place::new().await;
    for (n, call) in (0..).zip(CALLS) {
        place.open_all().await;
        tokio::task::block_in_place(|| place.server.restart()).unwrap();
        place.beside = Database::connect(place.server.url()).await.unwrap();
        call.make(&place, n).await;
    }
}

/// Commits, cancels, rejects and reads until `over` is set. No call may fail. Returns the reservations that
/// stay confirmed.
async fn book_and_cancel(
    store: Store,
    event: EventRecord,
    user: UserId,
    over: Arc<AtomicBool>,
) -> Vec<ReservationId> {
    let mut confirmed = Vec::new();
    while !over.load(Ordering::Relaxed) {
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
    let mut place = Place::new().await;
    place.open_all().await;
    let over = Arc::new(AtomicBool::new(false));
    let task = || book_and_cancel(place.store.clone(), place.event.clone(), place.user, Arc::clone(&over));
    let tasks: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(task())).collect();
    for _ in 0..3 {
        wait_for_transactions(&place).await;
        tokio::task::block_in_place(|| {
            place.server.kill().unwrap();
            place.server.restart().unwrap();
        });
        place.beside = Database::connect(place.server.url()).await.unwrap();
    }
    wait_for_transactions(&place).await;
    over.store(true, Ordering::Relaxed);
    let mut confirmed = Vec::new();
    for task in tasks {
        confirmed.extend(task.await.unwrap());
    }
    assert_eq!(place.store.reservations(&confirmed).await.unwrap().len(), confirmed.len());
    let seats = place.store.inventory_audit(Some(place.event.id)).await.unwrap()[0];
    assert_eq!(seats.capacity, seats.left + seats.confirmed, "{seats:?}");
    assert_eq!(
        usize::try_from(seats.confirmed).unwrap(),
        confirmed.len(),
        "no reservation is committed twice"
    );
}

/// Waits until transactions are running.
async fn wait_for_transactions(place: &Place) {
    let sql =
        "SELECT CAST(COUNT(*) AS SIGNED) AS n FROM information_schema.innodb_trx WHERE trx_rows_modified > 0";
    until(async || count(&place.beside, sql).await > 0).await;
}

async fn count(connection: &DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
}

async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "the condition was not met in time");
        sleep(GLANCE).await;
    }
}

/// The transaction ends with its connection, and nothing of it was committed.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_connection_is_killed_is_retried() {
    let place = Place::new().await;
    let holder = Database::connect(place.database.url()).await.unwrap();
    let transaction = holder.begin().await.unwrap();
    let lock = format!("SELECT id FROM ticket_types WHERE event_id = {} FOR UPDATE", place.event.id);
    transaction.execute_unprepared(&lock).await.unwrap();
    let commit = {
        let (store, request) = (place.store.clone(), one_seat(&place.event, place.user));
        tokio::spawn(async move { store.commit(&[request]).await })
    };
    let waiting = "SELECT CAST(COALESCE(MAX(trx_mysql_thread_id), 0) AS SIGNED) AS n \
        FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
    until(async || count(&place.beside, waiting).await > 0).await;
    let id = count(&place.beside, waiting).await;
    place.beside.execute_unprepared(&format!("KILL {id}")).await.unwrap();
    let others = format!("{waiting} AND trx_mysql_thread_id <> {id}");
    until(async || count(&place.beside, &others).await > 0).await;
    transaction.rollback().await.unwrap();
    assert_eq!(commit.await.unwrap().unwrap(), [CommitOutcome::Confirmed]);
    let loaded = place.store.epoch_raise_and_load(place.event.id, Epoch(0)).await.unwrap().unwrap();
    assert_eq!(loaded.reservations.len(), 1);
}

/// After a switchover the old server refuses every write, and only new connections reach the new server.
#[tokio::test(flavor = "multi_thread")]
async fn connections_to_a_server_that_became_read_only_are_closed_at_once() {
    let mut place = Place::new().await;
    let grant = format!("GRANT ALL ON {}.* TO app@127.0.0.1", place.database.name());
    place.beside.execute_unprepared("CREATE USER app@127.0.0.1").await.unwrap();
    place.beside.execute_unprepared(&grant).await.unwrap();
    // `read_only` does not apply to root, and the store was connected as root.
    place.store = store(&place.database.url().replace("root@", "app@")).await;
    let before = place.open_all().await;

    place.beside.execute_unprepared("SET GLOBAL read_only = 1").await.unwrap();
    let refused = sign_up(&place.store, "early").await;
    assert!(matches!(refused, Err(AccountError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    until(async || {
        let _ = sign_up(&place.store, "early").await; // the last refusal has to be recent
        matches!(place.store.ping().await, Err(StoreError::Unavailable(_)))
    })
    .await;
    let refused = place.store.commit(&[one_seat(&place.event, place.user)]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    place.beside.execute_unprepared("SET GLOBAL read_only = 0").await.unwrap();

    sign_up(&place.store, "late").await.unwrap();
    let after = place.open_all().await;
    assert!(before.is_disjoint(&after), "{before:?} {after:?}");
}
