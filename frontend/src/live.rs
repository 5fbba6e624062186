//! Seats left, as they move. Asks every two seconds while someone looks; whoever shows them only sees a signal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::Availability;
use neticket_domain::{EventStatus, Timestamp};

use crate::api::Api;
use crate::clock::Clock;
use crate::js;

/// Between two questions while seats move.
const LIVELY_MS: i64 = 2_000;
/// Between two questions while nothing is expected.
const QUIET_MS: i64 = 20_000;
/// So long before the opening the clock is measured again and again.
const NEAR_OPENING_MS: i64 = 30_000;
/// Longest wait while the server does not answer.
const FAILING_MAX_MS: i64 = 16_000;

/// Follows what is left of an event for as long as the calling component lives.
pub(crate) fn follow_availability(
    event_id: i64,
    opens_at: Timestamp,
    api: Api,
    clock: Clock,
) -> ReadSignal<Option<Availability>> {
    let (seen, set_seen) = signal(None);
    let over = Arc::new(AtomicBool::new(false));
    on_cleanup({
        let over = Arc::clone(&over);
        move || over.store(true, Ordering::Relaxed)
    });
    spawn_local(async move {
        let mut failures = 0;
        while !over.load(Ordering::Relaxed) {
            let mut status = None;
            if js::visible() {
                match api.availability(event_id).await {
                    Ok(now) => {
                        failures = 0;
                        status = Some(now.status);
                        set_seen.try_set(Some(now));
                    }
                    Err(_) => failures += 1,
                }
            }
            let to_opening = opens_at.millis_since(clock.read());
            js::sleep(pause(status, to_opening, failures) + js::whole(js_sys::Math::random() * 300.0)).await;
        }
    });
    seen
}

/// How long to wait before the next question, in milliseconds.
fn pause(status: Option<EventStatus>, to_opening_ms: i64, failures: u32) -> i64 {
    if failures > 0 {
        return (LIVELY_MS << failures.min(8)).min(FAILING_MAX_MS);
    }
    match status {
        Some(EventStatus::Scheduled) if to_opening_ms > NEAR_OPENING_MS => {
            // Wakes up for the opening even if it comes before the quiet time is over.
            QUIET_MS.min(to_opening_ms - NEAR_OPENING_MS).max(LIVELY_MS)
        }
        Some(EventStatus::Closed | EventStatus::Cancelled) => QUIET_MS,
        _ => LIVELY_MS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_on_sale_are_asked_for_every_two_seconds() {
        assert_eq!(pause(Some(EventStatus::OnSale), -1, 0), LIVELY_MS);
        assert_eq!(pause(Some(EventStatus::SoldOut), -1, 0), LIVELY_MS);
    }

    #[test]
    fn a_far_opening_is_left_in_peace_and_a_near_one_is_not() {
        assert_eq!(pause(Some(EventStatus::Scheduled), 3_600_000, 0), QUIET_MS);
        assert_eq!(pause(Some(EventStatus::Scheduled), 40_000, 0), 10_000);
        assert_eq!(pause(Some(EventStatus::Scheduled), 20_000, 0), LIVELY_MS);
    }

    #[test]
    fn a_server_that_does_not_answer_is_asked_less_and_less() {
        assert_eq!(pause(None, 0, 1), 4_000);
        assert_eq!(pause(None, 0, 20), FAILING_MAX_MS);
    }
}
