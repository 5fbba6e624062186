//! Loading.

use neticket_domain::{Epoch, EventId, SaleWindow};
use neticket_store::{
    CancelRequest, CommitOutcome, CommitRequest, LoadedReservation, LoadedTicketType, StoreError,
};

use crate::support::{NOW, TestStore, at, new_event, on_both, one_seat, tickets};

on_both! {
    async fn a_load_raises_the_epoch_and_reads_a_snapshot(store: &TestStore) {
        let event = store.event_of(&[5, 7]).await;
        let (ann, bob) = (store.user().await, store.user().await);
        let two = CommitRequest { quantity: tickets(2), ..one_seat(&event, ann) };
        let gone = one_seat(&event, bob);
        store.commit(&[two, gone]).await.unwrap();
        store.cancel(&[CancelRequest { id: gone.id, user: bob }], at(NOW)).await.unwrap();
        let elsewhere = store.event_of(&[5]).await;
        store.commit_one(one_seat(&elsewhere, ann)).await;

        let mut loaded = store.epoch_raise_and_load(event.id, Epoch(0)).await.unwrap().unwrap();
        assert_eq!((loaded.event, loaded.epoch), (event.id, Epoch(1)));
        assert_eq!(loaded.window, SaleWindow { opens_at: at(1_000), closes_at: at(9_000) });
        assert_eq!((loaded.paused_at.is_some(), loaded.cancelled, loaded.max_per_user), (false, false, 4));
        let [first, second] = &event.ticket_types[..] else { panic!() };
        let expected = [
            LoadedTicketType { id: first.id, price: 10_000, left: 3 },
            LoadedTicketType { id: second.id, price: 10_001, left: 7 },
        ];
        assert_eq!(loaded.ticket_types, expected);
        let mut expected = [
            LoadedReservation { id: two.id, user: ann, held: 2 },
            LoadedReservation { id: gone.id, user: bob, held: 0 },
        ];
        expected.sort_by_key(|held| held.id);
        loaded.reservations.sort_by_key(|held| held.id);
        assert_eq!(loaded.reservations, expected);

        let event = store.event(event.id).await.unwrap().unwrap();
        assert!(event.ticket_types.iter().all(|ticket_type| ticket_type.epoch == Epoch(1)));
        assert_eq!(store.event(elsewhere.id).await.unwrap().unwrap().ticket_types[0].epoch, Epoch(0));
    }

    async fn ticket_types_of_different_epochs_get_one_above_the_highest(store: &TestStore) {
        let event = store.event_of(&[5, 5]).await;
        let last = event.ticket_types[1].id;
        store.sql(&format!("UPDATE ticket_types SET epoch = 6 WHERE id = {last}")).await.unwrap();
        assert_eq!(store.epoch_raise_and_load(event.id, Epoch(0)).await.unwrap().unwrap().epoch, Epoch(7));
        let event = store.event(event.id).await.unwrap().unwrap();
        assert!(event.ticket_types.iter().all(|ticket_type| ticket_type.epoch == Epoch(7)));
    }

    async fn a_load_goes_above_the_floor_but_never_below_the_store(store: &TestStore) {
        let event = store.event_of(&[5, 5]).await;
        for (floor, expected) in [(0, 1), (1, 2), (40, 41), (7, 42), (42, 43)] {
            let loaded = store.epoch_raise_and_load(event.id, Epoch(floor)).await.unwrap().unwrap();
            assert_eq!(loaded.epoch, Epoch(expected), "above {floor}");
        }
        let event = store.event(event.id).await.unwrap().unwrap();
        assert!(event.ticket_types.iter().all(|ticket_type| ticket_type.epoch == Epoch(43)));
        let user = store.user().await;
        let late = CommitRequest { epoch: Epoch(42), ..one_seat(&event, user) };
        assert_eq!(store.commit_one(late).await, CommitOutcome::StaleEpoch { epoch: Epoch(43) });
        assert_eq!(store.commit_one(one_seat(&event, user)).await, CommitOutcome::Confirmed);
    }

    async fn a_load_above_the_maximum_epoch_is_refused(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let refused = store.epoch_raise_and_load(event.id, Epoch(i64::MAX)).await;
        assert!(matches!(refused, Err(StoreError::Internal(_))), "{refused:?}");
        assert_eq!(store.epoch_raise_and_load(event.id, Epoch(0)).await.unwrap().unwrap().epoch, Epoch(1));
    }

    async fn a_load_reports_that_an_event_is_paused_or_cancelled(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        store.sql("UPDATE events SET paused = TRUE, cancelled_at = 5").await.unwrap();
        let loaded = store.epoch_raise_and_load(event.id, Epoch(0)).await.unwrap().unwrap();
        assert!(loaded.paused_at.is_some() && loaded.cancelled);
    }

    async fn an_event_without_ticket_types_is_loaded_and_an_unknown_event_is_not(store: &TestStore) {
        let event = store.event_create(&new_event(&[]), None, at(1)).await.unwrap();
        let loaded = store.epoch_raise_and_load(event.id, Epoch(0)).await.unwrap().unwrap();
        assert_eq!((loaded.epoch, loaded.ticket_types.len()), (Epoch(1), 0));
        assert_eq!(store.epoch_raise_and_load(EventId(99), Epoch(0)).await.unwrap(), None);
    }
}
