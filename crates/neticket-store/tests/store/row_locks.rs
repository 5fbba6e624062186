//! Which rows a transaction on one event locks: only those of its own ticket types, even if there are few
//! events.

use neticket_domain::{Epoch, UserId};
use neticket_store::{
    AuditOrigin, CancelRequest, CommitRequest, EventEdit, EventRecord, Store, StoreError, StoreOptions,
};
use sea_orm::{ConnectionTrait as _, Database, IsolationLevel, TransactionTrait as _};

use crate::support::{NOW, TestStore, at, one_seat};

/// The timeout of a call, waiting for locks included. It is far more than any call needs.
const TIMEOUT_MS: u64 = 30_000;

/// MariaDB reads a table with few rows from end to end rather than by an index. A locking statement then
/// waits for every row that it reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stuck_event_blocks_no_transaction_of_another_event() {
    let database = TestStore::on_mariadb().await;
    let stuck = database.event_of(&[5, 5, 5, 5]).await;
    let free = database.event_of(&[5, 5, 5, 5]).await;
    let user = database.user().await;
    let connect = async |timeout_ms| {
        let options = StoreOptions { timeout_ms, ..StoreOptions::new(database.url()) };
        Store::connect(&options).await.unwrap()
    };
    let store = connect(TIMEOUT_MS).await;

    let other = Database::connect(database.url()).await.unwrap();
    // Like the store's own transactions, this one locks no gaps.
    let transaction = other.begin_with_config(Some(IsolationLevel::ReadCommitted), None).await.unwrap();
    for ticket_type in &stuck.ticket_types {
        let hold = format!("UPDATE ticket_types SET epoch = epoch + 1 WHERE id = {}", ticket_type.id);
        transaction.execute_unprepared(&hold).await.unwrap();
    }
    let waited = connect(1_000).await.epoch_raise_and_load(stuck.id, Epoch(0)).await;
    assert!(matches!(waited, Err(StoreError::Unavailable(_))), "the event is not stuck: {waited:?}");

    let waited = call_everything(&store, &free, user).await;
    assert_eq!(waited, Vec::<String>::new(), "these calls wait for rows of another event");
    transaction.rollback().await.unwrap();
    database.assert_invariants().await;
}

/// Makes every call that locks ticket types of `event`. Returns those that failed.
async fn call_everything(store: &Store, event: &EventRecord, user: UserId) -> Vec<String> {
    let admin = AuditOrigin { actor: None, ip: String::new() };
    let booked = [(); 3].map(|()| one_seat(event, user));
    let mut failed = Vec::new();
    let mut record_failure = |name: &str, error: Option<StoreError>| {
        if let Some(error) = error {
            failed.push(format!("{name}: {error:?}"));
        }
    };
    record_failure("commit", store.commit(&booked[..2]).await.err());
    record_failure("commit with an id that exists", store.commit(&booked).await.err());
    record_failure("reject", store.reject(&[one_seat(event, user)], at(NOW)).await.err());
    let cancel = CancelRequest { id: booked[0].id, user };
    record_failure("cancel", store.cancel(&[cancel], at(NOW)).await.err());
    record_failure("epoch_raise_and_load", store.epoch_raise_and_load(event.id, Epoch(0)).await.err());
    let mut edit = EventEdit::of(event);
    edit.ticket_types.pop();
    record_failure("event_update", store.event_update(event.id, &edit, &[], &admin, || at(NOW)).await.err());
    record_failure("event_pause", store.event_pause(event.id, true, &admin, || at(NOW)).await.err());
    let entry = admin.did("ledger_reload", "event/1", "", at(NOW));
    record_failure("epoch_raise", store.epoch_raise(event.id, Epoch(0), None, &entry).await.err());
    record_failure("event_cancel", store.event_cancel(event.id, &admin, at(NOW)).await.err());
    let rest = booked[1..].iter().map(|request: &CommitRequest| CancelRequest { id: request.id, user });
    let rest: Vec<_> = rest.collect();
    record_failure("cancel of a cancelled event", store.cancel(&rest, at(NOW)).await.err());
    record_failure("cancellation_finish", store.cancellation_finish(event.id, at(NOW)).await.err());
    let unbooked = store.event_create(&crate::support::new_event(&[5, 5, 5]), None, at(1)).await;
    match unbooked {
        Ok(unbooked) => {
            record_failure(
                "event_delete",
                store.event_delete(unbooked.id, None, &admin, at(NOW)).await.err(),
            );
        }
        Err(error) => record_failure("event_create", Some(error)),
    }
    failed
}
