//! Which events wait for the store now, and for how long. When the deadline of a request passes, the answer
//! can then say whether the store does not answer or the node is overloaded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use neticket_domain::EventId;

/// The calls to the store for which bookings wait, including the time in which they wait for a connection
/// permit or for the load of another node. There are only a few per event (see [`super::connection_budget`]).
#[derive(Clone, Debug, Default)]
pub(crate) struct StoreCalls(Arc<Mutex<Vec<(EventId, Instant)>>>);

impl StoreCalls {
    /// Registers a call of this event. The call ends when the returned guard is dropped.
    pub(crate) fn begin(&self, event: EventId) -> StoreCall {
        let call = (event, Instant::now());
        self.calls().push(call);
        StoreCall { calls: self.clone(), call }
    }

    /// Whether a call of this event has taken at least `duration` so far.
    pub(crate) fn is_stuck(&self, event: EventId, duration: Duration) -> bool {
        self.calls().iter().any(|(of, began)| *of == event && began.elapsed() >= duration)
    }

    fn calls(&self) -> MutexGuard<'_, Vec<(EventId, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A guard of one running call.
pub(crate) struct StoreCall {
    calls: StoreCalls,
    call: (EventId, Instant),
}

impl Drop for StoreCall {
    fn drop(&mut self) {
        let mut calls = self.calls.calls();
        if let Some(at) = calls.iter().position(|call| *call == self.call) {
            calls.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_stuck_once_it_is_old_enough_and_until_it_ends() {
        let calls = StoreCalls::default();
        let (event, other) = (EventId(1), EventId(2));
        let call = calls.begin(event);
        assert!(calls.is_stuck(event, Duration::ZERO));
        assert!(!calls.is_stuck(other, Duration::ZERO));
        assert!(!calls.is_stuck(event, Duration::from_hours(1)));
        drop(call);
        assert!(!calls.is_stuck(event, Duration::ZERO));
        assert!(calls.calls().is_empty());
    }
}
