//! The seats left of an event, as they change. The server pushes them while the page is visible. Without a
//! working stream the client polls them every two seconds. The components only read a signal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use js_sys::Reflect;
use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::Availability;
use neticket_domain::{EventStatus, Timestamp};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::{Closure, JsValue};
use web_sys::EventSource;

use crate::api::BASE;
use crate::browser;
use crate::clock::Clock;
use crate::operations::Api;

/// How often to check whether the opening is known by now, in milliseconds.
const UNKNOWN_MS: i64 = 200;
/// The pause between two polls while seats may change, in milliseconds.
const LIVELY_MS: i64 = 2_000;
/// The pause between two polls while no change is expected, in milliseconds.
const QUIET_MS: i64 = 20_000;
/// In the last this many milliseconds before the opening, the client polls in order to measure the clock.
const NEAR_OPENING_MS: i64 = 30_000;
/// The longest pause while the server does not answer, in milliseconds.
const FAILING_MAX_MS: i64 = 16_000;
/// How often to check whether a stream is still wanted and still open, in milliseconds.
const STREAM_LOOK_MS: i64 = 1_000;
/// The client closes a stream after the page was hidden at this many checks.
const UNSEEN_MAX: u32 = 20;
/// After this many checks without a message, the client polls once and opens a new stream, because the
/// connection may be dead.
const SILENT_MAX: u32 = 60;
/// After a stream broke or was refused, the client polls this many times before it opens the next.
const QUESTIONS_BETWEEN: u32 = 10;

/// Follows the seats left of an event for as long as the calling component lives. It begins when the opening
/// of the sale is known.
pub(crate) fn follow_availability(
    event_id: i64,
    opens_at: Memo<Option<Timestamp>>,
    api: Api,
    clock: Clock,
) -> ReadSignal<Option<Availability>> {
    let (seen, set_seen) = signal(None);
    let over = Arc::new(AtomicBool::new(false));
    on_cleanup({
        let over = Arc::clone(&over);
        move || over.store(true, Ordering::Relaxed)
    });
    let over = move || over.load(Ordering::Relaxed);
    spawn_local(async move {
        let mut failures = 0;
        let mut questions = 0;
        while !over() {
            let mut status = None;
            let Some(Some(opens_at)) = opens_at.try_get_untracked() else {
                browser::sleep(UNKNOWN_MS).await;
                continue;
            };
            let to_opening = opens_at.millis_since(clock.read());
            if browser::visible() {
                // A poll also measures the clock, which a stream cannot do.
                match api.availability(event_id).await {
                    Ok(now) => {
                        failures = 0;
                        status = Some(now.status);
                        set_seen.try_set(Some(now));
                    }
                    Err(_) => failures += 1,
                }
                let moves = !matches!(status, Some(EventStatus::Closed | EventStatus::Cancelled));
                if questions == 0 && failures == 0 && measured(to_opening) && moves {
                    let broken = listen(event_id, set_seen, opens_at, clock, &over).await;
                    questions = if broken { QUESTIONS_BETWEEN } else { 0 };
                    continue;
                }
                questions = questions.saturating_sub(1);
            }
            browser::sleep(
                pause(status, to_opening, failures) + browser::whole(js_sys::Math::random() * 300.0),
            )
            .await;
        }
    });
    seen
}

/// Whether the clock is known well enough for a stream. Shortly before the opening, polls measure it.
fn measured(to_opening_ms: i64) -> bool {
    !(0..=NEAR_OPENING_MS).contains(&to_opening_ms)
}

/// Receives availability from a stream. It ends when the component is gone, when the stream broke or was
/// silent for long, when the page is hidden for long, or when the clock has to be measured. Returns whether
/// the stream broke.
async fn listen(
    event_id: i64,
    seen: WriteSignal<Option<Availability>>,
    opens_at: Timestamp,
    clock: Clock,
    over: &impl Fn() -> bool,
) -> bool {
    let Some(stream) = Stream::open(event_id, seen) else { return true };
    let (mut unseen, mut silent) = (0, 0);
    while !over()
        && !stream.broken()
        && unseen < UNSEEN_MAX
        && silent < SILENT_MAX
        && measured(opens_at.millis_since(clock.read()))
    {
        browser::sleep(STREAM_LOOK_MS).await;
        unseen = if browser::visible() { 0 } else { unseen + 1 };
        silent = if stream.received.swap(false, Ordering::Relaxed) { 0 } else { silent + 1 };
    }
    stream.broken()
}

/// An open stream. Dropping it closes it.
struct Stream {
    source: EventSource,
    broken: Arc<AtomicBool>,
    /// Whether a message has come since the last check.
    received: Arc<AtomicBool>,
    /// Called by the browser.
    _heard: Closure<dyn FnMut(JsValue)>,
}

impl Stream {
    fn open(event_id: i64, seen: WriteSignal<Option<Availability>>) -> Option<Self> {
        let broken = Arc::new(AtomicBool::new(false));
        let breaks = Arc::clone(&broken);
        let received = Arc::new(AtomicBool::new(false));
        let sets_received = Arc::clone(&received);
        let heard = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
            let data = Reflect::get(&event, &"data".into()).ok().and_then(|data| data.as_string());
            match data.and_then(|data| serde_json::from_str(&data).ok()) {
                Some(now) => {
                    sets_received.store(true, Ordering::Relaxed);
                    seen.try_set(Some(now));
                }
                // An error event has no data.
                None => breaks.store(true, Ordering::Relaxed),
            }
        });
        let source = EventSource::new(&format!("{BASE}/events/{event_id}/availability/stream")).ok()?;
        let hear = heard.as_ref().unchecked_ref();
        source.add_event_listener_with_callback("availability", hear).ok()?;
        source.set_onerror(Some(hear));
        Some(Self { source, broken, received, _heard: heard })
    }

    fn broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.close();
    }
}

/// The pause before the next poll, in milliseconds.
fn pause(status: Option<EventStatus>, to_opening_ms: i64, failures: u32) -> i64 {
    if failures > 0 {
        return (LIVELY_MS << failures.min(8)).min(FAILING_MAX_MS);
    }
    match status {
        Some(EventStatus::Scheduled) if to_opening_ms > NEAR_OPENING_MS => {
            // The pause ends when the polls before the opening begin.
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
    fn seats_on_sale_are_polled_every_two_seconds() {
        assert_eq!(pause(Some(EventStatus::OnSale), -1, 0), LIVELY_MS);
        assert_eq!(pause(Some(EventStatus::SoldOut), -1, 0), LIVELY_MS);
    }

    #[test]
    fn polling_is_slow_before_a_distant_opening_and_fast_before_a_near_one() {
        assert_eq!(pause(Some(EventStatus::Scheduled), 3_600_000, 0), QUIET_MS);
        assert_eq!(pause(Some(EventStatus::Scheduled), 40_000, 0), 10_000);
        assert_eq!(pause(Some(EventStatus::Scheduled), 20_000, 0), LIVELY_MS);
    }

    #[test]
    fn the_clock_is_measured_only_outside_the_time_around_the_opening() {
        assert!(measured(NEAR_OPENING_MS + 1) && measured(-1));
        assert!(!measured(NEAR_OPENING_MS) && !measured(0));
    }

    #[test]
    fn a_server_that_does_not_answer_is_polled_with_backoff() {
        assert_eq!(pause(None, 0, 1), 4_000);
        assert_eq!(pause(None, 0, 20), FAILING_MAX_MS);
    }
}
