//! Carries an attempt through to an answer.

use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::{Problem, ProblemCode, Reservation, ReservationStatus};

use super::attempt::Attempt;
use super::retry::{self, Next, PATIENCE_MS};
use crate::api::{Api, ApiError};
use crate::clock::Clock;
use crate::js;

/// Clocks may differ by this much when an own booking is looked for by its time.
const LOOKUP_SLACK_MS: i64 = 5_000;
const LOOKUP_TRIES: u32 = 3;

/// Where a booking stands, for the page to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing is under way.
    Idle,
    /// Asking. `waits` counts how often the answer was to come back later.
    Trying { waits: u32, offline: bool },
    /// It is in the books.
    Booked(String),
    /// No, and why. Nothing was booked.
    Refused(Box<Problem>),
    /// No answer in two minutes, and no booking either: it was looked up.
    NotBooked,
    /// No answer in two minutes, and looking it up failed too. Pressing again continues the same booking.
    Unknown,
}

/// The one booking that a page of an event can have under way.
#[derive(Clone, Copy)]
pub(crate) struct Booking {
    event_id: i64,
    api: Api,
    clock: Clock,
    pub(crate) stage: RwSignal<Stage>,
}

impl Booking {
    pub(crate) fn new(event_id: i64, api: Api, clock: Clock) -> Self {
        Self { event_id, api, clock, stage: RwSignal::new(Stage::Idle) }
    }

    pub(crate) fn event_id(self) -> i64 {
        self.event_id
    }

    /// Not tracked.
    fn busy(self) -> bool {
        matches!(self.stage.get_untracked(), Stage::Trying { .. } | Stage::Booked(_))
    }

    /// The press. A second one while the first is under way does nothing.
    pub(crate) fn press(self, mut attempt: Attempt) {
        if self.busy() {
            return;
        }
        let now = js::now_ms();
        // Continuing an open attempt restarts the patience, not the booking: its key stays.
        let since = attempt.pressed_ms.unwrap_or(now);
        attempt.pressed_ms = Some(since);
        attempt.save(self.event_id);
        self.stage.set(Stage::Trying { waits: 0, offline: !js::online() });
        spawn_local(async move { self.run(attempt, now).await });
    }

    /// After a reload: goes on with an attempt that had been pressed and got no answer.
    pub(crate) fn resume(self, attempt: Attempt) {
        let Some(pressed_ms) = attempt.pressed_ms else { return };
        if self.busy() {
            return;
        }
        self.stage.set(Stage::Trying { waits: 1, offline: !js::online() });
        spawn_local(async move {
            if js::now_ms() - pressed_ms < PATIENCE_MS {
                self.run(attempt, pressed_ms).await;
            } else {
                self.look_up(&attempt).await;
            }
        });
    }

    async fn run(self, attempt: Attempt, since_ms: i64) {
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.api.reservation_create(&attempt.request(), &attempt.key).await {
                Ok(reservation) => return self.booked(&reservation),
                Err(error) => error,
            };
            let luck = js::whole(js_sys::Math::random() * 999.0);
            match retry::next(&error, tries, js::now_ms() - since_ms, luck) {
                Next::Wait(wait) => {
                    let offline = error == ApiError::Lost && !js::online();
                    // The page is gone: the attempt stays where the next visit finds it.
                    if self.stage.try_set(Stage::Trying { waits: tries, offline }).is_some() {
                        return;
                    }
                    js::sleep(wait).await;
                }
                Next::Refused => return self.refused(error, attempt),
                Next::GiveUp => return self.look_up(&attempt).await,
            }
        }
    }

    fn booked(self, reservation: &Reservation) {
        Attempt::forget(self.event_id);
        let _ = self.stage.try_set(Stage::Booked(reservation.id.to_string()));
    }

    fn refused(self, error: ApiError, attempt: Attempt) {
        let ApiError::Refused { problem, .. } = error else { return };
        // The choice stays; after signing in it is pressed anew. The next press is another booking, with another key.
        let next = match problem.code {
            ProblemCode::Unauthenticated => Attempt { pressed_ms: None, ..attempt },
            _ => Attempt::new(attempt.ticket_type_id, attempt.quantity),
        };
        next.save(self.event_id);
        let _ = self.stage.try_set(Stage::Refused(problem));
    }

    /// Patience is over: finds out whether the booking exists.
    async fn look_up(self, attempt: &Attempt) {
        for attempt_number in 0..LOOKUP_TRIES {
            if let Ok(page) = self.api.reservation_list(1).await {
                let found = page.items.iter().find(|reservation| self.is_result_of(reservation, attempt));
                if let Some(reservation) = found {
                    return self.booked(reservation);
                }
                Attempt { pressed_ms: None, ..attempt.clone() }.save(self.event_id);
                let _ = self.stage.try_set(Stage::NotBooked);
                return;
            }
            js::sleep(1_000 << attempt_number).await;
        }
        let _ = self.stage.try_set(Stage::Unknown);
    }

    fn is_result_of(self, reservation: &Reservation, attempt: &Attempt) -> bool {
        let offset = self.clock.read().as_millis() - js::now_ms();
        let pressed = attempt.pressed_ms.unwrap_or(i64::MAX).saturating_add(offset);
        let standing =
            matches!(reservation.status, ReservationStatus::Pending | ReservationStatus::Confirmed);
        standing
            && reservation.ticket_type.id == attempt.ticket_type_id
            && reservation.quantity == attempt.quantity
            && reservation.created_at.as_millis() >= pressed.saturating_sub(LOOKUP_SLACK_MS)
    }
}
