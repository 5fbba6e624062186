//! Changing events while they sell.

use futures::future::join_all;
use neticket_domain::{Epoch, EventId, SaleWindow, UserId};
use neticket_store::{
    AuditOrigin, CancelRequest, CommitOutcome, CommitRequest, EditOutcome, EventEdit, EventRecord,
    TicketTypeEdit,
};

use crate::support::{NOW, TestStore, at, on_both, one_seat, tickets};

fn admin() -> AuditOrigin {
    AuditOrigin { actor: Some(UserId(1)), ip: "::1".to_owned() }
}

async fn edit(store: &TestStore, event: &EventRecord, edit: &EventEdit) -> EditOutcome {
    store.event_update(event.id, edit, &[], &admin(), || at(NOW)).await.unwrap()
}

fn edited(outcome: EditOutcome) -> (EventRecord, Option<Epoch>) {
    let EditOutcome::Edited { event, epoch } = outcome else { panic!("{outcome:?}") };
    (*event, epoch)
}

on_both! {
    async fn an_edit_is_read_back_with_a_new_version_and_is_audited(store: &TestStore) {
        let before = store.event_of(&[5, 7]).await;
        let new = EventEdit {
            title: "Hamlet".to_owned(),
            place: "부산".to_owned(),
            description: "🎭".to_owned(),
            image_key: None,
            ..EventEdit::of(&before)
        };
        let (after, epoch) = edited(edit(store, &before, &new).await);
        assert_eq!(epoch, None, "the edit does not raise the epoch");
        assert_eq!(store.event(before.id).await.unwrap().as_ref(), Some(&after));
        assert_eq!(
            (after.title.as_str(), after.place.as_str(), after.description.as_str()),
            ("Hamlet", "부산", "🎭")
        );
        assert_eq!((after.version, after.updated_at, after.created_at), (2, at(NOW), before.created_at));
        assert_eq!(after.ticket_types, before.ticket_types);
        let words = neticket_domain::SearchWords::parse("hamlet 부산");
        let filter = neticket_store::EventFilter { words, include_past: true, ..Default::default() };
        assert_eq!(
            store.events_page(&filter, at(NOW), 1, 10).await.unwrap().1,
            1,
            "the search finds the new title"
        );

        let (log, total) = store.audit_page(1, 10).await.unwrap();
        assert_eq!(total, 1);
        let entry = &log[0].entry;
        assert_eq!(
            (entry.action.as_str(), entry.target.clone()),
            ("event_update", format!("event/{}", before.id))
        );
        let (audited_before, audited_after) = (entry.before.as_ref().unwrap(), entry.after.as_ref().unwrap());
        assert_eq!((&audited_before["title"], &audited_after["title"]), (&"햄릿".into(), &"Hamlet".into()));
        assert_eq!(
            audited_after.as_object().unwrap().len(),
            4,
            "only changed fields are audited: {audited_after}"
        );
    }

    async fn an_edit_that_affects_the_ledger_raises_the_epoch_of_all_ticket_types(store: &TestStore) {
        let mut before = store.event_of(&[5, 7]).await;
        let mut ticket_type = EventEdit::of(&before).ticket_types[1].clone();
        ticket_type.price = 1;
        let changes: [&dyn Fn(&mut EventEdit); 7] = [
            &|edit| edit.starts_at = at(20_000),
            &|edit| edit.opens_at = at(2_000),
            &|edit| edit.closes_at = at(8_000),
            &|edit| edit.max_per_user = 9,
            &|edit| edit.ticket_types[0].capacity = 6,
            &|edit| edit.ticket_types[1] = ticket_type.clone(),
            &|edit| {
                edit.ticket_types.push(TicketTypeEdit {
                    id: None,
                    name: "new".to_owned(),
                    price: 0,
                    capacity: 3,
                });
            },
        ];
        for (expected, change) in (1..).zip(changes) {
            let mut new = EventEdit::of(&before);
            change(&mut new);
            let (after, epoch) = edited(edit(store, &before, &new).await);
            assert_eq!(epoch, Some(Epoch(expected)));
            assert!(after.ticket_types.iter().all(|it| it.epoch == Epoch(expected)), "{after:?}");
            before = after;
        }
        assert_eq!(before.window, SaleWindow { opens_at: at(2_000), closes_at: at(8_000) });
        let ticket_types: Vec<_> =
            before.ticket_types.iter().map(|it| (it.price, it.capacity, it.left)).collect();
        assert_eq!(ticket_types, [(10_000, 6, 6), (1, 7, 7), (0, 3, 3)]);
        let mut names = EventEdit::of(&before);
        names.ticket_types.reverse();
        "renamed".clone_into(&mut names.ticket_types[0].name);
        let (after, epoch) = edited(edit(store, &before, &names).await);
        assert_eq!(epoch, None, "names and their order do not raise the epoch");
        assert_eq!(after.ticket_types[0].name, "renamed");
        assert_eq!(after.ticket_types[2].id, before.ticket_types[0].id);
    }

    async fn an_edit_without_changes_makes_no_version_and_no_audit_entry(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let (after, epoch) = edited(edit(store, &event, &EventEdit::of(&event)).await);
        assert_eq!((&after, epoch), (&event, None));
        assert_eq!(store.audit_page(1, 10).await.unwrap().1, 0);
    }

    async fn an_edit_of_another_version_changes_nothing(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let new = EventEdit { title: "new".to_owned(), version: 2, ..EventEdit::of(&event) };
        assert_eq!(edit(store, &event, &new).await, EditOutcome::Conflict);
        let nothing = store.event_update(EventId(99), &new, &[], &admin(), || at(NOW)).await.unwrap();
        assert_eq!(nothing, EditOutcome::NotFound);
        store.event_cancel(event.id, &admin(), at(NOW)).await.unwrap();
        assert_eq!(edit(store, &event, &new).await, EditOutcome::Cancelled);
        assert_eq!(store.event(event.id).await.unwrap().unwrap().title, event.title);
    }

    async fn one_of_many_concurrent_edits_of_a_version_succeeds(store: &TestStore) {
        for capacities in [&[5, 7][..], &[]] {
            let event = store.event_of(capacities).await;
            let edits = (0..8).map(|n| {
                let new =
                    EventEdit { title: format!("title {n}"), max_per_user: 10 + n, ..EventEdit::of(&event) };
                let event = event.clone();
                async move { store.event_update(event.id, &new, &[], &admin(), || at(NOW)).await }
            });
            let outcomes = join_all(edits).await;
            let made =
                outcomes.iter().filter(|outcome| matches!(outcome, Ok(EditOutcome::Edited { .. }))).count();
            assert_eq!(made, 1, "{outcomes:?}");
            assert_eq!(store.event(event.id).await.unwrap().unwrap().version, 2);
        }
    }

    async fn the_seats_left_follow_the_capacity_which_stays_above_the_seats_sold(store: &TestStore) {
        let mut event = store.event_of(&[5, 5]).await;
        let user = store.user().await;
        for quantity in [2, 1] {
            let request = CommitRequest { quantity: tickets(quantity), ..one_seat(&event, user) };
            assert_eq!(store.commit_one(request).await, CommitOutcome::Confirmed);
        }
        let to = |event: &EventRecord, capacity| {
            let mut new = EventEdit::of(event);
            new.ticket_types[0].capacity = capacity;
            new
        };
        for (capacity, left) in [(9, 6), (4, 1), (3, 0), (10, 7)] {
            event = edited(edit(store, &event, &to(&event, capacity)).await).0;
            assert_eq!((event.ticket_types[0].capacity, event.ticket_types[0].left), (capacity, left));
            store.assert_invariants().await;
        }
        assert_eq!(edit(store, &event, &to(&event, 2)).await, EditOutcome::BelowSold { sold: 3 });
        assert_eq!(store.event(event.id).await.unwrap().as_ref(), Some(&event));
    }

    async fn a_journal_entry_counts_as_sold_exactly_once(store: &TestStore) {
        let event = store.event_of(&[10, 5]).await;
        let user = store.user().await;
        let settling = CommitRequest { quantity: tickets(2), ..one_seat(&event, user) };
        store.commit_one(settling).await;
        let waiting = CommitRequest { quantity: tickets(4), ..one_seat(&event, user) };
        let elsewhere = CommitRequest { ticket_type: event.ticket_types[1].id, ..one_seat(&event, user) };
        let journal = [settling, waiting, elsewhere];
        let update = async |new: &EventEdit| {
            store.event_update(event.id, new, &journal, &admin(), || at(NOW)).await.unwrap()
        };
        let mut new = EventEdit::of(&event);
        new.ticket_types[0].capacity = 5;
        assert_eq!(update(&new).await, EditOutcome::BelowSold { sold: 6 });
        new.ticket_types.truncate(1);
        new.ticket_types[0].capacity = 6;
        assert_eq!(
            update(&new).await,
            EditOutcome::HasReservations,
            "a booking of the removed ticket type is pending"
        );
        new.ticket_types.push(EventEdit::of(&event).ticket_types[1].clone());
        edited(update(&new).await);
    }

    async fn a_ticket_type_can_be_removed_only_if_it_never_had_a_reservation(store: &TestStore) {
        let event = store.event_of(&[5, 5, 5]).await;
        let user = store.user().await;
        let request = one_seat(&event, user);
        store.commit_one(request).await;
        store.cancel(&[CancelRequest { id: request.id, user }], at(NOW)).await.unwrap();
        let mut new = EventEdit::of(&event);
        new.ticket_types.remove(0);
        assert_eq!(edit(store, &event, &new).await, EditOutcome::HasReservations);
        let mut new = EventEdit::of(&event);
        new.ticket_types.remove(1);
        let (after, epoch) = edited(edit(store, &event, &new).await);
        assert_eq!(epoch, Some(Epoch(1)));
        assert_eq!(after.ticket_types.len(), 2);
        let gone = CommitRequest {
            ticket_type: event.ticket_types[1].id,
            epoch: Epoch(1),
            ..one_seat(&event, user)
        };
        assert_eq!(store.commit_one(gone).await, CommitOutcome::NoSuchTicketType);
    }

    async fn bookings_admitted_before_an_edit_are_refused_after_its_commit(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        let user = store.user().await;
        let new = EventEdit { closes_at: at(NOW), ..EventEdit::of(&event) };
        edited(edit(store, &event, &new).await);
        let late = store.commit_one(one_seat(&event, user)).await;
        assert_eq!(late, CommitOutcome::StaleEpoch { epoch: Epoch(1) });
    }

    async fn an_edit_without_its_audit_entry_changes_nothing(store: &TestStore) {
        let event = store.event_of(&[5]).await;
        store.sql("DROP TABLE audit_log").await.unwrap();
        let mut new = EventEdit { title: "new".to_owned(), ..EventEdit::of(&event) };
        new.ticket_types[0].capacity = 50;
        assert!(store.event_update(event.id, &new, &[], &admin(), || at(NOW)).await.is_err());
        assert!(store.event_cancel(event.id, &admin(), at(NOW)).await.is_err());
        assert!(store.event_delete(event.id, None, &admin(), at(NOW)).await.is_err());
        assert_eq!(store.event(event.id).await.unwrap().as_ref(), Some(&event));
    }

    async fn capacity_changes_during_bookings_and_cancels_lose_no_seat(store: &TestStore) {
        let event = store.event_of(&[40, 40]).await;
        let mut users = Vec::new();
        for _ in 0..20 {
            users.push(store.user().await);
        }
        let people = users.iter().enumerate().map(|(n, user)| {
            let event = event.clone();
            async move {
                for round in 0..4 {
                    let ticket_type = event.ticket_types[(n + round) % 2].id;
                    let mut request = CommitRequest { ticket_type, ..one_seat(&event, *user) };
                    while let CommitOutcome::StaleEpoch { epoch } = store.commit_one(request).await {
                        request.epoch = epoch;
                    }
                    if round % 2 == 0 {
                        store
                            .cancel(&[CancelRequest { id: request.id, user: *user }], at(NOW))
                            .await
                            .unwrap();
                    }
                }
            }
        });
        let admin_edits = async {
            let mut made = 0;
            for n in 0..30 {
                let before = store.event(event.id).await.unwrap().unwrap();
                let mut new = EventEdit::of(&before);
                for ticket_type in &mut new.ticket_types {
                    let seats = ticket_type.capacity;
                    ticket_type.capacity =
                        if n % 2 == 0 { seats + 3 } else { seats.saturating_sub(5).max(1) };
                }
                made += usize::from(matches!(edit(store, &before, &new).await, EditOutcome::Edited { .. }));
                store.assert_invariants().await;
            }
            made
        };
        let (_, made) = tokio::join!(join_all(people), admin_edits);
        assert!(made > 0, "some edits succeeded");
    }
}
