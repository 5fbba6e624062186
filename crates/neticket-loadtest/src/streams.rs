//! Open streams of one event while its seats change. Measures how soon each stream receives a booking,
//! whether all receive the last one, and how often the ledger is read for them. One process and one clock
//! handle bookings and streams, so that times can be compared.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Uri};
use neticket_contract::{Availability, ReservationCreateRequest};
use neticket_domain::Role;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::api_client::{self, ApiClient};
use crate::cli::StreamsArgs;
use crate::connection::{Connection, Route, http_request};
use crate::context::{OPEN_TIMEOUT, OPENING_MAX};
use crate::result::float;
use crate::runs::{LOOP_MAX_PER_USER, RunSetup, write};
use crate::stats::Latencies;
use crate::token::Signer;
use crate::worker::file_limit_raise;

/// Users who book in turn. Each may book 100 times.
const PEOPLE: u32 = 100;
const SEATS: u32 = 1_000_000;
/// The timeout of a booking.
const BOOKING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long after the last booking all streams must have received it.
const HEARD_WITHIN: Duration = Duration::from_secs(10);
/// The metric in which the node counts its reads of ledgers.
const LEDGER_VIEWS: &str = "neticket_ledger_views_total";

/// The result.
#[derive(Serialize)]
struct Found {
    streams: u32,
    bookings: u64,
    /// Messages about a booking, on all streams.
    frames: u64,
    /// Streams that did not receive the last booking in time, or ended.
    unheard: u64,
    push_p50_us: u64,
    push_p99_us: u64,
    push_max_us: u64,
    ledger_views_per_s: f64,
}

/// What all streams have received.
#[derive(Default)]
struct Heard {
    /// By seats left: when the booking was sent that leaves this number.
    sent: HashMap<u64, Instant>,
    /// The last frame and its number of seats. All streams receive the same frames, so it is parsed once.
    last: (Bytes, u64),
    pushes: Latencies,
    frames: u64,
    /// By seats left: how many streams have this number as their last value.
    at: HashMap<u64, u64>,
}

type Hall = Arc<Mutex<Heard>>;

fn lock(hall: &Hall) -> MutexGuard<'_, Heard> {
    hall.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) async fn streams(args: &StreamsArgs) -> Result<bool> {
    file_limit_raise(args.streams)?;
    let setup = RunSetup::set(&args.common, PEOPLE, SEATS, LOOP_MAX_PER_USER).await?;
    ensure!(setup.targets.len() == 1, "streams can be measured only on one node");
    let mut api_client = ApiClient::new(setup.targets[0].clone());
    let hall = Hall::default();
    let mut open = open_all(&setup, args.streams, &hall).await?;
    println!("{} streams are open", args.streams);

    let (views_before, begun) = (api_client.number(LEDGER_VIEWS).await?, Instant::now());
    let left = api_client.availability(setup.config.event).await?;
    let left: u64 = left.ticket_types.iter().map(|ticket_type| u64::from(ticket_type.left)).sum();
    let bookings = book(args, &setup, &hall, left).await?;
    let unheard = unheard(args.streams, &hall, left - bookings).await;
    let seconds = begun.elapsed().as_secs_f64();
    let views = api_client.number(LEDGER_VIEWS).await? - views_before;
    open.abort_all();

    let heard = lock(&hall);
    let at = |percentile: f64| heard.pushes.histogram().value_at_percentile(percentile);
    let found = Found {
        streams: args.streams,
        bookings,
        frames: heard.frames,
        unheard,
        push_p50_us: at(50.0),
        push_p99_us: at(99.0),
        push_max_us: heard.pushes.histogram().max(),
        ledger_views_per_s: views / seconds,
    };
    println!(
        "{} bookings reached streams {} times: p50 {:.1} ms, p99 {:.1} ms after they were sent; {} streams missed the last booking; \
         {:.2} ledger reads per second",
        found.bookings,
        found.frames,
        float(found.push_p50_us) / 1e3,
        float(found.push_p99_us) / 1e3,
        found.unheard,
        found.ledger_views_per_s
    );
    if let Some(path) = &args.common.json {
        write(path, &serde_json::to_string(&found)?)?;
    }
    Ok(unheard == 0)
}

