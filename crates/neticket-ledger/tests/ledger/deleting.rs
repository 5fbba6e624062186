//! Inspecting a whole ledger, and deleting it.

use std::sync::Arc;

use neticket_domain::{Epoch, EventId};
use neticket_ledger::{Ledger, LoadAnswer};

use crate::support::{
    EVENT, Kind, STANDING, VIP, admit, admitted, held, ids, journal, journal_ids, kept, left, load, loaded,
    offer, on_every_ledger, release, request, reservation, snapshot,
};

on_every_ledger!(
    examine_returns_the_view_and_the_whole_journal,
    the_revision_differs_after_every_change,
    an_evict_removes_a_ledger_of_its_epoch_without_a_journal,
    an_evict_keeps_a_ledger_with_a_journal,
    an_evict_keeps_a_ledger_of_another_epoch,
    a_dropped_ledger_leaves_nothing,
    a_deleted_event_loses_its_ledger_its_journal_and_its_listing,
    loaded_events_are_listed_until_they_are_evicted,
    an_event_that_was_lost_and_loaded_again_is_unlisted_by_an_evict,
);

async fn examine_returns_the_view_and_the_whole_journal(kind: Kind) {
    let ledger = kind.ledger();
    assert_eq!(ledger.examine(EVENT).await.unwrap(), None);
    load(&*ledger, &snapshot(&*ledger, 3).await).await;
    admitted(&*ledger, &[request(2, 2, VIP, 2), request(1, 1, STANDING, 3)]).await;
    let state = ledger.examine(EVENT).await.unwrap().unwrap();
    assert_eq!(Some(state.view), ledger.view(EVENT).await.unwrap());
    assert_eq!(state.journal, journal(&*ledger).await);
    assert_eq!(state.journal.iter().map(|entry| entry.request.id).collect::<Vec<_>>(), ids([1, 2]));
    assert!(state.journal.iter().all(|entry| entry.epoch == Epoch(3)));
    ledger.settle(EVENT, Epoch(3), &ids([1, 2])).await.unwrap();
    let state = ledger.examine(EVENT).await.unwrap().unwrap();
    assert_eq!((state.view.journal_len, state.journal), (0, vec![]));
}

async fn the_revision_differs_after_every_change(kind: Kind) {
    let ledger = loaded(kind).await;
    let mut seen = vec![revision(&ledger).await];
    assert_eq!(revision(&ledger).await, seen[0], "nothing has changed");
    let booking = request(1, 1, VIP, 2);
    admitted(&*ledger, &[booking]).await;
    seen.push(revision(&ledger).await);
    ledger.settle(EVENT, Epoch(1), &[booking.id]).await.unwrap();
    seen.push(revision(&ledger).await);
    ledger.release(EVENT, &[release(booking, 1)]).await.unwrap();
    seen.push(revision(&ledger).await);
    load(&*ledger, &snapshot(&*ledger, 2).await).await;
    seen.push(revision(&ledger).await);
    ledger.drop_for_test(EVENT).await.unwrap();
    load(&*ledger, &snapshot(&*ledger, 2).await).await;
    seen.push(revision(&ledger).await);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 6, "{seen:?}");
}

async fn revision(ledger: &Arc<dyn Ledger>) -> u64 {
    ledger.examine(EVENT).await.unwrap().unwrap().revision
}

async fn an_evict_removes_a_ledger_of_its_epoch_without_a_journal(kind: Kind) {
    let ledger = kind.ledger();
    let mut of_store = snapshot(&*ledger, 1).await;
    of_store.reservations = vec![reservation(9, 1, 2)];
    load(&*ledger, &of_store).await;
    let settled = request(1, 1, VIP, 2);
    admitted(&*ledger, &[settled]).await;
    ledger.settle(EVENT, Epoch(1), &[settled.id]).await.unwrap();
    for _ in 0..2 {
        assert!(ledger.evict(EVENT, Epoch(1)).await.unwrap(), "the ledger is absent now");
        assert_eq!(ledger.view(EVENT).await.unwrap(), None);
        assert_eq!(ledger.examine(EVENT).await.unwrap(), None);
    }
    // A load of a lower epoch is accepted too, because there is no epoch to compare with.
    load(&*ledger, &snapshot(&*ledger, 0).await).await;
    assert_eq!(left(&*ledger).await, [10, 100]);
    assert_eq!(held(&*ledger, 1).await, 0);
    admitted(&*ledger, &[settled]).await;
}

