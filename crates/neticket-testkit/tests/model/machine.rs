//! Plays a history on the real backends, one call at a time, and checks the invariants after every call.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use neticket_testkit::domain::{Epoch, ReservationId, UserId};
use neticket_testkit::ledger::AdmitRequest;
use neticket_testkit::store::{CancelRequest, CommitRequest, EventRecord};
use neticket_testkit::tickets;
use uuid::Uuid;

use crate::calls::Settings;
use crate::checks;
use crate::fixture::{Fixture, Saved};
use crate::history::{CallFate, Ending, History, RequestSpec, Step, Task, Variation};
use crate::protocol::Node;
use crate::shared::{BookingRequest, Shared, Start, Variant, Work};

/// The node that repairs everything at the end.
const REPAIR_NODE: u8 = u8::MAX;
/// How often the background tasks of the healthy node run before everything must be in order.
const RUNS_MAX: usize = 8;
/// How many seats too many a wrong ledger has.
const SURPLUS_SEATS: u32 = 3;
/// More calls than any single job makes.
const CALLS_MAX: usize = 200;

/// How many steps were played. Each call of a job that was finished counts as a step.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Played {
    pub(crate) steps: u64,
}

struct Job {
    node: Node,
    work: Work,
}

pub(crate) struct Machine<'a> {
    fixture: &'a Fixture,
    history: &'a History,
    event: EventRecord,
    shared: Rc<Shared>,
    jobs: Vec<Job>,
    saved: Option<Saved>,
    steps: u64,
}

/// Plays `history` on an event of its own, and checks the invariants.
pub(crate) async fn play(fixture: &Fixture, history: &History, variant: Variant) -> Result<Played, String> {
    let mut machine = Machine::new(fixture, history, variant).await;
    let played = machine.play().await;
    machine.jobs.clear();
    fixture.backends.ledger.drop_for_test(machine.event.id).await.unwrap();
    played.map(|()| Played { steps: machine.steps })
}

impl<'a> Machine<'a> {
    async fn new(fixture: &'a Fixture, history: &'a History, variant: Variant) -> Self {
        let event = fixture.event(&history.capacities, history.max_per_user).await;
        let now = fixture.backends.ledger.now().await.unwrap();
        let shared = Rc::new(Shared::new(fixture.backends.clone(), event.id, now, variant));
        Self { fixture, history, event, shared, jobs: Vec::new(), saved: None, steps: 0 }
    }

    async fn play(&mut self) -> Result<(), String> {
        let history = self.history;
        for (number, step) in history.steps.iter().enumerate() {
            let taken = self.apply(step).await.and(self.check().await);
            taken.map_err(|what| format!("{what}\nafter step {number}, {step:?}"))?;
        }
        self.end(history.ending).await.map_err(|what| format!("{what}\nwhile the system came to rest"))
    }

    async fn apply(&mut self, step: &Step) -> Result<(), String> {
        self.steps += 1;
        match step {
            Step::Ask { node, bookings } => self.ask(*node, bookings),
            Step::BookElsewhere { key, rejected } => self.book_elsewhere(*key, *rejected).await,
            Step::Commit { node } => self.commit(*node),
            Step::Cancel { node, keys } => self.cancel(*node, keys),
            Step::Begin { node, task } => self.begin(*node, *task),
            Step::Go { job, fate } => {
                if let Some(at) = pick(*job, self.jobs.len()) {
                    self.go(at, *fate).await;
                }
            }
            Step::Finish { job } => {
                if let Some(at) = pick(*job, self.jobs.len()) {
                    self.finish(at).await?;
                }
            }
            Step::Arrive { call } => self.arrive(*call).await,
            Step::Deadline { waiting } => self.deadline(*waiting),
            Step::Crash { node } => self.crash(*node),
            Step::Lose => self.lose().await,
            Step::Save => self.saved = self.fixture.save(&self.event).await,
            Step::RollBack => self.roll_back().await,
            Step::InflateNextLoad => self.shared.surplus_seats.set(SURPLUS_SEATS),
            Step::Sale(sale) => self.shared.set(|settings| settings.sale = *sale),
            Step::Limit(limit) => self.shared.set(|settings| settings.max_per_user = *limit),
        }
        Ok(())
    }

    fn id(&self, key: u8) -> ReservationId {
        let event = u128::from(self.event.id.0.unsigned_abs());
        ReservationId(Uuid::from_u128(event << 64 | u128::from(key)))
    }

    /// A key belongs to one user. Unless it is used for something else, it stands for one ticket type and
    /// quantity.
    fn request(&self, spec: RequestSpec) -> AdmitRequest {
        let key = usize::from(spec.key);
        let ticket_types = &self.event.ticket_types;
        let other = |other| usize::from(spec.other == other);
        let quantity = 1 + u32::from(spec.key / 3 % 2) + u32::from(spec.other == Variation::Quantity);
        let ticket_type = &ticket_types[(key / 2 + other(Variation::TicketType)) % ticket_types.len()];
        AdmitRequest {
            id: self.id(spec.key),
            user: self.user(spec.key),
            ticket_type: ticket_type.id,
            quantity: tickets(quantity),
            unit_price: spec.wrong_price.then_some(ticket_type.price + 1),
        }
    }

