//! Administrators call every action during a rush, repeatedly and on two nodes. Afterwards everyone has what
//! they were told, and every seat is sold once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use neticket_app::{App, AppError, Principal};
use neticket_testkit::domain::{EventId, ReservationId, TicketTypeId, UserId};
use neticket_testkit::store::{EventRecord, ReservationStatus};
use neticket_testkit::{TestEnv, on_both, tickets_of, until};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::inventory::{admin, run_every_action};

const MAX_PER_USER: u32 = 4;
const PEOPLE: usize = 120;
/// How many tickets each person asks for, one after the other.
const BOOKINGS: usize = 4;
const CAPACITIES: [u32; 2] = [150, 60];
const TIMEOUT: Duration = Duration::from_mins(1);
/// As long as a page waits before it asks again.
const PAUSE: Duration = Duration::from_millis(20);

/// The reservations that a person was told of, each with whether it was cancelled.
type Answers = BTreeMap<ReservationId, bool>;

/// Books one ticket until the answer is definite. `None` if there is no ticket for this person.
async fn book(app: &App, user: UserId, ticket_type: TicketTypeId, booking: &str) -> Option<ReservationId> {
    for attempt in 0.. {
        // After a definite answer, the next attempt has another key.
        let key = format!("{booking}-{attempt}");
        loop {
            match app.reservation_create(user, Some(&key), tickets_of(ticket_type, 1)).await {
                Ok(booked) => return Some(booked.reservation.id),
                Err(AppError::SoldOut { .. } | AppError::PurchaseLimitExceeded { .. }) => return None,
                Err(AppError::SalePaused) => break,
                Err(
                    AppError::Overloaded | AppError::LedgerUnavailable(_) | AppError::StoreUnavailable(_),
                ) => {}
                Err(other) => panic!("{other:?}"),
            }
            tokio::time::sleep(PAUSE).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
    None
}

/// Asks for a ticket repeatedly while administrators call actions. Every third person cancels one of theirs.
async fn person(
    app: Arc<App>,
    (n, user): (usize, UserId),
    ticket_types: Vec<TicketTypeId>,
    mut rounds_done: watch::Receiver<usize>,
) -> Answers {
    let mut answers = Answers::new();
    for booking in 0..BOOKINGS {
        // A booking before the first action would prove nothing.
        timeout(TIMEOUT, rounds_done.wait_for(|rounds| *rounds >= booking))
            .await
            .expect("the administrator's actions run")
            .unwrap();
        let ticket_type = ticket_types[(n + booking) % ticket_types.len()];
        let Some(id) = book(&app, user, ticket_type, &format!("{user}-{booking}")).await else { continue };
        answers.insert(id, false);
        if n % 3 == 0 && booking == 1 {
            while app.reservation_cancel(user, id).await.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
            answers.insert(id, true);
        }
    }
    answers
}

/// A rush with administrators in it. Returns what is wrong afterwards. For the negative control, the ledger
/// is made to have `edited` seats too many at the end.
async fn rush(env: &mut TestEnv, edited: u32) -> Vec<String> {
    env.config.engine.batch_len_max = 10; // many small batches, so that actions come between them
    let (nodes, by) = ([env.node().await, env.node().await], admin(env).await);
    let event = env.event_on_sale(&CAPACITIES, MAX_PER_USER).await;
    let users = env.users(PEOPLE).await;
    let ticket_types: Vec<TicketTypeId> =
        event.ticket_types.iter().map(|ticket_type| ticket_type.id).collect();
    let rounds_done = watch::Sender::new(0);
    let people: Vec<_> = users
        .iter()
        .enumerate()
        .map(|(n, user)| {
            let app = Arc::clone(&nodes[n % nodes.len()]);
            tokio::spawn(person(app, (n, *user), ticket_types.clone(), rounds_done.subscribe()))
        })
        .collect();
    let mut people = std::pin::pin!(join_all(people));
    let mut wrong = Vec::new();
    let mut worked = BTreeSet::new();
    let answers = loop {
        tokio::select! {
            answers = &mut people => break answers,
            (alarms, actions) = run_actions_on_both(&nodes, by, event.id) => {
                wrong.extend(alarms);
                worked.extend(actions);
                rounds_done.send_modify(|rounds| *rounds += 1);
            }
        }
    };
    // A ledger that is in motion cannot always be evicted or compared.
    let expected = BTreeSet::from(["clear", "load", "pause", "resume"]);
    assert!(worked.is_superset(&expected), "every action reports what it did: {worked:?}");
    nodes[0].sale_pause(by, None, event.id, false).await.unwrap();
    let answers: Vec<(UserId, Answers)> =
        users.into_iter().zip(answers.into_iter().map(Result::unwrap)).collect();
    until("no booking is pending", async || {
        let view = nodes[0].inventory_entry(event.id).await;
        view.is_ok_and(|view| view.journal_len == 0)
    })
    .await;
    wrong.extend(audit(env, &answers).await);
    if edited > 0 {
        let mut snapshot = env.snapshot(event.id).await;
        snapshot.ticket_types.iter_mut().for_each(|ticket_type| ticket_type.left += edited);
        env.install(&snapshot).await;
        // No task drains the outbox here. The snapshot has counted what is in it.
        let later = env.now().await.plus_millis(86_400_000);
        let rows = env.store.outbox_before(later, 1_000).await.unwrap();
        env.store.outbox_done(&rows.iter().map(|row| row.id).collect::<Vec<_>>()).await.unwrap();
        let view = nodes[0].inventory_entry(event.id).await.unwrap();
        assert!(
            view.ticket_types.iter().all(|ticket_type| ticket_type.drift == i64::from(edited)),
            "it is noticed: {view:?}"
        );
    }
    wrong.extend(sell_out(env, &nodes[1], &event).await);
    wrong
}

/// Two administrators call every action concurrently, and read the inventory. A ledger in motion must never
/// be reported as different.
async fn run_actions_on_both(
    nodes: &[Arc<App>; 2],
    by: Principal,
    event: EventId,
) -> (Vec<String>, BTreeSet<&'static str>) {
    let [one, other] = nodes;
    let inspections = async {
        let mut alarms = Vec::new();
        for _ in 0..10 {
            let view = one.inventory_entry(event).await.unwrap();
            if view.ticket_types.iter().any(|ticket_type| ticket_type.drift != 0) {
                alarms.push(format!("a false alarm: {view:?}"));
            }
        }
        alarms
    };
    let (mut worked, others, alarms) =
        tokio::join!(run_every_action(one, by, event), run_every_action(other, by, event), inspections);
    worked.extend(others);
    (alarms, worked)
}

async fn audit(env: &TestEnv, answers: &[(UserId, Answers)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (user, answers) in answers {
        let (rows, _) = env.store.reservations_of(*user, 1, 1_000).await.unwrap();
        let rows: BTreeMap<ReservationId, ReservationStatus> =
            rows.into_iter().map(|row| (row.id, row.status)).collect();
        for (id, cancelled) in answers {
            let expected =
                if *cancelled { ReservationStatus::Cancelled } else { ReservationStatus::Confirmed };
            if rows.get(id) != Some(&expected) {
                wrong.push(format!("{user}: {id} is {:?} and not {expected:?}", rows.get(id)));
            }
        }
        let held = rows.values().filter(|status| **status == ReservationStatus::Confirmed).count();
        if held != answers.values().filter(|cancelled| !**cancelled).count() {
            wrong.push(format!("{user} has {held} and was told {answers:?}"));
        }
        if held > usize::try_from(MAX_PER_USER).unwrap() {
            wrong.push(format!("{user} has {held}"));
        }
    }
    wrong
}

/// Newcomers get all seats that are left, and not one more.
async fn sell_out(env: &TestEnv, app: &App, event: &EventRecord) -> Vec<String> {
    let mut wrong = Vec::new();
    let newcomer = env.users_from(PEOPLE, 100).await;
    for ticket_type in &event.ticket_types {
        for user in &newcomer {
            if book(app, *user, ticket_type.id, &format!("late-{user}-{}", ticket_type.id)).await.is_none() {
                break;
            }
        }
    }
    for (confirmed, ticket_type) in env.confirmed(event).await.into_iter().zip(&event.ticket_types) {
        if confirmed != u64::from(ticket_type.capacity) {
            wrong.push(format!("{confirmed} of {} are sold", ticket_type.capacity));
        }
    }
    wrong
}

on_both! {
    async fn inventory_actions_during_a_rush_lose_no_booking_and_oversell_nothing(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        assert_eq!(Box::pin(rush(&mut env, 0)).await, [""; 0]);
        env.finish().await;
    }

    async fn the_rush_test_notices_a_ledger_with_too_many_seats_without_the_guard(backends: Backends) {
        let mut env = TestEnv::new(backends).await.without_guard();
        env.config.engine.task_interval_ms = 60_000; // no repair
        let wrong = Box::pin(rush(&mut env, 20)).await;
        for capacity in CAPACITIES {
            let finding = format!("{} of {capacity} are sold", capacity + 20);
            assert!(wrong.contains(&finding), "{wrong:?}");
        }
        env.finish().await;
    }
}
