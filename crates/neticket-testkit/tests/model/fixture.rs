//! The real backends on which histories are played: one database and one ledger for many histories, with an
//! event for each.

use std::sync::Arc;

use neticket_testkit::Backends as Kind;
use neticket_testkit::domain::{Email, Nickname, ReservationId, Role, UserId};
use neticket_testkit::ledger::{Ledger, MemoryLedger, RedisLedger, RedisOptions};
use neticket_testkit::servers::{TestDatabase, redis_url, unique_prefix};
use neticket_testkit::store::{EventRecord, NewEvent, NewTicketType, NewUser, Store, StoreOptions};
use redis::aio::MultiplexedConnection;
use tempfile::TempDir;

use crate::calls::StoreAndLedger;
use crate::history::USERS;

/// The users who book the seats that are left at the end.
const STRANGERS: usize = 16;
/// Nothing may time out, because every fault of a call is part of a history.
const TIMEOUT_MS: u64 = 30_000;
const HOUR_MS: i64 = 3_600_000;
/// More than all histories of a run book.
const SEATS_ELSEWHERE: u32 = 10_000_000;
/// More than one history books. The store does not check it.
const MAX_PER_USER_ELSEWHERE: u32 = 100;

pub(crate) struct Fixture {
    pub(crate) backends: StoreAndLedger,
    /// Another event, with seats for everyone. Keys are also used for it.
    pub(crate) elsewhere: EventRecord,
    people: Vec<UserId>,
    server: Option<RedisServer>,
    _folder: TempDir,
    _database: Option<TestDatabase>,
}

/// A direct connection to the Redis server, without the ledger.
struct RedisServer {
    connection: MultiplexedConnection,
    prefix: String,
}

/// The data with which a server that restarts from its file would come back.
pub(crate) struct Saved {
    /// Each key that existed, and its content.
    keys: Vec<(String, Vec<u8>)>,
    pub(crate) journal: Vec<ReservationId>,
}

impl Fixture {
    pub(crate) async fn new(kind: Kind) -> Self {
        let folder = memory_folder();
        let database = (kind == Kind::Shared).then(|| TestDatabase::create().unwrap());
        let url = match &database {
            Some(database) => database.url(),
            None => format!("sqlite:{}", folder.path().join("model.db").display()),
        };
        let store = StoreOptions { timeout_ms: TIMEOUT_MS, connections_max: 2, ..StoreOptions::new(url) };
        let store = Store::connect(&store).await.unwrap();
        store.migrate().await.unwrap();
        let (ledger, server): (Arc<dyn Ledger>, _) = match kind {
            Kind::Embedded => (Arc::new(MemoryLedger::new()), None),
            Kind::Shared => {
                let (url, prefix) = (redis_url().unwrap(), unique_prefix());
                let client = redis::Client::open(url.as_str()).unwrap();
                let connection = client.get_multiplexed_async_connection().await.unwrap();
                let options =
                    RedisOptions { prefix: prefix.clone(), timeout_ms: TIMEOUT_MS, ..RedisOptions::new(url) };
                (Arc::new(RedisLedger::connect(options).unwrap()), Some(RedisServer { connection, prefix }))
            }
        };
        let people = people(&store, &*ledger).await;
        let backends = StoreAndLedger { store, ledger };
        let elsewhere = event(&backends, &[SEATS_ELSEWHERE], MAX_PER_USER_ELSEWHERE).await;
        Self { backends, elsewhere, people, server, _folder: folder, _database: database }
    }

    /// Switches the store's guard off, for a negative control.
    pub(crate) fn without_guard(mut self) -> Self {
        self.backends.store = self.backends.store.clone().without_guard();
        self
    }

    pub(crate) fn user(&self, number: usize) -> UserId {
        self.people[number % USERS]
    }

    pub(crate) fn stranger(&self, number: usize) -> UserId {
        self.people[USERS + number % STRANGERS]
    }

