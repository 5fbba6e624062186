//! The ledgers under test, and short helpers for what many cases do.

use std::sync::Arc;

use neticket_domain::{Epoch, EventId, Quantity, ReservationId, SaleWindow, TicketTypeId, Timestamp, UserId};
use neticket_ledger::{
    Admission, AdmitAnswer, AdmitRequest, JOURNAL_LEN_MAX_DEFAULT, JournalEntry, Ledger, LedgerSnapshot,
    LoadAnswer, MemoryLedger, RedisLedger, RedisOptions, Release, SnapshotReservation, SnapshotTicketType,
    Verdict,
};
use neticket_testservers::{redis_cluster_url, redis_url, unique_prefix};

pub(crate) const EVENT: EventId = EventId(7);
pub(crate) const VIP: TicketTypeId = TicketTypeId(71);
pub(crate) const STANDING: TicketTypeId = TicketTypeId(72);
pub(crate) const VIP_PRICE: u64 = 150_000;
pub(crate) const STANDING_PRICE: u64 = 80_000;
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// Which ledger a case is run against.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Memory,
    Redis,
    Cluster,
}

impl Kind {
    /// A new, empty ledger.
    pub(crate) fn ledger(self) -> Arc<dyn Ledger> {
        self.ledger_of_journal_len_max(JOURNAL_LEN_MAX_DEFAULT)
    }

    /// The address of its server, or the addresses of its cluster.
    pub(crate) fn url(self) -> String {
        match self {
            Self::Memory => unreachable!("the memory ledger has no server"),
            Self::Redis => redis_url().unwrap(),
            Self::Cluster => redis_cluster_url().unwrap(),
        }
    }

    pub(crate) fn ledger_of_journal_len_max(self, journal_len_max: usize) -> Arc<dyn Ledger> {
        match self {
            Self::Memory => Arc::new(MemoryLedger::new().with_journal_len_max(journal_len_max)),
            Self::Redis | Self::Cluster => self.on_server(journal_len_max, unique_prefix()),
        }
    }

    /// A new ledger on a server, and its prefix of keys.
    pub(crate) fn ledger_and_prefix(self) -> (Arc<dyn Ledger>, String) {
        let prefix = unique_prefix();
        (self.on_server(JOURNAL_LEN_MAX_DEFAULT, prefix.clone()), prefix)
    }

    fn on_server(self, journal_len_max: usize, prefix: String) -> Arc<dyn Ledger> {
        // Generous: the machine may be busy, and no case waits for this timeout.
        let options =
            RedisOptions { prefix, journal_len_max, timeout_ms: 20_000, ..RedisOptions::new(self.url()) };
        Arc::new(RedisLedger::connect(options).unwrap())
    }
}

/// Makes each named case a test per ledger. On the cluster, which starts slowly, one test runs all cases.
macro_rules! on_every_ledger {
    ($($case:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case($crate::support::Kind::Memory).await;
            })*
        }
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case($crate::support::Kind::Redis).await;
            })*
        }
        mod cluster {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn every_case_holds() {
                $(
                    eprintln!(stringify!($case));
                    super::$case($crate::support::Kind::Cluster).await;
                )*
            }
        }
    };
}
pub(crate) use on_every_ledger;

/// The reservation with this number.
pub(crate) fn id(number: u64) -> ReservationId {
    ReservationId(uuid::Uuid::from_u128(number.into()))
}

pub(crate) fn ids(numbers: impl IntoIterator<Item = u64>) -> Vec<ReservationId> {
    numbers.into_iter().map(id).collect()
}

pub(crate) fn request(number: u64, user: i64, ticket_type: TicketTypeId, quantity: u32) -> AdmitRequest {
    AdmitRequest {
        id: id(number),
        user: UserId(user),
        ticket_type,
        quantity: Quantity::new(quantity).unwrap(),
        unit_price: None,
    }
}

/// The release that the cancel of `request` sends.
pub(crate) fn release(request: AdmitRequest, epoch: i64) -> Release {
    let AdmitRequest { id, user, ticket_type, quantity, .. } = request;
    Release { id, user, ticket_type, quantity, epoch: Epoch(epoch) }
}

pub(crate) fn reservation(number: u64, user: i64, held: u32) -> SnapshotReservation {
    SnapshotReservation { id: id(number), user: UserId(user), held }
}

