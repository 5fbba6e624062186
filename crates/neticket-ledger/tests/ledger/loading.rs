//! Loading: which ledger replaces which, and what happens to the journal.

use neticket_domain::{Epoch, SaleWindow, TicketTypeId};
use neticket_ledger::{LedgerSnapshot, LoadAnswer, SnapshotTicketType, TicketTypeView, Verdict};

use crate::support::{
    EVENT, HOUR_MS, Kind, REPLACED, STANDING, VIP, VIP_PRICE, admit_one, admitted, dropped, held, id, ids,
    is_admitted, journal, journal_ids, kept, left, load, loaded, offer, on_every_ledger, release, request,
    reservation, snapshot, wait_past,
};

on_every_ledger!(
    an_entry_outside_a_window_that_was_moved_later_is_not_carried_over,
    a_load_replaces_only_a_lower_epoch,
    a_load_drops_what_the_snapshot_does_not_contain,
    a_load_carries_the_journal_over,
    an_entry_that_the_store_refused_is_not_carried_over,
    an_entry_that_is_already_stored_is_dropped_without_a_report,
    an_entry_that_no_longer_fits_is_dropped_and_reported,
    an_entry_over_the_limit_is_dropped_and_reported,
    an_entry_is_carried_over_while_paused_or_closed,
    an_entry_that_was_admitted_during_a_pause_is_dropped_and_reported,
    carried_over_entries_are_settled_and_released_only_under_the_new_epoch,
    the_view_lists_ticket_types_in_the_order_of_their_ids,
    a_snapshot_of_thirty_thousand_reservations_is_loaded_completely,
    an_event_without_ticket_types_can_be_loaded,
    the_current_epoch_is_that_of_the_present_ledger,
    a_late_load_does_not_restore_a_lower_epoch_after_a_loss,
    a_late_load_does_not_restore_a_lower_epoch_after_an_evict,
    concurrent_loads_do_not_invalidate_each_other,
    a_repeated_load_is_applied_once,
    one_node_at_a_time_has_the_lease,
    a_lease_expires,
    the_ledger_answers_a_ping,
);

async fn a_load_replaces_only_a_lower_epoch(kind: Kind) {
    let ledger = kind.ledger();
    let mut of_store = snapshot(&*ledger, 5).await;
    load(&*ledger, &of_store).await;
    admitted(&*ledger, &[request(1, 1, VIP, 2)]).await;
    for epoch in [4, 5] {
        of_store.epoch = Epoch(epoch);
        assert_eq!(offer(&*ledger, &of_store).await, kept(5));
        assert_eq!(left(&*ledger).await, [8, 100]);
    }
    of_store.epoch = Epoch(6);
    load(&*ledger, &of_store).await;
    assert_eq!(ledger.view(EVENT).await.unwrap().unwrap().epoch, Epoch(6));
}

async fn a_load_drops_what_the_snapshot_does_not_contain(kind: Kind) {
    let ledger = kind.ledger();
    let mut of_store = snapshot(&*ledger, 1).await;
    of_store.ticket_types.push(SnapshotTicketType { id: TicketTypeId(73), price: 1, left: 1 });
    of_store.reservations = vec![reservation(1, 1, 4)];
    load(&*ledger, &of_store).await;
    load(&*ledger, &snapshot(&*ledger, 2).await).await;
    assert_eq!(held(&*ledger, 1).await, 0);
    assert_eq!(ledger.view(EVENT).await.unwrap().unwrap().ticket_types.len(), 2);
    assert!(is_admitted(admit_one(&*ledger, request(1, 1, VIP, 1)).await));
}

