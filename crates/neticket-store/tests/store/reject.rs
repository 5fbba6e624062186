//! Rejecting.

use neticket_domain::{Epoch, TicketTypeId, UserId};
use neticket_store::{
    CancelOutcome, CancelRequest, CommitOutcome, CommitRequest, LoadedReservation, ReservationStatus,
};

use crate::support::{NOW, OTHER_EPOCH, TestStore, at, on_both, one_seat, ticket_type_of, tickets};

on_both! {
    async fn a_rejected_reservation_is_recorded_and_takes_no_seats(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let user = store.user().await;
        let request = CommitRequest { quantity: tickets(3), epoch: OTHER_EPOCH, ..one_seat(&event, user) };
        store.reject(&[request], at(NOW + 7)).await.unwrap();

        let record = store.reservation(request.id).await.unwrap().unwrap();
        assert_eq!((record.status, record.quantity), (ReservationStatus::Rejected, tickets(3)));
        assert_eq!((record.created_at, record.cancelled_at), (at(NOW), Some(at(NOW + 7))));
        assert_eq!(store.reservations_of(user, 1, 10).await.unwrap(), (vec![record], 1));
        let seats = store.seats(event.id).await;
        assert_eq!((seats.left, seats.confirmed), (5, 0));
        let loaded = store.epoch_raise_and_load(event.id, Epoch(0)).await.unwrap().unwrap();
        assert_eq!(loaded.reservations, [LoadedReservation { id: request.id, user, held: 0 }]);
        assert_eq!(store.reject(&[], at(NOW)).await.unwrap(), 0);
    }

    async fn a_rejected_reservation_is_never_confirmed_and_cannot_be_cancelled(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let user = store.user().await;
        let request = one_seat(&event, user);
        store.reject(&[request], at(NOW)).await.unwrap();
        let record = store.reservation(request.id).await.unwrap().unwrap();
        let outcomes = store.commit(&[one_seat(&event, user), request]).await.unwrap();
        assert_eq!(outcomes, [CommitOutcome::Confirmed, CommitOutcome::Existing(record.clone())]);
        let cancel = CancelRequest { id: request.id, user };
        let outcomes = store.cancel(&[cancel], at(NOW)).await.unwrap();
        assert_eq!(outcomes, [CancelOutcome::Rejected(record)]);
        assert_eq!(store.seats(event.id).await.left, 4);
        assert_eq!(store.outbox_before(at(i64::MAX), 10).await.unwrap(), []);
    }

    async fn rejecting_an_existing_reservation_does_not_change_it(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let user = store.user().await;
        let [confirmed, cancelled, rejected, new] = [(); 4].map(|()| one_seat(&event, user));
        store.commit(&[confirmed, cancelled]).await.unwrap();
        store.cancel(&[CancelRequest { id: cancelled.id, user }], at(NOW)).await.unwrap();
        store.reject(&[rejected], at(NOW)).await.unwrap();
        let ids = [confirmed.id, cancelled.id, rejected.id];
        let sorted = async || {
            let mut records = store.reservations(&ids).await.unwrap();
            records.sort_by_key(|record| record.id);
            records
        };
        let before = sorted().await;
        let other = CommitRequest { quantity: tickets(2), ..new };
        let recorded =
            store.reject(&[confirmed, new, cancelled, rejected, other], at(NOW + 1)).await.unwrap();
        assert_eq!(recorded, 1, "only the new one is recorded, once");
        assert_eq!(sorted().await, before);
        let recorded = store.reservation(new.id).await.unwrap().unwrap();
        assert_eq!((recorded.status, recorded.quantity), (ReservationStatus::Rejected, tickets(1)));
        assert_eq!(store.seats(event.id).await.left, 4);
    }

    async fn a_booking_that_could_never_be_confirmed_is_not_recorded(store: &TestStore) {
        let (one, two) = (store.event_of(&[5]).await, store.event_of(&[5]).await);
        let user = store.user().await;
        let nobody = one_seat(&one, UserId(99));
        let nothing = CommitRequest { ticket_type: TicketTypeId(99), ..one_seat(&one, user) };
        let crossed = CommitRequest { ticket_type: ticket_type_of(&two, 0), ..one_seat(&one, user) };
        let right = one_seat(&one, user);
        store.reject(&[nobody, nothing, crossed, right], at(NOW)).await.unwrap();
        let recorded = store.reservations(&[nobody.id, nothing.id, crossed.id, right.id]).await.unwrap();
        assert_eq!(recorded.iter().map(|record| record.id).collect::<Vec<_>>(), [right.id]);
    }

    async fn a_batch_larger_than_one_statement_is_rejected(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let user = store.user().await;
        let batch: Vec<_> = (0..2_500).map(|_| one_seat(&event, user)).collect();
        assert_eq!(store.reject(&batch, at(NOW)).await.unwrap(), 2_500);
        assert_eq!(store.reject(&batch, at(NOW)).await.unwrap(), 0, "they are recorded already");
        let outcomes = store.commit(&batch).await.unwrap();
        assert!(outcomes.iter().all(|outcome| matches!(outcome, CommitOutcome::Existing(_))));
    }

    async fn a_concurrent_commit_and_rejection_leave_one_outcome(store: &TestStore) {
        let event = store.event_of(&[100, 100]).await;
        let user = store.user().await;
        let batch = [(); 20].map(|()| one_seat(&event, user));
        let committing = tokio::spawn({
            let store = (**store).clone();
            async move { store.commit(&batch).await.unwrap() }
        });
        // Under the lock of another ticket type, which does not exclude the commit.
        let other = batch.map(|request| CommitRequest { ticket_type: ticket_type_of(&event, 1), ..request });
        store.reject(&other[5..], at(NOW)).await.unwrap();
        for (request, outcome) in batch.iter().zip(committing.await.unwrap()) {
            let record = store.reservation(request.id).await.unwrap().unwrap();
            match outcome {
                CommitOutcome::Confirmed => assert_eq!(record.status, ReservationStatus::Confirmed),
                CommitOutcome::Existing(existing) => {
                    assert_eq!((existing.status, &existing), (ReservationStatus::Rejected, &record));
                }
                outcome => panic!("{outcome:?}"),
            }
        }
    }
}
