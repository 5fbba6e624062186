//! The contents of the tables: a sale of tens of thousands of tickets, and a little of everything else.

use neticket_domain::{Email, Nickname, Quantity, ReservationId, Role, Timestamp, UserId};
use uuid::Uuid;

use super::meter::{CountingDatabase, Statistics};
use crate::{
    AuditOrigin, CancelOutcome, CancelRequest, CommitOutcome, CommitRequest, EventRecord, NewEvent,
    NewTicketType, NewUser, Store,
};

/// Reservations of the busy event.
pub(super) const SOLD: usize = 30_000;
/// How many of these are cancelled and wait in the outbox.
const WAITING: usize = 5_000;
/// People who have booked the busy event.
const PEOPLE: i64 = 5_000;
/// The maximum number of rows in one statement.
const BATCH_LEN: usize = 1_000;
/// Refresh tokens. One person has `OWN_TOKENS` of them.
pub(super) const TOKENS: usize = 10_000;
pub(super) const OWN_TOKENS: usize = 600;
/// Entries of the audit log.
pub(super) const AUDITED: usize = 500;
/// Reservations of one person, half of them of the busy event.
pub(super) const OWN: usize = 80;
/// Reservations of each small event.
pub(super) const FEW: usize = 20;

/// What all calls share.
pub(super) struct Fixture {
    /// The user whose own list is read.
    pub(super) owner: UserId,
    pub(super) own: Vec<ReservationId>,
    pub(super) small: EventRecord,
    /// Reservations of the busy event, all confirmed.
    pub(super) crowd: Vec<CommitRequest>,
    /// Cancelled reservations that are in the outbox, oldest first.
    pub(super) waiting: Vec<ReservationId>,
}

/// What one round of calls may use up.
pub(super) struct Round {
    /// From 0.
    pub(super) number: i64,
    /// Reservations of the busy event, all confirmed. No other round has the same.
    pub(super) crowd: Vec<CommitRequest>,
    pub(super) waiting: Vec<ReservationId>,
    /// An event with a few reservations, all confirmed.
    pub(super) to_cancel: EventRecord,
    /// A cancelled event with a few reservations, all cancelled too.
    pub(super) to_finish: EventRecord,
    /// An event without reservations.
    pub(super) unbooked: EventRecord,
}

impl Fixture {
    /// Fills the tables of `database`, after it has taken their statistics.
    pub(super) async fn fill(database: &CountingDatabase) -> Self {
        let (store, _) = database.open().await;
        store.migrate().await.unwrap();
        let busy = event(&store).await;
        let small = event(&store).await;
        let owner = user(&store).await;
        database.analyze().await;

        let first = people(database).await;
        tokens(database, first, owner).await;
        for _ in 0..AUDITED {
            store.audit_append(&admin().did("test", "nothing", "", at(0))).await.unwrap();
        }
        let mut requests: Vec<_> =
            (0..).map(|n| request(&busy, UserId(first + n % PEOPLE), n)).take(SOLD).collect();
        for batch in requests.chunks(BATCH_LEN) {
            commit(&store, batch).await;
        }
        let own: Vec<_> = (0..)
            .map(|n| request(if n % 2 == 0 { &busy } else { &small }, owner, n * 100))
            .take(OWN)
            .collect();
        // One after the other, as people book.
        for request in &own {
            commit(&store, &[*request]).await;
        }
        let crowd = requests.split_off(WAITING);
        let waiting: Vec<_> = requests.iter().map(|request| request.id).collect();
        for (batch, n) in requests.chunks(BATCH_LEN / 10).zip(0..) {
            cancel(&store, batch, n).await;
        }
        Self { owner, own: own.iter().map(|request| request.id).collect(), small, crowd, waiting }
    }

    /// Creates what the round of calls under these `statistics` uses up.
    pub(super) async fn round(&self, store: &Store, statistics: Statistics) -> Round {
        let round = Statistics::ALL.iter().position(|each| *each == statistics).unwrap();
        let share =
            |len: usize| round * len / Statistics::ALL.len()..(round + 1) * len / Statistics::ALL.len();
        let user = user(store).await;
        let to_cancel = event(store).await;
        let few: Vec<_> = (0..).map(|n| request(&to_cancel, user, n)).take(FEW).collect();
        commit(store, &few).await;
        let to_finish = event(store).await;
        let few: Vec<_> = (0..).map(|n| request(&to_finish, user, n)).take(FEW).collect();
        commit(store, &few).await;
        cancel(store, &few, 1).await;
        store.event_cancel(to_finish.id, &admin(), at(1)).await.unwrap();
        Round {
            number: i64::try_from(round).unwrap(),
            crowd: self.crowd[share(self.crowd.len())].to_vec(),
            waiting: self.waiting[share(self.waiting.len())].to_vec(),
            to_cancel,
            to_finish,
            unbooked: event(store).await,
        }
    }
}

