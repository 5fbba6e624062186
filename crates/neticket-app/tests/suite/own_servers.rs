//! Servers that belong to one test, which may break them, and what several tests do with an environment.

use neticket_app::App;
use neticket_testkit::domain::{Epoch, EventId, ReservationId, TicketTypeId, UserId};
use neticket_testkit::ledger::{AdmitAnswer, AdmitRequest, Verdict};
use neticket_testkit::servers::{MariaDb, Redis, Server, TestDatabase};
use neticket_testkit::store::Store;
use neticket_testkit::{Backends, TestEnv, tickets};
use tokio::task::block_in_place;
use uuid::Uuid;

/// A MariaDB that belongs to one test.
pub(crate) struct OwnMariaDb {
    pub(crate) server: Server,
    // Dropped first, while the server still runs.
    database: Option<TestDatabase>,
}

impl Drop for OwnMariaDb {
    fn drop(&mut self) {
        drop(self.database.take());
    }
}

/// Gives the environment its own Redis.
pub(crate) fn own_redis(env: &mut TestEnv) -> Server {
    let redis = block_in_place(|| Redis::default().start()).expect("a Redis");
    env.config.redis_url = Some(redis.url());
    env.ledger = App::open_ledger(&env.config).expect("a ledger");
    redis
}

/// Gives the environment its own MariaDB.
pub(crate) async fn own_mariadb(env: &mut TestEnv) -> OwnMariaDb {
    let server = block_in_place(|| MariaDb::default().start()).expect("a MariaDB");
    let database = block_in_place(|| TestDatabase::create_on(&server.url())).expect("a database");
    env.config.database_url = database.url();
    env.store = Store::connect(&App::store_options(&env.config)).await.expect("a store");
    env.store.migrate().await.expect("a schema");
    OwnMariaDb { server, database: Some(database) }
}

/// Admits two tickets, like a node that dies right after the admission.
pub(crate) async fn admit(
    env: &TestEnv,
    event: EventId,
    user: UserId,
    ticket_type: TicketTypeId,
) -> ReservationId {
    let id = ReservationId(Uuid::new_v4());
    let request = AdmitRequest { id, user, ticket_type, quantity: tickets(2), unit_price: None };
    let answer = env.ledger.admit(event, Epoch(0), &[request]).await.unwrap();
    assert!(
        matches!(&answer, AdmitAnswer::Verdicts { verdicts, .. } if matches!(verdicts[0], Verdict::Admitted(_))),
        "{answer:?}"
    );
    id
}

/// An environment whose nodes finish what is left behind after a short time.
pub(crate) async fn with_fast_recovery(backends: Backends) -> TestEnv {
    let mut env = TestEnv::new(backends).await;
    env.config.engine.grace_ms = 50;
    env.config.engine.task_interval_ms = 20;
    env
}
