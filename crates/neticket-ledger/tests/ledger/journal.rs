//! How entries leave the journal (settled or released), and what the journal returns until then.

use std::sync::Arc;

use futures::future::join_all;
use neticket_domain::{Epoch, UserId};
use neticket_ledger::{LedgerView, Verdict};

use crate::support::{
    EVENT, Kind, STANDING, VIP, admit, admit_one, admitted, held, id, ids, is_admitted, journal, journal_ids,
    left, load, loaded, on_every_ledger, release, repeated, request, reservation, snapshot, wait_past,
};

on_every_ledger!(
    settling_empties_the_journal_and_keeps_the_seats,
    settling_twice_or_an_unknown_id_changes_nothing,
    repeated_and_concurrent_releases_return_the_seats_once,
    a_release_removes_a_journal_entry,
    a_release_of_an_unknown_id_returns_seats_once,
    a_release_of_a_booking_cancelled_before_the_load_changes_nothing,
    a_release_above_the_epoch_of_the_ledger_is_repeated_after_the_load,
    a_release_returns_the_epoch_of_the_ledger,
    a_release_creates_no_ticket_type_and_no_negative_holding,
    settling_and_releasing_in_another_epoch_change_nothing,
    a_full_journal_admits_only_repeats,
    the_journal_is_read_oldest_first_up_to_the_limit,
    a_full_journal_is_read_in_parts_of_the_limit,
    only_entries_of_the_minimum_age_are_read,
    pending_of_returns_the_entries_of_one_user,
);

async fn settling_empties_the_journal_and_keeps_the_seats(kind: Kind) {
    let ledger = loaded(kind).await;
    admitted(&*ledger, &[request(1, 1, VIP, 2), request(2, 2, STANDING, 1)]).await;
    ledger.settle(EVENT, Epoch(1), &ids([1, 2])).await.unwrap();
    assert_eq!(journal_ids(&*ledger).await, []);
    assert_eq!(ledger.journal_entry(EVENT, id(1)).await.unwrap(), None);
    assert_eq!(left(&*ledger).await, [8, 99]);
    assert_eq!(held(&*ledger, 1).await, 2);
}

async fn settling_twice_or_an_unknown_id_changes_nothing(kind: Kind) {
    let ledger = loaded(kind).await;
    admitted(&*ledger, &[request(1, 1, VIP, 2)]).await;
    for _ in 0..2 {
        ledger.settle(EVENT, Epoch(1), &ids([1, 1, 9])).await.unwrap();
    }
    assert!(is_admitted(admit_one(&*ledger, request(9, 9, VIP, 1)).await), "id 9 was never settled");
    assert_eq!(left(&*ledger).await, [7, 100]);
}

async fn repeated_and_concurrent_releases_return_the_seats_once(kind: Kind) {
    let ledger = loaded(kind).await;
    let booking = request(1, 1, VIP, 2);
    admitted(&*ledger, &[booking, request(2, 2, VIP, 4)]).await;
    ledger.settle(EVENT, Epoch(1), &ids([1, 2])).await.unwrap();
    let cancel = release(booking, 1);
    let releases = (0..20).map(|_| {
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move { ledger.release(EVENT, &[cancel, cancel]).await.unwrap() })
    });
    for answer in join_all(releases).await {
        assert_eq!(answer.unwrap(), Some(Epoch(1)), "each caller gets the same answer");
    }
    assert_eq!(left(&*ledger).await, [6, 100]);
    assert_eq!(held(&*ledger, 1).await, 0);
}

async fn a_release_removes_a_journal_entry(kind: Kind) {
    let ledger = loaded(kind).await;
    let booking = request(1, 1, VIP, 2);
    admitted(&*ledger, &[booking]).await;
    ledger.release(EVENT, &[release(booking, 1)]).await.unwrap();
    assert_eq!(left(&*ledger).await, [10, 100]);
    assert_eq!(journal_ids(&*ledger).await, []);
    // Late calls for the same reservation, in any order.
    ledger.settle(EVENT, Epoch(1), &[booking.id]).await.unwrap();
    ledger.release(EVENT, &[release(booking, 1)]).await.unwrap();
    assert_eq!(left(&*ledger).await, [10, 100]);
    assert_eq!(held(&*ledger, 1).await, 0);
    assert_eq!(admit_one(&*ledger, booking).await, Verdict::Known);
}

async fn a_release_of_an_unknown_id_returns_seats_once(kind: Kind) {
    let ledger = kind.ledger();
    let mut of_store = snapshot(&*ledger, 1).await;
    of_store.reservations = vec![reservation(1, 1, 3)];
    load(&*ledger, &of_store).await;
    let unknown = request(2, 1, VIP, 2);
    for _ in 0..2 {
        ledger.release(EVENT, &[release(unknown, 1)]).await.unwrap();
    }
    assert_eq!(left(&*ledger).await, [12, 100]);
    assert_eq!(held(&*ledger, 1).await, 1);
    assert_eq!(admit_one(&*ledger, unknown).await, Verdict::Known);
}

