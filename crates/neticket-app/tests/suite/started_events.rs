//! After an event has started: everyone who was admitted in time is booked, whatever has happened to the
//! ledger since, and every read shows it.

use neticket_app::{AppError, ReservationState, reservation_id};
use neticket_testkit::domain::{Epoch, ReservationId, UserId};
use neticket_testkit::ledger::{AdmitAnswer, AdmitRequest, Verdict};
use neticket_testkit::store::EventRecord;
use neticket_testkit::{Backends, TestEnv, on_both, tickets, tickets_of, until};
use tokio::task::block_in_place;
use uuid::Uuid;

use crate::own_servers::own_redis;

const KEY: &str = "once";
/// How long before its start the event is created, in milliseconds.
const SOON_MS: i64 = 1_500;

async fn starting_soon(env: &TestEnv) -> EventRecord {
    let now = env.now().await;
    let event = env.event(now.plus_millis(-60_000), now.plus_millis(SOON_MS), &[10], 4).await;
    env.install(&env.snapshot(event.id).await).await;
    event
}

/// Admits a booking, like a node that dies right after the admission.
async fn admit(env: &TestEnv, event: &EventRecord, user: UserId, id: ReservationId) {
    let request = AdmitRequest {
        id,
        user,
        ticket_type: event.ticket_types[0].id,
        quantity: tickets(1),
        unit_price: None,
    };
    let answer = env.ledger.admit(event.id, Epoch(0), &[request]).await.unwrap();
    let AdmitAnswer::Verdicts { verdicts, .. } = &answer else { panic!("{answer:?}") };
    assert!(matches!(verdicts[0], Verdict::Admitted(_)), "{answer:?}");
}

async fn until_started(env: &TestEnv, event: &EventRecord) {
    until("the event has started", async || env.now().await >= event.starts_at).await;
}

on_both! {
    async fn a_booking_admitted_in_time_is_confirmed_after_the_start_in_a_later_epoch(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.task_interval_ms = 60_000; // no other recovery
        let user = env.user(0).await;
        let id = reservation_id(user, KEY);
        let event = starting_soon(&env).await;
        admit(&env, &event, user, id).await;
        until_started(&env, &event).await;
        let _raised = env.snapshot(event.id).await;
        let (app, ticket_type) = (env.node().await, event.ticket_types[0].id);
        let booked =
            app.reservation_create(user, Some(KEY), tickets_of(ticket_type, 1)).await.unwrap().reservation;
        assert_eq!((booked.id, booked.state), (id, ReservationState::Confirmed));
        for key in [Some("another"), None] {
            let new = app.reservation_create(user, key, tickets_of(ticket_type, 1)).await;
            assert!(matches!(new, Err(AppError::SaleClosed)), "{new:?}");
        }
        assert_eq!(env.confirmed(&event).await, [1]);
        env.finish().await;
    }

    async fn an_unknown_booking_after_the_start_is_refused_without_a_load(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.task_interval_ms = 60_000;
        let event = starting_soon(&env).await;
        until_started(&env, &event).await;
        env.lose_ledger(event.id).await;
        let (app, user, ticket_type) = (env.node().await, env.user(0).await, event.ticket_types[0].id);
        for key in [Some(KEY), Some(KEY), None] {
            let refused = app.reservation_create(user, key, tickets_of(ticket_type, 1)).await;
            assert!(matches!(refused, Err(AppError::SaleClosed)), "{refused:?}");
        }
        assert_eq!(env.ledger.current_epoch(event.id).await.unwrap(), Epoch(0));
        env.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_admitted_in_time_is_confirmed_after_the_start_and_a_redis_restart() {
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.engine.task_interval_ms = 60_000; // no other recovery
    let mut redis = own_redis(&mut env);
    let user = env.user(0).await;
    let id = reservation_id(user, KEY);
    let event = starting_soon(&env).await;
    admit(&env, &event, user, id).await;
    until_started(&env, &event).await;
    block_in_place(|| redis.stop()).unwrap();
    block_in_place(|| redis.restart()).unwrap();
    let app = env.node().await;
    until("the booking is confirmed", async || {
        let again = app.reservation_create(user, Some(KEY), tickets_of(event.ticket_types[0].id, 1)).await;
        assert!(!matches!(again, Err(AppError::SaleClosed)), "the booking may be in the journal");
        again.is_ok_and(|again| again.reservation.state == ReservationState::Confirmed)
    })
    .await;
    assert_eq!(app.reservation(user, id).await.unwrap().state, ReservationState::Confirmed);
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_listed_without_a_ledger_hides_no_reservation_and_is_unlisted_later() {
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.engine.task_interval_ms = 60_000;
    let (app, user) = (env.node().await, env.user(0).await);
    let event = starting_soon(&env).await;
    env.lose_ledger(event.id).await;
    assert_eq!(env.ledger.loaded().await.unwrap().events, [event.id]);
    let unknown = app.reservation(user, ReservationId(Uuid::new_v4())).await;
    assert!(matches!(unknown, Err(AppError::NotFound)), "{unknown:?}");
    until_started(&env, &event).await;
    env.config.engine.task_interval_ms = 20;
    let _closer = env.node().await;
    until("the event is unlisted", async || env.ledger.loaded().await.unwrap().events.is_empty()).await;
    env.finish().await;
}
