//! Raising an event's epoch for an administrator, and pausing sales.

use neticket_domain::{Epoch, EventId};
use neticket_store::{AuditOrigin, CommitOutcome, CommitRequest, EpochRaiseOutcome, PauseOutcome};
use serde_json::json;

use crate::support::{NOW, TestStore, at, on_both, one_seat};

async fn audited(store: &TestStore) -> Vec<String> {
    let (records, _) = store.audit_page(1, 100).await.unwrap();
    records.into_iter().map(|record| record.entry.action).collect()
}

on_both! {
    async fn a_pause_raises_the_epoch_records_its_time_and_is_audited(store: &TestStore) {
        let (event, user) = (store.event_of(&[5, 7]).await, store.user().await);
        let elsewhere = store.event_of(&[5]).await;
        let by = AuditOrigin { actor: Some(user), ip: "192.0.2.1".to_owned() };
        let old = one_seat(&event, user);
        let paused = store.event_pause(event.id, true, &by, || at(NOW)).await.unwrap();
        assert_eq!(paused, PauseOutcome::Changed { epoch: Epoch(1) });
        assert_eq!(store.commit_one(old).await, CommitOutcome::StaleEpoch { epoch: Epoch(1) }, "at once");
        let again = store.event_pause(event.id, true, &by, || at(NOW + 9)).await.unwrap();
        assert_eq!(again, PauseOutcome::Already { epoch: Epoch(1) });
        let loaded = store.epoch_raise_and_load(event.id, Epoch(0)).await.unwrap().unwrap();
        assert_eq!((loaded.paused_at, loaded.epoch), (Some(at(NOW)), Epoch(2)));
        // A booking that was admitted before the pause may still be committed.
        let carried = CommitRequest { epoch: Epoch(2), ..old };
        assert_eq!(store.commit_one(carried).await, CommitOutcome::Confirmed);
        let resumed = store.event_pause(event.id, false, &by, || at(NOW + 9)).await.unwrap();
        assert_eq!(resumed, PauseOutcome::Changed { epoch: Epoch(3) });
        assert_eq!(store.epoch_raise_and_load(event.id, Epoch(0)).await.unwrap().unwrap().paused_at, None);
        let (records, _) = store.audit_page(1, 10).await.unwrap();
        let mut entries: Vec<_> = records.into_iter().map(|record| record.entry).collect();
        entries.sort_by_key(|entry| entry.at);
        let [pause, resume] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!(
            (pause.action.as_str(), pause.actor, pause.ip.as_str()),
            ("sale_pause", Some(user), "192.0.2.1")
        );
        assert_eq!(
            (&pause.before, &pause.after),
            (&Some(json!({"paused": false})), &Some(json!({"paused": true})))
        );
        assert_eq!((resume.action.as_str(), &resume.target), ("sale_resume", &format!("event/{}", event.id)));
        assert!(!store.event(elsewhere.id).await.unwrap().unwrap().paused);
        assert_eq!(store.event(elsewhere.id).await.unwrap().unwrap().ticket_types[0].epoch, Epoch(0));
    }

    async fn a_cancelled_or_unknown_event_cannot_be_paused(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        store.sql("UPDATE events SET cancelled_at = 5").await.unwrap();
        let by = AuditOrigin { actor: None, ip: String::new() };
        for paused in [true, false] {
            assert_eq!(
                store.event_pause(event.id, paused, &by, || at(NOW)).await.unwrap(),
                PauseOutcome::Cancelled
            );
            let nothing = store.event_pause(EventId(987_654), paused, &by, || at(NOW)).await.unwrap();
            assert_eq!(nothing, PauseOutcome::NotFound);
        }
        assert_eq!(audited(store).await, [""; 0]);
        assert_eq!(store.event(event.id).await.unwrap().unwrap().ticket_types[0].epoch, Epoch(0));
    }

    async fn the_epoch_is_raised_above_the_floor_only_if_it_is_the_expected_one(store: &TestStore) {
        let event = store.event_of(&[5, 7]).await;
        let entry = AuditOrigin { actor: None, ip: String::new() }.did("ledger_load", "event/1", "", at(NOW));
        let raise_epoch = async |id, floor, expected: Option<i64>| {
            store.epoch_raise(id, Epoch(floor), expected.map(Epoch), &entry).await.unwrap()
        };
        assert_eq!(raise_epoch(event.id, 0, None).await, EpochRaiseOutcome::Raised { epoch: Epoch(1) });
        assert_eq!(raise_epoch(event.id, 6, Some(1)).await, EpochRaiseOutcome::Raised { epoch: Epoch(7) });
        assert_eq!(raise_epoch(event.id, 0, Some(1)).await, EpochRaiseOutcome::Newer);
        assert_eq!(raise_epoch(EventId(987_654), 0, None).await, EpochRaiseOutcome::NotFound);
        let ticket_types = store.event(event.id).await.unwrap().unwrap().ticket_types;
        assert!(ticket_types.iter().all(|ticket_type| ticket_type.epoch == Epoch(7)));
        assert_eq!(audited(store).await.len(), 2, "each change has an audit entry");
    }
}