    pub(crate) async fn event(&self, capacities: &[u32], max_per_user: u32) -> EventRecord {
        event(&self.backends, capacities, max_per_user).await
    }

    /// What the server stores now of the event's ledger. `journal` is empty for a ledger of another server
    /// run, because such a ledger does not answer. `None` for a ledger in memory, which is always lost as a
    /// whole, with its process.
    pub(crate) async fn save(&self, event: &EventRecord) -> Option<Saved> {
        let server = self.server.as_ref()?;
        let mut keys = Vec::new();
        for key in server.keys(event).await {
            let dump =
                redis::cmd("DUMP").arg(&key).query_async(&mut server.connection.clone()).await.unwrap();
            keys.push((key, dump));
        }
        let ledger = self.backends.ledger.examine(event.id).await.unwrap();
        let journal =
            ledger.iter().flat_map(|ledger| &ledger.journal).map(|entry| entry.request.id).collect();
        Some(Saved { keys, journal })
    }

    /// Restores what was saved, as data of another server run.
    pub(crate) async fn restore(&self, event: &EventRecord, saved: &Saved) {
        let Some(server) = &self.server else { return };
        let mut restore = redis::pipe();
        restore.atomic();
        for key in server.keys(event).await {
            restore.cmd("DEL").arg(key).ignore();
        }
        for (key, dump) in &saved.keys {
            restore.cmd("RESTORE").arg(key).arg(0).arg(dump).ignore();
            if key.ends_with(":ledger") {
                restore.cmd("HSET").arg(key).arg("replid").arg("another").ignore();
            }
            if key.ends_with(":loads") {
                restore.cmd("SET").arg(key).arg("another run's token").ignore();
            }
        }
        restore.exec_async(&mut server.connection.clone()).await.unwrap();
    }
}

impl RedisServer {
    /// The keys of an event that exist. Each history ends by losing its ledger, so there are never many.
    async fn keys(&self, event: &EventRecord) -> Vec<String> {
        let pattern = format!("{}:*:{{{}}}:*", self.prefix, event.id);
        redis::cmd("KEYS").arg(pattern).query_async(&mut self.connection.clone()).await.unwrap()
    }
}

async fn event(backends: &StoreAndLedger, capacities: &[u32], max_per_user: u32) -> EventRecord {
    let now = backends.ledger.now().await.unwrap();
    let ticket_type = |(number, capacity): (usize, &u32)| NewTicketType {
        name: format!("type {number}"),
        price: 1_000,
        capacity: *capacity,
    };
    let new = NewEvent {
        title: "history".to_owned(),
        place: "model".to_owned(),
        description: String::new(),
        starts_at: now.plus_millis(24 * HOUR_MS),
        opens_at: now.plus_millis(-HOUR_MS),
        closes_at: now.plus_millis(24 * HOUR_MS),
        max_per_user,
        image_key: None,
        ticket_types: capacities.iter().enumerate().map(ticket_type).collect(),
    };
    backends.store.event_create(&new, None, now).await.unwrap()
}

/// A folder in memory if there is one: the tests check that commits happen, not that disks keep them.
fn memory_folder() -> TempDir {
    let in_memory = std::path::Path::new("/dev/shm");
    let folder = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
    folder.or_else(|_| tempfile::tempdir()).unwrap()
}

async fn people(store: &Store, ledger: &dyn Ledger) -> Vec<UserId> {
    let now = ledger.now().await.unwrap();
    let mut people = Vec::new();
    for number in 0..USERS + STRANGERS {
        let email = Email::parse(&format!("user{number}@example.com")).unwrap();
        let nickname = Nickname::parse(&format!("user{number}")).unwrap();
        let user = NewUser { email: &email, nickname: &nickname, password_hash: "-", role: Role::User, now };
        people.push(store.user_create(user).await.unwrap().id);
    }
    people
}
