//! Remote data of a page: it is loading, ready, or failed.

use std::future::Future;

use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::Page;

use crate::api::ApiError;
use crate::browser;

/// The pauses before the retry of a transient failure, in milliseconds: the first, which doubles with each
/// failure, and the longest.
const AGAIN_FIRST_MS: i64 = 5_000;
const AGAIN_MAX_MS: i64 = 60_000;

/// The state of a value that comes over the network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Load<T> {
    Loading,
    Ready(T),
    Failed(ApiError),
}

/// A value that is loaded again whenever its key changes. The old value stays in the meantime. A transient
/// failure is retried automatically: after growing pauses, and as soon as the browser has a network again.
pub(crate) struct Loader<T: Send + Sync + 'static> {
    pub(crate) state: RwSignal<Load<T>>,
    /// Whether a request is open. Quiet requests do not count.
    pub(crate) busy: RwSignal<bool>,
    again: RwSignal<u32>,
    /// The number of the last request. Answers to earlier ones are dropped.
    newest: StoredValue<u32>,
    /// The number of the last request that was answered.
    answered: StoredValue<u32>,
    /// Whether the next request is a quiet one, which only looks for changes.
    quiet: StoredValue<bool>,
}

impl<T: Send + Sync + 'static> Clone for Loader<T> {
    fn clone(&self) -> Self {
        *self
    }
}

// A derive would require `T: Copy`.
impl<T: Send + Sync + 'static> Copy for Loader<T> {}

impl<T: Clone + PartialEq + Send + Sync + 'static> Loader<T> {
    /// `key` is tracked. While it is `None`, nothing is requested. An answer to an earlier key is dropped.
    pub(crate) fn new<K, F>(key: impl Fn() -> Option<K> + 'static, fetch: impl Fn(K) -> F + 'static) -> Self
    where
        F: Future<Output = Result<T, ApiError>> + 'static,
    {
        let loader = Self {
            state: RwSignal::new(Load::Loading),
            busy: RwSignal::new(true),
            again: RwSignal::new(0),
            newest: StoredValue::new(0),
            answered: StoredValue::new(0),
            quiet: StoredValue::new(false),
        };
        let newest = loader.newest;
        let failures = StoredValue::new(0_u32);
        let network = window_event_listener(leptos::ev::online, move |_| loader.try_again());
        on_cleanup(move || network.remove());
        Effect::new(move |before: Option<u32>| {
            let turn = loader.again.get();
            // Another request for the same key. The answer to a new key is always rendered, because the links
            // of a list depend on it.
            let is_repeat = before.is_some_and(|before| before != turn);
            let Some(key) = key() else { return turn };
            newest.update_value(|number| *number += 1);
            let own = newest.get_value();
            let quiet = loader.quiet.get_value();
            loader.quiet.set_value(false);
            loader.set_busy(!quiet);
            let answer = fetch(key);
            spawn_local(async move {
                let answer = answer.await;
                // `None`: the page is gone.
                if newest.try_get_value() != Some(own) {
                    return;
                }
                loader.answered.set_value(own);
                loader.set_busy(false);
                let (state, passing) = match answer {
                    Ok(value) => (Load::Ready(value), false),
                    Err(error) => {
                        let passing = error.passing();
                        (Load::Failed(error), passing)
                    }
                };
                if quiet && passing {
                    // A failed look for changes does not replace what is shown.
                    return;
                }
                // An equal value is not rendered again, because the focus and the screen reader would start
                // over.
                if !is_repeat || loader.state.with_untracked(|shown| *shown != state) {
                    loader.state.set(state);
                }
                if passing {
                    let wait = pause(failures.get_value());
                    failures.update_value(|number| *number += 1);
                    browser::sleep(wait).await;
                    if newest.try_get_value() == Some(own) {
                        loader.try_again();
                    }
                } else {
                    failures.set_value(0);
                }
            });
            turn
        });
        loader
    }

    pub(crate) fn reload(self) {
        if let Some(Load::Failed(_)) = self.state.try_get_untracked() {
            self.state.set(Load::Loading);
        }
        self.again.try_update(|number| *number += 1);
    }

    /// Looks for changes every `every_ms` milliseconds while the page is visible. The shown value stays in
    /// the meantime.
    pub(crate) fn follow(self, every_ms: i64) {
        spawn_local(async move {
            while let Some(busy) = self.busy.try_get_untracked() {
                let ready = matches!(self.state.try_get_untracked(), Some(Load::Ready(_)));
                if browser::visible() && ready && !busy {
                    self.look();
                }
                browser::sleep(every_ms).await;
            }
        });
    }

    /// Looks for changes. The shown value stays in the meantime, and also if the request fails with a
    /// transient error.
    pub(crate) fn look(self) {
        self.quiet.try_set_value(true);
        self.again.try_update(|number| *number += 1);
    }

    /// Whether a request is open, including quiet ones.
    pub(crate) fn is_asking(self) -> bool {
        self.newest.try_get_value() != self.answered.try_get_value()
    }

    /// Retries a failed request. The failure stays on the page in the meantime.
    fn try_again(self) {
        if let Some(Load::Failed(error)) = self.state.try_get_untracked()
            && error.passing()
            && self.busy.try_get_untracked() == Some(false)
        {
            self.again.try_update(|number| *number += 1);
        }
    }

    /// The value if it is ready. Tracked.
    pub(crate) fn value(self) -> Option<T> {
        match self.state.get() {
            Load::Ready(value) => Some(value),
            Load::Loading | Load::Failed(_) => None,
        }
    }

    /// Sets a value that another answer contained. The answer to an open request is dropped, because it may
    /// be older.
    pub(crate) fn put(self, value: T) {
        let newest = self.newest.try_update_value(|number| {
            *number += 1;
            *number
        });
        self.answered.try_update_value(|answered| *answered = newest.unwrap_or_default());
        self.state.try_set(Load::Ready(value));
        self.set_busy(false);
    }

    /// Changes the signal only if the value changes.
    fn set_busy(self, busy: bool) {
        if self.busy.try_get_untracked() == Some(!busy) {
            self.busy.set(busy);
        }
    }
}

/// The pause after a failure, in milliseconds, given the number of failures in a row before it.
fn pause(failures: u32) -> i64 {
    (AGAIN_FIRST_MS << failures.min(8)).min(AGAIN_MAX_MS)
}

/// The last page of a list, if `page` is after it.
pub(crate) fn last_if_past<T>(page: &Page<T>) -> Option<u32> {
    let last = u32::try_from(page.total_pages).unwrap_or(u32::MAX);
    (last >= 1 && page.page > last).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(page: u32, total_pages: u64) -> Page<()> {
        Page { items: Vec::new(), page, size: 12, total_items: total_pages * 12, total_pages }
    }

    #[test]
    fn a_page_past_the_end_leads_to_the_last_page() {
        assert_eq!(last_if_past(&page(99, 3)), Some(3));
        assert_eq!(last_if_past(&page(3, 3)), None);
        assert_eq!(last_if_past(&page(2, 0)), None);
    }

    #[test]
    fn a_failing_request_is_repeated_with_backoff() {
        assert_eq!(pause(0), AGAIN_FIRST_MS);
        assert_eq!(pause(1), 2 * AGAIN_FIRST_MS);
        assert_eq!(pause(30), AGAIN_MAX_MS);
    }
}
