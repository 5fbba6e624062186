//! Which requests are admitted, which are refused, and with which answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::future::join_all;
use neticket_domain::{Epoch, ReservationId, SaleWindow, TicketTypeId, Timestamp};
use neticket_ledger::{
    Admission, AdmitAnswer, AdmitRequest, Ledger, LedgerSnapshot, MemoryLedger, RESERVATIONS_PER_USER_MAX,
    Verdict,
};

use crate::support::{
    EVENT, HOUR_MS, Kind, STANDING, VIP, VIP_PRICE, admit, admit_one, admitted, held, id, ids, is_admitted,
    journal_ids, left, load, loaded, on_every_ledger, release, repeated, request, reservation, snapshot,
};

on_every_ledger!(
    an_admitted_reservation_takes_seats_and_is_journaled,
    the_ledger_of_an_event_that_is_not_loaded_is_absent,
    a_ledger_of_a_lower_epoch_than_asked_for_is_stale,
    a_ledger_of_a_higher_epoch_than_asked_for_admits_under_its_own,
    nobody_is_admitted_before_the_sale_opens,
    the_sale_opens_and_closes_by_the_ledgers_own_clock,
    nobody_is_admitted_after_the_sale_closed,
    nobody_is_admitted_while_the_sale_is_paused,
    a_paused_sale_outside_its_window_is_reported_as_not_open_or_closed,
    an_unknown_ticket_type_is_reported_before_the_sale_window,
    a_request_for_more_seats_than_left_gets_the_number_left,
    the_last_seats_can_be_taken,
    the_purchase_limit_counts_all_tickets_of_a_user_for_the_event,
    the_purchase_limit_counts_the_tickets_of_the_snapshot,
    sold_out_is_reported_before_the_purchase_limit,
    a_user_makes_at_most_a_thousand_reservations_even_if_some_are_cancelled,
    a_repeat_of_a_journal_entry_is_admitted_and_takes_no_seats,
    a_repeat_of_a_settled_or_released_booking_is_known,
    a_repeat_is_recognised_when_sold_out_closed_or_paused,
    another_request_under_the_same_id_is_a_mismatch,
    a_refused_request_can_be_admitted_later,
    a_batch_is_admitted_in_order,
    an_id_that_spans_two_stored_ids_is_not_a_repeat,
    an_empty_batch_takes_no_seats,
    ten_thousand_requests_with_repeats_are_admitted_at_once,
    events_do_not_affect_each_other,
    prices_and_ids_of_any_size_are_returned_exactly,
    fifty_concurrent_repeats_take_seats_once,
    four_hundred_concurrent_requests_take_exactly_one_hundred_seats,
);

async fn an_admitted_reservation_takes_seats_and_is_journaled(kind: Kind) {
    let ledger = loaded(kind).await;
    let before = ledger.now().await.unwrap();
    let booking = request(1, 1, VIP, 2);
    let Verdict::Admitted(admission) = admit_one(&*ledger, booking).await else {
        panic!("admitted");
    };
    let Admission { unit_price, admitted_at, repeated } = admission;
    assert_eq!((unit_price, repeated), (VIP_PRICE, false));
    assert!(before <= admitted_at && admitted_at <= ledger.now().await.unwrap());
    assert_eq!(left(&*ledger).await, [8, 100]);
    assert_eq!(held(&*ledger, 1).await, 2);
    let entry = ledger.journal_entry(EVENT, id(1)).await.unwrap().unwrap();
    assert_eq!((entry.request, entry.epoch), (booking, Epoch(1)));
    assert_eq!(
        entry.admission,
        Admission { repeated: true, ..admission },
        "an entry that is read counts as repeated"
    );
    assert_eq!(ledger.view(EVENT).await.unwrap().unwrap().journal_len, 1);
}

