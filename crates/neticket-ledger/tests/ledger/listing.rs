//! The list of the events that may have a ledger. It is complete again after a server has lost data.
//! Otherwise it is read without looking through all keys.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use neticket_domain::{Epoch, EventId};
use neticket_ledger::{Ledger, LoadedEvents, RedisLedger, RedisOptions};
use neticket_testservers::{RedisCluster, Server};
use redis::Value;

use crate::cluster::{EVENTS, load_all, own_cluster, own_cluster_with};
use crate::promotion::info;
use crate::server::{GENEROUS_TIMEOUT_MS, ask, own_server_with, restarted};
use crate::support::{EVENT, load, snapshot};

const LIST: &str = "neticket:2:loaded";
const COMPLETE: &str = "neticket:2:{neticket:2:loaded}:complete";

async fn number(server: &Server, command: &[&str]) -> i64 {
    redis::from_redis_value(ask(&server.url(), command).await).unwrap()
}

/// How many `SCAN` commands the server has received.
async fn scans(server: &Server) -> u32 {
    let calls = info(server, "commandstats", "cmdstat_scan").await;
    calls.strip_prefix("calls=").map_or(0, |calls| calls.split(',').next().unwrap().parse().unwrap())
}

async fn scans_of_each(cluster: &RedisCluster) -> Vec<u32> {
    let mut all = Vec::new();
    for master in &cluster.masters {
        all.push(scans(master).await);
    }
    all
}

/// The number of the master that has this key.
async fn master_of(cluster: &RedisCluster, key: &str) -> usize {
    match number(&cluster.masters[0], &["CLUSTER", "KEYSLOT", key]).await {
        0..=5_460 => 0,
        5_461..=10_922 => 1,
        _ => 2,
    }
}

/// The events whose ledgers are on another master than `lost`.
async fn events_elsewhere(cluster: &RedisCluster, lost: usize) -> Vec<EventId> {
    let mut elsewhere = Vec::new();
    for event in EVENTS {
        if master_of(cluster, &format!("neticket:2:{{{event}}}:ledger")).await != lost {
            elsewhere.push(EventId(event));
        }
    }
    assert!(elsewhere.len() > 5 && elsewhere.len() < 30, "ledgers are on all masters: {elsewhere:?}");
    elsewhere
}

fn complete(mut loaded: LoadedEvents) -> Vec<EventId> {
    assert!(loaded.incomplete.is_none(), "{loaded:?}");
    loaded.events.sort_unstable();
    loaded.events
}

