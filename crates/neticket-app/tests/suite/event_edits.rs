//! Administrators change events during a sale. A change holds for everyone at once, and nobody loses what
//! they have.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use neticket_app::{
    App, AppError, EventChange, EventView, Expected, Principal, ReservationState, TicketTypeChange,
};
use neticket_testkit::domain::{EventId, Role, UserId};
use neticket_testkit::store::{AuditOrigin, EditOutcome, EventEdit, EventRecord};
use neticket_testkit::{Backends, TestEnv, on_both, tickets_of, until};
use uuid::Uuid;

use crate::own_servers::{admit, own_redis, with_fast_recovery};

pub(crate) fn admin() -> Principal {
    Principal { user: UserId(1), role: Role::Admin, session: Uuid::nil() }
}

async fn update(app: &App, event: EventId, change: EventChange) -> Result<EventView, AppError> {
    app.event_update(admin(), None, event, &Expected::Any, &change).await
}

/// The ticket types as they are, but with another capacity of the first one.
fn capacity(event: &EventRecord, capacity: u32) -> EventChange {
    let mut ticket_types = event.ticket_types.iter().map(|ticket_type| TicketTypeChange {
        id: Some(ticket_type.id),
        name: ticket_type.name.clone(),
        price: ticket_type.price,
        capacity: ticket_type.capacity,
    });
    let first = ticket_types.next().map(|ticket_type| TicketTypeChange { capacity, ..ticket_type });
    EventChange {
        ticket_types: Some(first.into_iter().chain(ticket_types).collect()),
        ..EventChange::default()
    }
}

