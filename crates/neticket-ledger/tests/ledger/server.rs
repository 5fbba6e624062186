//! Faults that only a server can have: it is lost, comes back with old data, or is silent.

use std::time::{Duration, Instant};

use neticket_domain::Epoch;
use neticket_ledger::{AdmitAnswer, Ledger, LedgerError, LoadAnswer, RedisLedger, RedisOptions, Verdict};
use neticket_testservers::{Redis, Server, redis_url, unique_prefix};
use redis::Value;

use crate::support::{
    EVENT, REPLACED, STANDING, VIP, admit_one, admitted, dropped, held, id, ids, journal, journal_ids, kept,
    left, load, offer, release, request, reservation, snapshot,
};

const TIMEOUT_MS: u64 = 500;
/// For tests in which no call waits for its timeout, even on a busy machine.
pub(crate) const GENEROUS_TIMEOUT_MS: u64 = 20_000;

/// A server of the test's own, and a ledger on it.
pub(crate) async fn own_server(append_only: bool) -> (Server, RedisLedger) {
    own_server_with(append_only, TIMEOUT_MS).await
}

/// The same with another timeout.
pub(crate) async fn own_server_with(append_only: bool, timeout_ms: u64) -> (Server, RedisLedger) {
    let start = move || Redis { append_only, ..Redis::default() }.start().unwrap();
    let server = tokio::task::spawn_blocking(start).await.unwrap();
    let options = RedisOptions { timeout_ms, ..RedisOptions::new(server.url()) };
    (server, RedisLedger::connect(options).unwrap())
}

pub(crate) async fn restarted(mut server: Server) -> Server {
    let restart = move || {
        server.restart().unwrap();
        server
    };
    tokio::task::spawn_blocking(restart).await.unwrap()
}

/// Sends one command directly to the server, without the ledger.
pub(crate) async fn ask(url: &str, command: &[&str]) -> Value {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd(command[0]).arg(&command[1..]).query_async(&mut connection).await.unwrap()
}

async fn keys(url: &str, prefix: &str) -> Vec<String> {
    let mut keys: Vec<String> =
        redis::from_redis_value(ask(url, &["KEYS", &format!("{prefix}*")]).await).unwrap();
    keys.sort();
    keys
}

#[tokio::test]
async fn a_server_that_restarts_empty_has_no_ledger() {
    let (server, ledger) = own_server(false).await;
    load(&ledger, &snapshot(&ledger, 1).await).await;
    admitted(&ledger, &[request(1, 1, VIP, 2)]).await;
    let _server = restarted(server).await;
    // The very first call after the loss succeeds: no call uses the old connection.
    let answer = ledger.admit(EVENT, Epoch(1), &[request(2, 2, VIP, 1)]).await.unwrap();
    assert_eq!(answer, AdmitAnswer::Absent);
    assert_eq!(ledger.view(EVENT).await.unwrap(), None);
}

#[tokio::test]
async fn a_flushed_server_has_no_ledger_until_the_next_load() {
    let (server, ledger) = own_server(false).await;
    load(&ledger, &snapshot(&ledger, 1).await).await;
    ask(&server.url(), &["FLUSHALL"]).await;
    let answer = ledger.admit(EVENT, Epoch(1), &[request(1, 1, VIP, 1)]).await.unwrap();
    assert_eq!(answer, AdmitAnswer::Absent);
    load(&ledger, &snapshot(&ledger, 2).await).await;
    assert_eq!(left(&ledger).await, [10, 100]);
}

#[tokio::test]
async fn a_server_that_restarts_with_old_data_is_stale_until_the_next_load() {
    let (server, ledger) = own_server(true).await;
    let first = snapshot(&ledger, 1).await;
    load(&ledger, &first).await;
    let (settled, journaled, other) = (request(1, 1, VIP, 2), request(2, 2, VIP, 3), request(3, 3, VIP, 1));
    admitted(&ledger, &[settled, journaled, other]).await;
    ledger.settle(EVENT, Epoch(1), &[settled.id]).await.unwrap();
    let server = restarted(server).await;

    // The data is there, but it is not used.
    assert!(keys(&server.url(), "neticket:2:{7}:").await.len() >= 3);
    for epoch_min in [0, 1] {
        let answer = ledger.admit(EVENT, Epoch(epoch_min), &[journaled]).await.unwrap();
        assert_eq!(answer, AdmitAnswer::Stale);
    }
    assert_eq!(ledger.view(EVENT).await.unwrap(), None);
    assert_eq!(journal(&ledger).await, []);
    assert_eq!(ledger.journal_entry(EVENT, journaled.id).await.unwrap(), None);
    ledger.settle(EVENT, Epoch(1), &[journaled.id]).await.unwrap();
    assert_eq!(ledger.release(EVENT, &[release(settled, 1)]).await.unwrap(), None);

    // Bookings may have been committed under this epoch since its snapshot was taken, so only a newer epoch
    // replaces it.
    assert_eq!(offer(&ledger, &first).await, kept(1));
    let mut second = snapshot(&ledger, 2).await;
    second.ticket_types[0].left = 8;
    second.reservations = vec![reservation(1, 1, 2), reservation(9, 3, 4)];
    let dropped = dropped(&ledger, &second).await;
    assert_eq!(
        dropped.iter().map(|entry| (entry.request, entry.epoch)).collect::<Vec<_>>(),
        [(other, Epoch(1))]
    );
    assert_eq!(left(&ledger).await, [5, 100]);
    assert_eq!(journal_ids(&ledger).await, [journaled.id]);
    assert_eq!(ledger.release(EVENT, &[]).await.unwrap(), Some(Epoch(2)));
    assert_eq!(admit_one(&ledger, settled).await, Verdict::Known);
    assert_eq!((held(&ledger, 2).await, held(&ledger, 3).await), (3, 4));
}

