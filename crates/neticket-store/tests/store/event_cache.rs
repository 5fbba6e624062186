//! The cache of events in Redis. A value that was read before a write never replaces what was written.

use std::time::{Duration, Instant};

use neticket_domain::{Epoch, EventId, SaleWindow, TicketTypeId, Timestamp};
use neticket_store::{
    CachedEvent, EVENT_CACHE_AGE_MAX, EventRecord, SharedEventCache, TicketTypeRecord, WriteLease,
};
use neticket_testservers::{Redis, redis_cluster_url, redis_url, unique_prefix};

/// Longer than in production, because test machines are busy and these tests do not measure speed.
const TIMEOUT: Duration = Duration::from_secs(10);

async fn url() -> String {
    tokio::task::spawn_blocking(redis_url).await.unwrap().unwrap()
}

/// The cache of one node. The nodes of a deployment share `prefix`.
async fn cache(prefix: &str) -> SharedEventCache {
    SharedEventCache::connect(&url().await, prefix, TIMEOUT).unwrap()
}

fn event(id: i64, title: &str) -> EventRecord {
    let moment = Timestamp::from_millis(1_800_000_000_123);
    EventRecord {
        id: EventId(id),
        title: title.to_owned(),
        place: "예술의전당".to_owned(),
        description: "\u{0}\"\n".to_owned(),
        starts_at: moment,
        window: SaleWindow { opens_at: moment.plus_millis(-2), closes_at: moment.plus_millis(-1) },
        max_per_user: 4,
        paused: true,
        cancelled_at: Some(moment),
        image_key: Some("key".to_owned()),
        version: i64::MAX,
        created_at: moment,
        updated_at: moment,
        ticket_types: vec![TicketTypeRecord {
            id: TicketTypeId(1),
            name: "R".to_owned(),
            price: 50_000,
            capacity: u32::MAX,
            left: 0,
            epoch: Epoch(3),
        }],
    }
}

async fn lease(cache: &SharedEventCache, id: i64) -> WriteLease {
    match cache.get(EventId(id)).await.unwrap() {
        CachedEvent::Miss(lease) => lease,
        CachedEvent::Hit(copy) => panic!("there is one: {copy:?}"),
    }
}

async fn copy(cache: &SharedEventCache, id: i64) -> Option<EventRecord> {
    match cache.get(EventId(id)).await.unwrap() {
        CachedEvent::Miss(_) => None,
        CachedEvent::Hit(copy) => Some(copy),
    }
}

#[tokio::test]
async fn every_node_reads_a_cached_event_until_it_is_invalidated() {
    let prefix = unique_prefix();
    let (one, other) = (cache(&prefix).await, cache(&prefix).await);
    let (mine, theirs) = (lease(&one, 7).await, lease(&other, 7).await);
    for (cache, lease) in [(&one, mine), (&other, theirs)] {
        assert!(
            cache.put(&lease, &event(7, "햄릿")).await.unwrap(),
            "both leases are newer than the last invalidation"
        );
    }
    assert_eq!(
        (copy(&one, 7).await, copy(&other, 7).await),
        (Some(event(7, "햄릿")), Some(event(7, "햄릿")))
    );
    assert_eq!(copy(&one, 8).await, None);
    other.invalidate(EventId(7)).await.unwrap();
    assert_eq!((copy(&one, 7).await, copy(&other, 7).await), (None, None));
}

/// A reader finds nothing and reads the store. Another node commits and invalidates. The reader then writes
/// what it has read.
#[tokio::test]
async fn a_read_before_an_invalidation_cannot_populate_the_cache_after_it() {
    let prefix = unique_prefix();
    let (reader, admin) = (cache(&prefix).await, cache(&prefix).await);
    for invalidate_all in [false, true] {
        let lease_before = lease(&reader, 7).await;
        let read_before = event(7, "old");
        if invalidate_all { admin.invalidate_all().await } else { admin.invalidate(EventId(7)).await }
            .unwrap();
        assert!(!reader.put(&lease_before, &read_before).await.unwrap());
        assert_eq!(copy(&reader, 7).await, None);
        // It stays refused after another node has begun to read, and after that node has written the new
        // value.
        let lease_after = lease(&admin, 7).await;
        assert!(!reader.put(&lease_before, &read_before).await.unwrap());
        assert!(admin.put(&lease_after, &event(7, "new")).await.unwrap());
        assert!(!reader.put(&lease_before, &read_before).await.unwrap());
        assert_eq!(copy(&reader, 7).await.unwrap().title, "new");
        admin.invalidate(EventId(7)).await.unwrap();
    }
    // The lease is the reason: with a lease that was granted after the change, the same value is accepted.
    let lease_after = lease(&reader, 7).await;
    assert!(reader.put(&lease_after, &event(7, "old")).await.unwrap());
    assert_eq!(copy(&admin, 7).await.unwrap().title, "old");
}