/// A snapshot of an event that has been on sale for an hour and still is for another: 10 VIP and 100
/// standing, 4 per user.
pub(crate) async fn snapshot(ledger: &dyn Ledger, epoch: i64) -> LedgerSnapshot {
    let now = ledger.now().await.unwrap();
    LedgerSnapshot {
        event: EVENT,
        epoch: Epoch(epoch),
        window: SaleWindow { opens_at: now.plus_millis(-HOUR_MS), closes_at: now.plus_millis(HOUR_MS) },
        window_since: None,
        paused_at: None,
        max_per_user: 4,
        ticket_types: vec![
            SnapshotTicketType { id: VIP, price: VIP_PRICE, left: 10 },
            SnapshotTicketType { id: STANDING, price: STANDING_PRICE, left: 100 },
        ],
        reservations: vec![],
        refused: vec![],
    }
}

pub(crate) async fn load(ledger: &dyn Ledger, snapshot: &LedgerSnapshot) {
    assert_eq!(offer(ledger, snapshot).await, REPLACED, "the snapshot is newer");
}

/// A complete load, from its begin to its end.
pub(crate) async fn offer(ledger: &dyn Ledger, snapshot: &LedgerSnapshot) -> LoadAnswer {
    let start = ledger.begin_load(snapshot.event).await.unwrap();
    ledger.load(start.token, snapshot).await.unwrap()
}

/// The answer of a load that has dropped nothing.
pub(crate) const REPLACED: LoadAnswer = LoadAnswer::Replaced { dropped: vec![] };

/// The answer of a load that found a ledger of this epoch, which is not lower than its own.
pub(crate) fn kept(epoch: i64) -> LoadAnswer {
    LoadAnswer::Kept { epoch: Epoch(epoch) }
}

/// The entries that a load has dropped.
pub(crate) async fn dropped(ledger: &dyn Ledger, snapshot: &LedgerSnapshot) -> Vec<JournalEntry> {
    match offer(ledger, snapshot).await {
        LoadAnswer::Replaced { dropped } => dropped,
        other => panic!("expected Replaced, got {other:?}"),
    }
}

/// A ledger of epoch 1, loaded with the usual snapshot.
pub(crate) async fn loaded(kind: Kind) -> Arc<dyn Ledger> {
    let ledger = kind.ledger();
    load(&*ledger, &snapshot(&*ledger, 1).await).await;
    ledger
}

/// The verdicts on `requests`, by a ledger of any epoch.
pub(crate) async fn admit(ledger: &dyn Ledger, requests: &[AdmitRequest]) -> Vec<Verdict> {
    match ledger.admit(EVENT, Epoch(0), requests).await.unwrap() {
        AdmitAnswer::Verdicts { verdicts, .. } => verdicts,
        other => panic!("expected Verdicts, got {other:?}"),
    }
}

pub(crate) async fn admit_one(ledger: &dyn Ledger, request: AdmitRequest) -> Verdict {
    let verdicts = admit(ledger, &[request]).await;
    assert_eq!(verdicts.len(), 1);
    verdicts[0]
}

/// Admits `requests`. All of them must be admissible.
pub(crate) async fn admitted(ledger: &dyn Ledger, requests: &[AdmitRequest]) {
    for verdict in admit(ledger, requests).await {
        assert!(is_admitted(verdict), "{verdict:?}");
    }
}

pub(crate) fn is_admitted(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Admitted(_))
}

/// The verdict on a repeat of a request that first got `first`.
pub(crate) fn repeated(first: Verdict) -> Verdict {
    match first {
        Verdict::Admitted(admission) => Verdict::Admitted(Admission { repeated: true, ..admission }),
        other => panic!("expected Admitted, got {other:?}"),
    }
}

/// Seats left: VIP and standing.
pub(crate) async fn left(ledger: &dyn Ledger) -> [u32; 2] {
    let view = ledger.view(EVENT).await.unwrap().expect("the event is loaded");
    [VIP, STANDING].map(|id| view.ticket_types.iter().find(|t| t.id == id).unwrap().left)
}

/// How many tickets this user holds. Asks for more than the usual limit; five standing tickets must be left.
pub(crate) async fn held(ledger: &dyn Ledger, user: i64) -> u32 {
    match admit_one(ledger, request(u64::MAX, user, STANDING, 5)).await {
        Verdict::OverLimit { already_held, .. } => already_held,
        other => panic!("expected OverLimit, got {other:?}"),
    }
}

/// The whole journal, oldest first.
pub(crate) async fn journal(ledger: &dyn Ledger) -> Vec<JournalEntry> {
    ledger.journal_older_than(EVENT, 0, usize::MAX).await.unwrap()
}

pub(crate) async fn journal_ids(ledger: &dyn Ledger) -> Vec<ReservationId> {
    journal(ledger).await.into_iter().map(|entry| entry.request.id).collect()
}

/// Waits until the ledger's clock has passed `moment`.
pub(crate) async fn wait_past(ledger: &dyn Ledger, moment: Timestamp) {
    while ledger.now().await.unwrap() <= moment {
        tokio::task::yield_now().await;
    }
}