async fn a_release_of_a_booking_cancelled_before_the_load_changes_nothing(kind: Kind) {
    let ledger = kind.ledger();
    let mut of_store = snapshot(&*ledger, 2).await;
    of_store.reservations = vec![reservation(1, 1, 0), reservation(2, 1, 2)];
    load(&*ledger, &of_store).await;
    for epoch in [1, 2] {
        ledger.release(EVENT, &[release(request(1, 1, VIP, 2), epoch)]).await.unwrap();
    }
    assert_eq!(left(&*ledger).await, [10, 100]);
    assert_eq!(held(&*ledger, 1).await, 2);
}

/// A load has raised the store's epoch and taken its snapshot. Before the ledger gets the snapshot, a user
/// cancels.
async fn a_release_above_the_epoch_of_the_ledger_is_repeated_after_the_load(kind: Kind) {
    let ledger = loaded(kind).await;
    let booking = request(1, 1, VIP, 2);
    admitted(&*ledger, &[booking]).await;
    ledger.settle(EVENT, Epoch(1), &[booking.id]).await.unwrap();
    let mut before_the_cancel = snapshot(&*ledger, 2).await;
    before_the_cancel.ticket_types[0].left = 8;
    before_the_cancel.reservations = vec![reservation(1, 1, 2)];

    let cancel = release(booking, 2);
    assert_eq!(
        ledger.release(EVENT, &[cancel]).await.unwrap(),
        Some(Epoch(1)),
        "a lower epoch means that the release must be repeated"
    );
    assert_eq!(left(&*ledger).await, [8, 100]);
    load(&*ledger, &before_the_cancel).await;
    assert_eq!(left(&*ledger).await, [8, 100], "the snapshot is from before the cancel");
    for _ in 0..2 {
        assert_eq!(ledger.release(EVENT, &[cancel]).await.unwrap(), Some(Epoch(2)));
        assert_eq!(left(&*ledger).await, [10, 100]);
        assert_eq!(held(&*ledger, 1).await, 0);
    }
}

async fn a_release_returns_the_epoch_of_the_ledger(kind: Kind) {
    let ledger = kind.ledger();
    let booking = request(1, 1, VIP, 2);
    assert_eq!(ledger.release(EVENT, &[release(booking, 5)]).await.unwrap(), None, "absent");
    load(&*ledger, &snapshot(&*ledger, 5).await).await;
    for (epoch, left_then) in [(4, 10), (6, 10), (5, 12), (5, 12)] {
        assert_eq!(ledger.release(EVENT, &[release(booking, epoch)]).await.unwrap(), Some(Epoch(5)));
        assert_eq!(left(&*ledger).await, [left_then, 100], "after a release of epoch {epoch}");
    }
    assert_eq!(
        ledger.release(EVENT, &[]).await.unwrap(),
        Some(Epoch(5)),
        "an empty release returns the epoch"
    );
    ledger.drop_for_test(EVENT).await.unwrap();
    assert_eq!(ledger.release(EVENT, &[release(booking, 5)]).await.unwrap(), None, "absent again");
}

async fn a_release_creates_no_ticket_type_and_no_negative_holding(kind: Kind) {
    let ledger = loaded(kind).await;
    let booking = request(1, 1, VIP, 1);
    admitted(&*ledger, &[booking]).await;
    let mut other = request(2, 1, VIP, 4);
    other.ticket_type.0 = 99;
    ledger.release(EVENT, &[release(other, 1), release(request(3, 5, VIP, 1), 1)]).await.unwrap();
    let LedgerView { ticket_types, .. } = ledger.view(EVENT).await.unwrap().unwrap();
    assert_eq!(ticket_types.iter().map(|t| t.id).collect::<Vec<_>>(), [VIP, STANDING]);
    assert_eq!(held(&*ledger, 1).await, 0);
    assert_eq!(held(&*ledger, 5).await, 0);
}

async fn settling_and_releasing_in_another_epoch_change_nothing(kind: Kind) {
    let ledger = kind.ledger();
    load(&*ledger, &snapshot(&*ledger, 5).await).await;
    let booking = request(1, 1, VIP, 2);
    admitted(&*ledger, &[booking]).await;
    for epoch in [4, 6] {
        ledger.settle(EVENT, Epoch(epoch), &[booking.id]).await.unwrap();
        ledger.release(EVENT, &[release(booking, epoch)]).await.unwrap();
    }
    assert_eq!(left(&*ledger).await, [8, 100]);
    assert_eq!(journal_ids(&*ledger).await, [booking.id]);
    // In a batch, each release is judged separately.
    ledger.release(EVENT, &[release(request(2, 2, VIP, 1), 4), release(booking, 5)]).await.unwrap();
    assert_eq!(left(&*ledger).await, [10, 100]);
}

