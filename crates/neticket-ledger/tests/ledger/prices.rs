//! Requests that name the price that their caller has seen.

use neticket_domain::Epoch;
use neticket_ledger::{AdmitRequest, LedgerSnapshot, Verdict};

use crate::support::{
    EVENT, Kind, STANDING, STANDING_PRICE, VIP, VIP_PRICE, admit, admit_one, held, id, ids, is_admitted,
    left, load, loaded, on_every_ledger, repeated, request, snapshot,
};

on_every_ledger!(
    a_request_at_the_current_price_is_admitted,
    a_request_at_another_price_is_refused_and_takes_no_seats,
    each_request_of_a_batch_is_checked_against_its_own_price,
    a_repeat_keeps_its_price_whatever_price_it_names,
    a_changed_price_is_reported_only_if_everything_else_would_allow_the_booking,
);

fn at(unit_price: u64, request: AdmitRequest) -> AdmitRequest {
    AdmitRequest { unit_price: Some(unit_price), ..request }
}

async fn a_request_at_the_current_price_is_admitted(kind: Kind) {
    let ledger = loaded(kind).await;
    let Verdict::Admitted(admission) = admit_one(&*ledger, at(VIP_PRICE, request(1, 1, VIP, 2))).await else {
        panic!("admitted");
    };
    assert_eq!(admission.unit_price, VIP_PRICE);
    let entry = ledger.journal_entry(EVENT, id(1)).await.unwrap().unwrap();
    assert_eq!((entry.request, entry.admission.unit_price), (request(1, 1, VIP, 2), VIP_PRICE));
}

async fn a_request_at_another_price_is_refused_and_takes_no_seats(kind: Kind) {
    let ledger = loaded(kind).await;
    for seen in [0, 1, VIP_PRICE - 1, VIP_PRICE + 1, STANDING_PRICE] {
        let verdict = admit_one(&*ledger, at(seen, request(1, 1, VIP, 2))).await;
        assert_eq!(verdict, Verdict::PriceChanged { unit_price: VIP_PRICE }, "{seen}");
    }
    assert_eq!(left(&*ledger).await, [10, 100]);
    assert_eq!(held(&*ledger, 1).await, 0);
    assert_eq!(ledger.journal_entry(EVENT, id(1)).await.unwrap(), None);
    assert!(
        is_admitted(admit_one(&*ledger, at(VIP_PRICE, request(1, 1, VIP, 2))).await),
        "the same id is admitted at the current price"
    );
}

async fn each_request_of_a_batch_is_checked_against_its_own_price(kind: Kind) {
    let ledger = loaded(kind).await;
    let batch = [
        at(VIP_PRICE, request(1, 1, VIP, 1)),
        at(STANDING_PRICE, request(2, 2, VIP, 1)),
        request(3, 3, VIP, 1),
        at(STANDING_PRICE, request(4, 4, STANDING, 1)),
        at(VIP_PRICE, request(5, 5, STANDING, 1)),
    ];
    let verdicts = admit(&*ledger, &batch).await;
    let admitted: Vec<bool> = verdicts.iter().map(|verdict| is_admitted(*verdict)).collect();
    assert_eq!(admitted, [true, false, true, true, false]);
    assert_eq!(verdicts[1], Verdict::PriceChanged { unit_price: VIP_PRICE });
    assert_eq!(verdicts[4], Verdict::PriceChanged { unit_price: STANDING_PRICE });
    assert_eq!(left(&*ledger).await, [8, 99]);
}

async fn a_repeat_keeps_its_price_whatever_price_it_names(kind: Kind) {
    let ledger = loaded(kind).await;
    let first = admit_one(&*ledger, at(VIP_PRICE, request(1, 1, VIP, 2))).await;
    let mut dearer = snapshot(&*ledger, 2).await;
    dearer.ticket_types[0].price = VIP_PRICE + 1;
    load(&*ledger, &LedgerSnapshot { epoch: Epoch(2), ..dearer }).await;
    for seen in [VIP_PRICE, VIP_PRICE + 1, 1] {
        assert_eq!(admit_one(&*ledger, at(seen, request(1, 1, VIP, 2))).await, repeated(first), "{seen}");
    }
    let other = admit_one(&*ledger, at(VIP_PRICE, request(2, 2, VIP, 2))).await;
    assert_eq!(other, Verdict::PriceChanged { unit_price: VIP_PRICE + 1 });
    ledger.settle(EVENT, Epoch(2), &ids([1])).await.unwrap();
    assert_eq!(admit_one(&*ledger, at(1, request(1, 1, VIP, 2))).await, Verdict::Known);
}

async fn a_changed_price_is_reported_only_if_everything_else_would_allow_the_booking(kind: Kind) {
    let ledger = loaded(kind).await;
    assert_eq!(admit_one(&*ledger, at(1, request(1, 1, VIP, 11))).await, Verdict::SoldOut { left: 10 });
    assert_eq!(
        admit_one(&*ledger, at(1, request(1, 1, VIP, 5))).await,
        Verdict::OverLimit { max_per_user: 4, already_held: 0 }
    );
    let paused =
        LedgerSnapshot { paused_at: Some(ledger.now().await.unwrap()), ..snapshot(&*ledger, 2).await };
    load(&*ledger, &paused).await;
    assert_eq!(admit_one(&*ledger, at(1, request(1, 1, VIP, 1))).await, Verdict::Paused);
}
