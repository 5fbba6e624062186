//! Random histories, played on both ledgers. Every answer must be the same.
//!
//! The memory ledger's clock is set to the time that the Redis server reports, so that even the times of
//! admission are equal.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use neticket_domain::{Epoch, EventId, Quantity, ReservationId, SaleWindow, TicketTypeId, Timestamp, UserId};
use neticket_ledger::{
    AdmitAnswer, AdmitRequest, Ledger, LedgerSnapshot, LedgerState, LoadToken, MemoryLedger, RedisLedger,
    RedisOptions, Release, SnapshotReservation, SnapshotTicketType,
};
use neticket_testservers::unique_prefix;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{HOUR_MS, Kind, id};

const HISTORIES: u32 = 300;
const JOURNAL_LEN_MAX: usize = 6;

#[derive(Clone, Debug)]
enum Step {
    Admit {
        epoch_min: Epoch,
        requests: Vec<AdmitRequest>,
    },
    Settle {
        epoch: Epoch,
        ids: Vec<ReservationId>,
    },
    Release(Vec<Release>),
    BeginLoad,
    /// With the token of an earlier begin, counted back from the last. If there were fewer, the load begins
    /// now.
    Load {
        begun: usize,
        snapshot: LedgerSnapshot,
    },
    Evict(Epoch),
    Lose,
    PendingOf(UserId),
    JournalEntry(ReservationId),
    Journal {
        limit: usize,
    },
}

fn an_id() -> impl Strategy<Value = ReservationId> {
    (1..=12_u64).prop_map(id)
}

fn an_epoch() -> impl Strategy<Value = Epoch> {
    (1..=4_i64).prop_map(Epoch)
}

/// An id belongs to one user.
fn user_of(number: u64) -> UserId {
    UserId(i64::try_from(number % 4).unwrap())
}

/// In most cases one ticket type and quantity per id, so that a repeated id is a repeated request. Some
/// requests name a price, and some of these name the right one.
fn a_request() -> impl Strategy<Value = AdmitRequest> {
    let usual = |n: u64| (i64::try_from(n % 3).unwrap(), 1 + u32::try_from(n % 2).unwrap());
    let other = prop_oneof![9 => Just(None), 1 => (0..4_i64, 1..=3_u32).prop_map(Some)];
    let unit_price = prop_oneof![3 => Just(None), 1 => (0..=6_u32).prop_map(|left| Some(price_of(left)))];
    (1..=12_u64, other, unit_price).prop_map(move |(number, other, unit_price)| {
        let (ticket_type, quantity) = other.unwrap_or(usual(number));
        AdmitRequest {
            id: id(number),
            user: user_of(number),
            ticket_type: TicketTypeId(ticket_type),
            quantity: Quantity::new(quantity).unwrap(),
            unit_price,
        }
    })
}

/// The price of a ticket type of which this many seats are left in the snapshot.
fn price_of(left: u32) -> u64 {
    u64::from(left) * 1_000
}

fn a_release() -> impl Strategy<Value = Release> {
    (a_request(), an_epoch()).prop_map(|(request, epoch)| {
        let AdmitRequest { id, user, ticket_type, quantity, .. } = request;
        Release { id, user, ticket_type, quantity, epoch }
    })
}

/// Rare, as in practice. The pause began long before the history, or begins long after it.
fn a_pause(now: Timestamp) -> impl Strategy<Value = Option<Timestamp>> {
    prop_oneof![
        18 => Just(None),
        1 => Just(Some(now.plus_millis(-HOUR_MS))),
        1 => Just(Some(now.plus_millis(HOUR_MS))),
    ]
}

