//! The metrics of a running instance. [`App`](crate::App) owns them, so that two instances in one process do
//! not share metrics. Every metric is a field, and every label has a bounded number of values.
//! docs/metrics.md lists them all.

mod reads;
mod register;

use std::future::Future;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use neticket_domain::EventId;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

pub(crate) use self::reads::Reads;
use self::register::Label;
pub use self::register::{METRICS_PREFIX, Register};
use crate::error::AppError;
use crate::views::{Booked, ReservationState};

type EventLabel = [(&'static str, i64); 1];
type Seconds = Gauge<f64, AtomicU64>;

/// What the application counts and measures.
#[derive(Debug)]
pub struct Metrics {
    register: Register,
    bookings: Bookings,
    pub(crate) reads: Reads,
    pub(crate) admit: Stage,
    pub(crate) commit: Stage,
    pub(crate) settle: Stage,
    pub(crate) cancel: Stage,
    pub(crate) release: Stage,
    pub(crate) queued: Queued,
    journal_entries: Family<EventLabel, Gauge>,
    journal_oldest_age: Family<EventLabel, Seconds>,
    pub(crate) loads: Loads,
    pub(crate) recovered_entries: Counter,
    pub(crate) recovered_releases: Counter,
    drifts: Counter,
    repairs: Counter,
    task_failures: Family<Label, Counter>,
    pub(crate) store_connections: Connections,
    pub(crate) ledger_connections: Connections,
}

/// One counter for each outcome of a booking request.
#[derive(Debug)]
struct Bookings {
    confirmed: Counter,
    replayed: Counter,
    pending: Counter,
    rejected: Counter,
    sold_out: Counter,
    purchase_limit_exceeded: Counter,
    sale_not_open: Counter,
    sale_closed: Counter,
    sale_paused: Counter,
    price_changed: Counter,
    not_found: Counter,
    idempotency_key_reused: Counter,
    unauthenticated: Counter,
    disconnected: Counter,
    overloaded: Counter,
    ledger_unavailable: Counter,
    store_unavailable: Counter,
    internal: Counter,
}

/// One stage of the booking engine: how many reservations a batch has, and how long a batch takes.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    reservations: Histogram,
    duration: Histogram,
}

impl Stage {
    /// Counts and times `work`, which processes a batch of `len` reservations.
    pub(crate) async fn timed<T>(&self, len: usize, work: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let result = work.await;
        self.duration.observe(started.elapsed().as_secs_f64());
        self.reservations.observe(f64::from(u32::try_from(len).unwrap_or(u32::MAX)));
        result
    }
}

/// The number of reservations that wait before each stage.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) admit: Gauge,
    pub(crate) commit: Gauge,
    pub(crate) cancel: Gauge,
}

/// The outcomes of ledger loads.
#[derive(Debug)]
pub(crate) struct Loads {
    pub(crate) loaded: Counter,
    /// The load of another node was newer.
    pub(crate) outrun: Counter,
    pub(crate) failed: Counter,
}

/// The connections of a pool.
#[derive(Debug)]
pub(crate) struct Connections {
    in_use: Gauge,
    idle: Gauge,
}

impl Connections {
    /// `open` includes those that are `idle`.
    pub(crate) fn set(&self, open: usize, idle: usize) {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.in_use.set(count(open.saturating_sub(idle)));
        self.idle.set(count(idle));
    }

    fn of(family: &Family<Label, Gauge>) -> Self {
        let of = |state| family.get_or_create_owned(&[("state", state)]);
        Self { in_use: of("in_use"), idle: of("idle") }
    }
}