async fn the_ledger_of_an_event_that_is_not_loaded_is_absent(kind: Kind) {
    let ledger = kind.ledger();
    let answer = ledger.admit(EVENT, Epoch(0), &[request(1, 1, VIP, 1)]).await.unwrap();
    assert_eq!(answer, AdmitAnswer::Absent);
    assert_eq!(ledger.view(EVENT).await.unwrap(), None);
    assert_eq!(ledger.journal_entry(EVENT, id(1)).await.unwrap(), None);
    assert_eq!(ledger.journal_older_than(EVENT, 0, 9).await.unwrap(), []);
    ledger.settle(EVENT, Epoch(1), &ids([1])).await.unwrap();
    for releases in [vec![release(request(1, 1, VIP, 1), 1)], vec![]] {
        assert_eq!(ledger.release(EVENT, &releases).await.unwrap(), None);
    }
    assert_eq!(ledger.view(EVENT).await.unwrap(), None, "a release creates no ledger");
}

async fn a_ledger_of_a_lower_epoch_than_asked_for_is_stale(kind: Kind) {
    let ledger = loaded(kind).await;
    let answer = ledger.admit(EVENT, Epoch(2), &[request(1, 1, VIP, 1)]).await.unwrap();
    assert_eq!(answer, AdmitAnswer::Stale);
    assert_eq!(left(&*ledger).await, [10, 100]);
}

async fn a_ledger_of_a_higher_epoch_than_asked_for_admits_under_its_own(kind: Kind) {
    let ledger = kind.ledger();
    load(&*ledger, &snapshot(&*ledger, 5).await).await;
    let answer = ledger.admit(EVENT, Epoch(3), &[request(1, 1, VIP, 1)]).await.unwrap();
    assert!(matches!(answer, AdmitAnswer::Verdicts { epoch: Epoch(5), .. }), "{answer:?}");
}

/// A ledger whose sale opens and closes this long after now.
async fn selling(kind: Kind, opens_in_ms: i64, closes_in_ms: i64) -> (Arc<dyn Ledger>, SaleWindow) {
    let ledger = kind.ledger();
    let now = ledger.now().await.unwrap();
    let window =
        SaleWindow { opens_at: now.plus_millis(opens_in_ms), closes_at: now.plus_millis(closes_in_ms) };
    let mut of_window = snapshot(&*ledger, 1).await;
    of_window.window = window;
    load(&*ledger, &of_window).await;
    (ledger, window)
}

async fn nobody_is_admitted_before_the_sale_opens(kind: Kind) {
    let (ledger, window) = selling(kind, HOUR_MS, 2 * HOUR_MS).await;
    let verdict = admit_one(&*ledger, request(1, 1, VIP, 1)).await;
    assert_eq!(verdict, Verdict::NotOpen { opens_at: window.opens_at });
    assert_eq!(left(&*ledger).await, [10, 100]);
    assert_eq!(journal_ids(&*ledger).await, []);
}

async fn the_sale_opens_and_closes_by_the_ledgers_own_clock(kind: Kind) {
    let (ledger, window) = selling(kind, 30, 60).await;
    let (mut number, mut admitted_len) = (0, 0);
    loop {
        number += 1;
        let user = i64::try_from(number).unwrap();
        let answer = ledger.admit(EVENT, Epoch(1), &[request(number, user, STANDING, 1)]).await.unwrap();
        let AdmitAnswer::Verdicts { now, verdicts, .. } = answer else { panic!("{answer:?}") };
        if now < window.opens_at {
            assert_eq!(verdicts, [Verdict::NotOpen { opens_at: window.opens_at }], "at {now}");
        } else if now < window.closes_at {
            let sold_out = verdicts == [Verdict::SoldOut { left: 0 }] && admitted_len == 100;
            assert!(is_admitted(verdicts[0]) || sold_out, "at {now}: {verdicts:?}");
            admitted_len += u32::from(is_admitted(verdicts[0]));
        } else {
            assert_eq!(verdicts, [Verdict::Closed], "at {now}");
            break;
        }
    }
}

async fn nobody_is_admitted_after_the_sale_closed(kind: Kind) {
    let (ledger, _) = selling(kind, -HOUR_MS, 0).await;
    assert_eq!(admit_one(&*ledger, request(1, 1, VIP, 1)).await, Verdict::Closed);
    assert_eq!(left(&*ledger).await, [10, 100]);
}