async fn a_load_carries_the_journal_over(kind: Kind) {
    let ledger = loaded(kind).await;
    let booking = request(1, 1, VIP, 2);
    admitted(&*ledger, &[booking]).await;
    let before = journal(&*ledger).await;
    let mut dearer = snapshot(&*ledger, 2).await;
    dearer.ticket_types[0].price = VIP_PRICE + 1;
    wait_past(&*ledger, before[0].admission.admitted_at).await;
    load(&*ledger, &dearer).await;
    let after = journal(&*ledger).await;
    assert_eq!((after.len(), after[0].request, after[0].epoch), (1, booking, Epoch(2)));
    assert_eq!(after[0].admission, before[0].admission, "price and time are carried over");
    assert_eq!(after[0].admission.unit_price, VIP_PRICE);
    assert_eq!(left(&*ledger).await, [8, 100]);
    assert_eq!(held(&*ledger, 1).await, 2);
    assert_eq!(admit_one(&*ledger, booking).await, Verdict::Admitted(after[0].admission));
    match admit_one(&*ledger, request(2, 2, VIP, 1)).await {
        Verdict::Admitted(new) => assert_eq!((new.unit_price, new.repeated), (VIP_PRICE + 1, false)),
        other => panic!("{other:?}"),
    }
}

async fn an_entry_that_the_store_refused_is_not_carried_over(kind: Kind) {
    let ledger = loaded(kind).await;
    admitted(&*ledger, &[request(1, 1, VIP, 2), request(2, 2, VIP, 1), request(3, 3, VIP, 1)]).await;
    let mut without = snapshot(&*ledger, 2).await;
    without.refused = ids([1, 3]);
    load(&*ledger, &without).await;
    assert_eq!(journal_ids(&*ledger).await, [id(2)]);
    assert_eq!(left(&*ledger).await, [9, 100]);
    assert_eq!(held(&*ledger, 1).await, 0);
}

async fn an_entry_that_is_already_stored_is_dropped_without_a_report(kind: Kind) {
    let ledger = loaded(kind).await;
    let (confirmed, cancelled) = (request(1, 1, VIP, 2), request(2, 2, VIP, 3));
    admitted(&*ledger, &[confirmed, cancelled]).await;
    let mut of_store = snapshot(&*ledger, 2).await;
    of_store.ticket_types[0].left = 8;
    of_store.reservations = vec![reservation(1, 1, 2), reservation(2, 2, 0)];
    load(&*ledger, &of_store).await;
    assert_eq!(left(&*ledger).await, [8, 100]);
    assert_eq!(held(&*ledger, 1).await, 2);
    assert_eq!(journal_ids(&*ledger).await, []);
    assert_eq!(admit_one(&*ledger, confirmed).await, Verdict::Known);
    assert_eq!(admit_one(&*ledger, cancelled).await, Verdict::Known);
}

async fn an_entry_that_no_longer_fits_is_dropped_and_reported(kind: Kind) {
    let ledger = loaded(kind).await;
    let bookings =
        [request(1, 1, VIP, 2), request(2, 2, VIP, 3), request(3, 3, VIP, 1), request(4, 4, STANDING, 1)];
    admitted(&*ledger, &bookings).await;
    let mut smaller = snapshot(&*ledger, 2).await;
    smaller.ticket_types[0].left = 3;
    smaller.ticket_types[1].id = TicketTypeId(73);
    let before = journal(&*ledger).await;
    assert_eq!(
        dropped(&*ledger, &smaller).await,
        [before[1], before[3]],
        "the 3 seats go to the first and the third entry"
    );
    let view = ledger.view(EVENT).await.unwrap().unwrap();
    assert_eq!(view.ticket_types[0], TicketTypeView { id: VIP, left: 0 });
    assert_eq!(journal_ids(&*ledger).await, ids([1, 3]));
    assert_eq!(admit_one(&*ledger, bookings[1]).await, Verdict::SoldOut { left: 0 }, "forgotten");
}

async fn an_entry_over_the_limit_is_dropped_and_reported(kind: Kind) {
    let ledger = loaded(kind).await;
    admitted(&*ledger, &[request(1, 1, VIP, 2), request(2, 1, VIP, 2), request(3, 2, VIP, 2)]).await;
    let mut stricter = snapshot(&*ledger, 2).await;
    stricter.max_per_user = 3;
    stricter.reservations = vec![reservation(9, 2, 2)];
    let before = journal(&*ledger).await;
    assert_eq!(dropped(&*ledger, &stricter).await, before[1..]);
    assert_eq!(left(&*ledger).await, [8, 100]);
    assert_eq!((held(&*ledger, 1).await, held(&*ledger, 2).await), (2, 2));
}

