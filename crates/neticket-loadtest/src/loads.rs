//! What one connection does, for each kind of load.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::HeaderValue;
use hyper::{Method, Uri};
use tokio::time::{Instant, sleep_until};

use crate::booking::{BookingAttempt, Person};
use crate::connection::{Connection, HttpRequest, http_request};
use crate::context::{OPEN_TIMEOUT, WorkerContext};
use crate::outcome::Outcome;
use crate::worker_config::{Load, Rush};

/// How long a booking of a closed loop may continue after the end of the measurement.
const FINISH_WITHIN: Duration = Duration::from_secs(30);
/// The timeout of one read.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// Pause after a read that failed.
const READ_PAUSE: Duration = Duration::from_millis(100);

/// Runs connection `n` of the worker.
pub(crate) async fn play(context: Arc<WorkerContext>, n: usize) {
    match &context.worker_config.load {
        Load::Rush(rush) => rush_play(&context, rush, n).await,
        Load::Book(_) => book_play(&context, n).await,
        Load::Read(_) => read_play(&context, n).await,
        Load::Hold { path, hold_ms } => hold_play(&context, n, path, *hold_ms).await,
    }
}

/// One person who books once, at a moment that is fixed beforehand, whatever the server answers to others
/// until then.
async fn rush_play(context: &WorkerContext, rush: &Rush, n: usize) {
    let (mut connection, host) = context.connection(n);
    let page = page(context, host);
    let before = async {
        match &page {
            Some(page) if rush.connect_before => get(&mut connection, page).await.is_ok(),
            _ => true,
        }
    };
    let Some(shared) = context.opened(before).await else { return };
    let opened_before = connection.opened();
    #[allow(clippy::cast_precision_loss, clippy::as_conversions, reason = "a position in a queue of people")]
    let offset = Duration::from_secs_f64((rush.first_us + rush.step_us * n as f64) / 1e6);
    let intended = shared.start() + offset;
    let deadline = intended + Duration::from_millis(rush.give_up_after_ms);
    let person = &context.people[n];
    sleep_until(intended).await;
    shared.begin();
    let mut end = Outcome::SoldOut;
    let ticket_types = &context.worker_config.ticket_types;
    let tries = if rush.other_ticket_types { ticket_types.len() } else { 1 };
    for turn in 0..tries {
        let ticket_type = ticket_types[(n + turn) % ticket_types.len()];
        let Some(key) = key(context, turn) else { return };
        end =
            BookingAttempt { host, person, ticket_type, key }.book(&shared, &mut connection, deadline).await;
        if end != Outcome::SoldOut {
            break;
        }
    }
    shared.reconnects(connection.opened().saturating_sub(opened_before.max(1)));
    shared.ended(person.user, intended, end);
}

/// Books again after each answer, each time as the connection's next person.
async fn book_play(context: &WorkerContext, n: usize) {
    let (mut connection, host) = context.connection(n);
    let before = async { connection.open(Instant::now() + OPEN_TIMEOUT).await.is_ok() };
    let Some(shared) = context.opened(before).await else { return };
    sleep_until(shared.start()).await;
    let step = usize::try_from(context.worker_config.connections).unwrap_or(usize::MAX);
    let mine: Vec<&Person> = context.people.iter().skip(n).step_by(step).collect();
    let ticket_types = &context.worker_config.ticket_types;
    for turn in 0.. {
        let begun = Instant::now();
        if begun >= shared.end() {
            break;
        }
        let person = mine[turn % mine.len()];
        let ticket_type = ticket_types[(n + turn) % ticket_types.len()];
        let Some(key) = key(context, turn) else { return };
        shared.begin();
        let deadline = shared.end() + FINISH_WITHIN;
        let end =
            BookingAttempt { host, person, ticket_type, key }.book(&shared, &mut connection, deadline).await;
        shared.ended(person.user, begun, end);
    }
    shared.reconnects(connection.opened().saturating_sub(1));
}

/// Reads the event's page again after each answer.
async fn read_play(context: &WorkerContext, n: usize) {
    let (mut connection, host) = context.connection(n);
    let Some(page) = page(context, host) else { return };
    let before = async { connection.open(Instant::now() + OPEN_TIMEOUT).await.is_ok() };
    let Some(shared) = context.opened(before).await else { return };
    sleep_until(shared.start()).await;
    loop {
        let asked = Instant::now();
        if asked >= shared.end() {
            break;
        }
        shared.begin();
        let failed = match connection.ask(&page, asked + READ_TIMEOUT).await {
            Ok(answer) if answer.status == 200 && !answer.body.is_empty() => {
                shared.read(asked);
                continue;
            }
            Ok(answer) => answer.status.to_string(),
            Err(lost) => lost.name().to_owned(),
        };
        shared.read_failed(&failed);
        sleep_until(Instant::now() + READ_PAUSE).await;
    }
    shared.reconnects(connection.opened().saturating_sub(1));
}

/// Sends one request and then keeps the connection open.
async fn hold_play(context: &WorkerContext, n: usize, path: &str, hold_ms: u64) {
    let (mut connection, host) = context.connection(n);
    let Ok(uri) = Uri::try_from(path) else { return };
    let once = http_request(Method::GET, uri, host, [], Bytes::new());
    let before = async { get(&mut connection, &once).await.is_ok() };
    let Some(shared) = context.opened(before).await else { return };
    sleep_until(shared.start() + Duration::from_millis(hold_ms)).await;
    if connection.is_open() {
        shared.held();
    } else {
        shared.read_failed("closed by the server");
    }
}

fn page(context: &WorkerContext, host: &HeaderValue) -> Option<HttpRequest> {
    let uri = Uri::try_from(format!("/api/v1/events/{}", context.worker_config.event)).ok()?;
    Some(http_request(Method::GET, uri, host, [], Bytes::new()))
}

async fn get(connection: &mut Connection, http_request: &HttpRequest) -> Result<(), ()> {
    let answer = connection.ask(http_request, Instant::now() + OPEN_TIMEOUT).await.map_err(|_| ())?;
    if answer.status == 200 { Ok(()) } else { Err(()) }
}

/// An idempotency key. Keys belong to a user, so `turn` only distinguishes a user's bookings of one run.
fn key(context: &WorkerContext, turn: usize) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("{}-{turn}", context.worker_config.run.simple())).ok()
}
