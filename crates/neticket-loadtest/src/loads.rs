//! What one connection does, for each kind of load.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::HeaderValue;
use hyper::{Method, Uri};
use tokio::time::{Instant, sleep_until};

use crate::booking::{BookingAttempt, Person};
use crate::connection::{Connection, Question, question};
use crate::crew::{Crew, OPEN_TIMEOUT};
use crate::end::End;
use crate::orders::{Load, Rush};

/// How long a booking of a closed loop may continue after the end of the measurement.
const FINISH_WITHIN: Duration = Duration::from_secs(30);
/// The timeout of one read.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// Pause after a read that failed.
const READ_PAUSE: Duration = Duration::from_millis(100);

/// Runs connection `n` of the crew.
pub(crate) async fn play(crew: Arc<Crew>, n: usize) {
    match &crew.orders.load {
        Load::Rush(rush) => rush_play(&crew, rush, n).await,
        Load::Book(_) => book_play(&crew, n).await,
        Load::Read(_) => read_play(&crew, n).await,
        Load::Hold { path, hold_ms } => hold_play(&crew, n, path, *hold_ms).await,
    }
}

/// One person who books once, at a moment that is fixed beforehand, whatever the server answers to others
/// until then.
async fn rush_play(crew: &Crew, rush: &Rush, n: usize) {
    let (mut connection, host) = crew.connection(n);
    let page = page(crew, host);
    let before = async {
        match &page {
            Some(page) if rush.connect_before => get(&mut connection, page).await.is_ok(),
            _ => true,
        }
    };
    let Some(shared) = crew.opened(before).await else { return };
    let opened_before = connection.opened();
    #[allow(clippy::cast_precision_loss, clippy::as_conversions, reason = "a position in a queue of people")]
    let offset = Duration::from_secs_f64((rush.first_us + rush.step_us * n as f64) / 1e6);
    let intended = shared.start() + offset;
    let deadline = intended + Duration::from_millis(rush.patience_ms);
    let person = &crew.people[n];
    sleep_until(intended).await;
    shared.begin();
    let mut end = End::SoldOut;
    let grades = &crew.orders.grades;
    let tries = if rush.other_grades { grades.len() } else { 1 };
    for turn in 0..tries {
        let grade = grades[(n + turn) % grades.len()];
        let Some(key) = key(crew, turn) else { return };
        end = BookingAttempt { host, person, grade, key }.book(&shared, &mut connection, deadline).await;
        if end != End::SoldOut {
            break;
        }
    }
    shared.reconnects(connection.opened().saturating_sub(opened_before.max(1)));
    shared.ended(person.user, intended, end);
}

/// Books again after each answer, each time as the connection's next person.
async fn book_play(crew: &Crew, n: usize) {
    let (mut connection, host) = crew.connection(n);
    let before = async { connection.open(Instant::now() + OPEN_TIMEOUT).await.is_ok() };
    let Some(shared) = crew.opened(before).await else { return };
    sleep_until(shared.start()).await;
    let step = usize::try_from(crew.orders.connections).unwrap_or(usize::MAX);
    let mine: Vec<&Person> = crew.people.iter().skip(n).step_by(step).collect();
    let grades = &crew.orders.grades;
    for turn in 0.. {
        let begun = Instant::now();
        if begun >= shared.end() {
            break;
        }
        let person = mine[turn % mine.len()];
        let grade = grades[(n + turn) % grades.len()];
        let Some(key) = key(crew, turn) else { return };
        shared.begin();
        let deadline = shared.end() + FINISH_WITHIN;
        let end = BookingAttempt { host, person, grade, key }.book(&shared, &mut connection, deadline).await;
        shared.ended(person.user, begun, end);
    }
    shared.reconnects(connection.opened().saturating_sub(1));
}

/// Reads the event's page again after each answer.
async fn read_play(crew: &Crew, n: usize) {
    let (mut connection, host) = crew.connection(n);
    let Some(page) = page(crew, host) else { return };
    let before = async { connection.open(Instant::now() + OPEN_TIMEOUT).await.is_ok() };
    let Some(shared) = crew.opened(before).await else { return };
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
async fn hold_play(crew: &Crew, n: usize, path: &str, hold_ms: u64) {
    let (mut connection, host) = crew.connection(n);
    let Ok(uri) = Uri::try_from(path) else { return };
    let once = question(Method::GET, uri, host, [], Bytes::new());
    let before = async { get(&mut connection, &once).await.is_ok() };
    let Some(shared) = crew.opened(before).await else { return };
    sleep_until(shared.start() + Duration::from_millis(hold_ms)).await;
    if connection.is_open() {
        shared.held();
    } else {
        shared.read_failed("closed by the server");
    }
}

fn page(crew: &Crew, host: &HeaderValue) -> Option<Question> {
    let uri = Uri::try_from(format!("/api/v1/events/{}", crew.orders.event)).ok()?;
    Some(question(Method::GET, uri, host, [], Bytes::new()))
}

async fn get(connection: &mut Connection, question: &Question) -> Result<(), ()> {
    let answer = connection.ask(question, Instant::now() + OPEN_TIMEOUT).await.map_err(|_| ())?;
    if answer.status == 200 { Ok(()) } else { Err(()) }
}

/// An idempotency key. Keys belong to a user, so `turn` only distinguishes a user's bookings of one run.
fn key(crew: &Crew, turn: usize) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("{}-{turn}", crew.orders.run.simple())).ok()
}
