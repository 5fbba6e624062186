//! MariaDB, Redis and two nodes, each in its own process, so that a test can break and repair each.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use neticket_testkit::Proxy;
use neticket_testkit::domain::{EventId, Timestamp};
use neticket_testkit::ledger::{Ledger, RedisLedger, RedisOptions};
use neticket_testkit::servers::{MariaDb, Redis, Server, SmallDisk, TestDatabase, free_port};
use neticket_testkit::store::{EventRecord, NewEvent, NewTicketType, Store, StoreOptions};
use tempfile::TempDir;
use tokio::task::block_in_place;

use crate::process::{Serving, neticket};

/// The secret with which tokens are signed.
pub(crate) const JWT_SECRET: &str = "a secret for tests, 32 bytes or more";
const PREFIX: &str = "faults";
const TICKET_TYPES: [&str; 4] = ["VIP", "R", "S", "A"];
/// The timeouts and intervals of a node.
type Engine = [(&'static str, &'static str); 6];

/// Fast recovery, and timeouts that are short enough for a test.
pub(crate) const FAST_TIMEOUTS: Engine = [
    ("NETICKET_GRACE_MS", "2000"),
    ("NETICKET_ACK_DEADLINE_MS", "1000"),
    ("NETICKET_TASK_INTERVAL_MS", "200"),
    ("NETICKET_LEDGER_TIMEOUT_MS", "500"),
    ("NETICKET_STORE_TIMEOUT_MS", "2000"),
    ("NETICKET_STORE_CONNECTIONS_MAX", "8"),
];
/// Long timeouts, so that no request fails only because the machine is busy. Only the calls of the store end
/// after a while.
pub(crate) const SLOW_TIMEOUTS: Engine = [
    ("NETICKET_GRACE_MS", "30000"),
    ("NETICKET_ACK_DEADLINE_MS", "20000"),
    ("NETICKET_TASK_INTERVAL_MS", "200"),
    ("NETICKET_LEDGER_TIMEOUT_MS", "10000"),
    ("NETICKET_STORE_TIMEOUT_MS", "8000"),
    ("NETICKET_STORE_CONNECTIONS_MAX", "8"),
];
/// File sizes for a MariaDB on a small disk, instead of those of production.
const SMALL_FILES: [&str; 2] = ["--innodb-log-file-size=16M", "--innodb-autoextend-increment=1"];
/// The timeout of the test's own calls, for which no person waits.
const AUDIT_TIMEOUT_MS: u64 = 60_000;
/// The folder inside Redis' folder in which it keeps its append-only files.
const AOF: &str = "appendonlydir";

/// How nodes connect to the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Routing {
    Direct,
    /// Through proxies that a test can disturb.
    Proxied,
}

pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
    /// The test's own connection, which bypasses the proxies.
    pub(crate) store: Store,
    /// The test's own connection, which bypasses the proxies.
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) to_mariadb: Proxy,
    pub(crate) to_redis: Proxy,
    database: TestDatabase,
    pub(crate) mariadb: Server,
    pub(crate) redis: Server,
    /// The disk of MariaDB's data, if it has its own disk.
    pub(crate) disk: Option<Arc<SmallDisk>>,
    folder: TempDir,
}

/// A node that a test can kill and start again at the same address.
pub(crate) struct Node {
    /// Without a slash at the end.
    pub(crate) url: String,
    variables: Vec<(&'static str, String)>,
    serving: Option<Serving>,
    log: String,
}

impl Cluster {
    /// Starts everything, with a migrated and empty store.
    pub(crate) async fn start(routing: Routing, engine: Engine) -> Self {
        Self::start_on(None, routing, engine).await
    }

    /// Like [`Self::start`], with MariaDB's data on its own disk.
    pub(crate) async fn start_on(disk: Option<Arc<SmallDisk>>, routing: Routing, engine: Engine) -> Self {
        let (mariadb, redis, database) = block_in_place(|| {
            let options = disk.iter().flat_map(|_| SMALL_FILES.map(str::to_owned)).collect();
            let mariadb = MariaDb { durable: true, extra_options: options, disk: disk.clone() };
            let mariadb = mariadb.start().expect("a MariaDB");
            let database = TestDatabase::create_on(&mariadb.url()).expect("a database");
            (mariadb, Redis::default().start().expect("a Redis"), database)
        });
        let options = StoreOptions { timeout_ms: AUDIT_TIMEOUT_MS, ..StoreOptions::new(database.url()) };
        let store = Store::connect(&options).await.expect("a store");
        store.migrate().await.expect("a schema");
        let options = RedisOptions {
            prefix: PREFIX.to_owned(),
            timeout_ms: AUDIT_TIMEOUT_MS,
            ..RedisOptions::new(redis.url())
        };
        let ledger = Arc::new(RedisLedger::connect(options).expect("a ledger"));
        let to_mariadb = Proxy::start(mariadb.port()).await;
        let to_redis = Proxy::start(redis.port()).await;
        let folder = tempfile::tempdir().expect("a folder");
        let nodes = Vec::new();
        let mut cluster =
            Self { nodes, store, ledger, to_mariadb, to_redis, database, mariadb, redis, disk, folder };
        for _ in 0..2 {
            cluster.add_node(routing, engine);
        }
        cluster
    }

