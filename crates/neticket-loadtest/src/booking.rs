//! One booking, from the first try to its end, as a real client does it. It repeats a failed request with the
//! same key, and polls a pending reservation.

use std::time::Duration;

use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use neticket_contract::{ProblemCode, ReservationStatus};
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::connection::{Answer, Connection, HttpRequest, Lost, http_request};
use crate::outcome::Outcome;
use crate::shared::Shared;
use crate::worker_config::TicketType;

/// The timeout of one try.
const TRY_TIMEOUT: Duration = Duration::from_secs(20);
/// Pauses between tries if the server names none: the first, which doubles, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Pauses between polls of a pending reservation.
const POLL_MIN: Duration = Duration::from_millis(100);
const POLL_MAX: Duration = Duration::from_secs(1);

/// A person who books.
pub(crate) struct Person {
    pub(crate) user: i64,
    pub(crate) authorization: HeaderValue,
}

/// What to book, and with which key.
pub(crate) struct BookingAttempt<'a> {
    pub(crate) host: &'a HeaderValue,
    pub(crate) person: &'a Person,
    pub(crate) ticket_type: TicketType,
    pub(crate) key: HeaderValue,
}

/// The fields of a reservation that are checked.
#[derive(Deserialize)]
struct BookingReply {
    id: Uuid,
    status: ReservationStatus,
    quantity: u32,
    unit_price: u64,
    ticket_type: BookedTicketType,
}

#[derive(Deserialize)]
struct BookedTicketType {
    id: i64,
}

/// The field of a problem that decides what happens next.
#[derive(Deserialize)]
struct Refusal {
    code: ProblemCode,
}

enum Try {
    Outcome(Outcome),
    Pending(Uuid),
    Again { pause: Option<Duration>, maybe_booked: bool, error: String },
}

impl BookingAttempt<'_> {
    fn http_request(&self) -> HttpRequest {
        http_request(
            Method::POST,
            Uri::from_static("/api/v1/reservations"),
            self.host,
            [
                (AUTHORIZATION, self.person.authorization.clone()),
                (CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (HeaderName::from_static("idempotency-key"), self.key.clone()),
            ],
            Bytes::from(format!(
                r#"{{"ticket_type_id":{},"quantity":1,"unit_price":{}}}"#,
                self.ticket_type.id, self.ticket_type.unit_price
            )),
        )
    }

    /// Books, and repeats until the booking is decided or `deadline` has passed.
    pub(crate) async fn book(
        &self,
        shared: &Shared,
        connection: &mut Connection,
        deadline: Instant,
    ) -> Outcome {
        let http_request = self.http_request();
        let mut unknown = false;
        let mut pause_next = PAUSE_MIN;
        for tries in 0_u32.. {
            let answer = connection.ask(&http_request, deadline.min(Instant::now() + TRY_TIMEOUT)).await;
            let (pause, error) = match self.judge(answer) {
                Try::Outcome(outcome) => return outcome,
                Try::Pending(id) => return self.wait(shared, connection, id, deadline).await,
                Try::Again { pause, maybe_booked, error } => {
                    unknown |= maybe_booked;
                    (pause, error)
                }
            };
            shared.error(&error, tries == 0);
            let next = Instant::now() + spread(pause.unwrap_or(pause_next), self.person.user, tries);
            pause_next = (pause_next * 2).min(PAUSE_MAX);
            if next >= deadline {
                break;
            }
            sleep_until(next).await;
            shared.repeat();
        }
        Outcome::GaveUp { unknown }
    }

    fn judge(&self, answer: Result<Answer, Lost>) -> Try {
        let answer = match answer {
            Ok(answer) => answer,
            Err(lost) => {
                let maybe_booked = lost != Lost::NotConnected;
                return Try::Again { pause: None, maybe_booked, error: lost.name().to_owned() };
            }
        };
        match answer.status {
            201 | 202 => self.booked(&answer),
            status => refused(status, &answer),
        }
    }

    fn booked(&self, answer: &Answer) -> Try {
        let Ok(reply) = serde_json::from_slice::<BookingReply>(&answer.body) else {
            return Try::Outcome(Outcome::Wrong);
        };
        let replied_price = (reply.ticket_type.id, reply.unit_price);
        if reply.quantity != 1 || replied_price != (self.ticket_type.id, self.ticket_type.unit_price) {
            return Try::Outcome(Outcome::Wrong);
        }
        match (answer.status, reply.status) {
            (201, ReservationStatus::Confirmed) => Try::Outcome(Outcome::Confirmed {
                id: reply.id,
                after_pending: false,
                replayed: answer.replayed,
            }),
            (202, ReservationStatus::Pending) => Try::Pending(reply.id),
            _ => Try::Outcome(Outcome::Wrong),
        }
    }

    /// Polls a pending reservation until it is decided.
    async fn wait(
        &self,
        shared: &Shared,
        connection: &mut Connection,
        id: Uuid,
        deadline: Instant,
    ) -> Outcome {
        let Ok(uri) = Uri::try_from(format!("/api/v1/reservations/{id}")) else { return Outcome::Wrong };
        let authorization = (AUTHORIZATION, self.person.authorization.clone());
        let http_request = http_request(Method::GET, uri, self.host, [authorization], Bytes::new());
        let mut pause = POLL_MIN;
        loop {
            let next = Instant::now() + pause;
            if next >= deadline {
                return Outcome::GaveUp { unknown: true };
            }
            sleep_until(next).await;
            pause = (pause * 2).min(POLL_MAX);
            match connection.ask(&http_request, deadline.min(Instant::now() + TRY_TIMEOUT)).await {
                Ok(answer) if answer.status == 200 => {
                    let reply = serde_json::from_slice::<BookingReply>(&answer.body);
                    match reply.map(|reply| reply.status) {
                        Ok(ReservationStatus::Pending) => {}
                        Ok(ReservationStatus::Confirmed) => {
                            return Outcome::Confirmed { id, after_pending: true, replayed: false };
                        }
                        Ok(ReservationStatus::Rejected) => return Outcome::SoldOut,
                        Ok(ReservationStatus::Cancelled) | Err(_) => return Outcome::Wrong,
                    }
                }
                Ok(answer) => match refused(answer.status, &answer) {
                    Try::Again { error, .. } => shared.error(&error, false),
                    _ => return Outcome::Wrong,
                },
                Err(lost) => shared.error(lost.name(), false),
            }
        }
    }
}

