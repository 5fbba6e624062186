//! Carries an attempt through to an answer.

use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::{Problem, ProblemCode, Reservation, ReservationStatus};

use super::attempt::Attempt;
use super::retry::{self, GIVE_UP_AFTER_MS, Next, WaitReason};
use crate::api::ApiError;
use crate::browser;
use crate::clock::Clock;
use crate::operations::Api;

/// The clocks of browser and server may differ by this many milliseconds when a reservation is looked up by
/// its time.
const LOOKUP_SLACK_MS: i64 = 5_000;
const LOOKUP_TRIES: u32 = 3;
/// How often a booking names its price before the price is left out for nodes of an earlier version.
const PRICE_TRIES: u32 = 3;
/// No press counts for this many milliseconds after a price has changed on the page. The second press of a
/// double click, or a press that was meant for the previous price, must not accept the new price.
const READ_MS: i64 = 1_000;

/// The state of a booking, for the page to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing is under way.
    Idle,
    /// A request is under way or waits for a retry. Holds why it takes longer.
    Trying(WaitReason),
    /// The reservation exists, with this id. It is confirmed, or still pending.
    Booked(String),
    /// The server refused, and nothing was booked.
    Refused(Box<Problem>),
    /// The page shows `to` as the price of one ticket, and showed `from` before. Nothing was booked.
    PriceChanged { ticket_type_id: i64, from: u64, to: u64 },
    /// Nothing was sent, because another user is signed in in this browser now.
    OtherUser,
    /// No answer came within two minutes, and nobody knows whether the booking exists. Another press
    /// continues the same booking.
    Unknown,
}

/// The booking that a page of an event can have under way. There is one at most.
#[derive(Clone, Copy)]
pub(crate) struct Booking {
    event_id: i64,
    api: Api,
    clock: Clock,
    pub(crate) stage: RwSignal<Stage>,
    /// How many pauses are running.
    pauses: RwSignal<u32>,
}

impl Booking {
    pub(crate) fn new(event_id: i64, api: Api, clock: Clock) -> Self {
        Self { event_id, api, clock, stage: RwSignal::new(Stage::Idle), pauses: RwSignal::new(0) }
    }

    pub(crate) fn event_id(self) -> i64 {
        self.event_id
    }

    /// Whether a press would do nothing. Not tracked.
    fn busy(self) -> bool {
        self.pauses.get_untracked() > 0
            || matches!(self.stage.get_untracked(), Stage::Trying(_) | Stage::Booked(_))
    }

    /// Accepts no press for [`READ_MS`], because a price has changed.
    pub(crate) fn pause(self) {
        self.pauses.try_update(|pauses| *pauses += 1);
        spawn_local(async move {
            browser::sleep(READ_MS).await;
            self.pauses.try_update(|pauses| *pauses -= 1);
        });
    }

    /// Updates the notice of a changed price to the price that the page shows now, because the next press
    /// books at that price.
    pub(crate) fn update_price(self, prices: &[(i64, u64)]) {
        let Some(Stage::PriceChanged { ticket_type_id, to: from, .. }) = self.stage.try_get_untracked()
        else {
            return;
        };
        if let Some((_, to)) = prices.iter().find(|(id, _)| *id == ticket_type_id)
            && *to != from
        {
            self.stage.try_set(Stage::PriceChanged { ticket_type_id, from, to: *to });
        }
    }

    /// Whether a pause is running. Tracked.
    pub(crate) fn is_paused(self) -> bool {
        self.pauses.get() > 0
    }

    /// Handles a press. A second press while the first is under way does nothing.
    pub(crate) fn press(self, mut attempt: Attempt) {
        if self.busy() {
            return;
        }
        let now = browser::now_ms();
        // Continuing an open attempt restarts the time limit. The booking stays the same, because its key
        // stays.
        let since = attempt.pressed_ms.unwrap_or(now);
        attempt.pressed_ms = Some(since);
        attempt.user_id = attempt.user_id.or_else(|| self.api.user_id());
        attempt.save(self.event_id);
        self.stage.set(Stage::Trying(first()));
        spawn_local(async move { self.run(attempt, now).await });
    }

    /// After a reload, continues an attempt that was pressed and has no answer.
    pub(crate) fn resume(self, attempt: Attempt) {
        let Some(pressed_ms) = attempt.pressed_ms else { return };
        if self.stage.get_untracked() != Stage::Idle {
            // The page was only rendered again.
            return;
        }
        self.stage.set(Stage::Trying(first()));
        spawn_local(async move {
            if browser::now_ms() - pressed_ms < GIVE_UP_AFTER_MS {
                self.run(attempt, pressed_ms).await;
            } else {
                // The press is long ago. Only the person knows whether the booking is still wanted, so it is
                // looked up and not sent again.
                self.look_up(attempt, false).await;
            }
        });
    }