/// The windows begin and end hours before or after now, so that no window opens or closes during a history.
fn a_snapshot(now: Timestamp) -> impl Strategy<Value = LedgerSnapshot> {
    let windows = prop_oneof![8 => Just((-1, 1)), 1 => Just((1, 2)), 1 => Just((-2, -1))];
    let reservations = proptest::collection::btree_map(1..=12_u64, 0..=2_u32, 0..4);
    let refused = vec(an_id(), 0..3);
    (an_epoch(), windows, a_pause(now), 1..=5_u32, vec(0..=6_u32, 0..=3), reservations, refused).prop_map(
        move |(epoch, (opens, closes), paused_at, max_per_user, left, reservations, refused)| {
            LedgerSnapshot {
                event: EventId(0),
                epoch,
                window: SaleWindow {
                    opens_at: now.plus_millis(opens * HOUR_MS),
                    closes_at: now.plus_millis(closes * HOUR_MS),
                },
                window_since: Some(now).filter(|_| max_per_user % 2 == 0),
                paused_at,
                max_per_user,
                ticket_types: (0..)
                    .zip(left)
                    .map(|(n, left)| SnapshotTicketType { id: TicketTypeId(n), price: price_of(left), left })
                    .collect(),
                reservations: reservations
                    .into_iter()
                    .map(|(number, held)| SnapshotReservation { id: id(number), user: user_of(number), held })
                    .collect(),
                refused,
            }
        },
    )
}

fn a_step(now: Timestamp) -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..=4_i64, vec(a_request(), 0..8))
            .prop_map(|(epoch_min, requests)| Step::Admit { epoch_min: Epoch(epoch_min), requests }),
        3 => (an_epoch(), vec(an_id(), 0..6)).prop_map(|(epoch, ids)| Step::Settle { epoch, ids }),
        2 => vec(a_release(), 0..4).prop_map(Step::Release),
        1 => Just(Step::BeginLoad),
        3 => (0..4_usize, a_snapshot(now)).prop_map(|(begun, snapshot)| Step::Load { begun, snapshot }),
        1 => an_epoch().prop_map(Step::Evict),
        1 => Just(Step::Lose),
        1 => (0..4_i64).prop_map(|user| Step::PendingOf(UserId(user))),
        1 => an_id().prop_map(Step::JournalEntry),
        1 => (0..8_usize).prop_map(|limit| Step::Journal { limit }),
    ]
}

/// Both ledgers, and the clock of the memory ledger.
struct Pair {
    memory: MemoryLedger,
    redis: RedisLedger,
    memory_now: Arc<AtomicI64>,
}

/// The tokens of both ledgers for one load.
struct Tokens {
    memory: LoadToken,
    redis: LoadToken,
}

impl Pair {
    fn new(kind: Kind) -> Self {
        let memory_now = Arc::new(AtomicI64::new(0));
        let clock = Arc::clone(&memory_now);
        let clock = Arc::new(move || Timestamp::from_millis(clock.load(Ordering::SeqCst)));
        let options = RedisOptions {
            prefix: unique_prefix(),
            journal_len_max: JOURNAL_LEN_MAX,
            timeout_ms: 20_000,
            ..RedisOptions::new(kind.url())
        };
        Self {
            memory: MemoryLedger::with_clock(clock).with_journal_len_max(JOURNAL_LEN_MAX),
            redis: RedisLedger::connect(options).unwrap(),
            memory_now,
        }
    }

    fn set_memory_clock(&self, now: Timestamp) {
        self.memory_now.store(now.as_millis(), Ordering::SeqCst);
    }

    /// Takes the step on Redis, then in memory, and compares the answers.
    async fn take(&self, event: EventId, step: &Step, begun: &mut Vec<Tokens>) -> Result<(), TestCaseError> {
        let (memory, redis) = (&self.memory, &self.redis);
        match step {
            Step::Admit { epoch_min, requests } => {
                let answer = redis.admit(event, *epoch_min, requests).await.unwrap();
                if let AdmitAnswer::Verdicts { now, .. } = answer {
                    self.set_memory_clock(now);
                }
                prop_assert_eq!(memory.admit(event, *epoch_min, requests).await.unwrap(), answer);
            }
            Step::Settle { epoch, ids } => {
                redis.settle(event, *epoch, ids).await.unwrap();
                memory.settle(event, *epoch, ids).await.unwrap();
            }
            Step::Release(releases) => {
                let answer = redis.release(event, releases).await.unwrap();
                prop_assert_eq!(memory.release(event, releases).await.unwrap(), answer);
            }
            Step::BeginLoad => self.begin_load(event, begun).await?,
            Step::Load { begun: number, snapshot } => {
                if *number >= begun.len() {
                    self.begin_load(event, begun).await?;
                }
                let tokens = begun.iter().rev().nth(*number).or(begun.last()).unwrap();
                let snapshot = LedgerSnapshot { event, ..snapshot.clone() };
                let answer = redis.load(tokens.redis, &snapshot).await.unwrap();
                prop_assert_eq!(memory.load(tokens.memory, &snapshot).await.unwrap(), answer);
            }
            Step::Evict(epoch) => {
                let answer = redis.evict(event, *epoch).await.unwrap();
                prop_assert_eq!(memory.evict(event, *epoch).await.unwrap(), answer);
            }
            Step::Lose => {
                redis.drop_for_test(event).await.unwrap();
                memory.drop_for_test(event).await.unwrap();
            }
            Step::PendingOf(user) => {
                let answer = redis.pending_of(event, *user).await.unwrap();
                prop_assert_eq!(memory.pending_of(event, *user).await.unwrap(), answer);
            }
            Step::JournalEntry(id) => {
                let answer = redis.journal_entry(event, *id).await.unwrap();
                prop_assert_eq!(memory.journal_entry(event, *id).await.unwrap(), answer);
            }
            Step::Journal { limit } => self.compare_journals(event, *limit).await?,
        }
        Ok(())
    }

