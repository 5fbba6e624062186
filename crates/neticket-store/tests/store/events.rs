//! Single events.

use neticket_domain::{Epoch, EventId, SaleWindow, TicketTypeId, UserId};
use neticket_store::{AuditOrigin, EventFilter, NewAudit, NewEvent};

use crate::support::{TestStore, at, new_event, on_both, ticket_type_of};

on_both! {
    async fn an_event_reads_back_as_it_was_created(store: &TestStore) {
        let made = store.event_create(&new_event(&[5, 7]), None, at(3)).await.unwrap();
        let event = store.event(made.id).await.unwrap().unwrap();
        assert_eq!(event, made);
        assert_eq!((event.title.as_str(), event.description.as_str()), ("햄릿", "To be 🎭"));
        assert_eq!(event.window, SaleWindow { opens_at: at(1_000), closes_at: at(9_000) });
        assert_eq!((event.starts_at, event.created_at, event.updated_at), (at(10_000), at(3), at(3)));
        assert_eq!(
            (event.max_per_user, event.paused, event.cancelled_at, event.version),
            (4, false, None, 1)
        );
        assert_eq!(event.image_key.as_deref(), Some("image.webp"));
        let ticket_types: Vec<_> = event.ticket_types.iter().map(|it| (it.name.as_str(), it.price)).collect();
        assert_eq!(ticket_types, [("type 0", 10_000), ("type 1", 10_001)]);
        assert!(event.ticket_types.iter().all(|it| it.left == it.capacity && it.epoch == Epoch(0)));
        assert_eq!(store.event(EventId(99)).await.unwrap(), None);
    }

    async fn an_event_can_have_no_ticket_types(store: &TestStore) {
        let made =
            store.event_create(&NewEvent { image_key: None, ..new_event(&[]) }, None, at(3)).await.unwrap();
        assert_eq!(store.event(made.id).await.unwrap().unwrap().ticket_types, []);
        assert_eq!(store.inventory_audit(Some(made.id)).await.unwrap(), []);
    }

    async fn the_creation_of_an_event_is_audited(store: &TestStore) {
        store.event_create(&new_event(&[5]), None, at(2)).await.unwrap();
        assert_eq!(store.audit_page(1, 10).await.unwrap(), (Vec::new(), 0));
        let by = AuditOrigin { actor: Some(UserId(7)), ip: "::1".to_owned() };
        let made = store.event_create(&new_event(&[5]), Some(&by), at(3)).await.unwrap();
        let (log, total) = store.audit_page(1, 10).await.unwrap();
        assert_eq!(total, 1);
        let expected = NewAudit {
            at: at(3),
            actor: Some(UserId(7)),
            action: "event_create".to_owned(),
            target: format!("event/{}", made.id),
            detail: made.title,
            ip: "::1".to_owned(),
            before: None,
            after: log[0].entry.after.clone(),
        };
        assert_eq!(log[0].entry, expected);
        let after = log[0].entry.after.as_ref().unwrap();
        assert_eq!((&after["title"], &after["ticket_types"][0]["capacity"]), (&"햄릿".into(), &5.into()));
    }

    async fn an_event_is_not_created_without_its_audit_entry(store: &TestStore) {
        store.sql("DROP TABLE audit_log").await.unwrap();
        let by = AuditOrigin { actor: None, ip: String::new() };
        assert!(store.event_create(&new_event(&[5]), Some(&by), at(3)).await.is_err());
        let everything = EventFilter { include_past: true, ..EventFilter::default() };
        assert_eq!(store.events_page(&everything, at(3), 1, 10).await.unwrap().1, 0);
        store.event_create(&new_event(&[5]), None, at(3)).await.unwrap();
    }

    async fn the_store_finds_which_images_are_used(store: &TestStore) {
        let named = |key: &str| NewEvent { image_key: Some(key.to_owned()), ..new_event(&[]) };
        for key in ["a.webp", "b.jpg", "a.webp"] {
            store.event_create(&named(key), None, at(1)).await.unwrap();
        }
        let keys = ["a.webp", "A.webp", "c.jpg"].map(str::to_owned);
        let used = store.images_used(&keys).await.unwrap();
        assert_eq!(used.iter().filter(|key| keys.contains(key)).collect::<Vec<_>>(), ["a.webp"]);
        assert!(store.images_used(&[]).await.unwrap().is_empty());
        let many: Vec<String> = (0..1_000).map(|n| format!("{n:032x}.webp")).collect();
        assert!(store.images_used(&many).await.unwrap().is_empty());
    }

    async fn several_events_are_read_in_the_order_they_are_asked_for(store: &TestStore) {
        let mut made = Vec::new();
        for capacities in [&[1, 2, 3][..], &[4], &[], &[5, 6]] {
            made.push(store.event_create(&new_event(capacities), None, at(1)).await.unwrap());
        }
        // Ticket types are not always shown in the order of their ids.
        store.sql("UPDATE ticket_types SET position = 10 - position").await.unwrap();
        for event in &mut made {
            event.ticket_types.reverse();
        }
        let asked = [made[3].id, EventId(99), made[0].id, made[2].id];
        let read = store.events(&asked).await.unwrap();
        assert_eq!(read, [made[3].clone(), made[0].clone(), made[2].clone()]);
        assert_eq!(read[1].ticket_types.iter().map(|it| it.capacity).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(store.events(&[]).await.unwrap(), []);
    }

    async fn the_event_of_a_ticket_type_is_found(store: &TestStore) {
        let (one, two) = (store.event_of(&[1]).await, store.event_of(&[1, 1]).await);
        assert_eq!(store.event_of_ticket_type(ticket_type_of(&one, 0)).await.unwrap(), Some(one.id));
        assert_eq!(store.event_of_ticket_type(ticket_type_of(&two, 1)).await.unwrap(), Some(two.id));
        assert_eq!(store.event_of_ticket_type(TicketTypeId(99)).await.unwrap(), None);
    }

    async fn events_sell_from_their_lead_time_until_they_start(store: &TestStore) {
        let event = |opens, starts| NewEvent {
            opens_at: at(opens),
            starts_at: at(starts),
            closes_at: at(starts),
            ..new_event(&[1])
        };
        let late = store.event_create(&event(2_000, 100_000), None, at(1)).await.unwrap();
        let early = store.event_create(&event(1_000, 50_000), None, at(1)).await.unwrap();
        let cancelled = store.event_create(&event(1_000, 50_000), None, at(1)).await.unwrap();
        store.sql(&format!("UPDATE events SET cancelled_at = 5 WHERE id = {}", cancelled.id)).await.unwrap();

        assert_eq!(store.events_selling(at(499), 500).await.unwrap(), []);
        assert_eq!(store.events_selling(at(500), 500).await.unwrap(), [early.id]);
        assert_eq!(store.events_selling(at(2_000), 0).await.unwrap(), [early.id, late.id]);
        assert_eq!(store.events_selling(at(49_999), 0).await.unwrap(), [early.id, late.id]);
        assert_eq!(store.events_selling(at(50_000), 0).await.unwrap(), [late.id]);
    }
}