#[tokio::test]
async fn clearing_the_event_cache_deletes_no_other_key() {
    let (prefix, url) = (unique_prefix(), url().await);
    let cache = cache(&prefix).await;
    let mut redis = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let foreign = [format!("{prefix}:2:{{7}}:ledger"), format!("{prefix}:other"), format!("{prefix}x")];
    for key in &foreign {
        let () = redis::cmd("SET")
            .arg(key)
            .arg("untouched")
            .arg("EX")
            .arg(60)
            .query_async(&mut redis)
            .await
            .unwrap();
    }
    for id in 1..=20 {
        let lease = lease(&cache, id).await;
        assert!(cache.put(&lease, &event(id, "copy")).await.unwrap());
    }
    cache.invalidate(EventId(20)).await.unwrap();
    assert!(
        copy(&cache, 1).await.is_some() && copy(&cache, 20).await.is_none(),
        "only the given event is invalidated"
    );
    cache.invalidate_all().await.unwrap();
    for id in 1..=20 {
        assert_eq!(copy(&cache, id).await, None, "{id}");
    }
    for key in &foreign {
        let value: Option<String> = redis::cmd("GET").arg(key).query_async(&mut redis).await.unwrap();
        assert_eq!(value.as_deref(), Some("untouched"), "{key}");
    }
}

#[tokio::test]
async fn an_unreadable_copy_is_replaced_and_every_copy_expires() {
    let (prefix, url) = (unique_prefix(), url().await);
    let cache = cache(&prefix).await;
    let mut redis = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let key = format!("{prefix}:cache:{{events}}:7");
    lease(&cache, 7).await;
    for unreadable in ["", "nonsense", "{\"layout\":99}"] {
        let () =
            redis::cmd("HSET").arg(&key).arg("value").arg(unreadable).query_async(&mut redis).await.unwrap();
        assert_eq!(copy(&cache, 7).await, None, "{unreadable}");
    }
    let lease = lease(&cache, 7).await;
    assert!(cache.put(&lease, &event(7, "copy")).await.unwrap());
    assert!(copy(&cache, 7).await.is_some());
    let left_ms: u128 = redis::cmd("PTTL").arg(&key).query_async(&mut redis).await.unwrap();
    assert!((1..=EVENT_CACHE_AGE_MAX.as_millis()).contains(&left_ms), "{left_ms} ms");
    let other = event(8, "another event");
    assert!(!cache.put(&lease, &other).await.unwrap(), "a lease is for one event");
    let long = EventRecord { description: "x".repeat(300_000), ..event(7, "copy") };
    assert!(!cache.put(&lease, &long).await.unwrap(), "a value that is too long is not cached");
}

#[tokio::test]
async fn a_cluster_caches_like_a_single_server() {
    let url = tokio::task::spawn_blocking(redis_cluster_url).await.unwrap().unwrap();
    let cache = SharedEventCache::connect(&url, &unique_prefix(), TIMEOUT).unwrap();
    for id in 1..=10 {
        let before = lease(&cache, id).await;
        assert!(cache.put(&before, &event(id, "copy")).await.unwrap());
        assert_eq!(copy(&cache, id).await, Some(event(id, "copy")));
        cache.invalidate(EventId(id)).await.unwrap();
        assert!(!cache.put(&before, &event(id, "copy")).await.unwrap());
    }
    cache.invalidate_all().await.unwrap();
    cache.ping().await.unwrap();
}

#[tokio::test]
async fn a_read_waits_one_timeout_for_a_stalled_redis_which_is_used_again_later() {
    const SHORT: Duration = Duration::from_millis(200);
    let redis = tokio::task::spawn_blocking(|| Redis::default().start().unwrap()).await.unwrap();
    let cache = SharedEventCache::connect(&redis.url(), "own", SHORT).unwrap();
    let deadline = Instant::now() + TIMEOUT;
    while cache.ping().await.is_err() {
        assert!(Instant::now() < deadline, "it answers");
    }
    redis.pause().unwrap();
    let begun = Instant::now();
    cache.get(EventId(7)).await.unwrap_err();
    assert!(begun.elapsed() < SHORT * 5, "{:?}", begun.elapsed());
    redis.resume().unwrap();
    while cache.get(EventId(7)).await.is_err() {
        assert!(Instant::now() < deadline, "Redis is used again");
    }
}