async fn an_entry_is_carried_over_while_paused_or_closed(kind: Kind) {
    let ledger = loaded(kind).await;
    admitted(&*ledger, &[request(1, 1, VIP, 2)]).await;
    let mut closed = snapshot(&*ledger, 2).await;
    closed.paused_at = Some(ledger.now().await.unwrap().plus_millis(1));
    closed.window.closes_at = closed.window.opens_at.plus_millis(HOUR_MS / 2);
    assert_eq!(dropped(&*ledger, &closed).await, []);
    assert_eq!(journal_ids(&*ledger).await, [id(1)]);
}

async fn an_entry_that_was_admitted_during_a_pause_is_dropped_and_reported(kind: Kind) {
    let ledger = loaded(kind).await;
    let stored = request(3, 3, VIP, 1);
    admitted(&*ledger, &[request(1, 1, VIP, 2), stored]).await;
    let before = journal(&*ledger).await;
    let mut paused = snapshot(&*ledger, 2).await;
    paused.paused_at = Some(before[0].admission.admitted_at);
    paused.ticket_types[0].left -= 1;
    paused.reservations = vec![reservation(3, 3, 1)];
    assert_eq!(dropped(&*ledger, &paused).await, before[..1], "the stored booking comes from the snapshot");
    assert_eq!((journal_ids(&*ledger).await, left(&*ledger).await), (vec![], [9, 100]));
    assert_eq!(admit_one(&*ledger, request(1, 1, VIP, 2)).await, Verdict::Paused);
    let resumed = LedgerSnapshot { epoch: Epoch(3), paused_at: None, ..paused };
    load(&*ledger, &resumed).await;
    assert!(matches!(admit_one(&*ledger, request(1, 1, VIP, 2)).await, Verdict::Admitted(_)));
}

async fn carried_over_entries_are_settled_and_released_only_under_the_new_epoch(kind: Kind) {
    let ledger = loaded(kind).await;
    let (first, second) = (request(1, 1, VIP, 2), request(2, 2, VIP, 2));
    admitted(&*ledger, &[first, second]).await;
    load(&*ledger, &snapshot(&*ledger, 2).await).await;
    ledger.settle(EVENT, Epoch(1), &[first.id]).await.unwrap();
    ledger.release(EVENT, &[release(first, 1)]).await.unwrap();
    assert_eq!(journal_ids(&*ledger).await, ids([1, 2]));
    ledger.settle(EVENT, Epoch(2), &[first.id]).await.unwrap();
    ledger.release(EVENT, &[release(first, 2)]).await.unwrap();
    ledger.settle(EVENT, Epoch(2), &[second.id]).await.unwrap();
    assert_eq!(journal_ids(&*ledger).await, []);
    assert_eq!(left(&*ledger).await, [8, 100]);
}

async fn the_view_lists_ticket_types_in_the_order_of_their_ids(kind: Kind) {
    let ledger = kind.ledger();
    let mut many = snapshot(&*ledger, 1).await;
    many.ticket_types =
        [100, 9, 20, -1].map(|n| SnapshotTicketType { id: TicketTypeId(n), price: 1, left: 1 }).into();
    load(&*ledger, &many).await;
    let view = ledger.view(EVENT).await.unwrap().unwrap();
    assert_eq!(view.ticket_types.iter().map(|t| t.id.0).collect::<Vec<_>>(), [-1, 9, 20, 100]);
    assert_eq!((view.epoch, view.paused, view.journal_len), (Epoch(1), false, 0));
}