    async fn run(self, attempt: Attempt, since_ms: i64) {
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.create(&attempt).await {
                Ok(reservation) => return self.booked(&reservation),
                Err(error) => error,
            };
            let jitter = browser::whole(js_sys::Math::random() * 999.0);
            match retry::next(&error, tries, browser::now_ms() - since_ms, jitter) {
                Next::Wait(wait) => {
                    let why = WaitReason::of(&error, browser::online());
                    // The page is gone. The attempt stays in the storage for the next visit.
                    if self.stage.try_set(Stage::Trying(why)).is_some() {
                        return;
                    }
                    browser::sleep(wait).await;
                }
                Next::Refused => return self.refused(error, attempt),
                Next::GiveUp => return self.look_up(attempt, true).await,
            }
        }
    }

    /// Leaves the price out only after several nodes have answered that they do not know the field. During an
    /// upgrade, the next request may reach a node that knows it.
    async fn create(self, attempt: &Attempt) -> Result<Reservation, ApiError> {
        let mut request = attempt.request();
        let mut unknown = 0;
        loop {
            match self.api.reservation_create(&request, &attempt.key, attempt.user_id).await {
                Err(error) if request.unit_price.is_some() && retry::is_price_unknown(&error) => {
                    unknown += 1;
                    if unknown == PRICE_TRIES {
                        request.unit_price = None;
                    }
                }
                outcome => return outcome,
            }
        }
    }

    fn booked(self, reservation: &Reservation) {
        Attempt::forget(self.event_id);
        let _ = self.stage.try_set(Stage::Booked(reservation.id.to_string()));
    }

    fn refused(self, error: ApiError, attempt: Attempt) {
        let Attempt { ticket_type_id, quantity, unit_price: from, .. } = attempt;
        let ApiError::Refused { problem, .. } = error else {
            Attempt::new(ticket_type_id, quantity).save(self.event_id);
            let _ = self.stage.try_set(Stage::OtherUser);
            return;
        };
        attempt.after(problem.code).save(self.event_id);
        let stage = match (problem.code, from, problem.unit_price) {
            (ProblemCode::PriceChanged, Some(from), Some(to)) => {
                self.pause();
                Stage::PriceChanged { ticket_type_id, from, to }
            }
            _ => Stage::Refused(problem),
        };
        let _ = self.stage.try_set(stage);
    }

    /// Finds out whether the booking exists after the time limit. The list may not contain a pending one yet.
    /// With `ask_again` the same request is therefore sent a last time. It cannot book twice, because the key
    /// is the same. Only a refusal means that nothing was booked.
    async fn look_up(self, attempt: Attempt, ask_again: bool) {
        for attempt_number in 0..LOOKUP_TRIES {
            if let Ok(page) = self.api.reservation_list(1).await {
                let found = page.items.iter().find(|reservation| self.is_result_of(reservation, &attempt));
                if let Some(reservation) = found {
                    return self.booked(reservation);
                }
                break;
            }
            browser::sleep(1_000 << attempt_number).await;
        }
        if ask_again {
            match self.create(&attempt).await {
                Ok(reservation) => return self.booked(&reservation),
                Err(error) if retry::next(&error, 1, GIVE_UP_AFTER_MS + 1, 0) == Next::Refused => {
                    return self.refused(error, attempt);
                }
                Err(_) => {}
            }
        }
        let _ = self.stage.try_set(Stage::Unknown);
    }

    fn is_result_of(self, reservation: &Reservation, attempt: &Attempt) -> bool {
        let offset = self.clock.read().as_millis() - browser::now_ms();
        let pressed = attempt.pressed_ms.unwrap_or(i64::MAX).saturating_add(offset);
        let standing =
            matches!(reservation.status, ReservationStatus::Pending | ReservationStatus::Confirmed);
        standing
            && reservation.ticket_type.id == attempt.ticket_type_id
            && reservation.quantity == attempt.quantity
            && reservation.created_at.as_millis() >= pressed.saturating_sub(LOOKUP_SLACK_MS)
    }
}

/// The reason for waiting at the start.
fn first() -> WaitReason {
    if browser::online() { WaitReason::Nothing } else { WaitReason::Offline }
}