    fn add_node(&mut self, routing: Routing, engine: Engine) {
        let (mariadb, redis) = match routing {
            Routing::Direct => (self.mariadb.port(), self.redis.port()),
            Routing::Proxied => (self.to_mariadb.port(), self.to_redis.port()),
        };
        let listen = format!("127.0.0.1:{}", free_port().expect("a port"));
        let url = format!("http://{listen}");
        let user = node_user(self.nodes.len());
        self.sql(&format!("CREATE USER {user}@'%'; GRANT ALL ON {}.* TO {user}@'%'", self.database.name()));
        let mut variables = vec![
            ("NETICKET_LISTEN", listen),
            ("NETICKET_DATA_DIR", self.folder.path().display().to_string()),
            ("NETICKET_DATABASE_URL", format!("mysql://{user}@127.0.0.1:{mariadb}/{}", self.database.name())),
            ("NETICKET_REDIS_URL", format!("redis://127.0.0.1:{redis}")),
            ("NETICKET_REDIS_PREFIX", PREFIX.to_owned()),
            ("NETICKET_JWT_SECRET", JWT_SECRET.to_owned()),
            ("NETICKET_RATE_LIMIT", "off".to_owned()),
        ];
        variables.extend(engine.map(|(name, value)| (name, value.to_owned())));
        let mut node = Node { url, variables, serving: None, log: String::new() };
        node.start();
        self.nodes.push(node);
    }

    pub(crate) async fn now(&self) -> Timestamp {
        self.ledger.now().await.expect("the ledger's time")
    }

    /// Adds an event that has been on sale for a minute, with one ticket type for each capacity.
    pub(crate) async fn event_on_sale(&self, capacities: &[u32], max_per_user: u32) -> EventRecord {
        let now = self.now().await;
        let event = event_on_sale(now, capacities, max_per_user);
        self.store.event_create(&event, None, now).await.expect("an event")
    }

