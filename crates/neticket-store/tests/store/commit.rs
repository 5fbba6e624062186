//! Committing, one batch after the other. Concurrent batches are in `concurrency`.

use neticket_domain::{Epoch, TicketTypeId, UserId};
use neticket_store::CommitOutcome::{Confirmed, Existing, NoSuchTicketType, NoSuchUser, SoldOut, StaleEpoch};
use neticket_store::CommitRequest;

use crate::support::{OTHER_EPOCH, TestStore, on_both, one_seat, ticket_type_of, tickets};

on_both! {
    async fn a_batch_is_confirmed_and_takes_its_seats(store: &TestStore) {
        let (one, two) = (store.event_of(&[10, 5]).await, store.event_of(&[3]).await);
        let user = store.user().await;
        let second = CommitRequest {
            ticket_type: ticket_type_of(&one, 1),
            quantity: tickets(4),
            ..one_seat(&one, user)
        };
        let batch = [one_seat(&two, user), second, one_seat(&one, user), one_seat(&one, user)];
        let outcomes = store.commit(&batch).await.unwrap();
        assert_eq!(outcomes, vec![Confirmed; 4]);
        let left: Vec<_> = store.inventory_audit(None).await.unwrap().iter().map(|row| row.left).collect();
        assert_eq!(left, [8, 1, 2]);
        assert_eq!(store.commit(&[]).await.unwrap(), []);
    }

    async fn exactly_the_last_seat_can_be_sold(store: &TestStore) {
        let event = store.event_of(&[2]).await;
        let user = store.user().await;
        let both = CommitRequest { quantity: tickets(2), ..one_seat(&event, user) };
        assert_eq!(store.commit_one(both).await, Confirmed);
        assert_eq!(store.commit_one(one_seat(&event, user)).await, SoldOut);
        assert_eq!(store.seats(event.id).await.left, 0);
    }

    async fn every_booking_of_a_batch_that_fits_is_confirmed(store: &TestStore) {
        let event = store.event_of(&[4]).await;
        let user = store.user().await;
        let of = |number| CommitRequest { quantity: tickets(number), ..one_seat(&event, user) };
        let outcomes = store.commit(&[of(2), of(3), of(1), of(2), of(1)]).await.unwrap();
        assert_eq!(outcomes, [Confirmed, SoldOut, Confirmed, SoldOut, Confirmed]);
        assert_eq!(store.seats(event.id).await.left, 0);
    }

    async fn a_commit_of_another_epoch_is_refused_with_the_epoch_of_the_store(store: &TestStore) {
        let (one, two) = (store.event_of(&[5]).await, store.event_of(&[5]).await);
        let user = store.user().await;
        store.epoch_raise_and_load(one.id, Epoch(0)).await.unwrap();
        let right = CommitRequest { epoch: Epoch(1), ..one_seat(&one, user) };
        let ahead = CommitRequest { epoch: OTHER_EPOCH, ..one_seat(&one, user) };
        let outcomes =
            store.commit(&[one_seat(&one, user), one_seat(&two, user), right, ahead]).await.unwrap();
        let stale = StaleEpoch { epoch: Epoch(1) };
        assert_eq!(outcomes, [stale.clone(), Confirmed, Confirmed, stale]);
    }

    async fn a_repeated_commit_returns_the_existing_reservation_and_takes_no_seats(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let user = store.user().await;
        let request = one_seat(&event, user);
        assert_eq!(store.commit_one(request).await, Confirmed);
        let record = store.reservation(request.id).await.unwrap().unwrap();
        let other = one_seat(&event, user);
        let outcomes = store.commit(&[request, other]).await.unwrap();
        assert_eq!(outcomes, [Existing(record.clone()), Confirmed]);
        // Also under another epoch, and for a request that uses the same id for something else.
        let changed = CommitRequest { quantity: tickets(3), epoch: OTHER_EPOCH, ..request };
        assert_eq!(store.commit_one(changed).await, Existing(record));
        assert_eq!(store.seats(event.id).await.left, 3);
    }

    async fn a_repeated_commit_returns_the_existing_reservation_when_sold_out(store: &TestStore) {
        let event = store.event_of(&[1]).await;
        let request = one_seat(&event, store.user().await);
        assert_eq!(store.commit_one(request).await, Confirmed);
        assert!(matches!(store.commit_one(request).await, Existing(_)));
    }

    async fn the_same_id_twice_in_a_batch_is_one_reservation(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let request = one_seat(&event, store.user().await);
        let changed = CommitRequest { quantity: tickets(3), ..request };
        let outcomes = store.commit(&[request, request, changed]).await.unwrap();
        assert_eq!(outcomes[0], Confirmed);
        let record = store.reservation(request.id).await.unwrap().unwrap();
        assert_eq!(outcomes[1..], [Existing(record.clone()), Existing(record)]);
        assert_eq!(store.seats(event.id).await.left, 4);
    }

    async fn the_same_id_twice_in_a_batch_can_be_refused_first_and_confirmed_later(store: &TestStore) {
        let event = store.event_of(&[1]).await;
        let request = one_seat(&event, store.user().await);
        let large = CommitRequest { quantity: tickets(3), ..request };
        let outcomes = store.commit(&[large, request, large]).await.unwrap();
        assert_eq!(outcomes[..2], [SoldOut, Confirmed]);
        assert!(matches!(&outcomes[2], Existing(record) if record.quantity == tickets(1)));
    }

    async fn an_unknown_user_does_not_fail_the_batch(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let user = store.user().await;
        let batch = [one_seat(&event, user), one_seat(&event, UserId(99)), one_seat(&event, user)];
        let outcomes = store.commit(&batch).await.unwrap();
        assert_eq!(outcomes, [Confirmed, NoSuchUser, Confirmed]);
        assert_eq!(store.seats(event.id).await.left, 3);
    }

    async fn a_ticket_type_that_is_unknown_or_of_another_event_is_refused(store: &TestStore) {
        let (one, two) = (store.event_of(&[5]).await, store.event_of(&[5]).await);
        let user = store.user().await;
        let nothing = CommitRequest { ticket_type: TicketTypeId(99), ..one_seat(&one, user) };
        let crossed = CommitRequest { ticket_type: ticket_type_of(&two, 0), ..one_seat(&one, user) };
        let outcomes = store.commit(&[nothing, crossed, one_seat(&two, user)]).await.unwrap();
        assert_eq!(outcomes, [NoSuchTicketType, NoSuchTicketType, Confirmed]);
    }

    async fn a_batch_larger_than_one_statement_is_committed(store: &TestStore) {
        let event = store.event_of(&[2_500]).await;
        let user = store.user().await;
        let batch: Vec<_> = (0..2_500).map(|_| one_seat(&event, user)).collect();
        assert_eq!(store.commit(&batch).await.unwrap(), vec![Confirmed; 2_500]);
        assert_eq!(store.seats(event.id).await.left, 0);
        let again = store.commit(&batch).await.unwrap();
        assert!(again.iter().all(|outcome| matches!(outcome, Existing(_))));
        assert_eq!(store.seats(event.id).await.confirmed, 2_500);
    }
}