    async fn begin_load(&self, event: EventId, begun: &mut Vec<Tokens>) -> Result<(), TestCaseError> {
        let memory = self.memory.begin_load(event).await.unwrap();
        let redis = self.redis.begin_load(event).await.unwrap();
        prop_assert_eq!(memory.current_epoch, redis.current_epoch);
        begun.push(Tokens { memory: memory.token, redis: redis.token });
        Ok(())
    }

    async fn compare_journals(&self, event: EventId, limit: usize) -> Result<(), TestCaseError> {
        self.set_memory_clock(self.redis.now().await.unwrap());
        let all = self.memory.journal_older_than(event, 0, usize::MAX).await.unwrap();
        let some = self.redis.journal_older_than(event, 0, limit).await.unwrap();
        prop_assert_eq!(some.len(), limit.min(all.len()));
        // If there are more, each ledger may return any of them, but the order is fixed.
        let in_order: Vec<_> = all.into_iter().filter(|entry| some.contains(entry)).collect();
        prop_assert_eq!(some, in_order);
        Ok(())
    }

    /// Plays a history on two events that use the same ids. Compares everything visible after every step.
    async fn play(&self, events: [EventId; 2], history: &[(usize, Step)]) -> Result<(), TestCaseError> {
        let mut begun = [Vec::new(), Vec::new()];
        for (at, step) in history {
            self.take(events[*at], step, &mut begun[*at]).await?;
            for event in events {
                let (memory, redis) =
                    (self.memory.examine(event).await.unwrap(), self.redis.examine(event).await.unwrap());
                let seen = |state: Option<LedgerState>| {
                    state.map(|LedgerState { view, journal, .. }| (view, journal))
                };
                prop_assert_eq!(seen(memory), seen(redis), "event {} after {:?} of {}", event, step, at);
            }
        }
        for event in events {
            self.compare_journals(event, usize::MAX).await?;
        }
        Ok(())
    }
}

#[test]
fn redis_answers_every_history_like_the_memory_ledger() {
    play_on(Kind::Redis);
}

#[test]
fn a_cluster_answers_every_history_like_the_memory_ledger() {
    play_on(Kind::Cluster);
}

fn play_on(kind: Kind) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pair = Pair::new(kind);
    let now = runtime.block_on(pair.redis.now()).unwrap();
    let next_event = AtomicI64::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(HISTORIES));
    // Most histories begin with a load of each event, because without one there is little to compare.
    let first = || prop::option::weighted(0.9, a_snapshot(now));
    let at = prop_oneof![4 => Just(0_usize), 1 => Just(1)];
    let histories = ([first(), first()], vec((at, a_step(now)), 1..40));
    let played = runner.run(&histories, |(first, mut history)| {
        let loads = (0..).zip(first).filter_map(|(at, snapshot)| Some((at, snapshot?)));
        history.splice(0..0, loads.map(|(at, snapshot)| (at, Step::Load { begun: 0, snapshot })));
        let events = [(); 2].map(|()| EventId(next_event.fetch_add(1, Ordering::Relaxed)));
        runtime.block_on(pair.play(events, &history))
    });
    played.unwrap_or_else(|failure| panic!("{failure}"));
}