async fn a_snapshot_of_thirty_thousand_reservations_is_loaded_completely(kind: Kind) {
    let ledger = loaded(kind).await;
    let journaled: Vec<_> = (0..100).map(|n| request(n, i64::try_from(n).unwrap(), STANDING, 1)).collect();
    admitted(&*ledger, &journaled).await;
    let mut large = snapshot(&*ledger, 2).await;
    // Two reservations per user, far apart. The first fifty entries of the journal are not among them.
    large.reservations =
        (50..30_050).map(|n| reservation(n, i64::try_from(n % 15_000).unwrap(), 1)).collect();
    load(&*ledger, &large).await;
    assert_eq!(journal_ids(&*ledger).await, ids(0..50));
    assert_eq!(left(&*ledger).await, [10, 50]);
    assert_eq!((held(&*ledger, 0).await, held(&*ledger, 49).await), (3, 3));
    assert_eq!((held(&*ledger, 50).await, held(&*ledger, 14_999).await), (2, 2));
    for (number, user) in [(50, 50), (15_000, 0), (30_049, 49)] {
        assert_eq!(admit_one(&*ledger, request(number, user, VIP, 1)).await, Verdict::Known);
    }
    assert!(is_admitted(admit_one(&*ledger, request(30_050, 14_999, VIP, 1)).await));
}

async fn an_event_without_ticket_types_can_be_loaded(kind: Kind) {
    let ledger = loaded(kind).await;
    admitted(&*ledger, &[request(1, 1, VIP, 1)]).await;
    let mut bare = snapshot(&*ledger, 2).await;
    bare.ticket_types.clear();
    let before = journal(&*ledger).await;
    assert_eq!(dropped(&*ledger, &bare).await, before);
    assert_eq!(ledger.view(EVENT).await.unwrap().unwrap().ticket_types, []);
}

async fn the_current_epoch_is_that_of_the_present_ledger(kind: Kind) {
    let ledger = kind.ledger();
    assert_eq!(ledger.current_epoch(EVENT).await.unwrap(), Epoch(0));
    load(&*ledger, &snapshot(&*ledger, 5).await).await;
    assert_eq!(ledger.current_epoch(EVENT).await.unwrap(), Epoch(5));
}

/// Node A raises the epoch to 1 and is slow. Node B loads epoch 2 and sells. Then that ledger is lost, and
/// A's snapshot arrives.
async fn a_late_load_does_not_restore_a_lower_epoch_after_a_loss(kind: Kind) {
    let ledger = kind.ledger();
    let late = ledger.begin_load(EVENT).await.unwrap();
    load(&*ledger, &snapshot(&*ledger, 2).await).await;
    let sold = request(1, 1, VIP, 4);
    admitted(&*ledger, &[sold]).await;
    ledger.settle(EVENT, Epoch(2), &[sold.id]).await.unwrap();
    ledger.drop_for_test(EVENT).await.unwrap();
    let mut of_then = snapshot(&*ledger, 1).await;
    of_then.reservations = vec![reservation(9, 9, 1)];
    assert_eq!(ledger.load(late.token, &of_then).await.unwrap(), LoadAnswer::Again);
    assert_eq!(ledger.view(EVENT).await.unwrap(), None);
    // The late load must begin again even if another load has begun since.
    let begun_since = ledger.begin_load(EVENT).await.unwrap();
    assert_eq!(ledger.load(late.token, &of_then).await.unwrap(), LoadAnswer::Again);
    let of_now = LedgerSnapshot { reservations: vec![reservation(1, 1, 4)], ..snapshot(&*ledger, 3).await };
    assert_eq!(ledger.load(begun_since.token, &of_now).await.unwrap(), REPLACED);
    assert_eq!(admit_one(&*ledger, sold).await, Verdict::Known);
}

async fn a_late_load_does_not_restore_a_lower_epoch_after_an_evict(kind: Kind) {
    let ledger = kind.ledger();
    let late = ledger.begin_load(EVENT).await.unwrap();
    load(&*ledger, &snapshot(&*ledger, 2).await).await;
    assert!(ledger.evict(EVENT, Epoch(2)).await.unwrap());
    let of_then = snapshot(&*ledger, 1).await;
    assert_eq!(ledger.load(late.token, &of_then).await.unwrap(), LoadAnswer::Again);
    assert_eq!(ledger.view(EVENT).await.unwrap(), None);
}

