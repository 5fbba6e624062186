//! The outbox.

use neticket_store::CancelRequest;

use crate::support::{TestStore, at, new_id, on_both, one_seat};

on_both! {
    async fn the_outbox_returns_releases_oldest_first_until_they_are_done(store: &TestStore) {
        let event = store.event_of(&[9]).await;
        let user = store.user().await;
        let batch = [(); 4].map(|()| one_seat(&event, user));
        store.commit(&batch).await.unwrap();
        for (request, moment) in batch.iter().zip([40, 10, 30, 20]) {
            store.cancel(&[CancelRequest { id: request.id, user }], at(moment)).await.unwrap();
        }
        let waiting = store.outbox_before(at(40), 2).await.unwrap();
        let ids: Vec<_> = waiting.iter().map(|release| release.id).collect();
        assert_eq!(ids, [batch[1].id, batch[3].id]);

        store.outbox_done(&[batch[1].id, batch[3].id, new_id()]).await.unwrap();
        store.outbox_done(&[batch[1].id]).await.unwrap();
        store.outbox_done(&[]).await.unwrap();
        let waiting = store.outbox_before(at(41), u64::MAX).await.unwrap();
        assert_eq!(waiting.iter().map(|release| release.id).collect::<Vec<_>>(), [batch[2].id, batch[0].id]);
    }
}
