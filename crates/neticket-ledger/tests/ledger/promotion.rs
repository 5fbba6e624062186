//! What promotions do to a ledger: the server process continues, but its data may be older than before.

use std::time::{Duration, Instant};

use neticket_domain::Epoch;
use neticket_ledger::{AdmitAnswer, Ledger, LoadAnswer, RedisLedger, RedisOptions};
use neticket_testservers::Server;
use redis::Value;

use crate::server::{GENEROUS_TIMEOUT_MS, ask, own_server_with};
use crate::support::{
    EVENT, REPLACED, VIP, admitted, held, journal, journal_ids, kept, left, load, offer, release, request,
    reservation, snapshot,
};

const LEDGER: &str = "neticket:2:{7}:ledger";
const JOURNAL: &str = "neticket:2:{7}:journal";
const LOADS: &str = "neticket:2:{7}:loads";

/// The value of this field of `INFO`.
pub(crate) async fn info(server: &Server, section: &str, field: &str) -> String {
    let answer: String = redis::from_redis_value(ask(&server.url(), &["INFO", section]).await).unwrap();
    let fields = answer.lines().filter_map(|line| line.split_once(':'));
    fields
        .filter(|(name, _)| *name == field)
        .map(|(_, value)| value.trim().to_owned())
        .next()
        .unwrap_or_default()
}