async fn nobody_is_admitted_while_the_sale_is_paused(kind: Kind) {
    let ledger = kind.ledger();
    let mut paused = snapshot(&*ledger, 1).await;
    paused.paused_at = Some(ledger.now().await.unwrap());
    load(&*ledger, &paused).await;
    assert_eq!(admit_one(&*ledger, request(1, 1, VIP, 1)).await, Verdict::Paused);
    assert!(ledger.view(EVENT).await.unwrap().unwrap().paused);
    assert_eq!(left(&*ledger).await, [10, 100]);
}

async fn a_paused_sale_outside_its_window_is_reported_as_not_open_or_closed(kind: Kind) {
    let ledger = kind.ledger();
    let mut paused = snapshot(&*ledger, 1).await;
    paused.paused_at = Some(ledger.now().await.unwrap());
    let open = paused.window;
    paused.window.opens_at = open.closes_at.plus_millis(-1);
    load(&*ledger, &paused).await;
    let verdict = admit_one(&*ledger, request(1, 1, VIP, 1)).await;
    assert_eq!(verdict, Verdict::NotOpen { opens_at: paused.window.opens_at });
    paused.epoch = Epoch(2);
    paused.window = SaleWindow { opens_at: open.opens_at, closes_at: open.opens_at.plus_millis(1) };
    load(&*ledger, &paused).await;
    assert_eq!(admit_one(&*ledger, request(1, 1, VIP, 1)).await, Verdict::Closed);
}

async fn an_unknown_ticket_type_is_reported_before_the_sale_window(kind: Kind) {
    let (ledger, _) = selling(kind, HOUR_MS, 2 * HOUR_MS).await;
    let verdict = admit_one(&*ledger, request(1, 1, TicketTypeId(99), 1)).await;
    assert_eq!(verdict, Verdict::NoSuchTicketType);
}

async fn a_request_for_more_seats_than_left_gets_the_number_left(kind: Kind) {
    let ledger = loaded(kind).await;
    admitted(&*ledger, &[request(1, 1, VIP, 4), request(2, 2, VIP, 4)]).await;
    assert_eq!(admit_one(&*ledger, request(3, 3, VIP, 3)).await, Verdict::SoldOut { left: 2 });
    assert_eq!(left(&*ledger).await, [2, 100]);
    assert_eq!(held(&*ledger, 3).await, 0);
}

async fn the_last_seats_can_be_taken(kind: Kind) {
    let ledger = loaded(kind).await;
    admitted(&*ledger, &[request(1, 1, VIP, 4), request(2, 2, VIP, 4), request(3, 3, VIP, 2)]).await;
    assert_eq!(admit_one(&*ledger, request(4, 4, VIP, 1)).await, Verdict::SoldOut { left: 0 });
    assert_eq!(left(&*ledger).await, [0, 100]);
}

async fn the_purchase_limit_counts_all_tickets_of_a_user_for_the_event(kind: Kind) {
    let ledger = loaded(kind).await;
    let (first, second) = (request(1, 1, VIP, 1), request(2, 1, STANDING, 2));
    admitted(&*ledger, &[first, second]).await;
    ledger.settle(EVENT, Epoch(1), &[second.id]).await.unwrap();
    let over = Verdict::OverLimit { max_per_user: 4, already_held: 3 };
    assert_eq!(admit_one(&*ledger, request(3, 1, STANDING, 2)).await, over);
    assert!(is_admitted(admit_one(&*ledger, request(4, 1, STANDING, 1)).await));
    // Cancelled tickets no longer count.
    ledger.release(EVENT, &[release(second, 1)]).await.unwrap();
    assert!(is_admitted(admit_one(&*ledger, request(5, 1, VIP, 2)).await));
    let over = Verdict::OverLimit { max_per_user: 4, already_held: 4 };
    assert_eq!(admit_one(&*ledger, request(6, 1, STANDING, 1)).await, over);
}