    /// Books as another event's ledger and nodes would. The event that commits first gets the id.
    async fn book_elsewhere(&self, key: u8, rejected: bool) {
        let elsewhere = &self.fixture.elsewhere;
        let request = CommitRequest {
            id: self.id(key),
            user: self.user(key),
            event: elsewhere.id,
            ticket_type: elsewhere.ticket_types[0].id,
            quantity: tickets(1),
            unit_price: elsewhere.ticket_types[0].price,
            epoch: elsewhere.ticket_types[0].epoch,
            created_at: self.shared.now,
        };
        self.shared.book_elsewhere(request, rejected).await;
    }

    fn user(&self, key: u8) -> UserId {
        self.fixture.user(usize::from(key))
    }

    fn start(&mut self, name: u8, start: Start) {
        let node = Node { shared: Rc::clone(&self.shared), gate: Default::default(), name };
        let work = start(node.clone());
        self.jobs.push(Job { node, work });
    }

    fn ask(&mut self, node: u8, bookings: &[RequestSpec]) {
        let bookings = bookings.iter().map(|spec| {
            let request = self.request(*spec);
            BookingRequest::new(&self.shared, request)
        });
        let bookings: Vec<BookingRequest> = bookings.collect();
        self.start(node, Box::new(|node| Box::pin(node.ask(bookings))));
    }

    fn commit(&mut self, node: u8) {
        let batch = self.shared.commit_queues.borrow_mut().remove(&node).unwrap_or_default();
        if !batch.is_empty() {
            self.start(node, Box::new(|node| Box::pin(node.commit(batch))));
        }
    }

    fn cancel(&mut self, node: u8, keys: &[u8]) {
        let request = |key: &u8| CancelRequest { id: self.id(*key), user: self.user(*key) };
        let requests: Vec<CancelRequest> = keys.iter().map(request).collect();
        for request in &requests {
            self.shared.reference.borrow_mut().ask_to_cancel(request.id);
        }
        self.start(node, Box::new(|node| Box::pin(node.cancel(requests))));
    }

    fn begin(&mut self, node: u8, task: Task) {
        let start: Start = match task {
            Task::RecoverJournal => Box::new(|node| Box::pin(node.recover_journal())),
            Task::DrainOutbox => Box::new(|node| Box::pin(node.drain_outbox())),
            Task::OpenSales => Box::new(|node| Box::pin(async move { drop(node.load(Epoch(0)).await) })),
            Task::Reload => Box::new(|node| Box::pin(async move { drop(node.load_now(&[]).await) })),
            Task::Reconcile => Box::new(|node| Box::pin(node.reconcile())),
            Task::Evict => Box::new(|node| Box::pin(node.evict())),
            Task::ChangeCapacity { ticket_type, more } => {
                Box::new(move |node| Box::pin(node.change_capacity(usize::from(ticket_type), more)))
            }
            Task::LoadLedger => Box::new(|node| Box::pin(node.load_ledger())),
            Task::Pause(paused) => Box::new(move |node| Box::pin(node.set_paused(paused))),
        };
        self.start(node, start);
    }

    /// Lets a job make its next call, and run until the call after it.
    async fn go(&mut self, at: usize, fate: CallFate) {
        let job = &mut self.jobs[at];
        let gate = job.node.gate.clone();
        if !gate.is_waited_at() {
            // The job has made no call yet. Run it to its first one.
            self.advance(at).await;
            if self.jobs.get(at).is_none_or(|job| !job.node.gate.is_waited_at()) {
                return self.take_up_begun();
            }
        }
        gate.open(fate);
        self.advance(at).await;
        self.take_up_begun();
    }