/// A reservation of one ticket, created `n` milliseconds after the first one. `n` also selects the ticket
/// type.
pub(super) fn request(event: &EventRecord, user: UserId, n: i64) -> CommitRequest {
    let types = &event.ticket_types;
    let ticket_type = &types[usize::try_from(n).unwrap() % types.len()];
    CommitRequest {
        id: ReservationId(Uuid::new_v4()),
        user,
        event: event.id,
        ticket_type: ticket_type.id,
        quantity: Quantity::new(1).unwrap(),
        unit_price: ticket_type.price,
        epoch: ticket_type.epoch,
        created_at: at(n),
    }
}

pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + millis)
}

pub(super) fn admin() -> AuditOrigin {
    AuditOrigin { actor: None, ip: String::new() }
}

/// Ten random hexadecimal digits, for a name that nobody else has.
pub(super) fn letters() -> String {
    Uuid::new_v4().simple().to_string()[..10].to_owned()
}

pub(super) async fn user(store: &Store) -> UserId {
    let name = letters();
    let email = Email::parse(&format!("{name}@example.com")).unwrap();
    let nickname = Nickname::parse(&name).unwrap();
    let new =
        NewUser { email: &email, nickname: &nickname, password_hash: "-", role: Role::User, now: at(0) };
    store.user_create(new).await.unwrap().id
}

async fn event(store: &Store) -> EventRecord {
    let ticket_types =
        (0..4).map(|n| NewTicketType { name: format!("type {n}"), price: 10_000 + n, capacity: 1_000_000 });
    let new = NewEvent {
        title: "햄릿".to_owned(),
        place: "Seoul".to_owned(),
        description: "To be".to_owned(),
        starts_at: at(1_000_000_000),
        opens_at: at(0),
        closes_at: at(1_000_000_000),
        max_per_user: 4,
        image_key: None,
        ticket_types: ticket_types.collect(),
    };
    store.event_create(&new, None, at(0)).await.unwrap()
}

/// Inserts the people. Returns the lowest of their ids, which are consecutive.
async fn people(database: &CountingDatabase) -> i64 {
    let rows: Vec<_> = (0..PEOPLE)
        .map(|n| format!("({}, '{n}@x', 'crowd{n}', 'crowd{n}', '-', 'user', 0)", n + 1_000))
        .collect();
    let columns = "id, email, nickname, nickname_key, password_hash, role, created_at";
    for rows in rows.chunks(BATCH_LEN) {
        database.sql(&format!("INSERT INTO users ({columns}) VALUES {}", rows.join(","))).await;
    }
    1_000
}

/// Inserts the tokens. Each expires one millisecond after the one before. Those of `own` are in the middle,
/// neither among the first nor among the last.
async fn tokens(database: &CountingDatabase, first: i64, own: UserId) {
    let own_tokens = TOKENS / 2..TOKENS / 2 + OWN_TOKENS;
    let rows: Vec<_> = (0..TOKENS)
        .zip(0..)
        .map(|(at_place, n)| {
            let user = if own_tokens.contains(&at_place) { own.0 } else { first + n % PEOPLE };
            format!("(x'{n:064x}', x'{:032x}', {user}, FALSE, {}, 0)", n / 2, at(n).as_millis())
        })
        .collect();
    let columns = "token_hash, family, user_id, ended, expires_at, created_at";
    for rows in rows.chunks(BATCH_LEN) {
        database.sql(&format!("INSERT INTO refresh_tokens ({columns}) VALUES {}", rows.join(","))).await;
    }
}

/// The hash of the `n`th token.
pub(super) fn token_hash(n: i64) -> [u8; 32] {
    let mut hash = [0; 32];
    hash[24..].copy_from_slice(&n.to_be_bytes());
    hash
}

async fn commit(store: &Store, batch: &[CommitRequest]) {
    let outcomes = store.commit(batch).await.unwrap();
    assert!(outcomes.iter().all(|outcome| *outcome == CommitOutcome::Confirmed), "{outcomes:?}");
}

async fn cancel(store: &Store, batch: &[CommitRequest], n: i64) {
    let outcomes = store.cancel(&cancel_requests(batch), at(n)).await.unwrap();
    let is_cancelled = |outcome: &CancelOutcome| matches!(outcome, CancelOutcome::Cancelled { .. });
    assert!(outcomes.iter().all(is_cancelled), "{outcomes:?}");
}

pub(super) fn cancel_requests(batch: &[CommitRequest]) -> Vec<CancelRequest> {
    batch.iter().map(|request| CancelRequest { id: request.id, user: request.user }).collect()
}
