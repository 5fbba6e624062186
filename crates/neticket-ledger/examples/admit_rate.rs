//! Measures how many reservations per second the ledger alone admits. This is the first step of the
//! benchmarks.
//!
//! ```text
//! cargo run --release -p neticket-ledger --example admit_rate -- --redis-url redis://127.0.0.1:6379 --settle
//! cargo run --release -p neticket-ledger --example admit_rate -- --memory --settle
//! ```
//!
//! `--redis-url U` or `--memory` chooses the ledger. Without either, the example starts a Redis server of its
//! own. `--batch 500`: reservations per call. `--in-flight 2`: concurrent calls. `--seconds 3`: how long it
//! runs. `--settle`: also settles each batch. `--sold-out`: no seats are left, and every request is refused.
//! Each request is of a new user and for one ticket. Prints JSON. `us_per_booking_redis` and
//! `cpu_us_per_booking_redis` measure the server alone: the time that its commands took, and the processor
//! time that it used, in microseconds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use neticket_domain::{Epoch, EventId, Quantity, ReservationId, SaleWindow, TicketTypeId, UserId};
use neticket_ledger::{
    AdmitAnswer, AdmitRequest, Ledger, LedgerSnapshot, MemoryLedger, RedisLedger, RedisOptions,
    SnapshotTicketType, Verdict,
};
use neticket_testservers::{Redis, unique_prefix};
use uuid::Uuid;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const EVENT: EventId = EventId(1);
const TICKET_TYPE: TicketTypeId = TicketTypeId(1);
const EPOCH: Epoch = Epoch(1);
const PRICE: u64 = 150_000;
const HOUR_MS: i64 = 3_600_000;

#[derive(Clone, Debug)]
struct Options {
    redis_url: Option<String>,
    memory: bool,
    batch: usize,
    in_flight: usize,
    seconds: u64,
    settle: bool,
    sold_out: bool,
}