    /// The result of a query on a separate connection: rows as lines, columns separated by tabs.
    pub(crate) fn query(&self, sql: &str) -> String {
        let output = self.client(sql).arg("--skip-column-names").output().expect("MariaDB's client runs");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Runs SQL on a separate connection, with MariaDB's own client.
    pub(crate) fn sql(&self, sql: &str) {
        let status = self.client(sql).status().expect("MariaDB's client runs");
        assert!(status.success(), "{sql}");
    }

    /// MariaDB's own client, prepared to run `sql`.
    pub(crate) fn client(&self, sql: &str) -> Command {
        let mut client = Command::new("mariadb");
        client.args(["--no-defaults", "--protocol=tcp", "--user=root", "--host=127.0.0.1", "--batch"]);
        client.args(["--port", &self.mariadb.port().to_string(), self.database.name(), "--execute", sql]);
        client
    }

    /// Kills MariaDB and starts it again.
    pub(crate) fn restart_mariadb(&mut self) {
        block_in_place(|| {
            self.mariadb.kill().expect("the server can be killed");
            self.mariadb.restart().expect("the server restarts");
        });
    }

    /// Kills Redis. It stays down until [`Self::start_redis`].
    pub(crate) fn kill_redis(&mut self) {
        block_in_place(|| self.redis.kill().expect("the server can be killed"));
    }

    pub(crate) fn start_redis(&mut self) {
        block_in_place(|| self.redis.restart().expect("the server restarts"));
    }

    /// Copies what Redis has written so far.
    pub(crate) fn copy_aof(&self) -> PathBuf {
        let copy = self.folder.path().join("aof");
        let _ = std::fs::remove_dir_all(&copy); // remove the copy of the last call
        copy_folder(&self.redis.folder().join(AOF), &copy);
        copy
    }

    /// Deletes the data of a stopped Redis. If there is an `older` copy, restores it.
    pub(crate) fn replace_aof(&self, older: Option<&Path>) {
        let aof = self.redis.folder().join(AOF);
        std::fs::remove_dir_all(&aof).expect("the append-only files exist");
        if let Some(older) = older {
            copy_folder(older, &aof);
        }
    }

    /// Waits until both nodes are ready, nothing is in flight, and ledger and store agree.
    ///
    /// # Errors
    /// If this takes longer than `timeout`: what is still missing.
    pub(crate) async fn wait_until_at_rest(&self, event: EventId, timeout: Duration) -> Result<(), String> {
        let deadline = tokio::time::Instant::now() + timeout;
        while let Err(not_at_rest) = self.is_at_rest(event).await {
            if tokio::time::Instant::now() > deadline {
                return Err(format!("it never came to rest: {not_at_rest}"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn is_at_rest(&self, event: EventId) -> Result<(), String> {
        for node in &self.nodes {
            let ready =
                reqwest::get(format!("{}/readyz", node.url)).await.map_err(|error| error.to_string())?;
            if ready.status() != 200 {
                return Err(format!("{} is not ready: {}", node.url, ready.status()));
            }
        }
        let view = self.ledger.view(event).await.map_err(|error| error.to_string())?;
        let view = view.ok_or("no ledger is loaded")?;
        if view.journal_len > 0 {
            return Err(format!("{} entries are in the journal", view.journal_len));
        }
        let later = self.now().await.plus_millis(86_400_000);
        let outbox = self.store.outbox_before(later, 1).await.map_err(|error| error.to_string())?;
        if let Some(row) = outbox.first() {
            return Err(format!("in the outbox: {row:?}"));
        }
        let audit = self.store.inventory_audit(Some(event)).await.map_err(|error| error.to_string())?;
        let lefts = view.ticket_types.iter().map(|ticket_type| u64::from(ticket_type.left));
        let differ = audit.iter().zip(lefts).find(|(row, left)| row.left != *left);
        differ.map_or(Ok(()), |(row, left)| Err(format!("the ledger has {left} left of {row:?}")))
    }

    /// Stops the nodes gracefully and returns their logs.
    pub(crate) fn close(mut self) -> String {
        block_in_place(|| self.nodes.drain(..).map(Node::end).collect())
    }
}

impl Node {
    /// Starts the node and waits until it reports that it is ready.
    pub(crate) fn start(&mut self) {
        let variables: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.serving = Some(block_in_place(|| Serving::start(neticket(&["serve"], &variables))));
    }

    /// Kills the node with SIGKILL.
    pub(crate) fn kill(&mut self) {
        let mut serving = self.serving.take().expect("the process runs");
        serving.child.kill().expect("the server can be killed");
        self.log += &block_in_place(|| serving.wait()).1;
    }

    /// Freezes the node with SIGSTOP. Its connections stay open, but nothing answers.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    /// Continues the node with SIGCONT.
    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.serving.as_ref().expect("the process runs").child.id();
        let status = Command::new("sh").arg("-c").arg(format!("kill -{signal} {pid}")).status();
        assert!(status.expect("a shell").success(), "the process is not running");
    }

    fn end(mut self) -> String {
        let (code, log) = self.serving.take().expect("the process runs").terminate();
        assert_eq!(code, Some(0), "the node did not exit cleanly: {log}");
        self.log + &log
    }
}

/// An event that has been on sale for a minute, with one ticket type for each capacity.
pub(crate) fn event_on_sale(now: Timestamp, capacities: &[u32], max_per_user: u32) -> NewEvent {
    let starts_at = now.plus_millis(86_400_000);
    let ticket_types = capacities.iter().zip(TICKET_TYPES);
    let ticket_types = ticket_types.map(|(capacity, name)| NewTicketType {
        name: name.to_owned(),
        price: 50_000,
        capacity: *capacity,
    });
    NewEvent {
        title: "한여름 밤의 꿈".to_owned(),
        place: "예술의전당".to_owned(),
        description: String::new(),
        starts_at,
        opens_at: now.plus_millis(-60_000),
        closes_at: starts_at,
        max_per_user,
        image_key: None,
        ticket_types: ticket_types.collect(),
    }
}

/// The name of the node's MariaDB user.
pub(crate) fn node_user(node: usize) -> String {
    format!("node{node}")
}

fn copy_folder(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp runs");
    assert!(status.success(), "{} is copied", from.display());
}
