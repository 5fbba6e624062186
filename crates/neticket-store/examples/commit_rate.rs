//! Measures how many bookings per second the store commits, and what they cost. It commits batches of
//! generated bookings for some seconds and prints one JSON object. The CPU times are those of this process
//! and of the database server (user and system).
//!
//! Without `--database-url` it starts its own durable MariaDB, with the settings of `infra/mysql.cnf`.
//! `cargo run --release -p neticket-store --example commit_rate -- --batch 500 --in-flight 2`
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measuring program ends where it fails")]

use std::time::{Duration, Instant};
use std::{env, fs, process};

use neticket_domain::{Quantity, ReservationId, Timestamp, UserId};
use neticket_store::{
    CommitOutcome, CommitRequest, EventRecord, NewEvent, NewTicketType, Store, StoreOptions,
};
use neticket_testservers::MariaDb;
use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

const USERS: i64 = 10_000;
const TICKET_TYPES: u32 = 4;
/// Kernel ticks of `/proc/<pid>/stat` are hundredths of a second on every Linux.
const TICK_US: u64 = 10_000;

struct Config {
    database_url: Option<String>,
    server_pid: Option<u32>,
    batch: usize,
    seconds: u64,
    in_flight: usize,
}

impl Config {
    fn from_args() -> Self {
        let mut config = Self { database_url: None, server_pid: None, batch: 500, seconds: 3, in_flight: 2 };
        let mut args = env::args().skip(1);
        while let Some(name) = args.next() {
            let value = args.next().expect("each option has a value");
            match name.as_str() {
                "--database-url" => config.database_url = Some(value),
                "--server-pid" => config.server_pid = Some(value.parse().expect("a process id")),
                "--batch" => config.batch = value.parse().expect("a number of bookings"),
                "--seconds" => config.seconds = value.parse().expect("a number of seconds"),
                "--in-flight" => config.in_flight = value.parse().expect("a number of batches"),
                _ => panic!("there is no option {name}"),
            }
        }
        config
    }
}

fn main() {
    let mut config = Config::from_args();
    let server = config.database_url.is_none().then(|| {
        let server = MariaDb { durable: true, ..MariaDb::default() }.start().unwrap();
        config.server_pid = server.pid();
        config.database_url = Some(format!("{}/mysql", server.url()));
        server
    });
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(measure(&config));
    drop(server);
}

async fn measure(config: &Config) {
    let url = config.database_url.clone().unwrap();
    let store =
        Store::connect(&StoreOptions { timeout_ms: 60_000, ..StoreOptions::new(url.clone()) }).await.unwrap();
    store.migrate().await.unwrap();
    let first_user = make_users(&url).await;
    let event = store.event_create(&new_event(), None, moment(1)).await.unwrap();
    // Warm-up for what a node does only once: it connects, and the server sees the statements for the first
    // time.
    commit_for(&store, &event, first_user, config, Duration::from_millis(300)).await;

    let (mine, servers) = (cpu_us(process::id()), config.server_pid.map(cpu_us));
    let begun = Instant::now();
    let commits = commit_for(&store, &event, first_user, config, Duration::from_secs(config.seconds)).await;
    let seconds = begun.elapsed().as_secs_f64();
    let bookings = to_f64(commits * u64::try_from(config.batch).unwrap());
    let cost = |before, after: u64| to_f64(after - before) / bookings;
    println!(
        "{{\"batch\":{},\"in_flight\":{},\"commits_per_s\":{:.0},\"bookings_per_s\":{:.0},\"cpu_us_per_booking\":{:.2},\
         \"server_cpu_us_per_booking\":{}}}",
        config.batch,
        config.in_flight,
        to_f64(commits) / seconds,
        bookings / seconds,
        cost(mine, cpu_us(process::id())),
        config
            .server_pid
            .zip(servers)
            .map_or_else(|| "null".to_owned(), |(pid, before)| format!("{:.2}", cost(before, cpu_us(pid)))),
    );
}

/// The number of batches that `config.in_flight` tasks committed in that time.
async fn commit_for(
    store: &Store,
    event: &EventRecord,
    first_user: i64,
    config: &Config,
    time: Duration,
) -> u64 {
    let end = Instant::now() + time;
    let tasks = (0..config.in_flight).map(|_| {
        let (store, event, batch_len) = (store.clone(), event.clone(), config.batch);
        tokio::spawn(async move {
            let mut commits = 0;
            while Instant::now() < end {
                let batch: Vec<_> = (0..batch_len).map(|_| request(&event, first_user)).collect();
                let outcomes = store.commit(&batch).await.unwrap();
                assert!(outcomes.iter().all(|outcome| *outcome == CommitOutcome::Confirmed));
                commits += 1;
            }
            commits
        })
    });
    futures::future::try_join_all(tasks).await.unwrap().into_iter().sum()
}

fn request(event: &EventRecord, first_user: i64) -> CommitRequest {
    let ticket_type = &event.ticket_types[rand::random_range(0..event.ticket_types.len())];
    CommitRequest {
        id: ReservationId(Uuid::new_v8(rand::random())),
        user: UserId(first_user + rand::random_range(0..USERS)),
        event: event.id,
        ticket_type: ticket_type.id,
        quantity: Quantity::new(1).unwrap(),
        unit_price: ticket_type.price,
        epoch: ticket_type.epoch,
        created_at: moment(1_790_000_000_000 + i64::from(rand::random::<u16>())),
    }
}

/// Inserts the people. Returns the lowest of their ids, which are consecutive.
async fn make_users(url: &str) -> i64 {
    let tag = Uuid::new_v4().simple().to_string();
    let rows: Vec<_> = (0..USERS)
        .map(|n| format!("('{n}@{tag}', '{n}{}', '{n}{}', '-', 'user', 0)", &tag[..20], &tag[..20]))
        .collect();
    let columns = "email, nickname, nickname_key, password_hash, role, created_at";
    let connection = sea_orm::Database::connect(url).await.unwrap();
    let insert = format!("INSERT INTO users ({columns}) VALUES {}", rows.join(","));
    connection.execute_unprepared(&insert).await.unwrap();
    let first = format!("SELECT MIN(id) AS id FROM users WHERE email LIKE '%@{tag}'");
    let row = connection
        .query_one_raw(sea_orm::Statement::from_string(connection.get_database_backend(), first))
        .await
        .unwrap()
        .unwrap();
    connection.close().await.unwrap();
    row.try_get("", "id").unwrap()
}

fn new_event() -> NewEvent {
    let ticket_types = (0..TICKET_TYPES).map(|n| NewTicketType {
        name: format!("type {n}"),
        price: 100_000 + u64::from(n),
        capacity: 100_000_000,
    });
    NewEvent {
        title: "a rush".to_owned(),
        place: "nowhere".to_owned(),
        description: String::new(),
        starts_at: moment(4_000_000_000_000),
        opens_at: moment(1),
        closes_at: moment(4_000_000_000_000),
        max_per_user: 4,
        image_key: None,
        ticket_types: ticket_types.collect(),
    }
}

fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// The user and system time that a process has used, in microseconds.
fn cpu_us(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process that runs, on Linux");
    // The fields from the third on. They follow the name, which may contain anything, but its closing bracket
    // is the last one.
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
    ticks * TICK_US
}

#[allow(clippy::cast_precision_loss, clippy::as_conversions, reason = "counts far below 2^52")]
fn to_f64(count: u64) -> f64 {
    count as f64
}