impl Bookings {
    fn new(register: &mut Register) -> Self {
        let family = register.add(
            "bookings",
            "Bookings, by how they ended: confirmed, replayed, pending, rejected, or a problem's code",
            Family::<Label, Counter>::default(),
        );
        let of = |outcome| family.get_or_create_owned(&[("outcome", outcome)]);
        Self {
            confirmed: of("confirmed"),
            replayed: of("replayed"),
            pending: of("pending"),
            rejected: of("rejected"),
            sold_out: of("sold_out"),
            purchase_limit_exceeded: of("purchase_limit_exceeded"),
            sale_not_open: of("sale_not_open"),
            sale_closed: of("sale_closed"),
            sale_paused: of("sale_paused"),
            price_changed: of("price_changed"),
            not_found: of("not_found"),
            idempotency_key_reused: of("idempotency_key_reused"),
            unauthenticated: of("unauthenticated"),
            disconnected: of("disconnected"),
            overloaded: of("overloaded"),
            ledger_unavailable: of("ledger_unavailable"),
            store_unavailable: of("store_unavailable"),
            internal: of("internal"),
        }
    }

    fn of(&self, outcome: &Result<Booked, AppError>) -> &Counter {
        match outcome {
            Ok(booked) if booked.replayed => &self.replayed,
            Ok(booked) if booked.reservation.state == ReservationState::Pending => &self.pending,
            Ok(_) => &self.confirmed,
            Err(AppError::SoldOut { .. }) => &self.sold_out,
            Err(AppError::PurchaseLimitExceeded { .. }) => &self.purchase_limit_exceeded,
            Err(AppError::SaleNotOpen { .. }) => &self.sale_not_open,
            Err(AppError::SaleClosed) => &self.sale_closed,
            Err(AppError::SalePaused) => &self.sale_paused,
            Err(AppError::PriceChanged { .. }) => &self.price_changed,
            Err(AppError::NotFound) => &self.not_found,
            Err(AppError::IdempotencyKeyReused) => &self.idempotency_key_reused,
            Err(AppError::Unauthenticated) => &self.unauthenticated,
            Err(AppError::Overloaded) => &self.overloaded,
            Err(AppError::LedgerUnavailable(_)) => &self.ledger_unavailable,
            Err(AppError::StoreUnavailable(_)) => &self.store_unavailable,
            Err(
                AppError::Internal(_)
                // A booking never ends with one of these.
                | AppError::BadCredentials
                | AppError::NotCancellable { .. }
                | AppError::EventCancelled
                | AppError::CapacityBelowSold { .. }
                | AppError::EventHasReservations
                | AppError::EditConflict
                | AppError::LedgerBusy
                | AppError::LedgerNotLoaded
                | AppError::EmailTaken
                | AppError::NicknameTaken
                | AppError::Invalid(_)
                | AppError::UnsupportedImage
                | AppError::ImageStoreUnavailable(_),
            ) => &self.internal,
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut register = Register::default();
        let bookings = Bookings::new(&mut register);
        let lens = register.add(
            "batch_reservations",
            "Reservations that went through a stage at once",
            Family::<Label, Histogram>::new_with_constructor(|| {
                Histogram::new(exponential_buckets(1.0, 2.0, 11))
            }),
        );
        let durations = register.add_seconds(
            "stage_duration",
            "How long a stage took for a batch: a call to the ledger or the store",
            Family::<Label, Histogram>::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.000_25, 2.0, 16))
            }),
        );
        let stage = |name| Stage {
            reservations: lens.get_or_create_owned(&[("stage", name)]),
            duration: durations.get_or_create_owned(&[("stage", name)]),
        };
        let waiting = register.add(
            "queued_reservations",
            "Reservations that wait before a stage",
            Family::<Label, Gauge>::default(),
        );
        let queued = |name| waiting.get_or_create_owned(&[("stage", name)]);
        let loads = register.add(
            "ledger_loads",
            "Loads of an event's ledger: loaded, outrun by another node's, or failed",
            Family::<Label, Counter>::default(),
        );
        let load = |outcome| loads.get_or_create_owned(&[("outcome", outcome)]);
        let connections = |help, name, register: &mut Register| {
            Connections::of(&register.add(name, help, Family::<Label, Gauge>::default()))
        };
        Self {
            bookings,
            reads: Reads::new(&mut register),
            admit: stage("admit"),
            commit: stage("commit"),
            settle: stage("settle"),
            cancel: stage("cancel"),
            release: stage("release"),
            queued: Queued { admit: queued("admit"), commit: queued("commit"), cancel: queued("cancel") },
            journal_entries: register.add(
                "journal_entries",
                "Entries of a loaded event's journal: admitted and not settled yet",
                Family::default(),
            ),
            journal_oldest_age: register.add_seconds(
                "journal_oldest_age",
                "Age of the oldest journal entry of a loaded event, among up to 100 of them",
                Family::default(),
            ),
            loads: Loads { loaded: load("loaded"), outrun: load("outrun"), failed: load("failed") },
            recovered_entries: register.add(
                "recovered_journal_entries",
                "Journal entries that their node had left behind and this one took up",
                Counter::default(),
            ),
            recovered_releases: register.add(
                "recovered_releases",
                "Releases that their node had left behind and this one took up",
                Counter::default(),
            ),
            drifts: register.add(
                "ledger_drifts",
                "Differences between ledger and store that were found at rest: each is a bug",
                Counter::default(),
            ),
            repairs: register.add(
                "ledger_repairs",
                "Ledgers that were loaded anew because they differed from the store",
                Counter::default(),
            ),
            task_failures: register.add(
                "task_failures",
                "Runs of background tasks that failed or panicked",
                Family::default(),
            ),
            store_connections: connections("Connections to the store", "store_connections", &mut register),
            ledger_connections: connections("Connections to the ledger", "ledger_connections", &mut register),
            register,
        }
    }
}