impl Options {
    fn read(mut args: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut options = Self {
            redis_url: None,
            memory: false,
            batch: 500,
            in_flight: 2,
            seconds: 3,
            settle: false,
            sold_out: false,
        };
        while let Some(name) = args.next() {
            let mut value = || args.next().ok_or(format!("{name} needs a value"));
            match name.as_str() {
                "--redis-url" => options.redis_url = Some(value()?),
                "--memory" => options.memory = true,
                "--batch" => options.batch = value()?.parse()?,
                "--in-flight" => options.in_flight = value()?.parse()?,
                "--seconds" => options.seconds = value()?.parse()?,
                "--settle" => options.settle = true,
                "--sold-out" => options.sold_out = true,
                _ => return Err(format!("{name} is not an option").into()),
            }
        }
        Ok(options)
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::read(std::env::args().skip(1))?;
    let own = options.redis_url.is_none() && !options.memory;
    let server =
        if own { Some(tokio::task::spawn_blocking(|| Redis::default().start()).await??) } else { None };
    let url = options.redis_url.clone().or(server.as_ref().map(neticket_testservers::Server::url));
    let ledger: Arc<dyn Ledger> = match &url {
        None => Arc::new(MemoryLedger::new().with_journal_len_max(usize::MAX)),
        Some(url) => Arc::new(RedisLedger::connect(RedisOptions {
            prefix: unique_prefix(),
            journal_len_max: 1_000_000_000,
            timeout_ms: 10_000,
            ..RedisOptions::new(url)
        })?),
    };
    load(&*ledger, &options).await?;
    let before = used(url.as_deref()).await?;
    let begun = Instant::now();
    let until = begun + Duration::from_secs(options.seconds);
    let booking =
        (0..options.in_flight).map(|_| tokio::spawn(book(Arc::clone(&ledger), options.clone(), until)));
    let mut answered = 0;
    for calls in join_all(booking).await {
        answered += calls??;
    }
    let took = begun.elapsed().as_secs_f64();
    let after = used(url.as_deref()).await?;
    ledger.drop_for_test(EVENT).await?;
    report(&options, answered, took, (before, after));
    Ok(())
}

async fn load(ledger: &dyn Ledger, options: &Options) -> Result<(), Failure> {
    let now = ledger.now().await?;
    let left = if options.sold_out { 0 } else { u32::MAX };
    let snapshot = LedgerSnapshot {
        event: EVENT,
        epoch: EPOCH,
        window: SaleWindow { opens_at: now.plus_millis(-HOUR_MS), closes_at: now.plus_millis(HOUR_MS) },
        window_since: None,
        paused_at: None,
        max_per_user: 4,
        ticket_types: vec![SnapshotTicketType { id: TICKET_TYPE, price: PRICE, left }],
        reservations: vec![],
        refused: vec![],
    };
    let start = ledger.begin_load(EVENT).await?;
    ledger.load(start.token, &snapshot).await?;
    Ok(())
}

/// Admits batch after batch. Returns how many requests were answered.
async fn book(ledger: Arc<dyn Ledger>, options: Options, until: Instant) -> Result<u32, Failure> {
    let one = Quantity::new(1).ok_or("1 is a quantity")?;
    let mut answered = 0;
    while Instant::now() < until {
        let somebody = |_| {
            let id = Uuid::new_v4();
            let user = UserId(id.as_u64_pair().1.cast_signed());
            AdmitRequest {
                id: ReservationId(id),
                user,
                ticket_type: TICKET_TYPE,
                quantity: one,
                unit_price: Some(PRICE),
            }
        };
        let requests: Vec<_> = (0..options.batch).map(somebody).collect();
        let AdmitAnswer::Verdicts { verdicts, .. } = ledger.admit(EVENT, EPOCH, &requests).await? else {
            return Err("the ledger was lost".into());
        };
        let expected = |verdict: &Verdict| match verdict {
            Verdict::Admitted(_) => !options.sold_out,
            Verdict::SoldOut { .. } => options.sold_out,
            _ => false,
        };
        if !verdicts.iter().all(expected) {
            return Err(format!("not what was expected: {:?}", verdicts.first()).into());
        }
        if options.settle {
            let ids: Vec<_> = requests.iter().map(|request| request.id).collect();
            ledger.settle(EVENT, EPOCH, &ids).await?;
        }
        answered += u32::try_from(verdicts.len())?;
    }
    Ok(answered)
}

/// What the server has used so far, in microseconds.
#[derive(Default)]
struct Used {
    admit_and_settle: f64,
    cpu: f64,
}

async fn used(url: Option<&str>) -> Result<Used, Failure> {
    let Some(url) = url else { return Ok(Used::default()) };
    let mut used = Used::default();
    for url in url.split(',') {
        let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
        let info: String = redis::cmd("INFO").arg("everything").query_async(&mut connection).await?;
        let fields: HashMap<&str, &str> = info.lines().filter_map(|line| line.split_once(':')).collect();
        let seconds = |name| fields.get(name).and_then(|value: &&str| value.trim().parse::<f64>().ok());
        let cpu =
            seconds("used_cpu_user").zip(seconds("used_cpu_sys")).ok_or("INFO tells of no processor")?;
        used.cpu += (cpu.0 + cpu.1) * 1e6;
        let evalsha = fields
            .get("cmdstat_evalsha")
            .and_then(|line| line.split(',').find_map(|word| word.strip_prefix("usec=")));
        used.admit_and_settle += evalsha.map_or(Ok(0.0), str::parse)?;
    }
    Ok(used)
}

fn report(options: &Options, answered: u32, took: f64, (before, after): (Used, Used)) {
    let Options { batch, in_flight, settle, sold_out, memory, .. } = options;
    let each = f64::from(answered.max(1));
    println!(
        "{{\"ledger\": \"{}\", \"batch\": {batch}, \"in_flight\": {in_flight}, \"settle\": {settle}, \
         \"sold_out\": {sold_out}, \"answered\": {answered}, \"seconds\": {took:.2}, \"{}_per_s\": {:.0}, \
         \"us_per_booking_redis\": {:.2}, \"cpu_us_per_booking_redis\": {:.2}}}",
        if *memory { "memory" } else { "redis" },
        if *sold_out { "refused" } else { "admitted" },
        each / took,
        (after.admit_and_settle - before.admit_and_settle) / each,
        (after.cpu - before.cpu) / each,
    );
}