async fn the_purchase_limit_counts_the_tickets_of_the_snapshot(kind: Kind) {
    let ledger = kind.ledger();
    let mut of_store = snapshot(&*ledger, 1).await;
    of_store.reservations =
        vec![reservation(1, 1, 2), reservation(2, 1, 1), reservation(3, 1, 0), reservation(4, 2, 4)];
    load(&*ledger, &of_store).await;
    assert_eq!(held(&*ledger, 1).await, 3);
    assert_eq!(held(&*ledger, 2).await, 4);
    assert!(is_admitted(admit_one(&*ledger, request(9, 1, VIP, 1)).await));
}

async fn sold_out_is_reported_before_the_purchase_limit(kind: Kind) {
    let ledger = loaded(kind).await;
    assert_eq!(admit_one(&*ledger, request(1, 1, VIP, 11)).await, Verdict::SoldOut { left: 10 });
}

async fn a_user_makes_at_most_a_thousand_reservations_even_if_some_are_cancelled(kind: Kind) {
    let ledger = kind.ledger();
    let mut busy = snapshot(&*ledger, 1).await;
    let cancelled = u64::from(RESERVATIONS_PER_USER_MAX) - 3;
    busy.reservations = (0..cancelled).map(|number| reservation(number, 1, 0)).collect();
    load(&*ledger, &busy).await;
    let next = |more: u64| request(10_000 + more, 1, VIP, 1);
    admitted(&*ledger, &[next(0), next(1)]).await;
    ledger.settle(EVENT, Epoch(1), &[next(0).id]).await.unwrap();
    let releases = [next(0), next(0), next(1)].map(|request| release(request, 1));
    ledger.release(EVENT, &releases).await.unwrap();
    // A release of a reservation that this ledger did not know counts as well.
    ledger.release(EVENT, &[release(next(2), 1)]).await.unwrap();
    let over = Verdict::OverLimit { max_per_user: 4, already_held: 0 };
    assert_eq!(admit(&*ledger, &[next(3), next(4)]).await, [over, over]);
    assert_eq!(admit_one(&*ledger, next(0)).await, Verdict::Known, "a known id is recognised");
    assert!(is_admitted(admit_one(&*ledger, request(1_000_000, 2, VIP, 1)).await), "other users may book");
    // A load does not reset the count either. With one reservation fewer, there is room for one.
    let mut again = snapshot(&*ledger, 2).await;
    again.reservations = (0..cancelled + 2).map(|number| reservation(number, 1, 0)).collect();
    load(&*ledger, &again).await;
    let verdicts = admit(&*ledger, &[next(5), next(6), next(5)]).await;
    assert!(is_admitted(verdicts[0]) && is_admitted(verdicts[2]), "{verdicts:?}");
    assert_eq!(verdicts[1], Verdict::OverLimit { max_per_user: 4, already_held: 1 });
}

async fn a_repeat_of_a_journal_entry_is_admitted_and_takes_no_seats(kind: Kind) {
    let ledger = loaded(kind).await;
    let booking = request(1, 1, VIP, 3);
    let first = admit_one(&*ledger, booking).await;
    let again = repeated(first);
    assert_ne!(again, first, "the first admission is marked as the first");
    assert_eq!(
        admit(&*ledger, &[booking, booking]).await,
        [again, again],
        "price and time are those of the first admission"
    );
    assert_eq!(left(&*ledger).await, [7, 100]);
    assert_eq!(held(&*ledger, 1).await, 3);
    assert_eq!(journal_ids(&*ledger).await, [id(1)]);
}

async fn a_repeat_of_a_settled_or_released_booking_is_known(kind: Kind) {
    let ledger = kind.ledger();
    let mut of_store = snapshot(&*ledger, 1).await;
    of_store.reservations = vec![reservation(1, 1, 1), reservation(2, 2, 0)];
    load(&*ledger, &of_store).await;
    let (settled, released) = (request(3, 3, VIP, 1), request(4, 4, VIP, 1));
    admitted(&*ledger, &[settled, released]).await;
    ledger.settle(EVENT, Epoch(1), &[settled.id, released.id]).await.unwrap();
    ledger.release(EVENT, &[release(released, 1)]).await.unwrap();
    let repeats = [request(1, 1, VIP, 1), request(2, 2, VIP, 1), settled, released];
    assert_eq!(admit(&*ledger, &repeats).await, [Verdict::Known; 4]);
    // The store has the content of the booking. The ledger only knows the id.
    assert_eq!(admit_one(&*ledger, request(3, 3, VIP, 2)).await, Verdict::Known);
    assert_eq!(left(&*ledger).await, [9, 100]);
}