impl Metrics {
    /// The names and help texts of all metrics.
    pub fn register(&self) -> &Register {
        &self.register
    }

    pub(crate) fn booked(&self, outcome: &Result<Booked, AppError>) {
        self.bookings.of(outcome).inc();
    }

    /// Counts a booking whose client disconnected before it took any seats.
    pub(crate) fn disconnected(&self) {
        self.bookings.disconnected.inc();
    }

    /// Counts reservations that this node has recorded as rejected. Their owners may have been told
    /// `pending`.
    pub(crate) fn rejected(&self, reservations: u64) {
        self.bookings.rejected.inc_by(reservations);
    }

    /// Counts differences that reconciling found at rest.
    pub fn drifted(&self, differences: u64) {
        self.drifts.inc_by(differences);
    }

    /// The number of differences found since the process started.
    pub(crate) fn drift(&self) -> u64 {
        self.drifts.get()
    }

    /// Counts a ledger that was loaded anew because it differed from the store.
    pub fn repaired(&self) {
        self.repairs.inc();
    }

    pub(crate) fn task_failed(&self, task: &'static str) {
        self.task_failures.get_or_create(&[("task", task)]).inc();
    }

    /// Sets the metrics of the journals of all loaded events, and removes those of events that were sampled
    /// before and are not loaded any more.
    pub(crate) fn set_journals(&self, journals: &[JournalSample], before: &[JournalSample]) {
        for gone in before.iter().filter(|gone| !journals.iter().any(|journal| journal.event == gone.event)) {
            self.journal_entries.remove(&event_label(gone.event));
            self.journal_oldest_age.remove(&event_label(gone.event));
        }
        for journal in journals {
            let entries = i64::try_from(journal.entries).unwrap_or(i64::MAX);
            self.journal_entries.get_or_create(&event_label(journal.event)).set(entries);
            let age = journal.oldest_age.as_secs_f64();
            self.journal_oldest_age.get_or_create(&event_label(journal.event)).set(age);
        }
    }
}

/// The journal of one event at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JournalSample {
    pub(crate) event: EventId,
    pub(crate) entries: u64,
    pub(crate) oldest_age: Duration,
}

fn event_label(event: EventId) -> EventLabel {
    [("event", event.0)]
}
