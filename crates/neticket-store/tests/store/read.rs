//! Reading reservations.

use neticket_domain::UserId;
use neticket_store::{CommitRequest, ReservationStatus};

use crate::support::{NOW, TestStore, at, new_id, on_both, one_seat, ticket_type_of, tickets};

on_both! {
    async fn a_reservation_shows_its_event_and_ticket_type(store: &TestStore) {
        let event = store.event_of(&[5, 5]).await;
        let user = store.user().await;
        let request = CommitRequest {
            ticket_type: ticket_type_of(&event, 1),
            quantity: tickets(3),
            unit_price: 777,
            ..one_seat(&event, user)
        };
        store.commit_one(request).await;
        let record = store.reservation(request.id).await.unwrap().unwrap();
        assert_eq!((record.id, record.user, record.event), (request.id, user, event.id));
        assert_eq!((record.event_title.as_str(), record.event_place.as_str()), ("햄릿", "Seoul Arts Center"));
        assert_eq!(record.event_image_key.as_deref(), Some("image.webp"));
        assert_eq!(record.event_starts_at, at(10_000));
        assert_eq!((record.ticket_type, record.ticket_type_name.as_str()), (request.ticket_type, "type 1"));
        assert_eq!((record.quantity, record.unit_price), (tickets(3), 777));
        assert_eq!(
            (record.status, record.created_at, record.cancelled_at),
            (ReservationStatus::Confirmed, at(NOW), None)
        );
        assert_eq!(store.reservation(new_id()).await.unwrap(), None);
    }

    async fn reading_many_reservations_leaves_out_missing_ones(store: &TestStore) {
        let event = store.event_of(&[5_000]).await;
        let user = store.user().await;
        let requests = [(); 2_100].map(|()| one_seat(&event, user));
        store.commit(&requests).await.unwrap();
        let mut made = requests.map(|request| request.id);
        let asked: Vec<_> = made.into_iter().chain([new_id(), made[0]]).collect();
        let records = store.reservations(&asked).await.unwrap();
        assert_eq!(records[0], store.reservation(records[0].id).await.unwrap().unwrap());
        let mut read: Vec<_> = records.into_iter().map(|record| record.id).collect();
        read.sort();
        made.sort();
        assert_eq!(read, made);
        assert_eq!(store.reservations(&[]).await.unwrap(), []);
        assert_eq!(store.reservations(&[new_id()]).await.unwrap(), []);
    }

    async fn reservations_of_a_user_are_read_newest_first(store: &TestStore) {
        let event = store.event_of(&[50]).await;
        let (ann, bob) = (store.user().await, store.user().await);
        let requests: Vec<_> =
            (0..5).map(|n| CommitRequest { created_at: at(n), ..one_seat(&event, ann) }).collect();
        store.commit(&requests).await.unwrap();
        store.commit_one(one_seat(&event, bob)).await;

        let (page, total) = store.reservations_of(ann, 1, 2).await.unwrap();
        assert_eq!(total, 5);
        let ids: Vec<_> = page.iter().map(|record| record.id).collect();
        assert_eq!(ids, [requests[4].id, requests[3].id]);
        let (page, _) = store.reservations_of(ann, 3, 2).await.unwrap();
        assert_eq!(page.iter().map(|record| record.id).collect::<Vec<_>>(), [requests[0].id]);
        assert_eq!(store.reservations_of(ann, 4, 2).await.unwrap(), (Vec::new(), 5));
        assert_eq!(store.reservations_of(UserId(99), 1, 2).await.unwrap(), (Vec::new(), 0));
    }
}