#[tokio::test]
async fn a_load_that_began_before_the_server_was_lost_starts_over() {
    for append_only in [true, false] {
        let (server, ledger) = own_server(append_only).await;
        let begun = ledger.begin_load(EVENT).await.unwrap();
        // A server that restarts from its file has the token of the load, but it is another server run.
        let _server = restarted(server).await;
        let of_then = snapshot(&ledger, 1).await;
        assert_eq!(ledger.load(begun.token, &of_then).await.unwrap(), LoadAnswer::Again);
        let begun_since = ledger.begin_load(EVENT).await.unwrap();
        assert_eq!(ledger.load(begun.token, &of_then).await.unwrap(), LoadAnswer::Again);
        assert_eq!(ledger.load(begun_since.token, &of_then).await.unwrap(), REPLACED);
    }
}

#[tokio::test]
async fn a_load_that_began_before_the_server_was_flushed_starts_over() {
    let (server, ledger) = own_server(false).await;
    let begun = ledger.begin_load(EVENT).await.unwrap();
    ask(&server.url(), &["FLUSHALL"]).await;
    let of_then = snapshot(&ledger, 1).await;
    assert_eq!(ledger.load(begun.token, &of_then).await.unwrap(), LoadAnswer::Again);
}

#[tokio::test]
async fn a_load_goes_above_a_ledger_of_another_server_run() {
    let (server, ledger) = own_server(true).await;
    load(&ledger, &snapshot(&ledger, 5).await).await;
    let _server = restarted(server).await;
    assert_eq!(ledger.view(EVENT).await.unwrap(), None);
    assert_eq!(ledger.current_epoch(EVENT).await.unwrap(), Epoch(5));
}

#[tokio::test]
async fn a_ledger_of_another_layout_is_absent() {
    let (server, ledger) = own_server(false).await;
    for (key, field) in [("ledger", "epoch"), ("journal", "an old entry"), ("holdings", "an old user")] {
        ask(&server.url(), &["HSET", &format!("neticket:{{7}}:{key}"), field, "1"]).await;
    }
    ask(&server.url(), &["ZADD", "neticket:loaded", "1", "7"]).await;
    assert_eq!(ledger.view(EVENT).await.unwrap(), None);
    assert_eq!(ledger.loaded().await.unwrap().events, []);
    assert_eq!(ledger.current_epoch(EVENT).await.unwrap(), Epoch(0));
    load(&ledger, &snapshot(&ledger, 1).await).await;
    assert_eq!(journal(&ledger).await, []);
}

#[tokio::test]
async fn a_silent_server_times_out_and_is_used_again_later() {
    let (server, ledger) = own_server(false).await;
    load(&ledger, &snapshot(&ledger, 1).await).await;
    server.pause().unwrap();
    for _ in 0..2 {
        let begun = Instant::now();
        let error = ledger.admit(EVENT, Epoch(1), &[request(1, 1, VIP, 1)]).await.unwrap_err();
        let took = begun.elapsed();
        assert!(matches!(error, LedgerError::Timeout { timeout_ms: TIMEOUT_MS }), "{error:?}");
        assert!(took >= Duration::from_millis(TIMEOUT_MS), "{took:?}");
        assert!(took < Duration::from_millis(6 * TIMEOUT_MS), "{took:?}");
    }
    server.resume().unwrap();
    // It is not known whether the calls that timed out took effect. A repeated call resolves it.
    let deadline = Instant::now() + Duration::from_secs(20);
    while ledger.admit(EVENT, Epoch(1), &[request(1, 1, VIP, 1)]).await.is_err() {
        assert!(Instant::now() < deadline, "the server is back");
    }
    assert_eq!(left(&ledger).await, [9, 100]);
}