async fn a_repeat_is_recognised_when_sold_out_closed_or_paused(kind: Kind) {
    let ledger = kind.ledger();
    let mut later = snapshot(&*ledger, 1).await;
    load(&*ledger, &later).await;
    let (settled, journaled) = (request(1, 1, VIP, 1), request(2, 2, VIP, 1));
    admitted(&*ledger, &[settled, journaled]).await;
    later.reservations = vec![reservation(1, 1, 1)];
    for (epoch, left_then, paused, closes_in_ms) in [(2, 1, false, 1), (3, 9, true, 1), (4, 9, true, -1)] {
        later.epoch = Epoch(epoch);
        later.ticket_types[0].left = left_then;
        later.paused_at = paused.then(|| later.window.closes_at.plus_millis(HOUR_MS));
        later.window.closes_at = ledger.now().await.unwrap().plus_millis(closes_in_ms * HOUR_MS / 2);
        load(&*ledger, &later).await;
        let verdicts = admit(&*ledger, &[settled, journaled, request(3, 3, VIP, 1)]).await;
        assert_eq!(verdicts[0], Verdict::Known);
        assert!(is_admitted(verdicts[1]), "{verdicts:?}");
        assert!(!is_admitted(verdicts[2]), "{verdicts:?}");
    }
}

async fn another_request_under_the_same_id_is_a_mismatch(kind: Kind) {
    let ledger = loaded(kind).await;
    admitted(&*ledger, &[request(1, 1, VIP, 1)]).await;
    let others = [request(1, 1, STANDING, 1), request(1, 1, VIP, 2), request(1, 1, VIP, 11)];
    assert_eq!(admit(&*ledger, &others).await, [Verdict::Mismatch; 3]);
    assert_eq!(left(&*ledger).await, [9, 100]);
}

async fn a_refused_request_can_be_admitted_later(kind: Kind) {
    let ledger = loaded(kind).await;
    admitted(&*ledger, &[request(1, 1, VIP, 4)]).await;
    load(&*ledger, &LedgerSnapshot { refused: ids([1]), ..snapshot(&*ledger, 2).await }).await;
    let anew = admit_one(&*ledger, request(1, 1, VIP, 2)).await;
    assert_ne!(anew, repeated(anew), "the refused entry left the journal, so this is a new admission");
    assert_eq!(left(&*ledger).await, [8, 100]);
}

async fn a_batch_is_admitted_in_order(kind: Kind) {
    let ledger = loaded(kind).await;
    let verdicts = admit(
        &*ledger,
        &[
            request(1, 1, VIP, 3),
            request(2, 1, STANDING, 2), // over the limit because of the one before
            request(1, 1, VIP, 3),      // a repeat within the batch
            request(1, 1, VIP, 2),      // the same id with other content
            request(3, 2, VIP, 4),
            request(4, 3, VIP, 4), // three are left
            request(5, 4, VIP, 3), // and this request gets them
        ],
    )
    .await;
    assert!(is_admitted(verdicts[0]));
    assert_eq!(verdicts[1], Verdict::OverLimit { max_per_user: 4, already_held: 3 });
    assert_ne!(verdicts[0], repeated(verdicts[0]));
    assert_eq!(verdicts[2], repeated(verdicts[0]));
    assert_eq!(verdicts[3], Verdict::Mismatch);
    assert!(is_admitted(verdicts[4]));
    assert_eq!(verdicts[5], Verdict::SoldOut { left: 3 });
    assert!(is_admitted(verdicts[6]));
    assert_eq!(left(&*ledger).await, [0, 100]);
    assert_eq!(journal_ids(&*ledger).await, ids([1, 3, 5]));
}

