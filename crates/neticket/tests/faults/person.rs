//! One person of the crowd: books and cancels, sends a request again if its answer was lost, and remembers
//! what was promised.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header};
use neticket_testkit::domain::{ReservationId, Timestamp, UserId};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::answer_counts::AnswerCounts;
use crate::cluster::JWT_SECRET;

/// If there is no definite answer within this time, the test fails.
const TIMEOUT: Duration = Duration::from_secs(90);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// How long the people of the scenarios wait for one answer. It is longer than a running node needs.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// The state that all people share.
pub(crate) struct Sale {
    /// The addresses of the nodes.
    pub(crate) urls: Vec<String>,
    /// The ticket types on sale.
    pub(crate) ticket_types: Vec<i64>,
    pub(crate) answer_counts: AnswerCounts,
    /// Whether administrators pause the sale at times. If not, nobody may get `sale_paused`.
    pub(crate) pauses: AtomicBool,
    client: reqwest::Client,
}

impl Sale {
    /// `answer_timeout`: how long each person waits for one answer.
    pub(crate) fn new(urls: Vec<String>, ticket_types: Vec<i64>, answer_timeout: Duration) -> Arc<Self> {
        let client = reqwest::Client::builder().timeout(answer_timeout).build().expect("a client");
        Arc::new(Self {
            urls,
            ticket_types,
            answer_counts: AnswerCounts::new(),
            pauses: AtomicBool::new(false),
            client,
        })
    }

    /// Waits for `count` more definite answers, which show that the sale continues.
    pub(crate) async fn answered(&self, count: u64) {
        let (wanted, deadline) = (self.answer_counts.definite_count() + count, Instant::now() + TIMEOUT);
        while self.answer_counts.definite_count() < wanted {
            assert!(Instant::now() < deadline, "the sale stopped:\n{}", self.answer_counts);
            sleep(POLL_INTERVAL).await;
        }
    }
}

/// The final result of one idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Booked(ReservationId),
    /// Booked, and then definitely cancelled.
    Cancelled(ReservationId),
    /// The problem code.
    Refused(String),
}

/// One idempotency key with its booking and its final result.
#[derive(Clone, Debug)]
pub(crate) struct Booking {
    pub(crate) key: String,
    pub(crate) ticket_type: i64,
    pub(crate) quantity: u32,
    pub(crate) outcome: Outcome,
    /// Whether an answer was lost. An earlier attempt may then still be in progress when a later one is
    /// refused.
    pub(crate) disturbed: bool,
}

/// A person with an access token.
pub(crate) struct Person {
    pub(crate) user: UserId,
    pub(crate) bookings: Vec<Booking>,
    /// Answers that this person should never have got.
    pub(crate) violations: Vec<String>,
    token: String,
    sale: Arc<Sale>,
    rng: StdRng,
}

enum Answer {
    /// The status and the body.
    Definite(u16, Value),
    Unknown,
}