/// Books one ticket, and repeats the request until its outcome is known.
async fn books(app: &App, user: UserId, event: &EventRecord) -> Result<(), AppError> {
    loop {
        match app.reservation_create(user, Some("once"), tickets_of(event.ticket_types[0].id, 1)).await {
            Ok(booked) if booked.reservation.state == ReservationState::Confirmed => return Ok(()),
            Ok(_)
            | Err(AppError::Overloaded | AppError::LedgerUnavailable(_) | AppError::StoreUnavailable(_)) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

on_both! {
    async fn a_capacity_that_changes_during_a_rush_is_sold_exactly(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.batch_len_max = 5; // many small batches, so that edits come between them
        let nodes = [env.node().await, env.node().await];
        let event = env.event_on_sale(&[60], 4).await;
        let users = env.users(120).await;
        let bookings = users.iter().enumerate().map(|(n, user)| {
            let (app, user, event) = (Arc::clone(&nodes[n % 2]), *user, event.clone());
            tokio::spawn(async move { books(&app, user, &event).await })
        });
        let edits = async {
            let (mut made, mut refused) = (0, 0);
            for (n, to) in [80, 50, 90, 30, 70, 20, 85, 75].into_iter().enumerate() {
                match update(&nodes[n % 2], event.id, capacity(&event, to)).await {
                    Ok(_) => made += 1,
                    Err(AppError::CapacityBelowSold { sold }) => {
                        assert!(sold > to, "{sold} seats are sold, the new capacity was {to}");
                        refused += 1;
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
            (made, refused)
        };
        let (outcomes, (made, _)) = tokio::join!(join_all(bookings), edits);
        assert!(made > 0, "some edits succeeded");
        let outcomes: Vec<_> = outcomes.into_iter().map(|outcome| outcome.expect("no panic")).collect();
        assert!(outcomes.iter().all(|o| matches!(o, Ok(()) | Err(AppError::SoldOut { .. }))), "{outcomes:?}");
        let confirmed = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(
            env.confirmed(&event).await,
            [u64::try_from(confirmed).unwrap()],
            "the store has every confirmed booking"
        );

        // No edits come any more, so everyone who was answered sold out now takes what is left.
        let capacity = env.store.event(event.id).await.unwrap().unwrap().ticket_types[0].capacity;
        for (n, user) in users.iter().enumerate() {
            let _ =
                nodes[n % 2].reservation_create(*user, None, tickets_of(event.ticket_types[0].id, 1)).await;
        }
        assert_eq!(env.confirmed(&event).await, [u64::from(capacity)], "all seats of the capacity are sold");
        env.finish().await;
    }

    async fn new_times_and_limits_apply_as_soon_as_the_edit_is_answered(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let nodes = [env.node().await, env.node().await];
        let event = env.event_on_sale(&[100], 1).await;
        let users = env.users(6).await;
        let book = async |n: usize| {
            nodes[n % 2].reservation_create(users[n], None, tickets_of(event.ticket_types[0].id, 1)).await
        };
        book(0).await.unwrap();
        let now = env.now().await;
        let change = EventChange { closes_at: Some(now), ..EventChange::default() };
        update(&nodes[0], event.id, change).await.unwrap();
        for n in [1, 2] {
            let closed = book(n).await;
            assert!(matches!(closed, Err(AppError::SaleClosed)), "{closed:?}");
        }
        let change = EventChange { closes_at: Some(event.starts_at), ..EventChange::default() };
        update(&nodes[1], event.id, change).await.unwrap();
        book(1).await.unwrap();
        book(2).await.unwrap();
        let later = now.plus_millis(3_600_000);
        let change = EventChange { opens_at: Some(later), ..EventChange::default() };
        update(&nodes[0], event.id, change).await.unwrap();
        for n in [3, 4] {
            let early = book(n).await;
            assert!(
                matches!(early, Err(AppError::SaleNotOpen { opens_at, .. }) if opens_at == later),
                "{early:?}"
            );
        }
        let change = EventChange { opens_at: Some(now), max_per_user: Some(2), ..EventChange::default() };
        update(&nodes[1], event.id, change).await.unwrap();
        book(3).await.unwrap();
        book(4).await.unwrap();
        book(0).await.expect("the limit is two by now");
        let over = book(0).await;
        assert!(
            matches!(over, Err(AppError::PurchaseLimitExceeded { max_per_user: 2, already_held: 2 })),
            "{over:?}"
        );
        env.finish().await;
    }

    async fn a_reservation_keeps_its_price_when_prices_and_ticket_types_change(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let event = env.event_on_sale(&[10, 10], 4).await;
        let user = env.user(0).await;
        let old = app.reservation_create(user, None, tickets_of(event.ticket_types[0].id, 1)).await.unwrap();
        let ticket_type =
            |id, name: &str, price| TicketTypeChange { id, name: name.to_owned(), price, capacity: 10 };
        let ticket_types =
            vec![ticket_type(None, "Box", 7), ticket_type(Some(event.ticket_types[0].id), "VIP", 9)];
        let change = EventChange { ticket_types: Some(ticket_types), ..EventChange::default() };
        let changed = update(&app, event.id, change).await.unwrap();
        assert_eq!(
            changed.ticket_types.iter().map(|ticket_type| ticket_type.price).collect::<Vec<_>>(),
            [7, 9]
        );
        for ticket_type in &changed.ticket_types {
            let booked = app.reservation_create(user, None, tickets_of(ticket_type.id, 1)).await.unwrap();
            assert_eq!(booked.reservation.unit_price, ticket_type.price);
        }
        assert_eq!(app.reservation(user, old.reservation.id).await.unwrap().unit_price, 50_000);
        let gone = app.reservation_create(user, None, tickets_of(event.ticket_types[1].id, 1)).await;
        assert!(matches!(gone, Err(AppError::NotFound)), "{gone:?}");
        let without_the_booked = vec![ticket_type(Some(changed.ticket_types[0].id), "Box", 7)];
        let change = EventChange { ticket_types: Some(without_the_booked), ..EventChange::default() };
        let refused = update(&app, event.id, change).await;
        assert!(matches!(refused, Err(AppError::EventHasReservations)), "{refused:?}");
        env.finish().await;
    }

    async fn one_of_two_concurrent_edits_gets_a_conflict(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let nodes = [env.node().await, env.node().await];
        let event = env.event_on_sale(&[10], 4).await;
        let titled = |n: usize| EventChange { title: Some(format!("title {n}")), ..EventChange::default() };
        let expected = Expected::OneOf(vec![1]);
        let both = (0..2).map(|n| {
            let (app, expected) = (Arc::clone(&nodes[n]), expected.clone());
            async move { app.event_update(admin(), None, event.id, &expected, &titled(n)).await }
        });
        let outcomes = join_all(both).await;
        let conflicts = outcomes.iter().filter(|o| matches!(o, Err(AppError::EditConflict))).count();
        assert_eq!((conflicts, outcomes.iter().filter(|o| o.is_ok()).count()), (1, 1), "{outcomes:?}");

        // A caller that accepts any version loses nothing of what the other one has changed.
        let limit = EventChange { max_per_user: Some(7), ..EventChange::default() };
        let (one, other) =
            tokio::join!(update(&nodes[0], event.id, titled(9)), update(&nodes[1], event.id, limit));
        one.unwrap();
        other.unwrap();
        let after = env.store.event(event.id).await.unwrap().unwrap();
        assert_eq!((after.title.as_str(), after.max_per_user, after.version), ("title 9", 7, 4));
        env.finish().await;
    }

    async fn an_edit_cannot_remove_seats_of_pending_bookings(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.task_interval_ms = 60_000; // no recovery
        env.config.engine.grace_ms = 60_000;
        let app = env.node().await;
        let (event, user) = (env.event_on_sale(&[10, 10], 4).await, env.user(0).await);
        env.install(&env.snapshot(event.id).await).await;
        admit(&env, event.id, user, event.ticket_types[0].id).await;
        let refused = update(&app, event.id, capacity(&event, 1)).await;
        assert!(matches!(refused, Err(AppError::CapacityBelowSold { sold: 2 })), "{refused:?}");
        let deleted = app.event_delete(admin(), None, event.id, &Expected::Any).await;
        assert!(matches!(deleted, Err(AppError::EventHasReservations)), "{deleted:?}");
        update(&app, event.id, capacity(&event, 2)).await.unwrap();
        let view = env.ledger.view(event.id).await.unwrap().unwrap();
        assert_eq!(
            (view.journal_len, view.ticket_types[0].left),
            (1, 0),
            "the pending booking is carried over"
        );
        env.lose_ledger(event.id).await;
        env.finish().await;
    }

    async fn the_guard_prevents_overselling_by_an_edit_that_ignores_the_journal(backends: Backends) {
        for guarded in [true, false] {
            let mut env = with_fast_recovery(backends).await;
            if !guarded {
                env = env.without_guard();
            }
            let (event, users) = (env.event_on_sale(&[10], 4).await, env.users(3).await);
            env.install(&env.snapshot(event.id).await).await;
            let mut ids = Vec::new();
            for user in &users {
                ids.push(admit(&env, event.id, *user, event.ticket_types[0].id).await);
            }
            let mut edit = EventEdit::of(&event);
            edit.ticket_types[0].capacity = 4;
            let by = AuditOrigin { actor: None, ip: String::new() };
            let now = env.now().await;
            let outcome = env.store.event_update(event.id, &edit, &[], &by, || now).await.unwrap();
            assert!(matches!(outcome, EditOutcome::Edited { .. }), "{outcome:?}");
            let app = env.node().await;
            until("all bookings are decided", async || {
                let mut decided = 0;
                for (user, id) in users.iter().zip(&ids) {
                    let seen = app.reservation(*user, *id).await;
                    decided += usize::from(seen.is_ok_and(|seen| seen.state != ReservationState::Pending));
                }
                decided == users.len()
            })
            .await;
            let confirmed = env.confirmed(&event).await[0];
            assert_eq!(confirmed <= 4, guarded, "{confirmed} of 4");
            env.finish().await;
        }
    }

    async fn an_invalid_event_change_gets_all_field_errors_at_once(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let (event, now) = (env.event_on_sale(&[10], 4).await, env.now().await);
        let at = |seconds: i64| now.plus_millis(seconds * 1_000);
        let faults = async |change: EventChange| match update(&app, event.id, change).await {
            Err(AppError::Invalid(faults)) => faults.into_iter().map(|fault| fault.field).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let backwards = EventChange {
            opens_at: Some(at(300)),
            closes_at: Some(at(200)),
            starts_at: Some(at(-100)),
            max_per_user: Some(0),
            image_key: Some(Some("nothing".to_owned())),
            ..EventChange::default()
        };
        assert_eq!(
            faults(backwards).await,
            ["starts_at", "opens_at", "closes_at", "max_per_user", "image_key"]
        );
        let ticket_type =
            |id, name: &str| TicketTypeChange { id, name: name.to_owned(), price: 0, capacity: 1 };
        let (own, foreign) = (event.ticket_types[0].id, neticket_testkit::domain::TicketTypeId(987_654));
        let ticket_types =
            vec![ticket_type(Some(own), "R"), ticket_type(Some(own), " R "), ticket_type(Some(foreign), "S")];
        let change = EventChange { ticket_types: Some(ticket_types), ..EventChange::default() };
        assert_eq!(
            faults(change).await,
            ["ticket_types[1].name", "ticket_types[1].id", "ticket_types[2].id"]
        );
        let past = env.event(at(-200), at(-100), &[1], 4).await;
        let moved = EventChange { starts_at: Some(at(500)), ..EventChange::default() };
        let moved = update(&app, past.id, moved).await;
        assert!(
            matches!(&moved, Err(AppError::Invalid(faults)) if faults[0].code == "event_started"),
            "{moved:?}"
        );
        let titled = EventChange { title: Some("지난 공연".to_owned()), ..EventChange::default() };
        update(&app, past.id, titled).await.expect("the title of a past event may be corrected");
        // Times that are not on a full minute are accepted too.
        let any = EventChange { opens_at: Some(at(1)), closes_at: Some(at(7_001)), ..EventChange::default() };
        update(&app, event.id, any).await.unwrap();
        env.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_while_the_ledger_is_down_applies_when_the_ledger_is_back() {
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.engine.ledger_timeout_ms = 300;
    env.config.engine.task_interval_ms = 60_000; // only the guard finds that the ledger is stale
    let redis = own_redis(&mut env);
    let app = env.node().await;
    let (event, users) = (env.event_on_sale(&[10], 4).await, env.users(2).await);
    let ticket_type = event.ticket_types[0].id;
    app.reservation_create(users[0], None, tickets_of(ticket_type, 1)).await.unwrap();
    until("the booking is settled", async || {
        env.ledger.view(event.id).await.unwrap().unwrap().journal_len == 0
    })
    .await;
    redis.pause().unwrap();
    let now = env.store.event(event.id).await.unwrap().unwrap().window.opens_at.plus_millis(1);
    let change = EventChange { closes_at: Some(now), ..EventChange::default() };
    let changed = update(&app, event.id, change).await.unwrap();
    assert_eq!(changed.summary.closes_at, now);
    let refused = update(&app, event.id, capacity(&event, 5)).await;
    assert!(
        matches!(refused, Err(AppError::LedgerUnavailable(_))),
        "pending bookings are unknown: {refused:?}"
    );
    update(&app, event.id, capacity(&event, 20)).await.expect("a higher capacity needs no ledger");
    redis.resume().unwrap();
    until("the ledger answers", async || app.ready().await.is_ok()).await;
    let late = app.reservation_create(users[1], None, tickets_of(ticket_type, 1)).await;
    assert!(matches!(late, Err(AppError::SaleClosed)), "{late:?}");
    assert_eq!(env.confirmed(&event).await, [1]);
    env.finish().await;
}
