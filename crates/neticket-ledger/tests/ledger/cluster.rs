//! Faults that only a cluster can have: it loses one master, or one master is configured unlike the others.

use neticket_domain::{Epoch, EventId};
use neticket_ledger::{AdmitAnswer, Ledger, RedisLedger, RedisOptions};
use neticket_testservers::RedisCluster;

use crate::support::{VIP, load, request, snapshot};

/// The slots of their hash tags spread these events over all masters.
pub(crate) const EVENTS: std::ops::Range<i64> = 0..30;
const TIMEOUT_MS: u64 = 2_000;

pub(crate) async fn own_cluster() -> (RedisCluster, RedisLedger) {
    own_cluster_with(TIMEOUT_MS).await
}

/// The same with another timeout.
pub(crate) async fn own_cluster_with(timeout_ms: u64) -> (RedisCluster, RedisLedger) {
    let cluster = tokio::task::spawn_blocking(|| RedisCluster::start().unwrap()).await.unwrap();
    let options = RedisOptions { timeout_ms, ..RedisOptions::new(cluster.url()) };
    (cluster, RedisLedger::connect(options).unwrap())
}

async fn tell(url: &str, command: &[&str]) {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd(command[0]).arg(&command[1..]).exec_async(&mut connection).await.unwrap();
}

pub(crate) async fn load_all(ledger: &RedisLedger, epoch: i64) {
    for event in EVENTS {
        let mut of_event = snapshot(ledger, epoch).await;
        of_event.event = EventId(event);
        load(ledger, &of_event).await;
    }
}

/// How many of the events the ledger admits for. A master that is down costs each of its events one timeout.
async fn admits(ledger: &RedisLedger, number: u64) -> usize {
    let mut answered = 0;
    for event in EVENTS {
        let user = i64::try_from(number).unwrap();
        let answer = ledger.admit(EventId(event), Epoch(1), &[request(number, user, VIP, 1)]).await;
        answered += usize::from(matches!(answer, Ok(AdmitAnswer::Verdicts { .. })));
    }
    answered
}

#[tokio::test]
async fn scripts_are_loaded_again_into_a_master_that_lost_them() {
    let (cluster, ledger) = own_cluster().await;
    load_all(&ledger, 1).await;
    for (number, master) in (1..).zip(&cluster.masters) {
        tell(&master.url(), &["SCRIPT", "FLUSH"]).await;
        assert_eq!(admits(&ledger, number).await, 30);
    }
    let mut loaded = ledger.loaded().await.unwrap().events;
    loaded.sort_unstable();
    assert_eq!(loaded, EVENTS.map(EventId).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_settings_of_the_worst_master_count_for_the_cluster() {
    let (cluster, ledger) = own_cluster().await;
    assert_eq!(ledger.maxmemory_policy().await.unwrap(), "noeviction");
    assert!(ledger.persists().await.unwrap());
    let one = cluster.masters[1].url();
    tell(&one, &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]).await;
    tell(&one, &["CONFIG", "SET", "appendonly", "no"]).await;
    assert_eq!(ledger.maxmemory_policy().await.unwrap(), "allkeys-lru");
    assert!(!ledger.persists().await.unwrap());
    ledger.ping().await.unwrap();
}

#[tokio::test]
async fn a_silent_master_fails_the_ping_and_stops_only_its_own_events() {
    let (cluster, ledger) = own_cluster().await;
    load_all(&ledger, 1).await;
    cluster.masters[2].pause().unwrap();
    assert!(ledger.ping().await.is_err());
    let event = |event| ledger.admit(EventId(event), Epoch(1), &[]);
    let mut answers = Vec::new();
    for answer in futures::future::join_all(EVENTS.map(event)).await {
        answers.push(answer.is_ok());
    }
    assert!(answers.contains(&true) && answers.contains(&false), "{answers:?}");
    cluster.masters[2].resume().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while admits(&ledger, 9).await < 30 {
        assert!(std::time::Instant::now() < deadline, "the master is back");
    }
}
