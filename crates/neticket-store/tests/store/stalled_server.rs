//! A database that does not respond for longer than a call may take, and callers that are cancelled.

use neticket_domain::{Email, EventId, Nickname, Role};
use neticket_store::{NewUser, Store, StoreOptions};
use neticket_testservers::{MariaDb, TestDatabase};

use crate::support::at;

/// A call times out in the middle of `BEGIN`. It is then unknown whether the connection is in a transaction,
/// and what is written on it later might not be committed.
#[tokio::test(flavor = "multi_thread")]
async fn writes_after_a_stalled_server_are_committed() {
    let server = MariaDb::default().start().unwrap();
    let database = TestDatabase::create_on(&server.url()).unwrap();
    let options = |timeout_ms| StoreOptions { timeout_ms, ..StoreOptions::new(database.url()) };
    Store::connect(&options(10_000)).await.unwrap().migrate().await.unwrap();
    let store = Store::connect(&options(500)).await.unwrap();
    let read_snapshots = |store: Store| async move {
        let reads = (0..16).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.inventory_of(EventId(1), &[]).await })
        });
        futures::future::join_all(reads.collect::<Vec<_>>()).await
    };
    read_snapshots(store.clone()).await; // opens all connections
    server.pause().unwrap();
    // The server may take a moment to stop.
    while read_snapshots(store.clone()).await.into_iter().any(|snapshot| snapshot.unwrap().is_ok()) {}
    server.resume().unwrap();

    let other = Store::connect(&options(10_000)).await.unwrap();
    for n in 0..40 {
        let email = Email::parse(&format!("person{n}@example.com")).unwrap();
        let nickname = Nickname::parse(&format!("person{n}")).unwrap();
        let new = NewUser {
            email: &email,
            nickname: &nickname,
            password_hash: "hash",
            role: Role::User,
            now: at(1),
        };
        store.user_create(new).await.unwrap();
        assert!(other.user_by_email(&email).await.unwrap().is_some(), "person {n} is in the store");
    }
}

/// A caller may be cancelled at any moment, also in the middle of `BEGIN`.
#[tokio::test(flavor = "multi_thread")]
async fn writes_after_a_cancelled_call_are_committed() {
    let database = TestDatabase::create().unwrap();
    let options = |connections_max| StoreOptions {
        timeout_ms: 30_000,
        connections_max,
        ..StoreOptions::new(database.url())
    };
    let (store, other) =
        (Store::connect(&options(1)).await.unwrap(), Store::connect(&options(1)).await.unwrap());
    store.migrate().await.unwrap();
    for n in 0..150 {
        let timeout = std::time::Duration::from_micros(n * 20);
        let _ = tokio::time::timeout(timeout, store.inventory_of(EventId(1), &[])).await;
        let email = Email::parse(&format!("person{n}@example.com")).unwrap();
        let nickname = Nickname::parse(&format!("person{n}")).unwrap();
        let new =
            NewUser { email: &email, nickname: &nickname, password_hash: "-", role: Role::User, now: at(1) };
        store.user_create(new).await.unwrap();
        assert!(other.user_by_email(&email).await.unwrap().is_some(), "person {n} is in the store");
        store.inventory_of(EventId(1), &[]).await.unwrap();
    }
}
