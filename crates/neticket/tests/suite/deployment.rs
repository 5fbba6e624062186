//! Nodes of two deployments cannot share a ledger. The second one refuses to start and says why.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use neticket_testkit::servers::{TestDatabase, redis_cluster_url, redis_url, unique_name};

use crate::process::{Serving, borrowed, neticket, printed, refused_to_serve, run};

type Settings = Vec<(&'static str, String)>;

const OTHER_SECRET: &str = "another secret for tests, 32 bytes or more";

/// The settings of a node on `redis` and on its own database, which is migrated.
fn node(redis: &str, database: &TestDatabase, folder: &tempfile::TempDir) -> Settings {
    let settings = vec![
        ("NETICKET_DATA_DIR", folder.path().display().to_string()),
        ("NETICKET_LISTEN", "127.0.0.1:0".to_owned()),
        ("NETICKET_DATABASE_URL", database.url()),
        ("NETICKET_REDIS_URL", redis.to_owned()),
        ("NETICKET_REDIS_PREFIX", unique_name("deployment")),
        ("NETICKET_JWT_SECRET", "a secret for tests, 32 bytes or more".to_owned()),
    ];
    let migrated = run(&["migrate"], &borrowed(&settings));
    assert!(migrated.status.success(), "{}", printed(&migrated));
    settings
}

/// The same settings, except for one.
fn with(settings: &Settings, name: &'static str, value: &str) -> Settings {
    let kept = settings.iter().filter(|(variable, _)| *variable != name).cloned();
    kept.chain([(name, value.to_owned())]).collect()
}

fn serve(settings: &Settings) -> Serving {
    Serving::start(neticket(&["serve"], &borrowed(settings)))
}

fn ends(serving: Serving) {
    let (code, log) = serving.terminate();
    assert_eq!(code, Some(0), "{log}");
}

/// Asserts that both `serve` and `doctor` refuse these settings, for this reason.
fn assert_refused(settings: &Settings, reason: &str) {
    let refusal = refused_to_serve(&borrowed(settings));
    assert!(refusal.contains(&format!(" use {reason}: set ")), "{refusal}");
    let output = run(&["doctor"], &borrowed(settings));
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    let failed = format!("FAILED  deployment: nodes that run on this Redis and prefix use {reason}: set ");
    assert!(printed(&output).contains(&failed), "{}", printed(&output));
    for secret in [OTHER_SECRET, "a secret for tests"] {
        assert!(!refusal.contains(secret) && !printed(&output).contains(secret));
    }
}

fn a_node_of_another_deployment_is_refused(redis: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (database, other) = (TestDatabase::create().unwrap(), TestDatabase::create().unwrap());
    let ours = node(redis, &database, &folder);
    let moved = with(&ours, "NETICKET_DATABASE_URL", &node(redis, &other, &folder)[2].1);
    let rotated = with(&ours, "NETICKET_JWT_SECRET", OTHER_SECRET);
    let both = with(&moved, "NETICKET_JWT_SECRET", OTHER_SECRET);
    let (first, second) = (serve(&ours), serve(&ours));
    ends(first);
    assert_refused(&moved, "another database");
    assert_refused(&rotated, "another token secret");
    assert_refused(&both, "another database and another token secret");
    let content = run(&["doctor"], &borrowed(&ours));
    assert!(content.status.success(), "{}", printed(&content));
    let apart = serve(&with(&both, "NETICKET_REDIS_PREFIX", &unique_name("deployment")));
    ends(apart);
    ends(second);
    // All nodes have stopped, so the change is intended.
    let changed = serve(&both);
    assert_refused(&ours, "another database and another token secret");
    ends(changed);
}

#[test]
fn a_node_with_another_database_or_token_secret_does_not_start_beside_a_running_node() {
    a_node_of_another_deployment_is_refused(&redis_url().unwrap());
}

#[test]
fn a_node_of_another_deployment_does_not_start_on_a_redis_cluster() {
    a_node_of_another_deployment_is_refused(&redis_cluster_url().unwrap());
}

#[test]
fn two_embedded_stores_do_not_share_a_redis() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let embedded = |folder: &tempfile::TempDir, prefix: &str| -> Settings {
        vec![
            ("NETICKET_DATA_DIR", folder.path().display().to_string()),
            ("NETICKET_LISTEN", "127.0.0.1:0".to_owned()),
            ("NETICKET_REDIS_URL", redis_url().unwrap()),
            ("NETICKET_REDIS_PREFIX", prefix.to_owned()),
        ]
    };
    let prefix = unique_name("deployment");
    let first = serve(&embedded(&folder, &prefix));
    let refusal = refused_to_serve(&borrowed(&embedded(&other, &prefix)));
    assert!(refusal.contains("another database and another token secret"), "{refusal}");
    let seeded = run(&["seed", "--demo"], &borrowed(&embedded(&other, &prefix)));
    assert!(seeded.status.success(), "commands sell nothing: {}", printed(&seeded));
    ends(first);
}

/// The first line that Redis answers to an inline command.
fn redis_says(redis: &str, command: &str) -> String {
    let address = redis.trim_start_matches("redis://").trim_end_matches('/');
    let mut connection = BufReader::new(TcpStream::connect(address).unwrap());
    connection.get_mut().write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_line(&mut answer).unwrap();
    answer.trim_end().to_owned()
}

#[test]
fn the_claim_of_a_killed_node_remains_and_a_running_node_renews_a_lost_claim() {
    let (folder, redis) = (tempfile::tempdir().unwrap(), redis_url().unwrap());
    let database = TestDatabase::create().unwrap();
    let ours = node(&redis, &database, &folder);
    let key = format!("{}:claims", ours[4].1);
    let (mut killed, lives) = (serve(&ours), serve(&ours));
    assert_eq!(redis_says(&redis, &format!("HLEN {key}")), ":2");
    let status = Command::new("kill").args(["-KILL", &killed.child.id().to_string()]).status().unwrap();
    assert!(status.success());
    killed.child.wait().unwrap();
    assert_eq!(
        redis_says(&redis, &format!("HLEN {key}")),
        ":2",
        "the claim of the killed node must remain for a while"
    );
    assert_eq!(redis_says(&redis, &format!("DEL {key}")), ":1");
    let deadline = Instant::now() + Duration::from_mins(1);
    while redis_says(&redis, &format!("HLEN {key}")) != ":1" {
        assert!(Instant::now() < deadline, "the running node did not renew its claim in time");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_refused(&with(&ours, "NETICKET_JWT_SECRET", OTHER_SECRET), "another token secret");
    ends(lives);
    assert_eq!(redis_says(&redis, &format!("EXISTS {key}")), ":0");
}