#[tokio::test]
async fn concurrent_calls_share_the_connection() {
    let options = RedisOptions {
        prefix: unique_prefix(),
        timeout_ms: 20_000,
        ..RedisOptions::new(redis_url().unwrap())
    };
    let ledger = RedisLedger::connect(options).unwrap();
    let pings = futures::future::join_all((0..500).map(|_| ledger.ping())).await;
    assert!(pings.into_iter().all(|ping| ping.is_ok()));
}

#[tokio::test]
async fn a_missing_server_is_unavailable_and_is_used_when_it_starts() {
    let (mut server, ledger) = own_server(false).await;
    let server = tokio::task::spawn_blocking(move || {
        server.kill().unwrap();
        server
    });
    let server = server.await.unwrap();
    let error = ledger.ping().await.unwrap_err();
    assert!(matches!(error, LedgerError::Unavailable(_)), "{error:?}");
    let _server = restarted(server).await;
    ledger.ping().await.unwrap();
}

#[tokio::test]
async fn an_invalid_address_is_refused_at_once() {
    let refused = RedisLedger::connect(RedisOptions::new("http://127.0.0.1"));
    assert!(matches!(refused, Err(LedgerError::Unavailable(_))));
}

#[tokio::test]
async fn scripts_are_loaded_again_into_a_server_that_lost_them() {
    let (server, ledger) = own_server(false).await;
    load(&ledger, &snapshot(&ledger, 1).await).await;
    ask(&server.url(), &["SCRIPT", "FLUSH"]).await;
    admitted(&ledger, &[request(1, 1, VIP, 1)]).await;
}

#[tokio::test]
async fn a_server_out_of_memory_refuses_and_takes_no_seats() {
    let (server, ledger) = own_server(false).await;
    load(&ledger, &snapshot(&ledger, 1).await).await;
    admitted(&ledger, &[request(1, 1, VIP, 1)]).await;
    ask(&server.url(), &["CONFIG", "SET", "maxmemory", "1"]).await;
    let error = ledger.admit(EVENT, Epoch(1), &[request(2, 2, VIP, 1)]).await.unwrap_err();
    assert!(matches!(error, LedgerError::Unavailable(_)), "{error:?}");
    // Commands that free memory or change a number still work completely.
    ledger.settle(EVENT, Epoch(1), &[id(1)]).await.unwrap();
    assert_eq!(left(&ledger).await, [9, 100]);
    ask(&server.url(), &["CONFIG", "SET", "maxmemory", "0"]).await;
    assert_eq!(left(&ledger).await, [9, 100]);
    assert_eq!(held(&ledger, 2).await, 0);
    assert_eq!(admit_one(&ledger, request(1, 1, VIP, 1)).await, Verdict::Known);
}

#[tokio::test]
async fn a_finished_load_and_an_evicted_event_leave_no_keys() {
    let url = redis_url().unwrap();
    let prefix = unique_prefix();
    let options =
        RedisOptions { prefix: prefix.clone(), timeout_ms: 20_000, ..RedisOptions::new(url.clone()) };
    let ledger = RedisLedger::connect(options).unwrap();
    let mut of_store = snapshot(&ledger, 1).await;
    of_store.reservations = vec![reservation(1, 1, 2)];
    load(&ledger, &of_store).await;
    admitted(&ledger, &[request(2, 2, STANDING, 1)]).await;
    assert_eq!(offer(&ledger, &of_store).await, kept(1));
    let all = ["loaded", "{7}:holders", "{7}:journal", "{7}:ledger", "{7}:loads"];
    let mut all = all.map(|key| format!("{prefix}:2:{key}"));
    all.sort();
    assert_eq!(keys(&url, &prefix).await, all);
    for key in all {
        let Value::Int(ttl) = ask(&url, &["TTL", &key]).await else { panic!("expected a number") };
        let stays = !key.ends_with(":loads");
        assert_eq!(ttl == -1, stays, "only the key of a load expires: {key}");
    }
    ledger.settle(EVENT, Epoch(1), &ids([2])).await.unwrap();
    assert!(ledger.evict(EVENT, Epoch(1)).await.unwrap());
    assert_eq!(keys(&url, &prefix).await, [""; 0]);
}

#[tokio::test]
async fn the_eviction_policy_is_reported() {
    let ledger = RedisLedger::connect(RedisOptions::new(redis_url().unwrap())).unwrap();
    assert_eq!(ledger.maxmemory_policy().await.unwrap(), "noeviction");
}

#[tokio::test]
async fn the_persistence_of_the_server_is_reported() {
    for append_only in [true, false] {
        let (_server, ledger) = own_server(append_only).await;
        assert_eq!(ledger.persists().await.unwrap(), append_only);
    }
}