async fn an_evict_keeps_a_ledger_with_a_journal(kind: Kind) {
    let ledger = loaded(kind).await;
    admitted(&*ledger, &[request(1, 1, VIP, 2), request(2, 2, VIP, 1)]).await;
    ledger.settle(EVENT, Epoch(1), &ids([1])).await.unwrap();
    assert!(!ledger.evict(EVENT, Epoch(1)).await.unwrap());
    assert_eq!(journal_ids(&*ledger).await, ids([2]));
    assert_eq!(left(&*ledger).await, [7, 100]);
    ledger.settle(EVENT, Epoch(1), &ids([2])).await.unwrap();
    assert!(ledger.evict(EVENT, Epoch(1)).await.unwrap());
}

async fn an_evict_keeps_a_ledger_of_another_epoch(kind: Kind) {
    let ledger = kind.ledger();
    assert!(ledger.evict(EVENT, Epoch(1)).await.unwrap(), "evicting an absent ledger succeeds");
    load(&*ledger, &snapshot(&*ledger, 5).await).await;
    for epoch in [4, 6] {
        assert!(!ledger.evict(EVENT, Epoch(epoch)).await.unwrap());
        assert_eq!(left(&*ledger).await, [10, 100]);
    }
}

async fn a_dropped_ledger_leaves_nothing(kind: Kind) {
    let ledger = loaded(kind).await;
    let (settled, journaled) = (request(1, 1, VIP, 4), request(2, 2, VIP, 4));
    admitted(&*ledger, &[settled, journaled]).await;
    ledger.settle(EVENT, Epoch(1), &[settled.id]).await.unwrap();
    for _ in 0..2 {
        ledger.drop_for_test(EVENT).await.unwrap();
        assert_eq!(ledger.view(EVENT).await.unwrap(), None);
        assert_eq!(journal(&*ledger).await, []);
    }
    load(&*ledger, &snapshot(&*ledger, 1).await).await;
    assert_eq!(left(&*ledger).await, [10, 100]);
    assert_eq!(held(&*ledger, 1).await, 0);
    assert_eq!(admit(&*ledger, &[settled, journaled]).await.len(), 2);
    assert_eq!(journal_ids(&*ledger).await, ids([1, 2]));
}

async fn a_deleted_event_loses_its_ledger_its_journal_and_its_listing(kind: Kind) {
    let ledger = loaded(kind).await;
    admitted(&*ledger, &[request(1, 1, VIP, 2)]).await;
    let under_way = ledger.begin_load(EVENT).await.unwrap();
    let late = snapshot(&*ledger, 2).await;
    for _ in 0..2 {
        ledger.delete(EVENT).await.unwrap();
        assert_eq!(ledger.view(EVENT).await.unwrap(), None);
        assert_eq!(journal(&*ledger).await, []);
        assert_eq!(sorted(&ledger).await, []);
    }
    assert_eq!(
        ledger.load(under_way.token, &late).await.unwrap(),
        LoadAnswer::Again,
        "the load began before the deletion"
    );
    assert_eq!(ledger.view(EVENT).await.unwrap(), None);
    ledger.delete(EVENT).await.unwrap();
    assert_eq!(sorted(&ledger).await, [], "a late load does not list the event");
}

async fn loaded_events_are_listed_until_they_are_evicted(kind: Kind) {
    let ledger = kind.ledger();
    assert_eq!(sorted(&ledger).await, []);
    let events = [EventId(7), EventId(-8), EventId(9)];
    for event in events {
        let mut of_event = snapshot(&*ledger, 1).await;
        of_event.event = event;
        load(&*ledger, &of_event).await;
        assert_eq!(offer(&*ledger, &of_event).await, kept(1));
    }
    assert!(!ledger.evict(EventId(7), Epoch(2)).await.unwrap());
    assert_eq!(sorted(&ledger).await, [EventId(-8), EventId(7), EventId(9)]);
    assert!(ledger.evict(EventId(7), Epoch(1)).await.unwrap());
    assert!(ledger.evict(EventId(6), Epoch(1)).await.unwrap());
    assert_eq!(sorted(&ledger).await, [EventId(-8), EventId(9)]);
}

async fn an_event_that_was_lost_and_loaded_again_is_unlisted_by_an_evict(kind: Kind) {
    let ledger = loaded(kind).await;
    ledger.drop_for_test(EVENT).await.unwrap();
    load(&*ledger, &snapshot(&*ledger, 2).await).await;
    assert_eq!(sorted(&ledger).await, [EVENT]);
    assert!(ledger.evict(EVENT, Epoch(2)).await.unwrap());
    assert_eq!(sorted(&ledger).await, []);
}

async fn sorted(ledger: &Arc<dyn Ledger>) -> Vec<EventId> {
    let mut loaded = ledger.loaded().await.unwrap();
    assert!(loaded.incomplete.is_none(), "{loaded:?}");
    loaded.events.sort_unstable();
    loaded.events
}
