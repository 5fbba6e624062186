//! Cancelling and deleting events.

use futures::future::join_all;
use neticket_domain::{Epoch, EventId, UserId};
use neticket_store::{
    AuditOrigin, CancelOutcome, CancelRequest, CommitOutcome, CommitRequest, DeleteOutcome,
    EventCancelOutcome, EventRecord, ReservationStatus,
};

use crate::support::{NOW, TestStore, at, new_event, on_both, one_seat};

fn admin() -> AuditOrigin {
    AuditOrigin { actor: Some(UserId(1)), ip: "::1".to_owned() }
}

async fn cancelled(store: &TestStore, event: EventId) -> (EventRecord, Epoch) {
    let outcome = store.event_cancel(event, &admin(), at(NOW)).await.unwrap();
    let EventCancelOutcome::Cancelled { event, epoch } = outcome else { panic!("{outcome:?}") };
    (*event, epoch)
}

on_both! {
    async fn an_event_is_cancelled_once_and_repeats_return_the_same_answer(store: &TestStore) {
        let event = store.event_of(&[5, 5]).await;
        let (after, epoch) = cancelled(store, event.id).await;
        assert_eq!((after.cancelled_at, after.version, after.updated_at), (Some(at(NOW)), 2, at(NOW)));
        assert!(after.ticket_types.iter().all(|ticket_type| ticket_type.epoch == epoch && epoch == Epoch(1)));
        let again = store.event_cancel(event.id, &admin(), at(NOW + 1)).await.unwrap();
        assert_eq!(again, EventCancelOutcome::Already(Box::new(after)));
        let (log, total) = store.audit_page(1, 10).await.unwrap();
        assert_eq!((total, log[0].entry.action.as_str()), (1, "event_cancel"));
        assert_eq!(log[0].entry.before.as_ref().unwrap()["cancelled_at"], serde_json::Value::Null);
        let late = store.commit_one(one_seat(&event, store.user().await)).await;
        assert_eq!(late, CommitOutcome::StaleEpoch { epoch }, "bookings admitted before are refused");
        assert_eq!(
            store.event_cancel(EventId(99), &admin(), at(NOW)).await.unwrap(),
            EventCancelOutcome::NotFound
        );
    }

    async fn a_started_event_cannot_be_cancelled(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let outcome = store.event_cancel(event.id, &admin(), event.starts_at).await.unwrap();
        assert_eq!(outcome, EventCancelOutcome::Started { starts_at: event.starts_at });
        assert_eq!(store.event(event.id).await.unwrap(), Some(event));
    }

    async fn a_cancelled_event_is_listed_until_no_reservation_is_confirmed(store: &TestStore) {
        let (event, other) = (store.event_of(&[5, 5]).await, store.event_of(&[5]).await);
        let user = store.user().await;
        let second = CommitRequest { ticket_type: event.ticket_types[1].id, ..one_seat(&event, user) };
        let batch = [one_seat(&event, user), second, one_seat(&other, user)];
        store.commit(&batch).await.unwrap();
        assert_eq!(store.events_cancelling(10).await.unwrap(), []);
        assert_eq!(
            store.cancellation_finish(event.id, at(NOW)).await.unwrap(),
            None,
            "the event is not cancelled"
        );
        let (_, epoch) = cancelled(store, event.id).await;
        assert_eq!(store.events_cancelling(10).await.unwrap(), [event.id]);
        assert_eq!(
            store.cancellation_finish(event.id, at(NOW)).await.unwrap(),
            None,
            "some reservations are still confirmed"
        );

        assert_eq!(store.reservations_confirmed(event.id, 1).await.unwrap().len(), 1);
        let mut confirmed = store.reservations_confirmed(event.id, 10).await.unwrap();
        confirmed.sort_by_key(|booking| booking.id);
        let mut expected: Vec<_> =
            batch[..2].iter().map(|request| CancelRequest { id: request.id, user }).collect();
        expected.sort_by_key(|booking| booking.id);
        assert_eq!(confirmed, expected);
        // This also works after the start, because a cancelled event never starts.
        let outcomes = store.cancel(&confirmed, event.starts_at.plus_millis(1)).await.unwrap();
        assert!(outcomes.iter().all(
            |outcome| matches!(outcome, CancelOutcome::Cancelled { release, .. } if release.epoch == epoch)
        ));
        assert_eq!(store.reservations_confirmed(event.id, 10).await.unwrap(), []);

        assert_eq!(store.cancellation_finish(event.id, at(NOW)).await.unwrap(), Some(Epoch(2)));
        assert_eq!(store.cancellation_finish(event.id, at(NOW)).await.unwrap(), None, "once");
        assert_eq!(store.events_cancelling(10).await.unwrap(), []);
        let left = store.reservation(batch[2].id).await.unwrap().unwrap();
        assert_eq!((left.status, left.event_cancelled), (ReservationStatus::Confirmed, false));
    }

    async fn an_event_can_be_deleted_only_if_it_never_had_a_reservation(store: &TestStore) {
        let event = store.event_of(&[5, 5]).await;
        let user = store.user().await;
        let request = one_seat(&event, user);
        store.commit_one(request).await;
        store.cancel(&[CancelRequest { id: request.id, user }], at(NOW)).await.unwrap();
        let delete = async |id, versions| store.event_delete(id, versions, &admin(), at(NOW)).await.unwrap();
        assert_eq!(delete(event.id, None).await, DeleteOutcome::HasReservations);
        let other = store.event_of(&[5, 5]).await;
        assert_eq!(delete(other.id, Some(&[2, 3])).await, DeleteOutcome::Conflict);
        assert_eq!(delete(other.id, Some(&[])).await, DeleteOutcome::Conflict);
        assert_eq!(delete(other.id, Some(&[3, 1])).await, DeleteOutcome::Deleted);
        assert_eq!(delete(other.id, None).await, DeleteOutcome::NotFound);
        assert_eq!(store.event(other.id).await.unwrap(), None);
        assert_eq!(store.event_of_ticket_type(other.ticket_types[0].id).await.unwrap(), None);
        assert_eq!(store.commit_one(one_seat(&other, user)).await, CommitOutcome::NoSuchTicketType);
        let (log, total) = store.audit_page(1, 10).await.unwrap();
        assert_eq!((total, log[0].entry.action.as_str()), (1, "event_delete"));
        assert_eq!(
            (&log[0].entry.before.as_ref().unwrap()["title"], &log[0].entry.after),
            (&"햄릿".into(), &None)
        );
        let bare = store.event_create(&new_event(&[]), None, at(1)).await.unwrap();
        assert_eq!(delete(bare.id, None).await, DeleteOutcome::Deleted);
    }

    async fn the_ids_of_a_deleted_event_and_its_ticket_types_are_never_reused(store: &TestStore) {
        let first = store.event_of(&[5]).await;
        store.event_delete(first.id, None, &admin(), at(NOW)).await.unwrap();
        let second = store.event_of(&[5]).await;
        assert!(second.id > first.id, "ids are not reused, because ledgers and caches use them");
        assert!(second.ticket_types[0].id > first.ticket_types[0].id);
    }

    async fn a_concurrent_delete_leaves_no_booking_without_its_event(store: &TestStore) {
        let user = store.user().await;
        for _ in 0..8 {
            let event = store.event_of(&[50]).await;
            let bookings = (0..6).map(|_| store.commit_one(one_seat(&event, user)));
            let origin = admin();
            let (outcomes, deleted) =
                tokio::join!(join_all(bookings), store.event_delete(event.id, None, &origin, at(NOW)));
            let booked = outcomes.iter().filter(|outcome| **outcome == CommitOutcome::Confirmed).count();
            match deleted.unwrap() {
                DeleteOutcome::Deleted => assert_eq!(booked, 0, "{outcomes:?}"),
                DeleteOutcome::HasReservations => assert_eq!(booked, 6, "{outcomes:?}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