/// The Redis ledger keeps all ids of a user in one string.
async fn an_id_that_spans_two_stored_ids_is_not_a_repeat(kind: Kind) {
    let ledger = kind.ledger();
    let mut generous = snapshot(&*ledger, 1).await;
    generous.max_per_user = 100;
    load(&*ledger, &generous).await;
    let with_id = |bytes: [u8; 16]| AdmitRequest {
        id: ReservationId(uuid::Uuid::from_bytes(bytes)),
        ..request(0, 1, STANDING, 1)
    };
    // The record is: tickets held, 0101…01, h, 0202…02, h. Every 16 bytes of it also make an id.
    let row: Vec<u8> =
        [0, 0, 0, 2].into_iter().chain([1; 16]).chain(*b"h").chain([2; 16]).chain(*b"h").collect();
    admitted(&*ledger, &[with_id([1; 16]), with_id([2; 16])]).await;
    for (start, window) in row.windows(16).enumerate() {
        let booking = with_id(window.try_into().unwrap());
        let first = admit_one(&*ledger, booking).await;
        let is_repeat = first == repeated(first);
        assert_eq!(is_repeat, start == 4 || start == 21, "{start}");
    }
    assert_eq!(journal_ids(&*ledger).await.len(), row.len() - 15);
}

async fn an_empty_batch_takes_no_seats(kind: Kind) {
    let ledger = loaded(kind).await;
    assert_eq!(admit(&*ledger, &[]).await, []);
    ledger.settle(EVENT, Epoch(1), &[]).await.unwrap();
    assert_eq!(ledger.release(EVENT, &[]).await.unwrap(), Some(Epoch(1)));
    assert_eq!(left(&*ledger).await, [10, 100]);
}

async fn ten_thousand_requests_with_repeats_are_admitted_at_once(kind: Kind) {
    let ledger = kind.ledger();
    let mut large = snapshot(&*ledger, 1).await;
    large.ticket_types[1].left = 100_000;
    load(&*ledger, &large).await;
    // 10,000 requests, more than fit on Lua's stack. Each id comes twice, and each user makes five
    // reservations, of which the limit allows four.
    let booking = |number: u64| request(number, i64::try_from(number / 5).unwrap(), STANDING, 1);
    let batch: Vec<_> = (0..5_000).flat_map(|number| [booking(number), booking(number)]).collect();
    let verdicts = admit(&*ledger, &batch).await;
    for (request, verdict) in batch.iter().zip(&verdicts) {
        let fifth = request.id.0.as_u128() % 5 == 4;
        let over = Verdict::OverLimit { max_per_user: 4, already_held: 4 };
        assert!(if fifth { *verdict == over } else { is_admitted(*verdict) }, "{request:?} {verdict:?}");
    }
    assert_eq!(left(&*ledger).await, [10, 96_000]);
    let journaled = journal_ids(&*ledger).await;
    assert_eq!(journaled.len(), 4_000);
    ledger.settle(EVENT, Epoch(1), &journaled[..2_000]).await.unwrap();
    let releases: Vec<_> = batch.iter().map(|request| release(*request, 1)).collect();
    ledger.release(EVENT, &releases[..5_000]).await.unwrap();
    assert_eq!(left(&*ledger).await, [10, 98_500], "2,000 settled and 500 unknown bookings were released");
}

async fn events_do_not_affect_each_other(kind: Kind) {
    let ledger = loaded(kind).await;
    let mut other = snapshot(&*ledger, 1).await;
    other.event.0 += 1;
    load(&*ledger, &other).await;
    let booking = request(1, 1, VIP, 4);
    assert!(is_admitted(admit_one(&*ledger, booking).await));
    let answer = ledger.admit(other.event, Epoch(1), &[booking]).await.unwrap();
    assert!(matches!(answer, AdmitAnswer::Verdicts { verdicts, .. } if is_admitted(verdicts[0])));
    ledger.drop_for_test(other.event).await.unwrap();
    assert_eq!(left(&*ledger).await, [6, 100]);
    assert_eq!(journal_ids(&*ledger).await, [id(1)]);
}