fn refused(status: u16, answer: &Answer) -> Try {
    let code = serde_json::from_slice::<Refusal>(&answer.body).ok().map(|refusal| refusal.code);
    let name = code.map_or_else(|| status.to_string(), |code| format!("{status} {code}"));
    if status == 429 || status >= 500 {
        // The rate limit refuses before anything is booked. An overloaded server may have taken the seats
        // before it gave up.
        let surely_not = code == Some(ProblemCode::RateLimited);
        return Try::Again { pause: answer.retry_after, maybe_booked: !surely_not, error: name };
    }
    Try::Outcome(match code {
        Some(ProblemCode::SoldOut) => Outcome::SoldOut,
        Some(code) => Outcome::Refused(code.to_string()),
        None => Outcome::Refused(name),
    })
}

/// The pause and up to half as much again, so that refused clients do not all return at the same moment.
fn spread(pause: Duration, user: i64, tries: u32) -> Duration {
    let part = user.wrapping_mul(7_919).wrapping_add(i64::from(tries) * 104_729).rem_euclid(256);
    pause + pause * u32::try_from(part).unwrap_or(0) / 512
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_rate_limited_request_has_certainly_not_booked() {
        for (status, code, expected) in [
            (429, "rate_limited", false),
            (503, "overloaded", true),
            (503, "ledger_unavailable", true),
            (503, "store_unavailable", true),
            (500, "internal", true),
            (502, "", true),
        ] {
            let body = Bytes::from(format!(r#"{{"code":"{code}"}}"#));
            let answer = Answer { status, retry_after: None, replayed: false, body };
            match refused(status, &answer) {
                Try::Again { maybe_booked, .. } => assert_eq!(maybe_booked, expected, "{status} {code}"),
                Try::Outcome(_) | Try::Pending(_) => panic!("{status} {code} is not final"),
            }
        }
    }
}
