//! Whole nodes of the product, with faulty calls to the ledger, that die at any moment. They run the
//! product's own protocol, of which `protocol.rs` has a copy. There are no steps, so a failure cannot be
//! played again. To find its cause, look for it with the histories of `protocol.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use neticket_testkit::app::{App, AppError, Booked, ReservationState};
use neticket_testkit::domain::{ReservationId, TicketTypeId, UserId};
use neticket_testkit::store::{EventRecord, ReservationStatus, Store};
use neticket_testkit::{Backends as Kind, TestEnv, tickets_of};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

use crate::faulty_ledger::FaultyLedger;

const NODES: usize = 2;
const PEOPLE: usize = 30;
const SEATS: u32 = 40;
const MAX_PER_USER: u32 = 4;
const ROUNDS: usize = 6;
/// How many requests each round sends.
const REQUESTS_PER_ROUND: usize = 20;
const TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A node with threads of its own, so that it can die between any two awaits, as a process does.
struct Node {
    runtime: Runtime,
    app: Arc<App>,
}

impl Node {
    async fn start(env: &TestEnv, is_faulty: &Arc<AtomicBool>) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (config, is_faulty, outside) = (env.config.clone(), Arc::clone(is_faulty), Handle::current());
        let shared = (env.backends == Kind::Embedded).then(|| Arc::clone(&env.ledger));
        let started = runtime.spawn(async move {
            let store = Store::connect(&App::store_options(&config)).await.unwrap();
            let ledger = shared.unwrap_or_else(|| App::open_ledger(&config).unwrap());
            App::start_with(config, store, Arc::new(FaultyLedger { ledger, is_faulty, outside }))
                .await
                .unwrap()
        });
        Self { app: started.await.unwrap(), runtime }
    }

    fn book(&self, user: UserId, ticket_type: TicketTypeId) -> JoinHandle<Result<Booked, AppError>> {
        let app = Arc::clone(&self.app);
        self.runtime
            .spawn(async move { app.reservation_create(user, None, tickets_of(ticket_type, 1)).await })
    }

    fn cancel(&self, user: UserId, id: ReservationId) -> JoinHandle<bool> {
        let app = Arc::clone(&self.app);
        self.runtime.spawn(async move { app.reservation_cancel(user, id).await.is_ok() })
    }

    fn die(self) {
        self.runtime.shutdown_background();
    }
}

/// Some users book and some cancel. Meanwhile a node may die, or the ledger may be lost.
async fn round(
    env: &TestEnv,
    nodes: &mut Vec<Node>,
    is_faulty: &Arc<AtomicBool>,
    people: &[UserId],
    answers: &mut BTreeMap<ReservationId, (UserId, ReservationStatus)>,
    event: &EventRecord,
) {
    let ticket_type = event.ticket_types[0].id;
    let asked: Vec<_> = (0..REQUESTS_PER_ROUND)
        .map(|n| (n, people[rand::random_range(0..PEOPLE)]))
        .map(|(n, user)| (user, nodes[n % NODES].book(user, ticket_type)))
        .collect();
    let confirmed = answers.iter().filter(|(_, (_, status))| *status == ReservationStatus::Confirmed);
    let cancels: Vec<_> =
        confirmed.take(3).map(|(id, (user, _))| (*id, nodes[0].cancel(*user, *id))).collect();
    for (id, _) in &cancels {
        // The cancel was sent, but it is not always known whether it was done.
        answers.remove(id);
    }
    tokio::time::sleep(Duration::from_millis(rand::random_range(0..10))).await;
    match rand::random_range(0..3) {
        0 => {
            nodes.swap_remove(rand::random_range(0..NODES)).die();
            nodes.push(Node::start(env, is_faulty).await);
        }
        1 => env.lose_ledger(event.id).await,
        _ => {}
    }
    for (user, answer) in asked {
        if let Ok(Ok(booked)) = answer.await
            && booked.reservation.state == ReservationState::Confirmed
        {
            answers.insert(booked.reservation.id, (user, ReservationStatus::Confirmed));
        }
    }
    for (id, answer) in cancels {
        if answer.await.is_ok_and(|done| done) {
            answers.insert(id, (people[0], ReservationStatus::Cancelled));
        }
    }
}

pub(crate) async fn crash_with_faulty_ledgers(kind: Kind) {
    let mut env = TestEnv::new(kind).await;
    env.config.engine.grace_ms = 50;
    env.config.engine.task_interval_ms = 20;
    let event = env.event_on_sale(&[SEATS], MAX_PER_USER).await;
    let people = env.users(PEOPLE).await;
    let is_faulty = Arc::new(AtomicBool::new(true));
    let mut nodes = vec![Node::start(&env, &is_faulty).await, Node::start(&env, &is_faulty).await];
    let mut answers = BTreeMap::new();
    for _ in 0..ROUNDS {
        round(&env, &mut nodes, &is_faulty, &people, &mut answers, &event).await;
    }
    is_faulty.store(false, Ordering::Relaxed);
    come_to_rest(&env, &event).await;
    let ids: Vec<ReservationId> = answers.keys().copied().collect();
    let records = env.store.reservations(&ids).await.unwrap();
    let stored: BTreeMap<_, _> = records.iter().map(|record| (record.id, record.status)).collect();
    for (id, (_, status)) in &answers {
        assert_eq!(stored.get(id), Some(status), "the stored status of {id} differs from the answered one");
    }
    for user in people {
        let (records, _) = env.store.reservations_of(user, 1, 1_000).await.unwrap();
        let held = records.iter().filter(|record| record.status == ReservationStatus::Confirmed);
        assert!(held.map(|record| record.quantity.get()).sum::<u32>() <= MAX_PER_USER, "{records:?}");
    }
    for node in nodes {
        let app = Arc::clone(&node.app);
        node.runtime.spawn(async move { app.shut_down().await }).await.unwrap();
        node.die();
    }
    env.finish().await;
}

/// Waits until the nodes' own tasks have repaired everything: the journal and the outbox are empty, and the
/// ledger agrees with the store.
async fn come_to_rest(env: &TestEnv, event: &EventRecord) {
    let deadline = tokio::time::Instant::now() + TIMEOUT;
    loop {
        let store = env.store.inventory_of(event.id, &[]).await.unwrap().unwrap();
        let ledger = env.ledger.view(event.id).await.unwrap();
        let ticket_type = store.ticket_types[0];
        let says_the_same = ledger.as_ref().is_some_and(|view| {
            view.journal_len == 0 && u64::from(view.ticket_types[0].left) == ticket_type.left
        });
        if says_the_same && store.releases.is_empty() {
            return;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "ledger and store are not at rest: {ledger:?}, {store:?}"
        );
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
