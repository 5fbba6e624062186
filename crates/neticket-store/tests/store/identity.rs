//! The identity of a database.

use neticket_store::StoreError;

use crate::support::{TestStore, on_both};

on_both! {
    async fn a_database_keeps_its_unique_id(store: &TestStore) {
        let id = store.database_id().await.unwrap();
        assert!(!id.is_nil());
        store.migrate().await.unwrap();
        assert_eq!(store.database_id().await.unwrap(), id);
        let other =
            if store.is_embedded() { TestStore::on_sqlite().await } else { TestStore::on_mariadb().await };
        assert_ne!(other.database_id().await.unwrap(), id);
        store.unmigrate().await.unwrap();
        store.migrate().await.unwrap();
        assert_ne!(store.database_id().await.unwrap(), id, "a new schema gets a new id");
    }

    async fn a_database_has_one_id_and_its_loss_is_an_error(store: &TestStore) {
        let second = "INSERT INTO database_identity SELECT 2, uuid FROM database_identity";
        assert!(store.sql(second).await.is_err());
        store.sql("DELETE FROM database_identity").await.unwrap();
        assert!(matches!(store.database_id().await, Err(StoreError::Internal(_))));
    }
}