/// Opens all streams, a few at a time, and listens to them.
async fn open_all(setup: &RunSetup, count: u32, hall: &Hall) -> Result<JoinSet<()>> {
    let target = &setup.targets[0];
    let [first, second, ..] = *setup.run.as_bytes();
    let route =
        Route { target: target.address, source: api_client::source(&setup.targets, [first, second], 0) };
    let host = HeaderValue::try_from(&target.host)?;
    let uri = Uri::try_from(format!("/api/v1/events/{}/availability/stream", setup.config.event))?;
    let opening = Arc::new(Semaphore::new(OPENING_MAX));
    let mut begun = JoinSet::new();
    for _ in 0..count {
        let (route, host, uri, opening) = (route.clone(), host.clone(), uri.clone(), Arc::clone(&opening));
        begun.spawn(async move {
            let _turn = opening.acquire().await?;
            let accept = HeaderValue::from_static("text/event-stream");
            let http_request = http_request(Method::GET, uri, &host, [(ACCEPT, accept)], Bytes::new());
            let mut connection = Connection::new(route);
            let answer = connection.listen(http_request, Instant::now() + OPEN_TIMEOUT).await;
            let answer = answer.map_err(|lost| anyhow::anyhow!("cannot open a stream: {}", lost.name()))?;
            ensure!(answer.status() == 200, "a stream got status {}", answer.status());
            Ok((connection, answer.into_body()))
        });
    }
    let mut open = JoinSet::new();
    while let Some(stream) = begun.join_next().await {
        let (connection, body) = stream.context("a stream failed")??;
        let hall = Arc::clone(hall);
        open.spawn(async move {
            listen(body, &hall).await;
            drop(connection);
        });
    }
    Ok(open)
}

/// Listens until the stream ends.
async fn listen(mut body: Incoming, hall: &Hall) {
    let mut unread: Vec<u8> = Vec::new();
    let mut last_left = None;
    while let Some(Ok(frame)) = body.frame().await {
        let Some(bytes) = frame.data_ref() else { continue };
        unread.extend_from_slice(bytes);
        while let Some(end) = unread.windows(2).position(|two| two == b"\n\n") {
            let block: Vec<u8> = unread.drain(..end + 2).collect();
            let now = Instant::now();
            let mut heard = lock(hall);
            let Some(left) = heard.left_of(&block) else { continue };
            heard.hear(last_left.replace(left), left, now);
        }
    }
    // A stream that has ended receives nothing any more, so it is not counted.
    if let Some(left) = last_left {
        lock(hall).at.entry(left).and_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Heard {
    /// The seats left in all ticket types. `None` for a comment.
    fn left_of(&mut self, block: &[u8]) -> Option<u64> {
        if self.last.0 == block {
            return Some(self.last.1);
        }
        let text = std::str::from_utf8(block).ok()?;
        let data = text.lines().find_map(|line| line.strip_prefix("data: "))?;
        let availability: Availability = serde_json::from_str(data).ok()?;
        let left = availability.ticket_types.iter().map(|ticket_type| u64::from(ticket_type.left)).sum();
        self.last = (Bytes::copy_from_slice(block), left);
        Some(left)
    }

    fn hear(&mut self, before: Option<u64>, left: u64, now: Instant) {
        if let Some(count) = before.and_then(|before| self.at.get_mut(&before)) {
            *count = count.saturating_sub(1);
        }
        *self.at.entry(left).or_default() += 1;
        if let Some(sent) = self.sent.get(&left) {
            self.pushes.add(u64::try_from((now - *sent).as_micros()).unwrap_or(u64::MAX));
            self.frames += 1;
        }
    }
}

/// Books one ticket after another. Returns how many.
async fn book(args: &StreamsArgs, setup: &RunSetup, hall: &Hall, left: u64) -> Result<u64> {
    let target = &setup.targets[0];
    let mut connection = Connection::new(Route { target: target.address, source: None });
    let (host, signer) = (HeaderValue::try_from(&target.host)?, Signer::new(&args.common.jwt_secret));
    let begun = Instant::now();
    let pause = Duration::from_millis(args.pause_ms);
    let mut next = begun;
    let mut count = 0;
    for person in setup.people.iter().cycle() {
        if begun.elapsed() >= Duration::from_secs(args.seconds) || count >= left {
            break;
        }
        sleep_until(next).await;
        next = Instant::now() + pause;
        let ticket_type = setup.ticket_types[usize::try_from(count)? % setup.ticket_types.len()];
        let booking = serde_json::to_vec(&ReservationCreateRequest {
            ticket_type_id: ticket_type.id,
            quantity: 1,
            unit_price: Some(ticket_type.unit_price),
        })?;
        let json = HeaderValue::from_static("application/json");
        let headers = [(AUTHORIZATION, signer.authorization(*person, Role::User)?), (CONTENT_TYPE, json)];
        let http_request = http_request(
            Method::POST,
            Uri::from_static("/api/v1/reservations"),
            &host,
            headers,
            booking.into(),
        );
        count += 1;
        lock(hall).sent.insert(left - count, Instant::now());
        let answer = connection.ask(&http_request, Instant::now() + BOOKING_TIMEOUT).await;
        let answer = answer.map_err(|lost| anyhow::anyhow!("a booking failed: {}", lost.name()))?;
        if answer.status != 201 {
            bail!("a booking got status {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
    }
    Ok(count)
}

/// How many streams do not receive in time that `left` seats are left.
async fn unheard(streams: u32, hall: &Hall, left: u64) -> u64 {
    let all = u64::from(streams);
    let heard = || lock(hall).at.get(&left).copied().unwrap_or(0);
    let waiting = async {
        while heard() < all {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let _ = timeout(HEARD_WITHIN, waiting).await;
    all.saturating_sub(heard())
}
