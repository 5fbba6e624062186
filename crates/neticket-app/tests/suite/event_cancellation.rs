//! Events that do not take place. Either every reservation is cancelled, exactly once, whatever dies
//! meanwhile, or the event is deleted and nothing of it is left.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use neticket_app::{App, AppError, Expected, ReservationState};
use neticket_testkit::domain::{EventId, ReservationId, UserId};
use neticket_testkit::store::{AuditOrigin, CancelRequest, EventRecord};
use neticket_testkit::{TestEnv, on_both, tickets_of, until};

use crate::event_edits::admin;
use crate::own_servers::{admit, with_fast_recovery};

fn command_line() -> AuditOrigin {
    AuditOrigin { actor: None, ip: String::new() }
}

/// Every user books one ticket, on the nodes in turn.
async fn all_book(nodes: &[Arc<App>], users: &[UserId], event: &EventRecord) -> Vec<(UserId, ReservationId)> {
    let bookings = users.iter().enumerate().map(|(n, user)| {
        let (app, user, ticket_type) = (Arc::clone(&nodes[n % nodes.len()]), *user, event.ticket_types[0].id);
        async move {
            (
                user,
                app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap().reservation.id,
            )
        }
    });
    join_all(bookings).await
}

/// Waits until no reservation of the event is confirmed and none can become so.
async fn until_cancellation_finished(env: &TestEnv, event: &EventRecord) {
    until("the cancellation is finished", async || env.store.events_cancelling(10).await.unwrap().is_empty())
        .await;
    assert_eq!(env.confirmed(event).await, vec![0; event.ticket_types.len()]);
    let audit = env.store.inventory_audit(Some(event.id)).await.unwrap();
    assert!(audit.iter().all(|row| row.left == row.capacity), "{audit:?}");
}

async fn is_cancelled(app: &App, user: UserId, id: ReservationId) -> bool {
    let seen = app.reservation(user, id).await.unwrap();
    assert!(seen.event_cancelled && !seen.cancellable, "{seen:?}");
    matches!(seen.state, ReservationState::Cancelled { .. })
}

async fn until_ledger_removed(env: &TestEnv, event: EventId) {
    until("the ledger is removed", async || !env.ledger.loaded().await.unwrap().events.contains(&event))
        .await;
}