async fn concurrent_loads_do_not_invalidate_each_other(kind: Kind) {
    let ledger = kind.ledger();
    let (first, second) = (ledger.begin_load(EVENT).await.unwrap(), ledger.begin_load(EVENT).await.unwrap());
    assert!(
        ledger.evict(EVENT, Epoch(1)).await.unwrap(),
        "an evict of an absent ledger does not end the loads"
    );
    assert_eq!(ledger.load(first.token, &snapshot(&*ledger, 1).await).await.unwrap(), REPLACED);
    assert_eq!(ledger.load(second.token, &snapshot(&*ledger, 2).await).await.unwrap(), REPLACED);
}

async fn a_repeated_load_is_applied_once(kind: Kind) {
    let ledger = kind.ledger();
    let start = ledger.begin_load(EVENT).await.unwrap();
    let of_store = snapshot(&*ledger, 1).await;
    assert_eq!(ledger.load(start.token, &of_store).await.unwrap(), REPLACED);
    admitted(&*ledger, &[request(1, 1, VIP, 1)]).await;
    assert_eq!(ledger.load(start.token, &of_store).await.unwrap(), kept(1));
    assert_eq!(left(&*ledger).await, [9, 100]);
    ledger.drop_for_test(EVENT).await.unwrap();
    assert_eq!(ledger.load(start.token, &of_store).await.unwrap(), LoadAnswer::Again);
}

async fn one_node_at_a_time_has_the_lease(kind: Kind) {
    let ledger = kind.ledger();
    assert!(ledger.try_lease(EVENT, 60_000).await.unwrap());
    assert!(!ledger.try_lease(EVENT, 60_000).await.unwrap());
    let mut other = EVENT;
    other.0 += 1;
    assert!(ledger.try_lease(other, 60_000).await.unwrap(), "a lease is for one event");
    ledger.drop_for_test(EVENT).await.unwrap();
    assert!(!ledger.try_lease(EVENT, 60_000).await.unwrap(), "a lease is independent of the ledger");
    assert_eq!(ledger.view(EVENT).await.unwrap(), None);
}

async fn a_lease_expires(kind: Kind) {
    let ledger = kind.ledger();
    assert!(ledger.try_lease(EVENT, 20).await.unwrap());
    wait_past(&*ledger, ledger.now().await.unwrap().plus_millis(25)).await;
    assert!(ledger.try_lease(EVENT, 20).await.unwrap());
}

async fn the_ledger_answers_a_ping(kind: Kind) {
    kind.ledger().ping().await.unwrap();
}

async fn an_entry_outside_a_window_that_was_moved_later_is_not_carried_over(kind: Kind) {
    for (since, opens, closes, is_kept) in [
        (0, -HOUR_MS, -1, false),
        (0, HOUR_MS, 2 * HOUR_MS, false),
        (0, -HOUR_MS, HOUR_MS, true),
        (1, -HOUR_MS, -1, true),
    ] {
        let ledger = loaded(kind).await;
        admitted(&*ledger, &[request(1, 1, VIP, 2)]).await;
        let at = journal(&*ledger).await[0].admission.admitted_at;
        let mut moved = snapshot(&*ledger, 2).await;
        moved.window = SaleWindow { opens_at: at.plus_millis(opens), closes_at: at.plus_millis(closes) };
        moved.window_since = Some(at.plus_millis(since));
        let answer = offer(&*ledger, &moved).await;
        let LoadAnswer::Replaced { dropped } = answer else { panic!("{answer:?}") };
        assert_eq!(dropped.is_empty(), is_kept, "{since} {opens} {closes}");
        assert_eq!(left(&*ledger).await, [if is_kept { 8 } else { 10 }, 100]);
        assert_eq!(journal_ids(&*ledger).await.len(), usize::from(is_kept));
    }
}
