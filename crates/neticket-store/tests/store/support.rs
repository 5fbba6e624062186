//! A separate store for each test, on either database. The invariants are checked at the end of the test.

use std::fs;
use std::ops::Deref;
use std::path::Path;

use neticket_domain::{
    Email, Epoch, EventId, Nickname, Quantity, ReservationId, Role, TicketTypeId, Timestamp, UserId,
};
use neticket_store::{
    AccountError, CommitOutcome, CommitRequest, EventRecord, InventoryRecord, NewEvent, NewTicketType,
    NewUser, Store, StoreOptions, UserRecord,
};
use neticket_testservers::TestDatabase;
use tempfile::TempDir;
use uuid::Uuid;

/// Defines a test that runs on both databases:
/// `on_both! { async fn something_is_so(store: &TestStore) { … } }`.
macro_rules! on_both {
    ($(async fn $name:ident($store:ident: &$ty:ty $(,)?) $body:block)+) => {
        $(mod $name {
            #[allow(unused_imports, reason = "not every test needs all that its module imports")]
            use super::*;

            async fn body($store: &$ty) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_sqlite() {
                let store = $crate::support::TestStore::on_sqlite().await;
                body(&store).await;
                store.assert_invariants().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_mariadb() {
                let store = $crate::support::TestStore::on_mariadb().await;
                body(&store).await;
                store.assert_invariants().await;
            }
        })+
    };
}
pub(crate) use on_both;

/// A migrated store on a database that is deleted at the end of the test.
pub(crate) struct TestStore {
    store: Store,
    url: String,
    _folder: Option<TempDir>,
    _database: Option<TestDatabase>,
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl TestStore {
    pub(crate) async fn on_sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("made/on/demand.db").display());
        Self::open(url, Some(folder), None).await
    }

    pub(crate) async fn on_mariadb() -> Self {
        let database = tokio::task::spawn_blocking(TestDatabase::create).await.unwrap().unwrap();
        Self::open(database.url(), None, Some(database)).await
    }

    async fn open(url: String, folder: Option<TempDir>, database: Option<TestDatabase>) -> Self {
        // Longer than in production, because test machines are busy and these tests do not measure speed.
        let options = StoreOptions { timeout_ms: 30_000, ..StoreOptions::new(url.clone()) };
        let store = Store::connect(&options).await.unwrap();
        store.migrate().await.unwrap();
        Self { store, url, _folder: folder, _database: database }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Runs SQL on a separate connection, without the store.
    pub(crate) async fn sql(&self, sql: &str) -> Result<(), sea_orm::DbErr> {
        use sea_orm::ConnectionTrait as _;
        let connection = sea_orm::Database::connect(&self.url).await?;
        let done = connection.execute_unprepared(sql).await.map(|_| ());
        connection.close().await?;
        done
    }

    pub(crate) async fn assert_invariants(&self) {
        for row in self.inventory_audit(None).await.unwrap() {
            assert_eq!(row.capacity, row.left + row.confirmed, "{row:?}");
        }
    }

    pub(crate) async fn user(&self) -> UserId {
        self.user_named(&unique_letters()).await.id
    }

    pub(crate) async fn user_named(&self, name: &str) -> UserRecord {
        let email = Email::parse(&format!("{name}@example.com")).unwrap();
        let nickname = Nickname::parse(name).unwrap();
        self.user_create(NewUser {
            email: &email,
            nickname: &nickname,
            password_hash: "hash",
            role: Role::User,
            now: at(1),
        })
        .await
        .unwrap()
    }

    /// An event that is on sale at [`NOW`], with ticket types of these capacities.
    pub(crate) async fn event_of(&self, capacities: &[u32]) -> EventRecord {
        self.event_create(&new_event(capacities), None, at(1)).await.unwrap()
    }

    /// The seats of the event's first ticket type.
    pub(crate) async fn seats(&self, event: EventId) -> InventoryRecord {
        self.inventory_audit(Some(event)).await.unwrap()[0]
    }

    /// Commits one request.
    pub(crate) async fn commit_one(&self, request: CommitRequest) -> CommitOutcome {
        self.commit(&[request]).await.unwrap().remove(0)
    }
}

/// The time at which most tests run.
pub(crate) const NOW: i64 = 5_000;

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(crate) fn new_event(capacities: &[u32]) -> NewEvent {
    let ticket_types = capacities.iter().zip(0_u64..).map(|(capacity, n)| NewTicketType {
        name: format!("type {n}"),
        price: 10_000 + n,
        capacity: *capacity,
    });
    NewEvent {
        title: "햄릿".to_owned(),
        place: "Seoul Arts Center".to_owned(),
        description: "To be 🎭".to_owned(),
        starts_at: at(10_000),
        opens_at: at(1_000),
        closes_at: at(9_000),
        max_per_user: 4,
        image_key: Some("image.webp".to_owned()),
        ticket_types: ticket_types.collect(),
    }
}

/// A reservation of one seat of the event's first ticket type, under the epoch of `event`.
pub(crate) fn one_seat(event: &EventRecord, user: UserId) -> CommitRequest {
    let first = &event.ticket_types[0];
    CommitRequest {
        id: new_id(),
        user,
        event: event.id,
        ticket_type: first.id,
        quantity: tickets(1),
        unit_price: first.price,
        epoch: first.epoch,
        created_at: at(NOW),
    }
}

pub(crate) fn new_id() -> ReservationId {
    ReservationId(Uuid::new_v4())
}

pub(crate) fn tickets(number: u32) -> Quantity {
    Quantity::new(number).unwrap()
}

pub(crate) fn ticket_type_of(event: &EventRecord, position: usize) -> TicketTypeId {
    event.ticket_types[position].id
}

/// An epoch that no test reaches.
pub(crate) const OTHER_EPOCH: Epoch = Epoch(999);

fn unique_letters() -> String {
    Uuid::new_v4().simple().to_string()[..10].to_owned()
}

/// Creates an account with this name.
pub(crate) async fn sign_up(store: &Store, name: &str) -> Result<UserId, AccountError> {
    let email = Email::parse(&format!("{name}@example.com")).unwrap();
    let nickname = Nickname::parse(name).unwrap();
    let new =
        NewUser { email: &email, nickname: &nickname, password_hash: "hash", role: Role::User, now: at(1) };
    store.user_create(new).await.map(|user| user.id)
}

/// The source files of the store: their names below `src`, and their texts.
pub(crate) fn source_files() -> Vec<(String, String)> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![sources.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&sources).unwrap().display().to_string();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}
