//! `/readyz` and `doctor` answer soon even if a backend hangs, whatever the timeouts of calls are.

use std::process::Output;
use std::time::{Duration, Instant};

use neticket_testkit::servers::{MariaDb, Redis, Server, TestDatabase};
use serde_json::Value;

use crate::process::{Serving, borrowed, neticket, printed, run};

/// The longest timeouts that can be set. Every answer in these tests comes long before them.
const STORE_TIMEOUT_MS: &str = "60000";
const LEDGER_TIMEOUT_MS: &str = "30000";
/// After this time an answer counts as missing. It is generous for a busy machine, and far below both
/// timeouts.
const DEADLINE: Duration = Duration::from_secs(25);

/// A separate MariaDB and Redis, with a migrated database.
struct Backends {
    mariadb: Server,
    redis: Server,
    // Declared after `mariadb`, so that the server is dropped first: if it is frozen, it would never confirm
    // that the database is dropped.
    database: TestDatabase,
    folder: tempfile::TempDir,
}

impl Backends {
    fn start() -> Self {
        let mariadb = MariaDb::default().start().unwrap();
        let database = TestDatabase::create_on(&mariadb.url()).unwrap();
        let redis = Redis::default().start().unwrap();
        let backends = Self { mariadb, redis, database, folder: tempfile::tempdir().unwrap() };
        let migrated = run(&["migrate"], &borrowed(&backends.settings()));
        assert!(migrated.status.success(), "{}", printed(&migrated));
        backends
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("NETICKET_DATA_DIR", self.folder.path().display().to_string()),
            ("NETICKET_LISTEN", "127.0.0.1:0".to_owned()),
            ("NETICKET_DATABASE_URL", self.database.url()),
            ("NETICKET_REDIS_URL", self.redis.url()),
            ("NETICKET_STORE_TIMEOUT_MS", STORE_TIMEOUT_MS.to_owned()),
            ("NETICKET_LEDGER_TIMEOUT_MS", LEDGER_TIMEOUT_MS.to_owned()),
        ]
    }
}

/// The status and the problem code of `/readyz`. Panics if there is no answer before [`DEADLINE`].
async fn readyz(client: &reqwest::Client, url: &str) -> (u16, String) {
    let answer = client.get(format!("{url}/readyz")).timeout(DEADLINE).send().await;
    let answer = answer.expect("readyz answers long before the timeouts of store and ledger");
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

async fn until_ready(client: &reqwest::Client, url: &str) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while readyz(client, url).await.0 != 200 {
        assert!(Instant::now() < deadline, "the node did not become ready again in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readyz_names_a_hung_database_and_a_hung_redis_while_they_hang() {
    let backends = tokio::task::block_in_place(Backends::start);
    let serving = Serving::start(neticket(&["serve"], &borrowed(&backends.settings())));
    let client = reqwest::Client::new();
    until_ready(&client, &serving.url).await;
    for (server, code) in [(&backends.mariadb, "store_unavailable"), (&backends.redis, "ledger_unavailable")]
    {
        server.pause().unwrap();
        // More requests at once than probes may run.
        let probes = (0..12).map(|_| readyz(&client, &serving.url));
        for (status, _) in futures::future::join_all(probes).await {
            assert_eq!(status, 503);
        }
        // On a busy machine the other backend may be slow once.
        let deadline = Instant::now() + Duration::from_mins(1);
        while readyz(&client, &serving.url).await != (503, code.to_owned()) {
            assert!(Instant::now() < deadline, "readyz did not report {code} in time");
        }
        server.resume().unwrap();
        until_ready(&client, &serving.url).await;
    }
    let (code, log) = tokio::task::spawn_blocking(|| serving.terminate()).await.unwrap();
    assert_eq!(code, Some(0), "{log}");
}

/// Runs `doctor`, which must end before [`DEADLINE`].
async fn doctor(backends: &Backends) -> Output {
    let settings = backends.settings();
    let ended = tokio::task::spawn_blocking(move || run(&["doctor"], &borrowed(&settings)));
    let ended = tokio::time::timeout(DEADLINE, ended).await;
    ended.expect("doctor ends long before the timeouts of store and ledger").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_names_a_hung_database_and_a_hung_redis_while_they_hang() {
    let backends = tokio::task::block_in_place(Backends::start);
    for (server, hangs, answers) in
        [(&backends.mariadb, "store", "ledger"), (&backends.redis, "ledger", "store")]
    {
        server.pause().unwrap();
        let output = doctor(&backends).await;
        server.resume().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
        assert!(printed(&output).contains(&format!("FAILED  {hangs}: ")), "{}", printed(&output));
        assert!(printed(&output).contains(&format!("ok      {answers}: ")), "{}", printed(&output));
    }
}
