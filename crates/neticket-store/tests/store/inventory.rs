//! The snapshot of an event's inventory, and the numbers of seats that the database itself refuses.

use std::collections::BTreeSet;

use neticket_domain::{Epoch, EventId};
use neticket_store::{
    CancelOutcome, CancelRequest, CommitOutcome, CommitRequest, Store, StoreOptions, StoredTicketType,
};

use crate::support::{NOW, TestStore, at, new_event, new_id, on_both, one_seat, source_files, tickets};

on_both! {
    async fn an_inventory_contains_seats_stored_ids_and_releases(store: &TestStore) {
        let (event, other) = (store.event_of(&[5, 7]).await, store.event_of(&[5]).await);
        let user = store.user().await;
        store.epoch_raise_and_load(event.id, Epoch(0)).await.unwrap();
        let of = |quantity| CommitRequest {
            quantity: tickets(quantity),
            epoch: Epoch(1),
            ..one_seat(&event, user)
        };
        let [confirmed, cancelled, rejected] = [of(3), of(1), of(2)];
        let elsewhere = one_seat(&other, user);
        store.commit(&[confirmed, cancelled, elsewhere]).await.unwrap();
        store.reject(&[rejected], at(NOW)).await.unwrap();
        let cancels = [cancelled.id, elsewhere.id].map(|id| CancelRequest { id, user });
        let outcomes = store.cancel(&cancels, at(NOW)).await.unwrap();
        let CancelOutcome::Cancelled { release, .. } = outcomes[0].clone() else { panic!("{outcomes:?}") };

        let ids = [confirmed.id, cancelled.id, rejected.id];
        let asked: Vec<_> = ids.into_iter().chain([new_id(), ids[0]]).collect();
        let inventory = store.inventory_of(event.id, &asked).await.unwrap().unwrap();
        let [first, second] = &event.ticket_types[..] else { panic!() };
        let expected = [
            StoredTicketType { id: first.id, capacity: 5, left: 2, epoch: Epoch(1) },
            StoredTicketType { id: second.id, capacity: 7, left: 7, epoch: Epoch(1) },
        ];
        assert_eq!(inventory.ticket_types, expected);
        assert_eq!(inventory.present, BTreeSet::from(ids));
        assert_eq!(inventory.releases, [release]);
        store.outbox_done(&[release.id]).await.unwrap();
        let inventory = store.inventory_of(event.id, &[]).await.unwrap().unwrap();
        assert_eq!((inventory.present.len(), inventory.releases.len()), (0, 0));
    }

    async fn the_database_refuses_seat_counts_below_zero_or_above_capacity(store: &TestStore) {
        let event = store.event_of(&[10, 10]).await;
        let quote = if store.is_embedded() { '"' } else { '`' };
        let (left, first, second) =
            (format!("{quote}left{quote}"), event.ticket_types[0].id, event.ticket_types[1].id);
        let before = store.inventory_of(event.id, &[]).await.unwrap();
        for change in [
            format!("UPDATE ticket_types SET {left} = -1 WHERE id = {first}"),
            format!("UPDATE ticket_types SET {left} = {left} - 11 WHERE id = {first}"),
            format!("UPDATE ticket_types SET {left} = 11 WHERE id = {first}"),
            format!("UPDATE ticket_types SET {left} = {left} + 1"),
            format!("UPDATE ticket_types SET capacity = 9 WHERE id = {second}"),
        ] {
            let refused = store.sql(&change).await.unwrap_err().to_string();
            assert!(refused.to_lowercase().contains("constraint"), "{change}: {refused}");
            assert_eq!(store.inventory_of(event.id, &[]).await.unwrap(), before, "{change}");
        }
        // The number was refused, not the statement.
        for seats in [0, 10] {
            let change = format!("UPDATE ticket_types SET {left} = {seats} WHERE id = {first}");
            store.sql(&change).await.unwrap();
        }
    }

    async fn an_unknown_event_has_no_inventory_and_one_without_ticket_types_an_empty_one(store: &TestStore) {
        assert_eq!(store.inventory_of(EventId(99), &[new_id()]).await.unwrap(), None);
        let event = store.event_create(&new_event(&[]), None, at(1)).await.unwrap();
        assert_eq!(store.inventory_of(event.id, &[]).await.unwrap().unwrap().ticket_types, []);
    }

    async fn an_inventory_is_a_consistent_snapshot(store: &TestStore) {
        let event = store.event_of(&[10_000]).await;
        let user = store.user().await;
        // So many ids that one snapshot takes several statements, between which other transactions commit.
        let batches: Vec<_> = (0..60).map(|_| [(); 25].map(|()| one_seat(&event, user))).collect();
        let ids: Vec<_> = batches.iter().flatten().map(|request| request.id).collect();
        let changing = tokio::spawn({
            let store = (**store).clone();
            async move {
                for batch in batches {
                    let outcomes = store.commit(&batch).await.unwrap();
                    assert_eq!(outcomes, vec![CommitOutcome::Confirmed; 25]);
                    let cancels = [0, 9].map(|at| CancelRequest { id: batch[at].id, user });
                    store.cancel(&cancels, at(NOW)).await.unwrap();
                }
            }
        });
        let mut seats_taken = BTreeSet::new();
        while !changing.is_finished() {
            let snapshot = store.inventory_of(event.id, &ids).await.unwrap().unwrap();
            let taken = 10_000 - usize::try_from(snapshot.ticket_types[0].left).unwrap();
            assert_eq!(taken, snapshot.present.len() - snapshot.releases.len());
            seats_taken.insert(taken);
        }
        changing.await.unwrap();
        assert!(seats_taken.len() > 1, "other transactions committed between the reads: {seats_taken:?}");
    }

    async fn reading_an_inventory_does_not_wait_for_row_locks(store: &TestStore) {
        use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
        let event = store.event_of(&[5]).await;
        let with_short_timeout = StoreOptions { timeout_ms: 2_000, ..StoreOptions::new(store.url()) };
        let with_short_timeout = Store::connect(&with_short_timeout).await.unwrap();
        let other = sea_orm::Database::connect(store.url()).await.unwrap();
        let holder = other.begin().await.unwrap();
        holder.execute_unprepared("UPDATE ticket_types SET epoch = 9").await.unwrap();
        let inventory = with_short_timeout.inventory_of(event.id, &[]).await.unwrap().unwrap();
        assert_eq!(inventory.ticket_types[0].epoch, Epoch(0), "uncommitted changes are not visible");
        holder.rollback().await.unwrap();
    }
}

/// ARCHITECTURE.md names these files.
#[test]
fn only_commits_cancels_and_edits_change_the_seats_left() {
    let writes = [
        ".value(Left,",
        ".value(Column::Left,",
        ".value(ticket_type::Column::Left,",
        "col_expr(Left,",
        "col_expr(Column::Left,",
        "col_expr(ticket_type::Column::Left,",
        "left = ?",
        "`left` =",
        "SET left",
        "UPDATE ticket_types",
    ];
    let is_write =
        |line: &str| !line.trim_start().starts_with("//") && writes.iter().any(|write| line.contains(write));
    for line in [
        "update.value(Left, 1)",
        "update.col_expr(Column::Left, 1)",
        "UPDATE {} SET epoch = ?, left = ?",
        "SET `left` = 1",
    ] {
        assert!(is_write(line), "{line}");
    }
    let files = source_files().into_iter().filter(|(_, text)| text.lines().any(is_write));
    let files: BTreeSet<String> = files.map(|(name, _)| name).collect();
    let expected = ["events/edit.rs", "reservations/cancel.rs", "reservations/commit.rs"];
    assert_eq!(files, BTreeSet::from(expected.map(str::to_owned)));
}
