//! The calls that are measured.

use neticket_domain::{Epoch, ReservationId, UserId};
use uuid::Uuid;

use super::account_calls::account_calls;
use super::call::{Call, call};
use super::fixture::{FEW, Fixture, OWN, Round, admin, at, cancel_requests, request};
use crate::{
    CancelOutcome, CommitOutcome, CommitRequest, DeleteOutcome, EditOutcome, EpochRaiseOutcome,
    EventCancelOutcome, EventEdit, EventRecord, PauseOutcome, Store,
};

/// More ids than one `IN (…)` holds, and more than 1,000, from which on MariaDB turns them into a join.
const MANY: usize = 1_200;
/// Functions that are not measured, and why.
pub(super) const UNMEASURED: [(&str, &str); 1] = [("admins", "reads everyone: there is no index by role")];

/// All calls, in the order in which they are made.
pub(super) fn calls<'a>(store: &'a Store, all: &'a Fixture, round: &'a Round) -> Vec<Call<'a>> {
    let mut calls = reads(store, all, round);
    calls.append(&mut writes(store, all, round));
    calls.append(&mut administration(store, all, round));
    calls.append(&mut account_calls(store, all, round));
    calls
}

fn reads<'a>(store: &'a Store, all: &'a Fixture, round: &'a Round) -> Vec<Call<'a>> {
    let many: Vec<_> = round.crowd[..MANY].iter().map(|request| request.id).collect();
    let with_unknown: Vec<_> = many.iter().copied().chain([ReservationId(Uuid::new_v4())]).collect();
    vec![
        call("reservation", 1, async {
            assert!(store.reservation(all.own[0]).await.unwrap().is_some());
        }),
        call("reservations", MANY, async move {
            assert_eq!(store.reservations(&many).await.unwrap().len(), MANY);
        }),
        call("reservations_of", OWN + 20, async {
            let (page, total) = store.reservations_of(all.owner, 1, 20).await.unwrap();
            assert_eq!(page.len(), 20);
            assert!(usize::try_from(total).unwrap() >= OWN);
        }),
        call("inventory_audit", OWN, async {
            let audit = store.inventory_audit(Some(all.small.id)).await.unwrap();
            assert!(audit.iter().map(|row| row.confirmed).sum::<u64>() >= 40);
        }),
        // The outbox has no index by event (docs/decisions/0031).
        call("inventory_of", MANY + all.waiting.len(), async move {
            let stored = store.inventory_of(all.small.id, &with_unknown).await.unwrap().unwrap();
            assert_eq!((stored.present.len(), stored.releases.len()), (MANY, 0));
        }),
        // SQLite reads all entries of the same time, to sort them by id.
        call("outbox_before", 200, async {
            assert_eq!(store.outbox_before(at(1_000), 100).await.unwrap().len(), 100);
        }),
    ]
}

fn writes<'a>(store: &'a Store, all: &'a Fixture, round: &'a Round) -> Vec<Call<'a>> {
    vec![
        call("commit", 0, async {
            let request = next(store, &all.small, all.owner).await;
            assert_eq!(store.commit(&[request]).await.unwrap(), [CommitOutcome::Confirmed]);
        }),
        // All ids of the batch but the last exist, so the slow path decides each request alone. It reads the
        // ids, and then their owners.
        call("commit", 2 * MANY, async {
            let mut batch = round.crowd[..MANY].to_vec();
            batch.push(next(store, &all.small, all.owner).await);
            let outcomes = store.commit(&batch).await.unwrap();
            assert!(matches!(outcomes[0], CommitOutcome::Existing(_)), "{:?}", outcomes[0]);
            assert_eq!(outcomes[MANY], CommitOutcome::Confirmed);
        }),
        call("reject", 0, async {
            let request = next(store, &all.small, all.owner).await;
            assert_eq!(store.reject(&[request], at(1)).await.unwrap(), 1);
        }),
        // It reads the reservations for their ticket types, reads them again under the locks, and then
        // changes them.
        call("cancel", 3 * MANY, async {
            let requests = cancel_requests(&round.crowd[MANY..2 * MANY]);
            let outcomes = store.cancel(&requests, at(2_000)).await.unwrap();
            assert!(outcomes.iter().all(|outcome| matches!(outcome, CancelOutcome::Cancelled { .. })));
        }),
        call("outbox_done", round.waiting.len(), async {
            store.outbox_done(&round.waiting).await.unwrap();
        }),
        call("epoch_raise_and_load", OWN, async {
            let loaded = store.epoch_raise_and_load(all.small.id, Epoch(0)).await.unwrap().unwrap();
            assert!(loaded.reservations.len() >= OWN / 2);
        }),
    ]
}

fn administration<'a>(store: &'a Store, all: &'a Fixture, round: &'a Round) -> Vec<Call<'a>> {
    vec![
        // Removes a ticket type without reservations while the journal holds many bookings.
        call("event_update", MANY, async {
            let mut edit = EventEdit::of(&round.unbooked);
            edit.ticket_types.pop();
            let (id, journal) = (round.unbooked.id, &round.crowd[..MANY]);
            let outcome = store.event_update(id, &edit, journal, &admin(), || at(1)).await.unwrap();
            assert!(matches!(outcome, EditOutcome::Edited { .. }), "{outcome:?}");
        }),
        call("event_delete", 0, async {
            let outcome = store.event_delete(round.unbooked.id, None, &admin(), at(1)).await.unwrap();
            assert_eq!(outcome, DeleteOutcome::Deleted);
        }),
        call("event_pause", 0, async {
            let outcome = store.event_pause(round.to_cancel.id, true, &admin(), || at(1)).await.unwrap();
            assert!(matches!(outcome, PauseOutcome::Changed { .. }));
        }),
        call("epoch_raise", 0, async {
            let entry = admin().did("ledger_reload", "event/1", "", at(1));
            let outcome = store.epoch_raise(all.small.id, Epoch(0), None, &entry).await.unwrap();
            assert!(matches!(outcome, EpochRaiseOutcome::Raised { .. }));
        }),
        call("event_cancel", 0, async {
            let outcome = store.event_cancel(round.to_cancel.id, &admin(), at(1)).await.unwrap();
            assert!(matches!(outcome, EventCancelOutcome::Cancelled { .. }));
        }),
        call("events_cancelling", 0, async {
            assert!(store.events_cancelling(10).await.unwrap().contains(&round.to_cancel.id));
        }),
        call("reservations_confirmed", FEW, async {
            let confirmed = store.reservations_confirmed(round.to_cancel.id, 500).await.unwrap();
            assert_eq!(confirmed.len(), FEW);
        }),
        call("cancellation_finish", FEW, async {
            assert!(store.cancellation_finish(round.to_finish.id, at(1)).await.unwrap().is_some());
        }),
    ]
}

/// A new reservation, under the current epoch of its event.
async fn next(store: &Store, event: &EventRecord, user: UserId) -> CommitRequest {
    let event = store.event(event.id).await.unwrap().unwrap();
    request(&event, user, 1)
}
