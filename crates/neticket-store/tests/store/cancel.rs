//! Cancelling.

use neticket_domain::Epoch;
use neticket_store::{CancelOutcome, CancelRequest, CommitOutcome, CommitRequest, ReservationStatus};

use crate::support::{NOW, TestStore, at, new_event, new_id, on_both, one_seat, tickets};

on_both! {
    async fn a_cancelled_reservation_returns_its_seats_once(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let user = store.user().await;
        store.epoch_raise_and_load(event.id, Epoch(0)).await.unwrap();
        let request = CommitRequest { quantity: tickets(3), epoch: Epoch(1), ..one_seat(&event, user) };
        store.commit_one(request).await;
        let cancel = CancelRequest { id: request.id, user };

        let outcomes = store.cancel(&[cancel], at(NOW)).await.unwrap();
        let CancelOutcome::Cancelled { record, release } = &outcomes[0] else { panic!("{outcomes:?}") };
        assert_eq!((record.status, record.cancelled_at), (ReservationStatus::Cancelled, Some(at(NOW))));
        assert_eq!((release.id, release.event, release.user), (request.id, event.id, user));
        assert_eq!((release.ticket_type, release.quantity), (request.ticket_type, tickets(3)));
        assert_eq!((release.epoch, release.created_at), (Epoch(1), at(NOW)));
        assert_eq!(store.reservation(request.id).await.unwrap().as_ref(), Some(record));
        assert_eq!(store.outbox_before(at(NOW + 1), 10).await.unwrap(), [*release]);
        assert_eq!(store.seats(event.id).await.left, 5);

        let again = store.cancel(&[cancel], at(NOW + 1)).await.unwrap();
        assert_eq!(again, [CancelOutcome::Already(record.clone())]);
        assert_eq!(store.seats(event.id).await.left, 5);
        assert_eq!(store.outbox_before(at(NOW + 9), 10).await.unwrap().len(), 1);
    }

    async fn the_same_id_twice_in_a_batch_is_cancelled_once(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let user = store.user().await;
        let request = one_seat(&event, user);
        store.commit_one(request).await;
        let cancel = CancelRequest { id: request.id, user };
        let outcomes = store.cancel(&[cancel, cancel], at(NOW)).await.unwrap();
        let CancelOutcome::Cancelled { record, .. } = &outcomes[0] else { panic!("{outcomes:?}") };
        assert_eq!(outcomes[1], CancelOutcome::Already(record.clone()));
        assert_eq!(store.seats(event.id).await.left, 5);
    }

    async fn a_reservation_of_another_user_cannot_be_cancelled(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let (ann, bob) = (store.user().await, store.user().await);
        let request = one_seat(&event, ann);
        store.commit_one(request).await;
        let wrong = CancelRequest { id: request.id, user: bob };
        let unknown = CancelRequest { id: new_id(), user: bob };
        let right = CancelRequest { id: request.id, user: ann };
        let outcomes = store.cancel(&[wrong, unknown], at(NOW)).await.unwrap();
        assert_eq!(outcomes, [CancelOutcome::NotFound, CancelOutcome::NotFound]);
        assert_eq!(store.seats(event.id).await.left, 4);
        let outcomes = store.cancel(&[wrong, right], at(NOW)).await.unwrap();
        assert_eq!(outcomes[0], CancelOutcome::NotFound);
        assert!(matches!(outcomes[1], CancelOutcome::Cancelled { .. }));
    }

    async fn a_reservation_cannot_be_cancelled_after_the_start(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let user = store.user().await;
        let request = one_seat(&event, user);
        store.commit_one(request).await;
        let cancel = CancelRequest { id: request.id, user };
        let record = store.reservation(request.id).await.unwrap().unwrap();
        let outcomes = store.cancel(&[cancel], event.starts_at).await.unwrap();
        assert_eq!(outcomes, [CancelOutcome::Started(record)]);
        assert_eq!(store.seats(event.id).await.left, 4);
        let outcomes = store.cancel(&[cancel], event.starts_at.plus_millis(-1)).await.unwrap();
        assert!(matches!(outcomes[0], CancelOutcome::Cancelled { .. }));
        let outcomes = store.cancel(&[cancel], event.starts_at).await.unwrap();
        assert!(matches!(outcomes[0], CancelOutcome::Already(_)), "a repeat returns the same answer");
    }

    async fn a_batch_spans_events_and_ticket_types(store: &TestStore) {
        let (one, two) =
            (store.event_of(&[5, 5]).await, store.event_create(&new_event(&[5]), None, at(1)).await.unwrap());
        let user = store.user().await;
        let second = CommitRequest { ticket_type: one.ticket_types[1].id, ..one_seat(&one, user) };
        let batch = [one_seat(&two, user), second, one_seat(&one, user)];
        store.commit(&batch).await.unwrap();
        let cancels = batch.map(|request| CancelRequest { id: request.id, user });
        assert_eq!(store.cancel(&[], at(NOW)).await.unwrap(), []);
        let outcomes = store.cancel(&cancels, at(NOW)).await.unwrap();
        assert!(outcomes.iter().all(|outcome| matches!(outcome, CancelOutcome::Cancelled { .. })));
        assert!(store.inventory_audit(None).await.unwrap().iter().all(|row| row.left == 5));
    }

    async fn a_repeated_commit_does_not_restore_a_cancelled_reservation(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let user = store.user().await;
        let request = one_seat(&event, user);
        store.commit_one(request).await;
        store.cancel(&[CancelRequest { id: request.id, user }], at(NOW)).await.unwrap();
        let again = store.commit_one(request).await;
        assert!(
            matches!(&again, CommitOutcome::Existing(record) if record.status == ReservationStatus::Cancelled),
            "{again:?}"
        );
        assert_eq!(store.seats(event.id).await.left, 5);
    }
}