async fn until_complete(ledger: &RedisLedger) -> Vec<EventId> {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let loaded = ledger.loaded().await;
        if let Ok(LoadedEvents { incomplete: None, .. }) = loaded {
            return complete(loaded.unwrap());
        }
        assert!(Instant::now() < deadline, "{loaded:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_lost_event_list_is_rebuilt_from_the_ledgers_of_the_other_masters() {
    let (cluster, ledger) = own_cluster_with(GENEROUS_TIMEOUT_MS).await;
    load_all(&ledger, 3).await;
    assert_eq!(complete(ledger.loaded().await.unwrap()), EVENTS.map(EventId).collect::<Vec<_>>());
    let lost = master_of(&cluster, LIST).await;
    let elsewhere = events_elsewhere(&cluster, lost).await;
    ask(&cluster.masters[lost].url(), &["FLUSHALL"]).await;
    assert!(ledger.view(elsewhere[0]).await.unwrap().is_some(), "its ledger is intact");

    assert_eq!(complete(ledger.loaded().await.unwrap()), elsewhere);
    // They are listed under their own epoch, so an evict of another epoch does not remove them.
    let score = |event: EventId| {
        let master = &cluster.masters[lost];
        async move { number(master, &["ZSCORE", LIST, &event.to_string()]).await }
    };
    assert_eq!(score(elsewhere[0]).await, 3);
    assert!(ledger.evict(elsewhere[0], Epoch(3)).await.unwrap());
    assert_eq!(complete(ledger.loaded().await.unwrap()), elsewhere[1..]);
}

#[tokio::test]
async fn concurrent_readers_rebuild_an_event_list_once() {
    let (cluster, ledger) = own_cluster_with(GENEROUS_TIMEOUT_MS).await;
    load_all(&ledger, 1).await;
    let options = || RedisOptions { timeout_ms: GENEROUS_TIMEOUT_MS, ..RedisOptions::new(cluster.url()) };
    let nodes: Vec<_> = (0..3).map(|_| RedisLedger::connect(options()).unwrap()).collect();
    let lost = master_of(&cluster, LIST).await;
    let elsewhere = events_elsewhere(&cluster, lost).await;
    ask(&cluster.masters[lost].url(), &["FLUSHALL"]).await;
    let before = scans_of_each(&cluster).await;
    let asking = (0..60).map(|number| nodes[number % 3].loaded());
    for loaded in futures::future::join_all(asking).await {
        assert_eq!(complete(loaded.unwrap()), elsewhere);
    }
    // There are few keys, so each master needs one step.
    let once: Vec<u32> = before.iter().map(|scans| scans + 1).collect();
    assert_eq!(scans_of_each(&cluster).await, once);
    ledger.loaded().await.unwrap();
    assert_eq!(scans_of_each(&cluster).await, once);
}

#[tokio::test]
async fn an_event_list_that_cannot_be_rebuilt_is_reported_as_incomplete() {
    let (cluster, ledger) = own_cluster().await;
    load_all(&ledger, 1).await;
    let lost = master_of(&cluster, LIST).await;
    let elsewhere = events_elsewhere(&cluster, lost).await;
    ask(&cluster.masters[lost].url(), &["FLUSHALL"]).await;
    let silent = &cluster.masters[(lost + 1) % 3];
    silent.pause().unwrap();
    let gone = EVENTS.map(EventId).find(|event| !elsewhere.contains(event)).unwrap();
    let mut again = snapshot_of(&ledger, gone).await;
    again.epoch = Epoch(2);
    load(&ledger, &again).await;
    for _ in 0..3 {
        let loaded = ledger.loaded().await.unwrap();
        assert!(loaded.incomplete.is_some(), "{loaded:?}");
        assert!(loaded.events.contains(&gone), "{loaded:?}");
    }
    silent.resume().unwrap();
    let expected: BTreeSet<EventId> = elsewhere.into_iter().chain([gone]).collect();
    assert_eq!(until_complete(&ledger).await, expected.into_iter().collect::<Vec<_>>());
}

/// Uses the clock of a memory ledger, because the ledger's own clock needs all masters and one of them is
/// silent.
async fn snapshot_of(ledger: &RedisLedger, event: EventId) -> neticket_ledger::LedgerSnapshot {
    let mut snapshot = snapshot(&neticket_ledger::MemoryLedger::new(), 1).await;
    snapshot.event = event;
    assert_eq!(ledger.view(event).await.unwrap(), None);
    snapshot
}

#[tokio::test]
async fn the_event_list_is_complete_after_a_restart_from_file() {
    let (server, ledger) = own_server_with(true, GENEROUS_TIMEOUT_MS).await;
    load(&ledger, &snapshot(&ledger, 1).await).await;
    assert_eq!(complete(ledger.loaded().await.unwrap()), [EVENT]);
    let before = ask(&server.url(), &["HGET", COMPLETE, "replid"]).await;
    let server = restarted(server).await;
    // Imitates a file that lacks the last write.
    ask(&server.url(), &["DEL", LIST]).await;
    assert_eq!(complete(ledger.loaded().await.unwrap()), [EVENT]);
    let after = ask(&server.url(), &["HGET", COMPLETE, "replid"]).await;
    assert!(before != Value::Nil && after != before, "{before:?} {after:?}");
}

#[tokio::test]
async fn all_keys_are_scanned_again_once_after_a_minute() {
    let (server, ledger) = own_server_with(false, GENEROUS_TIMEOUT_MS).await;
    load(&ledger, &snapshot(&ledger, 1).await).await;
    for _ in 0..3 {
        assert_eq!(complete(ledger.loaded().await.unwrap()), [EVENT]);
        assert_eq!(scans(&server).await, 1);
    }
    // A load that was in progress when the list was lost finishes, and its node dies before it lists the
    // event again.
    ask(&server.url(), &["DEL", LIST]).await;
    ask(&server.url(), &["HINCRBY", COMPLETE, "scanned_at", "-60000"]).await;
    for _ in 0..3 {
        assert_eq!(complete(ledger.loaded().await.unwrap()), [EVENT]);
        assert_eq!(scans(&server).await, 2);
    }
    ask(&server.url(), &["HINCRBY", COMPLETE, "scanned_at", "-60000"]).await;
    ledger.loaded().await.unwrap();
    assert_eq!(scans(&server).await, 2);
}

#[tokio::test]
async fn a_server_with_many_foreign_keys_is_scanned_in_steps() {
    let (server, ledger) = own_server_with(false, GENEROUS_TIMEOUT_MS).await;
    load(&ledger, &snapshot(&ledger, 1).await).await;
    let keys_of_others = "for i = 1, 1000 do redis.call('SET', ARGV[1] .. ':' .. i, i) end";
    for part in 0..20 {
        ask(&server.url(), &["EVAL", keys_of_others, "0", &part.to_string()]).await;
    }
    assert_eq!(until_complete(&ledger).await, [EVENT]);
    assert!(scans(&server).await >= 10, "{}", scans(&server).await);
}