impl Person {
    pub(crate) fn new(sale: &Arc<Sale>, user: UserId, now: Timestamp, seed: u64) -> Self {
        let iat = now.as_millis() / 1000;
        let claims =
            json!({"sub": user.0, "role": "user", "sid": Uuid::nil(), "iat": iat, "exp": iat + 86_400});
        let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
        let token = jsonwebtoken::encode(&Header::default(), &claims, &key).expect("a token");
        let rng = StdRng::seed_from_u64(seed ^ user.0.unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15));
        Self { user, bookings: Vec::new(), violations: Vec::new(), token, sale: Arc::clone(sale), rng }
    }

    /// Books a random ticket type or cancels something. Sometimes sends the request twice, at the same time
    /// or one after the other, as impatient people do.
    pub(crate) async fn act(&mut self) {
        let held = self.bookings.iter().position(|booking| matches!(booking.outcome, Outcome::Booked(_)));
        match held {
            Some(index) if self.rng.random_bool(0.4) => self.cancel(index).await,
            _ => {
                let ticket_type =
                    self.sale.ticket_types[self.rng.random_range(0..self.sale.ticket_types.len())];
                let quantity = self.rng.random_range(1..=3);
                self.book(ticket_type, quantity).await;
            }
        }
    }

    /// Books under a new key until the answer is definite.
    pub(crate) async fn book(&mut self, ticket_type: i64, quantity: u32) -> Outcome {
        let key = format!("{}-{}", self.user, self.bookings.len());
        let outcome = Outcome::Refused(String::new());
        let mut booking = Booking { key, ticket_type, quantity, outcome, disturbed: false };
        booking.outcome = if self.rng.random_bool(0.1) {
            let (mut other, mut repeat) = (self.second_client(), booking.clone());
            let (mine, theirs) = tokio::join!(self.ask(&mut booking), other.ask(&mut repeat));
            self.violations.append(&mut other.violations);
            booking.disturbed |= repeat.disturbed;
            self.agreed(&booking, mine, theirs)
        } else {
            self.ask(&mut booking).await
        };
        if let Outcome::Booked(_) = booking.outcome
            && self.rng.random_bool(0.2)
        {
            let again = self.ask(&mut booking).await;
            if again != booking.outcome {
                self.report_violation(&format!("a repeat of {booking:?} got {again:?}"));
            }
        }
        let outcome = booking.outcome.clone();
        self.bookings.push(booking);
        outcome
    }

    /// The outcome of two answers to one key. One may be a refusal from before a seat became free for the
    /// other.
    fn agreed(&mut self, booking: &Booking, one: Outcome, other: Outcome) -> Outcome {
        match (&one, &other) {
            (Outcome::Booked(a), Outcome::Booked(b)) if a != b => {
                self.report_violation(&format!("{booking:?} became two reservations: {a} and {b}"));
                one
            }
            (Outcome::Refused(_), Outcome::Booked(_)) => other,
            _ => one,
        }
    }

    /// The same person in another browser window.
    fn second_client(&mut self) -> Self {
        Self {
            user: self.user,
            bookings: Vec::new(),
            violations: Vec::new(),
            token: self.token.clone(),
            sale: Arc::clone(&self.sale),
            rng: StdRng::seed_from_u64(self.rng.random()),
        }
    }

    async fn ask(&mut self, booking: &mut Booking) -> Outcome {
        let body = json!({"ticket_type_id": booking.ticket_type, "quantity": booking.quantity});
        let deadline = Instant::now() + TIMEOUT;
        while Instant::now() < deadline {
            let answer = self.send(Method::POST, "/api/v1/reservations", Some((&booking.key, &body))).await;
            match answer {
                Answer::Definite(201, reservation) => return Outcome::Booked(id_of(&reservation)),
                Answer::Definite(202, reservation) => {
                    if let Some(outcome) = self.follow(id_of(&reservation), deadline).await {
                        return outcome;
                    }
                    booking.disturbed = true;
                }
                Answer::Definite(status, problem) => {
                    let code = problem["code"].as_str().unwrap_or_default().to_owned();
                    let pauses = self.sale.pauses.load(Ordering::Relaxed);
                    let is_fine = ["sold_out", "purchase_limit_exceeded"].contains(&code.as_str());
                    let is_paused = pauses && code == "sale_paused";
                    if !is_fine && !is_paused {
                        self.report_violation(&format!("{booking:?} got {status}: {problem}"));
                    }
                    return Outcome::Refused(code);
                }
                Answer::Unknown => {
                    booking.disturbed = true;
                    self.short_pause().await;
                }
            }
        }
        self.report_violation(&format!("{booking:?} never got a definite answer"));
        Outcome::Refused("none".to_owned())
    }

    /// Polls a pending reservation. `None` if no node knows it any more, so that the booking has to be sent
    /// again.
    async fn follow(&mut self, id: ReservationId, deadline: Instant) -> Option<Outcome> {
        while Instant::now() < deadline {
            match self.send(Method::GET, &format!("/api/v1/reservations/{id}"), None).await {
                Answer::Definite(200, reservation) => match reservation["status"].as_str() {
                    Some("confirmed" | "cancelled") => return Some(Outcome::Booked(id)),
                    Some("rejected") => return Some(Outcome::Refused("rejected".to_owned())),
                    _ => {}
                },
                Answer::Definite(..) => return None,
                Answer::Unknown => {}
            }
            self.short_pause().await;
        }
        None
    }

    /// Cancels until the cancel is certain. Sometimes sends two cancels at the same time.
    async fn cancel(&mut self, index: usize) {
        let Outcome::Booked(id) = self.bookings[index].outcome else { return };
        let is_certain = if self.rng.random_bool(0.3) {
            let mut repeat = self.second_client();
            let (mine, theirs) = tokio::join!(self.cancel_one(id), repeat.cancel_one(id));
            self.violations.append(&mut repeat.violations);
            mine && theirs
        } else {
            self.cancel_one(id).await
        };
        if is_certain {
            self.bookings[index].outcome = Outcome::Cancelled(id);
        }
    }

    async fn cancel_one(&mut self, id: ReservationId) -> bool {
        let deadline = Instant::now() + TIMEOUT;
        while Instant::now() < deadline {
            match self.send(Method::POST, &format!("/api/v1/reservations/{id}/cancel"), None).await {
                Answer::Definite(200, reservation) if reservation["status"] == "cancelled" => return true,
                Answer::Definite(status, body) => {
                    self.report_violation(&format!(
                        "a cancel of {id}, which was booked, got {status}: {body}"
                    ));
                    return false;
                }
                Answer::Unknown => self.short_pause().await,
            }
        }
        self.report_violation(&format!("a cancel of {id} never got a definite answer"));
        false
    }

    /// Sends one request to a random node and counts the answer.
    async fn send(&mut self, method: Method, path: &str, booking: Option<(&str, &Value)>) -> Answer {
        let url = &self.sale.urls[self.rng.random_range(0..self.sale.urls.len())];
        let is_look = method == Method::GET;
        let mut request = self.sale.client.request(method, format!("{url}{path}")).bearer_auth(&self.token);
        if let Some((key, body)) = booking {
            request = request.header("Idempotency-Key", key).json(body);
        }
        let (answer_counts, sent) = (&self.sale.answer_counts, read(request.send().await).await);
        let (status, body) = match sent {
            Ok(answer) => answer,
            Err(error) => {
                answer_counts.disturbed(if error.is_timeout() {
                    "no answer in time"
                } else {
                    "no connection"
                });
                return Answer::Unknown;
            }
        };
        let word = match booking {
            Some(_) => "",
            None if is_look => "look ",
            None => "cancel ",
        };
        let code = body["code"].as_str().unwrap_or_default();
        let answer = format!("{word}{status} {code}").trim_end().to_owned();
        match status {
            202 | 408 | 429 | 500.. => answer_counts.disturbed(&answer),
            _ if is_look => answer_counts.observed(&answer),
            _ => answer_counts.definite(&answer),
        }
        // 408: the machine is so busy that the node has given up before it had read the request.
        let is_unknown = matches!(status, 408 | 429 | 500..);
        if is_unknown { Answer::Unknown } else { Answer::Definite(status, body) }
    }

    /// Waits for a moment, as a page does before it asks again.
    pub(crate) async fn short_pause(&mut self) {
        sleep(Duration::from_millis(self.rng.random_range(20..250))).await;
    }

    fn report_violation(&mut self, violation: &str) {
        self.violations.push(format!("user {}: {violation}", self.user));
    }
}

async fn read(sent: reqwest::Result<Response>) -> reqwest::Result<(u16, Value)> {
    let response = sent?;
    let status = response.status().as_u16();
    let body = response.bytes().await?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

fn id_of(reservation: &Value) -> ReservationId {
    let id = reservation["id"].as_str().and_then(|id| id.parse().ok());
    ReservationId(id.unwrap_or_else(|| panic!("an answer without an id: {reservation}")))
}