    async fn advance(&mut self, at: usize) {
        let Job { node, work } = &mut self.jobs[at];
        let ended = poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending if node.gate.is_waited_at() => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        });
        if ended.await {
            drop(self.jobs.remove(at));
        }
    }

    fn take_up_begun(&mut self) {
        let begun = self.shared.begun.take();
        for (name, start) in begun {
            self.start(name, start);
        }
    }

    async fn finish(&mut self, at: usize) -> Result<(), String> {
        let len = self.jobs.len();
        let mut calls = 0;
        // The jobs that this one begins come after all others in the list.
        while self.jobs.len() >= len && calls < CALLS_MAX {
            let before = self.jobs.len();
            let gate = self.jobs[at].node.gate.clone();
            self.go(at, CallFate::Fine).await;
            self.steps += 1;
            calls += 1;
            self.check().await?;
            let same = self.jobs.get(at).is_some_and(|job| job.node.gate.is_same(&gate));
            if !same || self.jobs.len() < before {
                break;
            }
        }
        if calls < CALLS_MAX { Ok(()) } else { Err("a job does not end".to_owned()) }
    }

    async fn arrive(&mut self, call: u8) {
        let call = {
            let mut delayed_calls = self.shared.delayed_calls.borrow_mut();
            let Some(at) = pick(call, delayed_calls.len()) else { return };
            delayed_calls.remove(at)
        };
        self.shared.apply(&call).await;
    }

    fn deadline(&mut self, waiting: u8) {
        let mut all = self.shared.waiting.borrow_mut();
        all.retain(|client| client.strong_count() > 0);
        let client = pick(waiting, all.len()).and_then(|at| all[at].upgrade());
        drop(all);
        if let Some(client) = client {
            client.deadline();
        }
    }

    fn crash(&mut self, node: u8) {
        self.jobs.retain(|job| job.node.name != node);
        drop(self.shared.commit_queues.borrow_mut().remove(&node));
        self.shared.reference.borrow_mut().trouble();
    }

    async fn lose(&mut self) {
        self.fixture.backends.ledger.drop_for_test(self.event.id).await.unwrap();
        self.shared.ledger_restarted();
        self.shared.reference.borrow_mut().ledger_lost();
    }

    async fn roll_back(&mut self) {
        if let Some(saved) = &self.saved {
            self.fixture.restore(&self.event, saved).await;
            self.shared.ledger_restarted();
            self.shared.reference.borrow_mut().journal_restored(&saved.journal);
        }
    }

    async fn check(&mut self) -> Result<(), String> {
        if let Some(fault) = self.shared.fault.take() {
            return Err(fault);
        }
        if self.shared.changed.replace(false) {
            checks::after_a_step(&self.shared, self.history.max_per_user).await?;
        }
        Ok(())
    }

    /// Ends the history. Work in progress either finishes or is dropped. A healthy node repairs everything.
    /// Then all invariants must hold.
    async fn end(&mut self, ending: Ending) -> Result<(), String> {
        if ending.nodes_survive {
            loop {
                let nodes: Vec<u8> = self.shared.commit_queues.borrow().keys().copied().collect();
                for node in nodes {
                    self.commit(node);
                }
                if self.jobs.is_empty() {
                    break;
                }
                self.finish(0).await?;
            }
        } else {
            self.shared.reference.borrow_mut().trouble();
            self.jobs.clear();
            self.shared.commit_queues.borrow_mut().clear();
        }
        while ending.calls_arrive && !self.shared.delayed_calls.borrow().is_empty() {
            self.arrive(0).await;
            self.check().await?;
        }
        self.shared.delayed_calls.borrow_mut().clear();
        self.repair().await?;
        checks::at_rest(&self.shared).await?;
        self.reconcile().await?;
        checks::at_rest_in_one_epoch(&self.shared).await?;
        self.sell_out().await
    }

    async fn repair(&mut self) -> Result<(), String> {
        for _ in 0..RUNS_MAX {
            for task in [Task::OpenSales, Task::RecoverJournal, Task::DrainOutbox] {
                self.run(task).await?;
            }
            if checks::is_at_rest(&self.shared).await {
                return Ok(());
            }
        }
        Err(format!("not at rest after {RUNS_MAX} runs of the background tasks"))
    }

    /// Loads the ledger again with the sale open, as the repair of a difference does.
    async fn reconcile(&mut self) -> Result<(), String> {
        self.shared.set(|settings| *settings = Settings::default());
        self.shared.surplus_seats.set(0);
        self.run(Task::Pause(false)).await?;
        self.run(Task::Reconcile).await?;
        self.run(Task::Reload).await
    }

    async fn run(&mut self, task: Task) -> Result<(), String> {
        self.begin(REPAIR_NODE, task);
        while !self.jobs.is_empty() {
            self.finish(0).await?;
        }
        Ok(())
    }

    /// Checks that nothing is undersold. For each ticket type, it asks for one seat more than are left, each
    /// for another user. All seats must be sold.
    async fn sell_out(&mut self) -> Result<(), String> {
        let mut stranger = 0_u8;
        for index in 0..self.event.ticket_types.len() {
            let left = checks::left(&self.shared).await[index];
            let ticket_type = self.event.ticket_types[index].id;
            let bookings = (0..=left).map(|_| {
                stranger += 1;
                let id =
                    ReservationId(Uuid::from_u128(self.id(0).0.as_u128() + 1_000 + u128::from(stranger)));
                let user = self.fixture.stranger(usize::from(stranger));
                let request = AdmitRequest { id, user, ticket_type, quantity: tickets(1), unit_price: None };
                BookingRequest::new(&self.shared, request)
            });
            let bookings: Vec<BookingRequest> = bookings.collect();
            self.start(REPAIR_NODE, Box::new(|node| Box::pin(node.ask(bookings))));
            while !self.jobs.is_empty() {
                self.finish(0).await?;
                self.commit(REPAIR_NODE);
            }
        }
        let left: BTreeMap<usize, u64> = checks::left(&self.shared).await.into_iter().enumerate().collect();
        if left.values().any(|left| *left > 0) {
            return Err(format!("undersold: nobody can book the seats that are left, {left:?}"));
        }
        checks::at_rest(&self.shared).await
    }
}

fn pick(number: u8, len: usize) -> Option<usize> {
    usize::from(number).checked_rem(len)
}
