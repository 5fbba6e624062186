//! Servers that a test has for itself, to be broken; and what the database is told behind the application's back.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use neticket_app::App;
use neticket_testkit::domain::{Epoch, EventId, ReservationId, TicketTypeId, UserId};
use neticket_testkit::ledger::{AdmitAnswer, AdmitRequest, Verdict};
use neticket_testkit::servers::{MariaDb, Redis, Server, TestDatabase};
use neticket_testkit::store::Store;
use neticket_testkit::{Parts, World, tickets};
use tokio::task::block_in_place;
use tokio::time::Instant;
use uuid::Uuid;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(10);

/// A MariaDB of its own.
pub(crate) struct OwnMariaDb {
    pub(crate) server: Server,
    // Goes first, with the server still there.
    database: Option<TestDatabase>,
}

impl Drop for OwnMariaDb {
    fn drop(&mut self) {
        drop(self.database.take());
    }
}

/// Gives the world a Redis of its own.
pub(crate) fn own_redis(world: &mut World) -> Server {
    let redis = block_in_place(|| Redis::default().start()).expect("a Redis");
    world.config.redis_url = Some(redis.url());
    world.ledger = App::open_ledger(&world.config).expect("a ledger");
    redis
}

/// Gives the world a MariaDB of its own.
pub(crate) async fn own_mariadb(world: &mut World) -> OwnMariaDb {
    let server = block_in_place(|| MariaDb::default().start()).expect("a MariaDB");
    let database = block_in_place(|| TestDatabase::create_on(&server.url())).expect("a database");
    world.config.database_url = database.url();
    world.store = Store::connect(&App::store_options(&world.config)).await.expect("a store");
    world.store.migrate().await.expect("a schema");
    OwnMariaDb { server, database: Some(database) }
}

/// MariaDB's own client, about to run `sql` in the world's database.
fn client(world: &World, sql: &str) -> Command {
    let address = world.config.database_url.strip_prefix("mysql://root@").expect("the test's MariaDB");
    let (host_port, name) = address.split_once('/').expect("a database");
    let (host, port) = host_port.split_once(':').expect("a port");
    let mut client = Command::new("mariadb");
    client.args(["--no-defaults", "--protocol=tcp", "--user=root", "--host", host, "--port", port]);
    client.args(["--batch", "--unbuffered", "--skip-column-names", "--delimiter=//", name, "-e", sql]);
    client
}

/// Runs SQL, `;` being no end of a statement for the client; what it prints.
pub(crate) fn sql(world: &World, sql: &str) -> String {
    let output = client(world, sql).output().expect("the mariadb client");
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The locks of ticket types, held by a connection of its own until they are let go.
pub(crate) struct Locks {
    client: Child,
    connection: String,
}

impl Locks {
    /// Takes those of the event.
    pub(crate) fn of(world: &World, event: EventId) -> Self {
        let lock = format!("SELECT COUNT(*) FROM ticket_types WHERE event_id = {event} FOR UPDATE");
        let mut client =
            client(world, &format!("BEGIN// {lock}// SELECT CONNECTION_ID()// SELECT SLEEP(600)"));
        let mut client = client.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let (mut told, mut byte) = (String::new(), [0]);
        while told.lines().count() < 2 || !told.ends_with('\n') {
            client.stdout.as_mut().expect("a pipe").read_exact(&mut byte).expect("it has the locks");
            told.push(char::from(byte[0]));
        }
        Self { client, connection: told.lines().nth(1).expect("its id").to_owned() }
    }

    pub(crate) fn let_go(mut self, world: &World) {
        sql(world, &format!("KILL {}", self.connection));
        self.client.wait().expect("it ends");
    }
}

/// Admits two tickets as a node does that dies right after it.
pub(crate) async fn admit(world: &World, event: EventId, user: UserId, grade: TicketTypeId) -> ReservationId {
    let id = ReservationId(Uuid::new_v4());
    let request = AdmitRequest { id, user, ticket_type: grade, quantity: tickets(2) };
    let answer = world.ledger.admit(event, Epoch(0), &[request]).await.unwrap();
    assert!(
        matches!(&answer, AdmitAnswer::Verdicts { verdicts, .. } if matches!(verdicts[0], Verdict::Admitted(_))),
        "{answer:?}"
    );
    id
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(GLANCE).await;
    }
}

/// A world whose nodes take care of what is left behind after a moment.
pub(crate) async fn hasty(parts: Parts) -> World {
    let mut world = World::new(parts).await;
    world.config.engine.grace_ms = 50;
    world.config.engine.task_interval_ms = 20;
    world
}
