//! Nodes of one deployment claim a ledger together; one of another deployment is refused and learns why.

use std::time::{Duration, Instant};

use neticket_ledger::{Claims, Difference, Fingerprint, Ledger, RedisLedger, RedisOptions};
use neticket_testservers::{redis_url, unique_prefix};
use uuid::Uuid;

use crate::support::{Kind, on_every_ledger};

/// Longer than any case takes.
const LONG_MS: u32 = 600_000;

const OURS: Fingerprint = Fingerprint { database: [1; 16], token_secret: [2; 16] };
const OTHER_DATABASE: Fingerprint = Fingerprint { database: [9; 16], ..OURS };
const OTHER_SECRET: Fingerprint = Fingerprint { token_secret: [9; 16], ..OURS };
const OTHER: Fingerprint = Fingerprint { database: [8; 16], token_secret: [8; 16] };
const NO_DIFFERENCE: Difference = Difference { database: false, token_secret: false };

on_every_ledger! {
    nodes_of_one_deployment_can_all_claim,
    a_node_of_another_deployment_is_refused_with_the_difference,
    a_claim_ends_when_its_node_withdraws_it_or_stops_renewing_it,
    of_two_deployments_that_start_at_once_only_one_runs,
    comparing_makes_no_claim,
}

fn node(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// The claims of a ledger that other processes can use.
fn claims(ledger: &dyn Ledger, kind: Kind) -> Option<&dyn Claims> {
    let claims = ledger.claims();
    assert_eq!(claims.is_none(), matches!(kind, Kind::Memory));
    claims
}

async fn nodes_of_one_deployment_can_all_claim(kind: Kind) {
    let ledger = kind.ledger();
    let Some(claims) = claims(&*ledger, kind) else { return };
    for number in [1, 2, 3, 1] {
        assert_eq!(claims.claim(node(number), OURS, LONG_MS).await.unwrap(), NO_DIFFERENCE);
    }
    assert_eq!(claims.compare(OURS, LONG_MS).await.unwrap(), NO_DIFFERENCE);
    let other = kind.ledger();
    let of_another_prefix = other.claims().unwrap().claim(node(4), OTHER, LONG_MS).await.unwrap();
    assert_eq!(of_another_prefix, NO_DIFFERENCE);
}

async fn a_node_of_another_deployment_is_refused_with_the_difference(kind: Kind) {
    let ledger = kind.ledger();
    let Some(claims) = claims(&*ledger, kind) else { return };
    claims.claim(node(1), OURS, LONG_MS).await.unwrap();
    for (fingerprint, database, token_secret) in
        [(OTHER_DATABASE, true, false), (OTHER_SECRET, false, true), (OTHER, true, true)]
    {
        let difference = Difference { database, token_secret };
        assert_eq!(claims.compare(fingerprint, LONG_MS).await.unwrap(), difference);
        for _ in 0..2 {
            let refused = claims.claim(node(2), fingerprint, LONG_MS).await.unwrap();
            assert_eq!(refused, difference);
            assert!(!refused.is_none());
        }
    }
    assert_eq!(
        claims.claim(node(3), OURS, LONG_MS).await.unwrap(),
        NO_DIFFERENCE,
        "the refused node made no claim"
    );
}

async fn a_claim_ends_when_its_node_withdraws_it_or_stops_renewing_it(kind: Kind) {
    let ledger = kind.ledger();
    let Some(claims) = claims(&*ledger, kind) else { return };
    claims.claim(node(1), OURS, LONG_MS).await.unwrap();
    claims.claim(node(2), OURS, LONG_MS).await.unwrap();
    claims.withdraw(node(1)).await.unwrap();
    claims.withdraw(node(7)).await.unwrap();
    assert!(claims.compare(OTHER, LONG_MS).await.unwrap().database, "one claim remains");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !claims.compare(OTHER, 1).await.unwrap().is_none() {
        assert!(Instant::now() < deadline, "the claim expires");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(
        claims.compare(OTHER, LONG_MS).await.unwrap().database,
        "the claim counts for a longer maximum age"
    );
    claims.withdraw(node(2)).await.unwrap();
    assert_eq!(claims.claim(node(3), OTHER, LONG_MS).await.unwrap(), NO_DIFFERENCE);
}

async fn of_two_deployments_that_start_at_once_only_one_runs(kind: Kind) {
    let ledger = kind.ledger();
    let Some(claims) = claims(&*ledger, kind) else { return };
    let starts = (0..40_u128).map(|number| async move {
        let fingerprint = if number % 2 == 0 { OURS } else { OTHER };
        let difference = claims.claim(node(number), fingerprint, LONG_MS).await.unwrap();
        difference.is_none().then_some(fingerprint)
    });
    let started: Vec<_> = futures::future::join_all(starts).await.into_iter().flatten().collect();
    assert_eq!(started.len(), 20);
    assert!(started.iter().all(|fingerprint| *fingerprint == started[0]), "{started:?}");
}

async fn comparing_makes_no_claim(kind: Kind) {
    let ledger = kind.ledger();
    let Some(claims) = claims(&*ledger, kind) else { return };
    assert_eq!(claims.compare(OURS, LONG_MS).await.unwrap(), NO_DIFFERENCE);
    assert_eq!(claims.claim(node(1), OTHER, LONG_MS).await.unwrap(), NO_DIFFERENCE);
}

#[tokio::test]
async fn a_running_node_renews_its_claim_beside_a_different_one() {
    let options = RedisOptions {
        prefix: unique_prefix(),
        timeout_ms: 20_000,
        ..RedisOptions::new(redis_url().unwrap())
    };
    let client = ::redis::Client::open(options.url.clone()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let key = format!("{}:claims", options.prefix);
    let ledger = RedisLedger::connect(options).unwrap();
    ledger.claim(node(1), OURS, LONG_MS).await.unwrap();
    let first: Vec<u8> =
        ::redis::cmd("HGET").arg(&key).arg(node(1).as_bytes()).query_async(&mut connection).await.unwrap();
    assert_eq!(first.len(), 40);
    // A state that a Redis may get into when it loses its data for a moment.
    let other = [&first[..8], &OTHER.database, &OTHER.token_secret].concat();
    let mut set = ::redis::cmd("HSET");
    set.arg(&key).arg(node(2).as_bytes()).arg(other);
    set.exec_async(&mut connection).await.unwrap();
    let difference = Difference { database: true, token_secret: true };
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        assert_eq!(ledger.claim(node(1), OURS, LONG_MS).await.unwrap(), difference);
        let now: Vec<u8> = ::redis::cmd("HGET")
            .arg(&key)
            .arg(node(1).as_bytes())
            .query_async(&mut connection)
            .await
            .unwrap();
        if now != first {
            assert_eq!(now[8..], first[8..]);
            break;
        }
        assert!(Instant::now() < deadline, "the claim is renewed");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for fingerprint in [OURS, OTHER] {
        assert!(
            !ledger.claim(node(3), fingerprint, LONG_MS).await.unwrap().is_none(),
            "no other node may start"
        );
    }
}
