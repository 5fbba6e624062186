//! The test environment of one test: a store, a ledger, and any number of nodes on them.

use std::sync::Arc;
use std::time::Duration;

use neticket_app::{App, Config, NewReservation};
use neticket_domain::{Email, Epoch, EventId, Nickname, Quantity, Role, TicketTypeId, Timestamp, UserId};
use neticket_ledger::{Ledger, LedgerSnapshot, LoadAnswer, SnapshotReservation, SnapshotTicketType};
use neticket_store::{EventRecord, NewEvent, NewTicketType, NewUser, Store};
use neticket_testservers::{TestDatabase, redis_url, unique_prefix};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::Backends;

/// The backends, and the means to start nodes on them. End it with [`TestEnv::finish`], which checks the
/// invariants.
pub struct TestEnv {
    pub backends: Backends,
    /// The configuration of every node. Change it before you start one.
    pub config: Config,
    pub store: Store,
    /// A connection to the ledger for the test, separate from those of the nodes.
    pub ledger: Arc<dyn Ledger>,
    nodes: Vec<Arc<App>>,
    guarded: bool,
    finished: bool,
    _folder: TempDir,
    _database: Option<TestDatabase>,
}

impl TestEnv {
    pub async fn new(backends: Backends) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = (backends == Backends::Shared).then(|| TestDatabase::create().expect("a database"));
        let database_url = database.as_ref().map(TestDatabase::url);
        let redis = (backends == Backends::Shared).then(|| redis_url().expect("a Redis"));
        let data_dir = folder.path().display().to_string();
        let mut config = Config::read(|name| match name {
            "NETICKET_LISTEN" => Some("127.0.0.1:0".to_owned()),
            "NETICKET_DATA_DIR" => Some(data_dir.clone()),
            "NETICKET_DATABASE_URL" => database_url.clone(),
            "NETICKET_REDIS_URL" => redis.clone(),
            "NETICKET_REDIS_PREFIX" => Some(unique_prefix()),
            "NETICKET_RATE_LIMIT" => Some("off".to_owned()),
            "NETICKET_JWT_SECRET" => Some("a secret for tests, 32 bytes or more".to_owned()),
            _ => None,
        })
        .expect("a configuration");
        // Tests wait for recovery and for background tasks, so both are faster than in production.
        config.engine.grace_ms = 1_000;
        config.engine.task_interval_ms = 100;
        let store = Store::connect(&App::store_options(&config)).await.expect("a store");
        store.migrate().await.expect("a schema");
        let ledger = App::open_ledger(&config).expect("a ledger");
        Self {
            backends,
            config,
            store,
            ledger,
            nodes: Vec::new(),
            guarded: true,
            finished: false,
            _folder: folder,
            _database: database,
        }
    }

    /// Switches the store's guard off, for negative controls. [`Self::finish`] then checks nothing.
    #[must_use]
    pub fn without_guard(mut self) -> Self {
        self.store = self.store.clone().without_guard();
        self.guarded = false;
        self
    }

    /// Starts a node. On [`Backends::Embedded`] all nodes share the one ledger of the process.
    pub async fn node(&mut self) -> Arc<App> {
        let ledger = match self.backends {
            Backends::Embedded => Arc::clone(&self.ledger),
            Backends::Shared => App::open_ledger(&self.config).expect("a ledger"),
        };
        let app = App::start_with(self.config.clone(), self.store.clone(), ledger).await.expect("a node");
        self.nodes.push(Arc::clone(&app));
        app
    }

    /// Adds a user without a password. `n` is part of the name.
    pub async fn user(&self, n: usize) -> UserId {
        let email = Email::parse(&format!("user{n}@example.com")).expect("an e-mail");
        let nickname = Nickname::parse(&format!("user{n}")).expect("a nickname");
        let user = NewUser {
            email: &email,
            nickname: &nickname,
            password_hash: "-",
            role: Role::User,
            now: self.now().await,
        };
        self.store.user_create(user).await.expect("a user").id
    }

    pub async fn users(&self, count: usize) -> Vec<UserId> {
        self.users_from(0, count).await
    }

    /// More users. `first` is the number in the first one's name.
    pub async fn users_from(&self, first: usize, count: usize) -> Vec<UserId> {
        let mut users = Vec::with_capacity(count);
        for n in first..first + count {
            users.push(self.user(n).await);
        }
        users
    }

    pub async fn now(&self) -> Timestamp {
        self.ledger.now().await.expect("the ledger's time")
    }

    /// Adds an event that has been on sale for a minute, with one ticket type per capacity.
    pub async fn event_on_sale(&self, capacities: &[u32], max_per_user: u32) -> EventRecord {
        let now = self.now().await;
        self.event(now.plus_millis(-60_000), now.plus_millis(86_400_000), capacities, max_per_user).await
    }

    pub async fn event(
        &self,
        opens_at: Timestamp,
        starts_at: Timestamp,
        capacities: &[u32],
        max_per_user: u32,
    ) -> EventRecord {
        let names = ["VIP", "R", "S", "A", "B"];
        let new = NewEvent {
            title: "한여름 밤의 꿈".to_owned(),
            place: "예술의전당".to_owned(),
            description: "셰익스피어의 희극".to_owned(),
            starts_at,
            opens_at,
            closes_at: starts_at,
            max_per_user,
            image_key: None,
            ticket_types: capacities
                .iter()
                .zip(names)
                .map(|(capacity, name)| NewTicketType {
                    name: name.to_owned(),
                    price: 50_000,
                    capacity: *capacity,
                })
                .collect(),
        };
        self.store.event_create(&new, None, self.now().await).await.expect("an event")
    }

    /// Deletes everything that the ledger knows of the event, like a Redis that restarts empty.
    pub async fn lose_ledger(&self, event: EventId) {
        self.ledger.drop_for_test(event).await.expect("the ledger answers");
    }

    /// The first half of a load: raises the event's epoch in the store and reads the snapshot for the ledger.
    pub async fn snapshot(&self, event: EventId) -> LedgerSnapshot {
        let loaded = self
            .store
            .epoch_raise_and_load(event, Epoch(0))
            .await
            .expect("the store answers")
            .expect("the event");
        LedgerSnapshot {
            event,
            epoch: loaded.epoch,
            window: loaded.window,
            window_since: loaded.window_since,
            paused_at: loaded.paused_at,
            max_per_user: loaded.max_per_user,
            ticket_types: loaded
                .ticket_types
                .iter()
                .map(|t| SnapshotTicketType { id: t.id, price: t.price, left: t.left })
                .collect(),
            reservations: loaded
                .reservations
                .iter()
                .map(|r| SnapshotReservation { id: r.id, user: r.user, held: r.held })
                .collect(),
            refused: Vec::new(),
        }
    }

    /// The second half: replaces the event's ledger by this snapshot. Fails the test if it is not replaced.
    pub async fn install(&self, snapshot: &LedgerSnapshot) {
        let answer = self.offer(snapshot).await;
        assert!(matches!(answer, LoadAnswer::Replaced { .. }), "{answer:?}");
    }

    /// The second half, whether or not the event already has a newer ledger.
    pub async fn offer(&self, snapshot: &LedgerSnapshot) -> LoadAnswer {
        let start = self.ledger.begin_load(snapshot.event).await.expect("the ledger answers");
        self.ledger.load(start.token, snapshot).await.expect("the ledger answers")
    }

    /// How many tickets the store has confirmed, for each ticket type of the event.
    pub async fn confirmed(&self, event: &EventRecord) -> Vec<u64> {
        let audit = self.store.inventory_audit(None).await.expect("an audit");
        let of =
            |id: TicketTypeId| audit.iter().find(|row| row.ticket_type == id).map_or(0, |row| row.confirmed);
        event.ticket_types.iter().map(|ticket_type| of(ticket_type.id)).collect()
    }

    /// Ends the nodes and checks the invariants: nothing is in flight any more, the seats add up, and the
    /// ledger agrees with the store.
    pub async fn finish(mut self) {
        if self.guarded && !self.nodes.is_empty() {
            self.outbox_drained().await;
        }
        for node in &self.nodes {
            node.shut_down().await;
        }
        self.finished = true;
        if self.guarded {
            self.check().await;
        }
    }

    /// Waits until every release is applied.
    async fn outbox_drained(&self) {
        let later = self.now().await.plus_millis(86_400_000);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while !self.store.outbox_before(later, 1).await.expect("an outbox").is_empty() {
            assert!(tokio::time::Instant::now() < deadline, "the outbox was not drained in time");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Checks the invariants of ARCHITECTURE.md. Nothing may be in flight.
    pub async fn check(&self) {
        for row in self.store.inventory_audit(None).await.expect("an audit") {
            assert_eq!(row.capacity, row.left + row.confirmed, "capacity = left + confirmed: {row:?}");
            let Some(view) = self.ledger.view(row.event).await.expect("the ledger answers") else { continue };
            assert_eq!(view.journal_len, 0, "the journal must be empty at rest: {view:?}");
            let ticket_type = view
                .ticket_types
                .iter()
                .find(|t| t.id == row.ticket_type)
                .expect("the ledger has the ticket type");
            assert_eq!(u64::from(ticket_type.left), row.left, "ledger = store: {row:?}");
        }
    }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        assert!(self.finished || std::thread::panicking(), "a test environment must end with finish()");
    }
}

/// A request for `n` tickets of this type, at any price, from a client that stays connected.
pub fn tickets_of(ticket_type: TicketTypeId, n: u32) -> NewReservation {
    NewReservation {
        ticket_type,
        quantity: tickets(n),
        unit_price: None,
        disconnected: CancellationToken::new(),
    }
}

/// A valid number of tickets.
pub fn tickets(n: u32) -> Quantity {
    Quantity::new(n).expect("1 to 100 tickets")
}