on_both! {
    async fn cancelling_an_event_cancels_and_shows_every_reservation_as_cancelled(backends: Backends) {
        let mut env = with_fast_recovery(backends).await;
        let nodes = [env.node().await, env.node().await];
        let (event, users) = (env.event_on_sale(&[100, 10], 4).await, env.users(30).await);
        let booked = all_book(&nodes, &users, &event).await;
        let (by_themselves, others) = booked.split_at(3);
        let own = nodes[0].reservation_cancel(by_themselves[0].0, by_themselves[0].1).await.unwrap();
        let cancelled = nodes[1].event_cancel(admin(), None, event.id).await.unwrap();
        assert!(cancelled.cancelled_at.is_some());
        let again = nodes[0].event_cancel(admin(), None, event.id).await.unwrap();
        assert_eq!((again.cancelled_at, again.version), (cancelled.cancelled_at, cancelled.version));
        // A user who cancels before the task does gets the same answer.
        let quick = nodes[0].reservation_cancel(by_themselves[1].0, by_themselves[1].1).await.unwrap();
        assert!(matches!(quick.state, ReservationState::Cancelled { .. }));
        let late = nodes[0].reservation_create(users[0], None, tickets_of(event.ticket_types[0].id, 1)).await;
        assert!(matches!(late, Err(AppError::SaleClosed)), "{late:?}");
        until_cancellation_finished(&env, &event).await;
        for (user, id) in others {
            assert!(is_cancelled(&nodes[0], *user, *id).await);
        }
        let first = nodes[1].reservation(by_themselves[0].0, own.id).await.unwrap();
        assert_eq!(first.state, own.state, "the reservation is cancelled once");
        until_ledger_removed(&env, event.id).await;
        let late = nodes[1].reservation_create(users[0], None, tickets_of(event.ticket_types[0].id, 1)).await;
        assert!(matches!(late, Err(AppError::SaleClosed)), "{late:?}");
        assert!(env.ledger.view(event.id).await.unwrap().is_none(), "a new request does not load the ledger");
        let changed = nodes[0]
            .event_update(admin(), None, event.id, &Expected::Any, &neticket_app::EventChange::default())
            .await;
        assert!(matches!(changed, Err(AppError::EventCancelled)), "{changed:?}");
        env.finish().await;
    }

    async fn cancelling_an_event_during_a_rush_leaves_no_confirmed_reservation(backends: Backends) {
        let mut env = with_fast_recovery(backends).await;
        env.config.engine.batch_len_max = 5;
        let nodes = [env.node().await, env.node().await];
        let (event, users) = (env.event_on_sale(&[500], 10).await, env.users(60).await);
        let people = users.iter().enumerate().map(|(n, user)| {
            let (app, user, ticket_type) = (Arc::clone(&nodes[n % 2]), *user, event.ticket_types[0].id);
            tokio::spawn(async move {
                let mut booked = Vec::new();
                for _ in 0..5 {
                    match app.reservation_create(user, None, tickets_of(ticket_type, 1)).await {
                        Ok(done) => booked.push(done.reservation),
                        Err(AppError::SaleClosed) => break,
                        Err(other) => panic!("{other:?}"),
                    }
                }
                (user, booked)
            })
        });
        let cancel = async {
            until("the rush has begun", async || env.confirmed(&event).await[0] > 10).await;
            nodes[0].event_cancel(admin(), None, event.id).await.unwrap();
        };
        let (people, ()) = tokio::join!(join_all(people), cancel);
        until_cancellation_finished(&env, &event).await;
        let mut answered = 0;
        for (user, booked) in people.into_iter().map(Result::unwrap) {
            for was in booked {
                let is = nodes[1].reservation(user, was.id).await.unwrap();
                assert!(is.event_cancelled && !is.cancellable, "{is:?}");
                // Or it was pending when the event was cancelled, admitted by a ledger that did not know of
                // the cancellation.
                let is_refused =
                    (was.state, is.state) == (ReservationState::Pending, ReservationState::Rejected);
                assert!(
                    is_refused || matches!(is.state, ReservationState::Cancelled { .. }),
                    "{was:?} {is:?}"
                );
                answered += 1;
            }
        }
        assert!(answered > 10, "{answered} bookings were answered");
        env.finish().await;
    }

    async fn another_node_finishes_an_event_cancellation_whose_node_died(backends: Backends) {
        for (died_after, batches) in [("marking the event", 0), ("a batch, before its seats went back", 1)] {
            let mut env = with_fast_recovery(backends).await;
            let (event, users) = (env.event_on_sale(&[100], 4).await, env.users(12).await);
            let booked = {
                let app = env.node().await;
                let booked = all_book(&[Arc::clone(&app)], &users, &event).await;
                app.shut_down().await;
                booked
            };
            env.store.event_cancel(event.id, &command_line(), env.now().await).await.unwrap();
            for _ in 0..batches {
                let some: Vec<CancelRequest> = env.store.reservations_confirmed(event.id, 5).await.unwrap();
                env.store.cancel(&some, env.now().await).await.unwrap();
            }
            let (one, _other) = (env.node().await, env.node().await);
            until_cancellation_finished(&env, &event).await;
            for (user, id) in booked {
                assert!(is_cancelled(&one, user, id).await, "the node died after {died_after}");
            }
            until_ledger_removed(&env, event.id).await;
            env.finish().await;
        }
    }

    async fn bookings_pending_at_the_cancellation_are_cancelled_or_rejected(backends: Backends) {
        let mut env = with_fast_recovery(backends).await;
        let (event, users) = (env.event_on_sale(&[100], 4).await, env.users(2).await);
        // Two nodes died: one left a reservation in the journal, the other died right after it had cancelled
        // the event.
        env.install(&env.snapshot(event.id).await).await;
        let id = admit(&env, event.id, users[0], event.ticket_types[0].id).await;
        let later = env.now().await.plus_millis(1);
        env.store.event_cancel(event.id, &command_line(), later).await.unwrap();
        // Admitted by a ledger that does not know of the cancellation.
        until("a moment has passed", async || env.now().await > later).await;
        let late = admit(&env, event.id, users[1], event.ticket_types[0].id).await;
        let app = env.node().await;
        until_cancellation_finished(&env, &event).await;
        assert!(is_cancelled(&app, users[0], id).await);
        assert_eq!(app.reservation(users[1], late).await.unwrap().state, ReservationState::Rejected);
        env.finish().await;
    }

    async fn an_event_that_has_started_cannot_be_cancelled(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        let now = env.now().await;
        let event = env.event(now.plus_millis(-2_000), now.plus_millis(-1_000), &[1], 4).await;
        let refused = app.event_cancel(admin(), None, event.id).await;
        assert!(
            matches!(refused, Err(AppError::NotCancellable { starts_at }) if starts_at == event.starts_at),
            "{refused:?}"
        );
        let nothing = app.event_cancel(admin(), None, EventId(987_654_321)).await;
        assert!(matches!(nothing, Err(AppError::NotFound)), "{nothing:?}");
        env.finish().await;
    }

    async fn a_deleted_event_is_not_found_and_has_no_ledger(backends: Backends) {
        let mut env = with_fast_recovery(backends).await;
        let app = env.node().await;
        let (event, user) = (env.event_on_sale(&[10], 4).await, env.user(0).await);
        until("the ledger is loaded", async || env.ledger.view(event.id).await.unwrap().is_some()).await;
        app.event(event.id).await.unwrap();
        let stale = app.event_delete(admin(), None, event.id, &Expected::OneOf(vec![7])).await;
        assert!(matches!(stale, Err(AppError::EditConflict)), "{stale:?}");
        app.event_delete(admin(), None, event.id, &Expected::OneOf(vec![1])).await.unwrap();
        assert_eq!(env.ledger.loaded().await.unwrap().events, []);
        assert!(matches!(app.event(event.id).await, Err(AppError::NotFound)));
        let booked = app.reservation_create(user, None, tickets_of(event.ticket_types[0].id, 1)).await;
        assert!(matches!(booked, Err(AppError::NotFound)), "{booked:?}");
        let again = app.event_delete(admin(), None, event.id, &Expected::Any).await;
        assert!(matches!(again, Err(AppError::NotFound)), "{again:?}");
        env.finish().await;
    }

    async fn a_task_deletes_the_ledger_of_an_event_whose_deleting_node_died(backends: Backends) {
        let mut env = with_fast_recovery(backends).await;
        let event = env.event_on_sale(&[10], 4).await;
        env.install(&env.snapshot(event.id).await).await;
        env.store.event_delete(event.id, None, &command_line(), env.now().await).await.unwrap();
        let app = env.node().await;
        until_ledger_removed(&env, event.id).await;
        let mut numbers = String::new();
        app.metrics().register().write(&mut numbers);
        let failures: Vec<_> = numbers.lines().filter(|line| line.contains("task_failures_total{")).collect();
        assert!(failures.iter().all(|line| line.ends_with(" 0")), "no background task fails: {failures:?}");
        env.finish().await;
    }

    async fn bookings_that_race_with_a_delete_are_confirmed_or_not_found(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let nodes = [env.node().await, env.node().await];
        let users = env.users(10).await;
        let (mut deleted, mut kept) = (0, 0);
        for round in 0..60 {
            if round >= 12 && deleted > 0 && kept > 0 {
                break;
            }
            let (early, late) = (Duration::ZERO, Duration::from_millis(3 * (round % 10)));
            let (book_after, delete_after) = if round % 2 == 0 { (early, late) } else { (late, early) };
            let event = env.event_on_sale(&[100], 4).await;
            let bookings = users.iter().enumerate().map(|(n, user)| {
                let (app, user, ticket_type) = (Arc::clone(&nodes[n % 2]), *user, event.ticket_types[0].id);
                tokio::spawn(async move {
                    tokio::time::sleep(book_after).await;
                    app.reservation_create(user, None, tickets_of(ticket_type, 1)).await
                })
            });
            let bookings: Vec<_> = bookings.collect();
            tokio::time::sleep(delete_after).await;
            let outcome = nodes[0].event_delete(admin(), None, event.id, &Expected::Any).await;
            let outcomes: Vec<_> = join_all(bookings).await.into_iter().map(Result::unwrap).collect();
            match outcome {
                Ok(()) => {
                    deleted += 1;
                    assert!(outcomes.iter().all(|o| matches!(o, Err(AppError::NotFound))), "{outcomes:?}");
                }
                Err(AppError::EventHasReservations) => {
                    kept += 1;
                    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(deleted > 0 && kept > 0, "both outcomes occur: {deleted} deleted, {kept} kept");
        env.finish().await;
    }
}
