//! Ledgers are compared with the store continuously. A difference is found and repaired, and nothing else is
//! reported as one. Ledgers of events that have started are evicted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use neticket_app::AppError;
use neticket_app::Reconcile::{Apply, DryRun};
use neticket_testkit::domain::{Epoch, ReservationId};
use neticket_testkit::ledger::{AdmitAnswer, AdmitRequest};
use neticket_testkit::{TestEnv, on_both, tickets, tickets_of};
use tokio::sync::watch;
use uuid::Uuid;

use crate::inventory::admin;

const TIMEOUT: Duration = Duration::from_secs(15);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

on_both! {
    async fn a_dry_run_reports_a_wrong_ledger_and_apply_repairs_it(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.task_interval_ms = 60_000; // no other repair
        let app = env.node().await;
        let event = env.event_on_sale(&[10, 10], 4).await;
        let by = admin(&env).await;
        let absent = app.ledger_reconcile(by, None, event.id, &DryRun).await;
        assert!(matches!(absent, Err(AppError::LedgerNotLoaded)), "{absent:?}");
        let mut wrong = env.snapshot(event.id).await;
        wrong.ticket_types[1].left = 13;
        env.install(&wrong).await;
        for _ in 0..2 {
            let reconciliation = app.ledger_reconcile(by, None, event.id, &DryRun).await.unwrap();
            let changes = &reconciliation.changes;
            assert_eq!((reconciliation.applied, changes.len()), (false, 1));
            assert_eq!(
                (changes[0].ticket_type, changes[0].from, changes[0].to),
                (event.ticket_types[1].id, 13, 10)
            );
        }
        let repaired = app.ledger_reconcile(by, None, event.id, &Apply).await.unwrap();
        assert_eq!((repaired.applied, repaired.changes.len()), (true, 1));
        let again = app.ledger_reconcile(by, None, event.id, &Apply).await.unwrap();
        assert_eq!((again.applied, again.changes), (false, vec![]));
        let nothing = neticket_testkit::domain::EventId(987_654_321);
        assert!(matches!(app.ledger_reconcile(by, None, nothing, &DryRun).await, Err(AppError::NotFound)));
        env.finish().await;
    }

    async fn a_background_task_repairs_a_wrong_ledger(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.task_interval_ms = 20;
        let event = env.event_on_sale(&[10], 4).await;
        let mut wrong = env.snapshot(event.id).await;
        wrong.ticket_types[0].left = 3; // seats that nobody holds: they would never be sold
        env.install(&wrong).await;
        let _app = env.node().await;
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        while env.ledger.view(event.id).await.unwrap().is_none_or(|view| view.ticket_types[0].left != 10) {
            assert!(tokio::time::Instant::now() < deadline, "the ledger is repaired");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        env.finish().await;
    }

    async fn reconciling_during_a_rush_reports_no_false_difference(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.batch_len_max = 5; // many small batches, so that comparisons come between them
        let nodes = [env.node().await, env.node().await];
        // A seat for every request, because the ledger has the seats of a cancel only a moment after the
        // answer.
        let event = env.event_on_sale(&[400], 4).await;
        let (by, users, ticket_type) = (admin(&env).await, env.users(100).await, event.ticket_types[0].id);
        let (half_way, compared) = (Arc::new(AtomicUsize::new(0)), watch::Sender::new(0));
        let people = users.iter().enumerate().map(|(n, user)| {
            let (app, user) = (Arc::clone(&nodes[n % 2]), *user);
            let (half_way, mut compared) = (Arc::clone(&half_way), compared.subscribe());
            tokio::spawn(async move {
                for round in 0..4 {
                    if round == 2 {
                        // A ledger that is never at rest cannot be compared, so nobody books on before it was
                        // compared once.
                        half_way.fetch_add(1, Ordering::Relaxed);
                        let has_compared =
                            tokio::time::timeout(TIMEOUT, compared.wait_for(|looks| *looks > 0));
                        has_compared.await.expect("a comparison succeeds during the rush").unwrap();
                    }
                    let booked =
                        app.reservation_create(user, None, tickets_of(ticket_type, 1)).await.unwrap();
                    if n % 3 == 0 {
                        app.reservation_cancel(user, booked.reservation.id).await.unwrap();
                    }
                }
            })
        });
        let mut rush = std::pin::pin!(join_all(people));
        let ended = loop {
            let booked_before = half_way.load(Ordering::Relaxed);
            tokio::select! {
                ended = &mut rush => break ended,
                result = nodes[0].ledger_reconcile(by, None, event.id, &Apply) => match result {
                    Ok(reconciliation) if !reconciliation.applied && reconciliation.changes.is_empty() => {
                        compared.send_modify(|looks| *looks += usize::from(booked_before > 0));
                    }
                    Err(AppError::LedgerBusy | AppError::LedgerNotLoaded) => {}
                    wrong => panic!("{wrong:?}"),
                },
            }
        };
        for person in ended {
            person.unwrap();
        }
        assert!(*compared.borrow() > 0, "a comparison succeeded during the rush");
        assert_eq!(
            env.ledger.view(event.id).await.unwrap().unwrap().epoch,
            Epoch(1),
            "no ledger was reloaded"
        );
        assert_eq!(env.confirmed(&event).await, [66 * 4]);
        env.finish().await;
    }

    async fn the_ledger_of_a_started_event_is_evicted_and_repeats_still_find_their_booking(
        backends: Backends,
    ) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.grace_ms = 50;
        env.config.engine.task_interval_ms = 20;
        let app = env.node().await;
        let now = env.now().await;
        let event = env.event(now.plus_millis(-60_000), now.plus_millis(3_000), &[10], 4).await;
        let (users, ticket_type) = (env.users(2).await, event.ticket_types[0].id);
        let booked = app.reservation_create(users[0], Some("k"), tickets_of(ticket_type, 1)).await.unwrap();
        // In the journal when the event starts, left there by a node that died.
        let id = ReservationId(Uuid::new_v4());
        let request =
            AdmitRequest { id, user: users[1], ticket_type, quantity: tickets(2), unit_price: None };
        let answer = env.ledger.admit(event.id, Epoch(0), &[request]).await.unwrap();
        assert!(matches!(answer, AdmitAnswer::Verdicts { .. }), "{answer:?}");
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        while env.ledger.loaded().await.unwrap().events.contains(&event.id) {
            assert!(tokio::time::Instant::now() < deadline, "the ledger is evicted");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        assert!(env.now().await >= event.starts_at, "the ledger is not evicted before the start");
        assert_eq!(env.confirmed(&event).await, [3], "no pending booking is lost");
        let again = app.reservation_create(users[0], Some("k"), tickets_of(ticket_type, 1)).await.unwrap();
        assert_eq!((again.replayed, again.reservation.id), (true, booked.reservation.id));
        let late = app.reservation_create(users[0], None, tickets_of(ticket_type, 1)).await;
        assert!(matches!(late, Err(AppError::SaleClosed)), "{late:?}");
        assert!(env.ledger.view(event.id).await.unwrap().is_none(), "a new request does not load the ledger");
        env.finish().await;
    }
}
