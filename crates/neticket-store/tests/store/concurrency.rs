//! Concurrent calls. Each of these has to hold in every order, so each runs with real tasks on a real
//! database.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use neticket_domain::{Epoch, ReservationId, Timestamp, UserId};
use neticket_store::{
    CancelOutcome, CancelRequest, CommitOutcome, CommitRequest, EventRecord, InventoryRecord, LoadedEvent,
    Store,
};
use tokio::sync::Barrier;

use crate::support::{NOW, TestStore, at, on_both, one_seat, ticket_type_of};

/// Runs `count` tasks that all begin at the same moment.
async fn at_once<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(count));
    let tasks = (0..count).map(|n| {
        let (barrier, task) = (Arc::clone(&barrier), task(n));
        tokio::spawn(async move {
            barrier.wait().await;
            task.await
        })
    });
    futures::future::join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}

fn confirmed<'a>(outcomes: impl IntoIterator<Item = &'a CommitOutcome>) -> usize {
    outcomes.into_iter().filter(|outcome| **outcome == CommitOutcome::Confirmed).count()
}

/// 400 reservations of one seat, in 8 tasks of 5 batches of 10 each.
async fn rush(store: &Store, event: &EventRecord, user: UserId) -> Vec<CommitOutcome> {
    let outcomes = at_once(8, |_| {
        let (store, event) = (store.clone(), event.clone());
        async move {
            let mut outcomes = Vec::new();
            for _ in 0..5 {
                let batch = [(); 10].map(|()| one_seat(&event, user));
                outcomes.extend(store.commit(&batch).await.unwrap());
            }
            outcomes
        }
    })
    .await;
    outcomes.into_iter().flatten().collect()
}

/// Runs a rush with the guard switched off. Returns the seats after it.
async fn rush_unguarded(store: &TestStore) -> InventoryRecord {
    let event = store.event_of(&[100]).await;
    let user = store.user().await;
    rush(&(**store).clone().without_guard(), &event, user).await;
    store.seats(event.id).await
}

on_both! {
    async fn concurrent_commits_sell_exactly_the_capacity(store: &TestStore) {
        let event = store.event_of(&[100]).await;
        let user = store.user().await;
        let outcomes = rush(store, &event, user).await;
        assert_eq!(confirmed(&outcomes), 100);
        assert!(outcomes.iter().all(|o| matches!(o, CommitOutcome::Confirmed | CommitOutcome::SoldOut)));
        let seats = store.seats(event.id).await;
        assert_eq!((seats.left, seats.confirmed), (0, 100));
    }

    async fn concurrent_commits_of_one_id_make_one_reservation(store: &TestStore) {
        let event = store.event_of(&[100]).await;
        let request = one_seat(&event, store.user().await);
        let outcomes = at_once(20, |_| {
            let store = (**store).clone();
            async move { store.commit(&[request]).await.unwrap().remove(0) }
        })
        .await;
        assert_eq!(confirmed(&outcomes), 1);
        let record = store.reservation(request.id).await.unwrap().unwrap();
        let existing = CommitOutcome::Existing(record);
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == existing).count(), 19);
        assert_eq!(store.seats(event.id).await.left, 99);
    }

    async fn concurrent_commits_of_one_id_for_different_ticket_types_make_one_reservation(store: &TestStore) {
        let event = store.event_of(&[100, 100, 100, 100]).await;
        let request = one_seat(&event, store.user().await);
        let outcomes = at_once(20, |n| {
            let (store, ticket_type) = ((**store).clone(), ticket_type_of(&event, n % 4));
            async move { store.commit(&[CommitRequest { ticket_type, ..request }]).await.unwrap().remove(0) }
        })
        .await;
        assert_eq!(confirmed(&outcomes), 1);
        assert_eq!(outcomes.iter().filter(|o| matches!(o, CommitOutcome::Existing(_))).count(), 19);
        let taken: u64 = store.inventory_audit(None).await.unwrap().iter().map(|row| row.confirmed).sum();
        assert_eq!(taken, 1);
    }

    async fn concurrent_cancels_of_one_reservation_return_its_seats_once(store: &TestStore) {
        let event = store.event_of(&[10]).await;
        let user = store.user().await;
        let request = one_seat(&event, user);
        store.commit_one(request).await;
        let outcomes = at_once(50, |_| {
            let store = (**store).clone();
            async move {
                store.cancel(&[CancelRequest { id: request.id, user }], at(NOW)).await.unwrap().remove(0)
            }
        })
        .await;
        let cancelled = outcomes.iter().filter(|o| matches!(o, CancelOutcome::Cancelled { .. })).count();
        assert_eq!(cancelled, 1);
        assert_eq!(outcomes.iter().filter(|o| matches!(o, CancelOutcome::Already(_))).count(), 49);
        assert_eq!(store.seats(event.id).await.left, 10);
        assert_eq!(store.outbox_before(at(NOW + 1), 10).await.unwrap().len(), 1);
    }

    async fn batches_in_opposite_orders_do_not_deadlock(store: &TestStore) {
        let event = store.event_of(&[2_000, 2_000, 2_000]).await;
        let user = store.user().await;
        let outcomes = at_once(8, |n| {
            let (store, event) = ((**store).clone(), event.clone());
            async move {
                let mut outcomes = Vec::new();
                for _ in 0..10 {
                    let mut batch: Vec<_> = (0..30)
                        .map(|at| CommitRequest {
                            ticket_type: ticket_type_of(&event, at % 3),
                            ..one_seat(&event, user)
                        })
                        .collect();
                    if n % 2 == 0 {
                        batch.reverse();
                    }
                    outcomes.extend(store.commit(&batch).await.unwrap());
                    // Cancels take the same locks.
                    batch.truncate(6);
                    batch.rotate_left(n % 6);
                    let cancels: Vec<_> = batch.iter().map(|r| CancelRequest { id: r.id, user }).collect();
                    store.cancel(&cancels, at(NOW)).await.unwrap();
                }
                outcomes
            }
        })
        .await;
        assert_eq!(confirmed(outcomes.iter().flatten()), 8 * 10 * 30);
        let left: u64 = store.inventory_audit(None).await.unwrap().iter().map(|row| row.left).sum();
        assert_eq!(left, 6_000 - 8 * 10 * 24);
    }

    async fn a_concurrent_commit_is_in_the_snapshot_or_refused(store: &TestStore) {
        let event = store.event_of(&[10_000]).await;
        let user = store.user().await;
        let first = store.epoch_raise_and_load(event.id, Epoch(0)).await.unwrap().unwrap();
        let epoch = Arc::new(tokio::sync::watch::Sender::new(first.epoch));
        let committing = at_once(6, |_| {
            let (store, event, epoch) = ((**store).clone(), event.clone(), Arc::clone(&epoch));
            async move { commit_under(&store, &event, user, &epoch).await }
        });
        let loading = {
            let (store, event, epoch) = ((**store).clone(), event.id, Arc::clone(&epoch));
            tokio::spawn(async move {
                let mut loads = Vec::new();
                for _ in 0..15 {
                    let loaded = store.epoch_raise_and_load(event, Epoch(0)).await.unwrap().unwrap();
                    epoch.send_replace(loaded.epoch);
                    loads.push(loaded);
                }
                loads
            })
        };
        let (committed, loads) = tokio::join!(committing, loading);
        let committed: HashMap<ReservationId, Epoch> = committed.into_iter().flatten().collect();
        for load in loads.unwrap() {
            assert_snapshot(&load, &committed);
        }
    }

    async fn the_seats_add_up_after_concurrent_commits_and_cancels(store: &TestStore) {
        let event = store.event_of(&[60]).await;
        let user = store.user().await;
        at_once(8, |n| {
            let (store, event) = ((**store).clone(), event.clone());
            async move {
                for _ in 0..10 {
                    let batch = [(); 12].map(|()| one_seat(&event, user));
                    let outcomes = store.commit(&batch).await.unwrap();
                    let mine = batch.iter().zip(&outcomes).filter(|(_, o)| **o == CommitOutcome::Confirmed);
                    let cancels: Vec<_> =
                        mine.skip(n % 2).map(|(request, _)| CancelRequest { id: request.id, user }).collect();
                    store.cancel(&cancels, at(NOW)).await.unwrap();
                }
            }
        })
        .await;
        let seats = store.seats(event.id).await;
        assert!(seats.left <= 60 && seats.confirmed <= 60, "{seats:?}");
    }
}

