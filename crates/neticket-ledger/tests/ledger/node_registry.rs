//! The node registry: all nodes of one ledger share it, and it drops nodes that stay silent.

use std::time::Duration;

use neticket_ledger::{NODE_STATUS_LEN_MAX, REGISTRY_NODES_MAX};
use uuid::Uuid;

use crate::support::{Kind, on_every_ledger};

/// Longer than any case takes.
const LONG_MS: u32 = 50_000;

on_every_ledger! {
    the_registry_has_the_last_status_of_each_node,
    a_status_that_is_too_old_is_not_returned,
    each_prefix_has_its_own_registry,
    the_registry_holds_a_limited_number_of_nodes,
    a_status_that_is_too_long_is_refused,
}

fn node(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

async fn the_registry_has_the_last_status_of_each_node(kind: Kind) {
    let ledger = kind.ledger();
    let node_registry = ledger.node_registry();
    assert_eq!(node_registry.statuses(LONG_MS).await.unwrap(), []);
    node_registry.publish(node(1), b"old").await.unwrap();
    node_registry.publish(node(2), b"\0\xff, any bytes").await.unwrap();
    node_registry.publish(node(1), b"").await.unwrap();
    let mut statuses = node_registry.statuses(LONG_MS).await.unwrap();
    statuses.sort();
    assert_eq!(statuses, [(node(1), b"".to_vec()), (node(2), b"\0\xff, any bytes".to_vec())]);
}

async fn a_status_that_is_too_old_is_not_returned(kind: Kind) {
    let ledger = kind.ledger();
    let node_registry = ledger.node_registry();
    node_registry.publish(node(1), b"a").await.unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !node_registry.statuses(1).await.unwrap().is_empty() {
        assert!(tokio::time::Instant::now() < deadline, "the status becomes too old");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(
        node_registry.statuses(LONG_MS).await.unwrap().len(),
        1,
        "the status counts for a longer maximum age"
    );
}

async fn each_prefix_has_its_own_registry(kind: Kind) {
    let (one, other) = (kind.ledger(), kind.ledger());
    one.node_registry().publish(node(1), b"a").await.unwrap();
    assert_eq!(other.node_registry().statuses(LONG_MS).await.unwrap(), []);
}

async fn the_registry_holds_a_limited_number_of_nodes(kind: Kind) {
    let ledger = kind.ledger();
    for number in 0..REGISTRY_NODES_MAX + 2 {
        ledger.node_registry().publish(node(number.try_into().unwrap()), b"a").await.unwrap();
    }
    ledger.node_registry().publish(node(3), b"b").await.unwrap();
    let statuses = ledger.node_registry().statuses(LONG_MS).await.unwrap();
    assert_eq!(statuses.len(), REGISTRY_NODES_MAX);
    assert!(statuses.contains(&(node(3), b"b".to_vec())), "a registered node can still update its status");
}

async fn a_status_that_is_too_long_is_refused(kind: Kind) {
    let ledger = kind.ledger();
    let status = vec![b'a'; NODE_STATUS_LEN_MAX + 1];
    assert!(ledger.node_registry().publish(node(1), &status).await.is_err());
    ledger.node_registry().publish(node(1), &status[1..]).await.unwrap();
    assert_eq!(ledger.node_registry().statuses(LONG_MS).await.unwrap()[0].1.len(), NODE_STATUS_LEN_MAX);
}