async fn prices_and_ids_of_any_size_are_returned_exactly(kind: Kind) {
    let ledger = kind.ledger();
    let mut large = snapshot(&*ledger, 9_007_199_254_740_991).await;
    large.ticket_types[0].price = u64::MAX;
    large.ticket_types[1].id = TicketTypeId(i64::MAX);
    large.ticket_types[1].price = 100_000_000;
    large.ticket_types[1].left = u32::MAX;
    load(&*ledger, &large).await;
    let verdicts = admit(
        &*ledger,
        &[request(u64::MAX, i64::MAX, VIP, 1), request(2, i64::MIN, TicketTypeId(i64::MAX), 1)],
    )
    .await;
    let prices = verdicts.iter().map(|verdict| match verdict {
        Verdict::Admitted(admission) => admission.unit_price,
        other => panic!("{other:?}"),
    });
    assert_eq!(prices.collect::<Vec<_>>(), [u64::MAX, 100_000_000]);
    let view = ledger.view(EVENT).await.unwrap().unwrap();
    assert_eq!(view.epoch, Epoch(9_007_199_254_740_991));
    assert_eq!(view.ticket_types[1].left, u32::MAX - 1);
    let entry = ledger.journal_entry(EVENT, id(u64::MAX)).await.unwrap().unwrap();
    assert_eq!((entry.request.user.0, entry.admission.unit_price), (i64::MAX, u64::MAX));
}

async fn fifty_concurrent_repeats_take_seats_once(kind: Kind) {
    let ledger = loaded(kind).await;
    let booking = request(1, 1, VIP, 4);
    let admits = (0..50).map(|_| {
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move { admit_one(&*ledger, booking).await })
    });
    let verdicts: Vec<_> = join_all(admits).await.into_iter().map(Result::unwrap).collect();
    let again = repeated(verdicts[0]);
    assert!(verdicts.iter().all(|verdict| repeated(*verdict) == again), "{verdicts:?}");
    let firsts = verdicts.iter().filter(|verdict| **verdict != again);
    assert_eq!(firsts.count(), 1, "exactly one is the first: {verdicts:?}");
    assert_eq!(left(&*ledger).await, [6, 100]);
    assert_eq!(held(&*ledger, 1).await, 4);
}

async fn four_hundred_concurrent_requests_take_exactly_one_hundred_seats(kind: Kind) {
    let ledger = loaded(kind).await;
    let admits = (1..=400).map(|user: i64| {
        let ledger = Arc::clone(&ledger);
        let booking = request(user.unsigned_abs(), user, STANDING, 1);
        tokio::spawn(async move { admit_one(&*ledger, booking).await })
    });
    let verdicts: Vec<_> = join_all(admits).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(verdicts.iter().filter(|verdict| is_admitted(**verdict)).count(), 100);
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::SoldOut { left: 0 }).count(), 300);
    assert_eq!(left(&*ledger).await, [10, 0]);
    assert_eq!(journal_ids(&*ledger).await.len(), 100);
}

#[tokio::test]
async fn the_memory_ledger_opens_and_closes_at_the_exact_millisecond() {
    let millis = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&millis);
    let ledger =
        MemoryLedger::with_clock(Arc::new(move || Timestamp::from_millis(clock.load(Ordering::SeqCst))));
    let mut of_window = snapshot(&ledger, 1).await;
    let at = Timestamp::from_millis;
    of_window.window = SaleWindow { opens_at: at(1_000), closes_at: at(2_000) };
    load(&ledger, &of_window).await;
    let admitted_at = |millis| {
        Verdict::Admitted(Admission { unit_price: VIP_PRICE, admitted_at: at(millis), repeated: false })
    };
    let mut number = 0;
    for (now, expected) in [
        (999, Verdict::NotOpen { opens_at: at(1_000) }),
        (1_000, admitted_at(1_000)),
        (1_999, admitted_at(1_999)),
        (2_000, Verdict::Closed),
    ] {
        millis.store(now, Ordering::SeqCst);
        number += 1;
        assert_eq!(admit_one(&ledger, request(number, 1, VIP, 1)).await, expected, "at {now}");
    }
}