async fn replication_id(server: &Server) -> String {
    info(server, "replication", "master_replid").await
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Makes `replica` a replica of `master`, and waits until it has all of its data.
async fn follow(replica: &Server, master: &Server) {
    ask(&replica.url(), &["REPLICAOF", "127.0.0.1", &master.port().to_string()]).await;
    until("the replica follows its master", async || {
        info(replica, "replication", "master_link_status").await == "up"
            && replication_id(replica).await == replication_id(master).await
    })
    .await;
    until_all_is_replicated(replica, master).await;
}

async fn until_all_is_replicated(replica: &Server, master: &Server) {
    until("all is replicated", async || {
        info(replica, "replication", "slave_repl_offset").await
            == info(master, "replication", "master_repl_offset").await
    })
    .await;
}

async fn promote(replica: &Server) {
    ask(&replica.url(), &["REPLICAOF", "NO", "ONE"]).await;
}

/// Demotes `first`, whose replica `second` was promoted before, and promotes `first` again. It then has the
/// data of `second`.
async fn there_and_back(first: &Server, second: &Server) {
    let run_id = info(first, "server", "run_id").await;
    follow(first, second).await;
    promote(first).await;
    assert_eq!(info(first, "replication", "role").await, "master");
    assert_eq!(info(first, "server", "run_id").await, run_id, "the process is the same");
}

async fn len(server: &Server, key: &str) -> Value {
    ask(&server.url(), &["HLEN", key]).await
}

#[tokio::test]
async fn a_ledger_that_lost_a_write_by_two_promotions_is_stale_until_the_next_load() {
    let (first, ledger) = own_server_with(false, GENEROUS_TIMEOUT_MS).await;
    let (second, _) = own_server_with(false, GENEROUS_TIMEOUT_MS).await;
    follow(&second, &first).await;
    let of_before = snapshot(&ledger, 1).await;
    load(&ledger, &of_before).await;
    let (replicated, lost) = (request(1, 1, VIP, 2), request(2, 2, VIP, 3));
    admitted(&ledger, &[replicated]).await;
    until_all_is_replicated(&second, &first).await;
    promote(&second).await;
    admitted(&ledger, &[lost]).await;
    assert_eq!(len(&first, JOURNAL).await, Value::Int(2));
    there_and_back(&first, &second).await;
    assert_eq!(len(&first, JOURNAL).await, Value::Int(1), "the write is lost");

    for epoch_min in [0, 1] {
        let answer = ledger.admit(EVENT, Epoch(epoch_min), &[request(3, 3, VIP, 1)]).await.unwrap();
        assert_eq!(answer, AdmitAnswer::Stale);
    }
    assert_eq!(ledger.view(EVENT).await.unwrap(), None);
    assert_eq!(ledger.examine(EVENT).await.unwrap(), None);
    assert_eq!(journal(&ledger).await, []);
    assert_eq!(ledger.journal_entry(EVENT, replicated.id).await.unwrap(), None);
    assert_eq!(ledger.pending_of(EVENT, replicated.user).await.unwrap(), []);
    ledger.settle(EVENT, Epoch(1), &[replicated.id]).await.unwrap();
    assert_eq!(ledger.release(EVENT, &[release(replicated, 1)]).await.unwrap(), None);
    assert_eq!(len(&first, JOURNAL).await, Value::Int(1), "the stale ledger is unchanged");

    // The store has what was lost. The entry that was not lost is carried over.
    assert_eq!(offer(&ledger, &of_before).await, kept(1));
    let mut of_store = snapshot(&ledger, 2).await;
    of_store.ticket_types[0].left = 7;
    of_store.reservations = vec![reservation(2, 2, 3)];
    load(&ledger, &of_store).await;
    assert_eq!(left(&ledger).await, [5, 100]);
    assert_eq!(journal_ids(&ledger).await, [replicated.id]);
    assert_eq!((held(&ledger, 1).await, held(&ledger, 2).await), (2, 3));
}

#[tokio::test]
async fn a_load_that_began_before_two_promotions_starts_over() {
    let (first, ledger) = own_server_with(false, GENEROUS_TIMEOUT_MS).await;
    let (second, _) = own_server_with(false, GENEROUS_TIMEOUT_MS).await;
    follow(&second, &first).await;
    let begun = ledger.begin_load(EVENT).await.unwrap();
    until_all_is_replicated(&second, &first).await;
    promote(&second).await;
    // A load that the first one cannot know of, and that is lost.
    load(&ledger, &snapshot(&ledger, 2).await).await;
    there_and_back(&first, &second).await;
    assert_eq!(ask(&first.url(), &["EXISTS", LEDGER]).await, Value::Int(0), "the ledger is lost");
    assert_eq!(
        ask(&first.url(), &["EXISTS", LOADS]).await,
        Value::Int(1),
        "the token of the load still exists"
    );

    let of_then = snapshot(&ledger, 1).await;
    assert_eq!(ledger.load(begun.token, &of_then).await.unwrap(), LoadAnswer::Again);
    let begun_since = ledger.begin_load(EVENT).await.unwrap();
    assert_eq!(ledger.load(begun.token, &of_then).await.unwrap(), LoadAnswer::Again);
    let of_now = snapshot(&ledger, 3).await;
    assert_eq!(ledger.load(begun_since.token, &of_now).await.unwrap(), REPLACED);
}

#[tokio::test]
async fn a_new_replication_id_without_a_promotion_costs_only_a_load() {
    let (first, ledger) = own_server_with(false, GENEROUS_TIMEOUT_MS).await;
    let (second, _) = own_server_with(false, GENEROUS_TIMEOUT_MS).await;
    load(&ledger, &snapshot(&ledger, 1).await).await;
    let entry = request(1, 1, VIP, 2);
    admitted(&ledger, &[entry]).await;

    let of_start = replication_id(&first).await;
    follow(&second, &first).await;
    let with_replica = replication_id(&first).await;
    assert_ne!(with_replica, of_start, "attaching the first replica changes the replication id");
    assert_eq!(ledger.view(EVENT).await.unwrap(), None);
    load(&ledger, &snapshot(&ledger, 2).await).await;
    assert_eq!(journal_ids(&ledger).await, [entry.id]);
    assert_eq!(left(&ledger).await, [8, 100]);

    promote(&second).await;
    ask(&first.url(), &["CONFIG", "SET", "repl-backlog-ttl", "1"]).await;
    until("the backlog is freed", async || replication_id(&first).await != with_replica).await;
    assert_eq!(ledger.view(EVENT).await.unwrap(), None);
    load(&ledger, &snapshot(&ledger, 3).await).await;
    assert_eq!(journal_ids(&ledger).await, [entry.id]);
    assert_eq!(left(&ledger).await, [8, 100]);
}

#[tokio::test]
async fn a_replica_with_the_replication_id_of_its_master_has_no_ledger() {
    let (first, ledger) = own_server_with(false, GENEROUS_TIMEOUT_MS).await;
    let (second, _) = own_server_with(false, GENEROUS_TIMEOUT_MS).await;
    follow(&second, &first).await;
    load(&ledger, &snapshot(&ledger, 1).await).await;
    until_all_is_replicated(&second, &first).await;
    assert_eq!(len(&second, LEDGER).await, len(&first, LEDGER).await);
    let at_replica = RedisLedger::connect(RedisOptions::new(second.url())).unwrap();
    assert_eq!(at_replica.view(EVENT).await.unwrap(), None);
    assert!(ledger.view(EVENT).await.unwrap().is_some());
}