async fn a_full_journal_admits_only_repeats(kind: Kind) {
    let ledger = kind.ledger_of_journal_len_max(2);
    load(&*ledger, &snapshot(&*ledger, 1).await).await;
    let bookings = [1, 2, 3].map(|n| request(n, i64::try_from(n).unwrap(), VIP, 1));
    let verdicts = admit(&*ledger, &bookings).await;
    assert!(is_admitted(verdicts[0]) && is_admitted(verdicts[1]), "{verdicts:?}");
    assert_eq!(verdicts[2], Verdict::JournalFull);
    assert_eq!(admit_one(&*ledger, bookings[0]).await, repeated(verdicts[0]));
    assert_eq!(
        admit_one(&*ledger, request(4, 4, VIP, 11)).await,
        Verdict::JournalFull,
        "a full journal is reported before sold out"
    );
    assert_eq!(left(&*ledger).await, [8, 100]);
    ledger.settle(EVENT, Epoch(1), &[id(1)]).await.unwrap();
    assert!(is_admitted(admit_one(&*ledger, bookings[2]).await));
}

async fn the_journal_is_read_oldest_first_up_to_the_limit(kind: Kind) {
    let ledger = loaded(kind).await;
    // The order of the ids is not the order of admission.
    for number in [9, 5, 7] {
        admitted(&*ledger, &[request(number, 1, STANDING, 1)]).await;
        wait_past(&*ledger, ledger.now().await.unwrap()).await;
    }
    // Of the same moment, the lower id comes first.
    admitted(&*ledger, &[request(3, 2, STANDING, 1), request(2, 2, STANDING, 1)]).await;
    assert_eq!(journal_ids(&*ledger).await, ids([9, 5, 7, 2, 3]));
    let all = journal(&*ledger).await;
    assert!(all.iter().all(|entry| entry.epoch == Epoch(1) && entry.request.quantity.get() == 1));
    assert!(all.iter().all(|entry| entry.admission.repeated));
    for limit in 0..=6 {
        let some = ledger.journal_older_than(EVENT, 0, limit).await.unwrap();
        assert_eq!(some.len(), limit.min(5));
        // It is not defined which entries these are, but they are in order.
        let in_order: Vec<_> = all.iter().filter(|entry| some.contains(entry)).copied().collect();
        assert_eq!(some, in_order);
    }
    ledger.settle(EVENT, Epoch(1), &ids([5, 2])).await.unwrap();
    assert_eq!(journal_ids(&*ledger).await, ids([9, 7, 3]));
}

async fn a_full_journal_is_read_in_parts_of_the_limit(kind: Kind) {
    let ledger = kind.ledger_of_journal_len_max(10_000);
    let mut large = snapshot(&*ledger, 1).await;
    large.ticket_types[1].left = 10_000;
    load(&*ledger, &large).await;
    let bookings: Vec<_> = (0..10_000).map(|n| request(n, i64::try_from(n).unwrap(), STANDING, 1)).collect();
    admitted(&*ledger, &bookings).await;
    assert_eq!(admit_one(&*ledger, request(10_000, 10_000, VIP, 1)).await, Verdict::JournalFull);
    assert_eq!(journal_ids(&*ledger).await, ids(0..10_000));
    // Repeated calls, with settling in between, return each entry exactly once.
    let mut found = Vec::new();
    for expected_len in [4_000, 4_000, 2_000, 0] {
        let entries = ledger.journal_older_than(EVENT, 0, 4_000).await.unwrap();
        assert_eq!(entries.len(), expected_len);
        let some: Vec<_> = entries.iter().map(|entry| entry.request.id).collect();
        ledger.settle(EVENT, Epoch(1), &some).await.unwrap();
        found.extend(some);
    }
    found.sort_unstable();
    assert_eq!(found, ids(0..10_000));
}

async fn only_entries_of_the_minimum_age_are_read(kind: Kind) {
    let ledger = loaded(kind).await;
    admitted(&*ledger, &[request(1, 1, STANDING, 1)]).await;
    assert_eq!(ledger.journal_older_than(EVENT, 60_000, 9).await.unwrap(), []);
    let admitted_at = journal(&*ledger).await[0].admission.admitted_at;
    wait_past(&*ledger, admitted_at.plus_millis(20)).await;
    assert_eq!(ledger.journal_older_than(EVENT, 20, 9).await.unwrap().len(), 1);
}

async fn pending_of_returns_the_entries_of_one_user(kind: Kind) {
    let ledger = loaded(kind).await;
    assert_eq!(ledger.pending_of(EVENT, UserId(1)).await.unwrap(), []);
    admitted(&*ledger, &[request(9, 1, VIP, 1), request(2, 2, VIP, 1), request(3, 1, STANDING, 1)]).await;
    admitted(&*ledger, &[request(4, 11, VIP, 1), request(5, 1, VIP, 1), request(6, 1, VIP, 1)]).await;
    ledger.settle(EVENT, Epoch(1), &ids([3])).await.unwrap();
    ledger.release(EVENT, &[release(request(6, 1, VIP, 1), 1)]).await.unwrap();
    for user in [1, 2, 3, 11] {
        let mut expected = journal(&*ledger).await;
        expected.retain(|entry| entry.request.user == UserId(user));
        assert_eq!(ledger.pending_of(EVENT, UserId(user)).await.unwrap(), expected);
    }
    assert_eq!(ledger.pending_of(EVENT, UserId(1)).await.unwrap().len(), 2);
    ledger.drop_for_test(EVENT).await.unwrap();
    assert_eq!(ledger.pending_of(EVENT, UserId(1)).await.unwrap(), []);
}
