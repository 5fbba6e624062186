//! Connecting and migrating.

use neticket_domain::Epoch;
use neticket_store::{Store, StoreError, StoreOptions};

use crate::support::{TestStore, new_event, on_both};

on_both! {
    async fn migrations_go_up_and_down_and_up_again(store: &TestStore) {
        assert_eq!(store.migrations_pending().await.unwrap(), Vec::<String>::new());
        store.migrate().await.unwrap();

        store.unmigrate().await.unwrap();
        let pending = store.migrations_pending().await.unwrap();
        assert_eq!(pending.len(), 8, "{pending:?}");
        assert!(pending[0].starts_with("m20260101_000001"), "{pending:?}");

        store.migrate().await.unwrap();
        assert_eq!(store.migrations_pending().await.unwrap(), Vec::<String>::new());
        store.event_of(&[3]).await;
    }

    async fn a_store_answers_a_ping_and_knows_whether_it_is_embedded(store: &TestStore) {
        store.ping().await.unwrap();
        assert_eq!(store.is_embedded(), store.url().starts_with("sqlite:"));
    }

    async fn a_check_constraint_keeps_the_seats_left_between_zero_and_capacity(store: &TestStore) {
        let event = store.event_of(&[3]).await;
        for left in [-1, 4] {
            let update = format!("UPDATE ticket_types SET \"left\" = {left} WHERE event_id = {}", event.id);
            let update = if store.is_embedded() { update } else { update.replace('"', "`") };
            assert!(store.sql(&update).await.is_err(), "left = {left}");
        }
    }

    async fn the_database_refuses_to_delete_referenced_rows(store: &TestStore) {
        let event = store.event_of(&[3]).await;
        let user = store.user().await;
        store.commit_one(crate::support::one_seat(&event, user)).await;
        assert!(store.sql(&format!("DELETE FROM users WHERE id = {user}")).await.is_err());
        assert!(store.sql(&format!("DELETE FROM ticket_types WHERE event_id = {}", event.id)).await.is_err());
        assert!(store.sql(&format!("DELETE FROM events WHERE id = {}", event.id)).await.is_err());
    }

    async fn a_failed_transaction_changes_nothing(store: &TestStore) {
        let mut new = new_event(&[1, 2]);
        new.ticket_types[1].price = u64::MAX;
        let refused = store.event_create(&new, None, crate::support::at(1)).await;
        assert!(matches!(refused, Err(StoreError::Internal(_))), "{refused:?}");
        let everything = neticket_store::EventFilter { include_past: true, ..Default::default() };
        assert_eq!(store.events_page(&everything, crate::support::at(1), 1, 10).await.unwrap().1, 0);
    }
}

#[tokio::test]
async fn a_missing_database_is_unavailable() {
    let options = StoreOptions { timeout_ms: 500, ..StoreOptions::new("mysql://root@127.0.0.1:1/neticket") };
    assert!(matches!(Store::connect(&options).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn a_database_in_memory_or_behind_a_uri_is_refused() {
    for url in ["sqlite::memory:", "sqlite:file:x?mode=memory", "sqlite:x?mode=memory", "sqlite:file:x"] {
        assert!(
            matches!(Store::connect(&StoreOptions::new(url)).await, Err(StoreError::Internal(_))),
            "{url}"
        );
    }
}

#[tokio::test]
async fn a_held_lock_makes_the_store_unavailable_within_the_timeout() {
    use sea_orm::ConnectionTrait as _;
    let store = TestStore::on_sqlite().await;
    let options = StoreOptions { timeout_ms: 400, ..StoreOptions::new(store.url()) };
    let with_short_timeout = Store::connect(&options).await.unwrap();
    let event = store.event_of(&[3]).await;
    let other = sea_orm::Database::connect(store.url()).await.unwrap();
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    let begun = std::time::Instant::now();
    assert!(matches!(
        with_short_timeout.epoch_raise_and_load(event.id, Epoch(0)).await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(begun.elapsed().as_millis() < 2_000);
    assert!(
        matches!(with_short_timeout.ping().await, Err(StoreError::Unavailable(_))),
        "a ping checks the writer, too"
    );
    other.execute_unprepared("ROLLBACK").await.unwrap();
    with_short_timeout.ping().await.unwrap();
    assert_eq!(
        with_short_timeout.epoch_raise_and_load(event.id, Epoch(0)).await.unwrap().unwrap().epoch.0,
        1
    );
}

#[cfg(unix)]
#[tokio::test]
async fn new_files_are_private_to_their_owner_and_existing_files_keep_their_mode() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let above = tempfile::TempDir::new().unwrap();
    std::fs::set_permissions(above.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let folder = above.path().join("data/deep");
    let file = folder.join("neticket.db");
    let options = StoreOptions::new(format!("sqlite:{}", file.display()));

    let store = Store::connect(&options).await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(mode(above.path()), 0o755);
    assert_eq!((mode(&above.path().join("data")), mode(&folder)), (0o700, 0o700));
    for name in ["neticket.db", "neticket.db-wal", "neticket.db-shm"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }

    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    Store::connect(&options).await.unwrap().ping().await.unwrap();
    assert_eq!(mode(&file), 0o640, "the mode that the operator chose is kept");
    assert_eq!(store.migrations_pending().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_folder_that_cannot_be_created_makes_the_store_unavailable() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let options = StoreOptions::new(format!("sqlite:{}/neticket.db", file.path().display()));
    assert!(matches!(Store::connect(&options).await, Err(StoreError::Unavailable(_))));
}
