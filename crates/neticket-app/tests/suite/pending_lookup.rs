//! Pending reservations, read by their owners.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use neticket_app::{AppError, ReservationState};
use neticket_testkit::domain::ReservationId;
use neticket_testkit::{Backends, Locks, NetworkFault, Proxy, TestEnv, tickets_of, until};
use uuid::Uuid;

/// So many that inspecting all of them takes much longer than a booking waits. Most inspections that are
/// running when the booking is answered `pending` therefore began before it was admitted.
const EVENTS: usize = 160;
/// How much later each answer of Redis comes.
const DELAY_MS: u64 = 250;
const ROUNDS: usize = 2;
/// After this time an inspection has begun and has inspected the first events.
const INSPECTION_HEAD_START: Duration = Duration::from_secs(1);
const POLLS: usize = 1;

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_booking_is_found_however_long_the_lookup_takes() {
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.engine.ack_deadline_ms = 1_000;
    env.config.engine.grace_ms = 600_000; // no other decision
    env.config.engine.task_interval_ms = 600_000;
    env.config.engine.ledger_timeout_ms = 20_000;
    let url = env.config.redis_url.clone().unwrap();
    let (host, port) = url.rsplit_once(':').unwrap();
    let mut proxy = Proxy::start(port.parse().unwrap()).await;
    env.config.redis_url = Some(format!("{host}:{}", proxy.port()));
    let app = env.node().await;
    let users = env.users(2).await;
    let mut events = Vec::new();
    for _ in 0..EVENTS {
        let event = env.event_on_sale(&[10], 10).await;
        env.install(&env.snapshot(event.id).await).await;
        events.push(event);
    }
    for event in &events[..ROUNDS] {
        app.reservation_create(users[0], None, tickets_of(event.ticket_types[0].id, 1)).await.unwrap();
    }
    // The list of events is rebuilt before Redis becomes slow.
    let unknown = app.reservation(users[1], ReservationId(Uuid::new_v4())).await;
    assert!(matches!(unknown, Err(AppError::NotFound)), "{unknown:?}");
    proxy.set(NetworkFault::Slow(DELAY_MS)).await;
    until("the node has reconnected to Redis", async || app.ready().await.is_ok()).await;
    let locks: Vec<_> = events[..ROUNDS].iter().map(|event| Locks::of(&env, event.id)).collect();

    // Inspections run without a pause.
    let is_done = Arc::new(AtomicBool::new(false));
    let (asking, done, other) = (Arc::clone(&app), Arc::clone(&is_done), users[1]);
    let stranger = tokio::spawn(async move {
        while !done.load(Ordering::Relaxed) {
            let unknown = asking.reservation(other, ReservationId(Uuid::new_v4())).await;
            assert!(matches!(unknown, Err(AppError::NotFound)), "{unknown:?}");
        }
    });
    // Each round has its own event, because an event with a known pending reservation is always inspected.
    for (round, event) in events[..ROUNDS].iter().enumerate() {
        let ticket_type = event.ticket_types[0].id;
        // Then an inspection is running that has inspected these events already, and it continues after the
        // booking is pending.
        tokio::time::sleep(INSPECTION_HEAD_START).await;
        let booked =
            app.reservation_create(users[0], None, tickets_of(ticket_type, 1)).await.unwrap().reservation;
        assert_eq!(booked.state, ReservationState::Pending);
        for poll in 0..POLLS {
            let seen = app.reservation(users[0], booked.id).await;
            let state = seen.as_ref().map(|seen| seen.state);
            assert!(matches!(state, Ok(ReservationState::Pending)), "round {round}, poll {poll}: {seen:?}");
        }
    }
    is_done.store(true, Ordering::Relaxed);
    stranger.await.unwrap();
    for held in locks {
        held.release(&env);
    }
    env.config.engine.grace_ms = 50;
    env.config.engine.task_interval_ms = 20;
    env.config.redis_url = Some(url);
    let _recovering = env.node().await;
    for event in &events[..ROUNDS] {
        until("all bookings are settled", async || {
            env.ledger.view(event.id).await.unwrap().unwrap().journal_len == 0
        })
        .await;
    }
    env.finish().await;
}
