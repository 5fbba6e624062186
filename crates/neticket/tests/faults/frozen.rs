//! A node is frozen inside a transaction and keeps its locks. The database has to end the transaction.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep};

use crate::answer_counts::Phase;
use crate::audit::audit;
use crate::cluster::{Cluster, Routing, SLOW_TIMEOUTS, node_user};
use crate::crowd::{Crowd, people};
use crate::options::Options;
use crate::person::{Outcome, Sale};

/// The number of people at each node.
const PEOPLE: usize = 20;
const MAX_PER_USER: u32 = 10_000;
/// The number of answers before the node is frozen.
const ANSWERS: u64 = 60;
/// The deadline for freezing a node inside a transaction, and for coming to rest afterwards.
const TIMEOUT: Duration = Duration::from_mins(1);
/// InnoDB rebuilds its list of transactions at most every 100 ms.
const LIST_AGE_MAX: Duration = Duration::from_millis(150);
/// The node that is frozen, and the one that continues.
const FROZEN: usize = 0;
const OTHER: usize = 1;

/// Freezes the node while it holds locks and runs no statement. Returns the id of its connection.
async fn freeze_inside_a_transaction(cluster: &Cluster, seed: u64) -> u64 {
    let mut rng = rand::rngs::StdRng::seed_from_u64(seed);
    let deadline = Instant::now() + TIMEOUT;
    loop {
        sleep(Duration::from_micros(rng.random_range(0..20_000))).await;
        cluster.nodes[FROZEN].pause();
        sleep(LIST_AGE_MAX).await;
        let first = idle_transactions(cluster);
        sleep(LIST_AGE_MAX).await;
        let still = idle_transactions(cluster);
        if let Some((_, connection)) = first.iter().find(|transaction| still.contains(transaction)) {
            return *connection;
        }
        cluster.nodes[FROZEN].resume();
        assert!(Instant::now() < deadline, "the node was never frozen inside a transaction");
    }
}

/// The node's transactions that hold locks while no statement runs, each with its connection id.
fn idle_transactions(cluster: &Cluster) -> Vec<(String, u64)> {
    let sql = format!(
        "SELECT trx_id, p.id FROM information_schema.innodb_trx JOIN information_schema.processlist p \
         ON p.id = trx_mysql_thread_id WHERE p.user = '{}' AND p.command = 'Sleep' AND trx_rows_modified > 0",
        node_user(FROZEN)
    );
    let rows = block_in_place(|| cluster.query(&sql));
    let transaction = |row: &str| {
        let (id, connection) = row.split_once('\t').expect("two columns");
        (id.to_owned(), connection.parse().expect("a number"))
    };
    rows.lines().map(transaction).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_frozen_inside_a_transaction_stops_no_other_node() {
    let seed = Options::read().seed;
    let cluster = Cluster::start(Routing::Direct, SLOW_TIMEOUTS).await;
    let event = cluster.event_on_sale(&[100_000], MAX_PER_USER).await;
    let ticket_type = event.ticket_types[0].id.0;
    let [here, there] = [FROZEN, OTHER].map(|node| {
        Sale::new(vec![cluster.nodes[node].url.clone()], vec![ticket_type], Duration::from_secs(40))
    });
    let now = cluster.now().await;
    let crowd = Crowd::start(people(&cluster.store, &here, now, (0, PEOPLE), seed).await);
    let mut others = people(&cluster.store, &there, now, (PEOPLE, PEOPLE), seed).await;
    here.answered(ANSWERS).await;

    let connection = freeze_inside_a_transaction(&cluster, seed).await;
    let frozen_at = Instant::now();
    here.answer_counts.begin(Phase::During);
    let booked = futures::future::join_all(others.iter_mut().map(|person| person.book(ticket_type, 1))).await;
    let took = frozen_at.elapsed();
    println!("seed {seed}: the other node booked {took:?} after connection {connection} had been frozen");
    let refused: Vec<_> = booked.iter().filter(|outcome| !matches!(outcome, Outcome::Booked(_))).collect();

    // The server ended the transaction. The frozen node could not.
    let deadline = Instant::now() + TIMEOUT;
    let open = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {connection}");
    while block_in_place(|| cluster.query(&open)).trim() != "0" {
        assert!(
            Instant::now() < deadline,
            "the server did not close connection {connection} of the frozen node"
        );
        sleep(LIST_AGE_MAX).await;
    }
    cluster.nodes[FROZEN].resume();
    here.answer_counts.begin(Phase::After);
    here.answered(ANSWERS).await;
    let mut everyone = crowd.stop().await;
    everyone.append(&mut others);
    let mut findings: Vec<String> =
        refused.iter().map(|outcome| format!("at the other node: {outcome:?}")).collect();
    findings.extend(cluster.wait_until_at_rest(event.id, TIMEOUT).await.err());
    findings
        .extend(audit(&cluster.store, &*cluster.ledger, event.id, MAX_PER_USER, &everyone).await.findings);
    let log = cluster.close();
    println!("frozen:\n{}\nother:\n{}", here.answer_counts, there.answer_counts);
    assert_eq!(findings, [""; 0], "seed {seed}\n{log}");
}