/// Commits under the latest known epoch until the loads are finished. Returns what was confirmed, with its
/// epoch.
async fn commit_under(
    store: &Store,
    event: &EventRecord,
    user: UserId,
    epoch: &tokio::sync::watch::Sender<Epoch>,
) -> Vec<(ReservationId, Epoch)> {
    let mut confirmed = Vec::new();
    let mut created_at: Timestamp = at(NOW);
    while epoch.borrow().0 < 16 {
        let epoch = *epoch.borrow();
        created_at = created_at.plus_millis(1);
        let batch = [(); 4].map(|()| CommitRequest { epoch, created_at, ..one_seat(event, user) });
        for (request, outcome) in batch.iter().zip(store.commit(&batch).await.unwrap()) {
            match outcome {
                CommitOutcome::Confirmed => confirmed.push((request.id, epoch)),
                CommitOutcome::StaleEpoch { epoch: newer } => assert!(newer > epoch, "{newer} {epoch}"),
                other => panic!("{other:?}"),
            }
        }
    }
    confirmed
}

/// Asserts that the snapshot contains exactly what was confirmed under a lower epoch, and counts its seats.
fn assert_snapshot(load: &LoadedEvent, committed: &HashMap<ReservationId, Epoch>) {
    let expected: HashSet<_> =
        committed.iter().filter(|(_, epoch)| **epoch < load.epoch).map(|(id, _)| *id).collect();
    let loaded: HashSet<_> = load.reservations.iter().map(|reservation| reservation.id).collect();
    assert_eq!(loaded, expected, "epoch {}", load.epoch);
    assert_eq!(usize::try_from(load.ticket_types[0].left).unwrap(), 10_000 - expected.len());
}

/// Negative control of [`concurrent_commits_sell_exactly_the_capacity`]: without the guard, the event is
/// oversold.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_guard_sqlite_is_oversold() {
    let seats = rush_unguarded(&TestStore::on_sqlite().await).await;
    assert!(seats.confirmed > seats.capacity, "{seats:?}");
}

/// As above, on MariaDB.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_guard_mariadb_is_oversold() {
    let seats = rush_unguarded(&TestStore::on_mariadb().await).await;
    assert!(seats.confirmed > seats.capacity, "{seats:?}");
}
