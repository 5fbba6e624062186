//! A value that is polled while the page is open. When a poll fails, the last value stays in view, and the
//! page says how old it is.

use std::future::Future;

use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_domain::Timestamp;

use crate::api::ApiError;
use crate::browser;

pub(crate) struct Polled<T: Send + Sync + 'static> {
    /// The last value for the present key.
    pub(crate) value: RwSignal<Option<T>>,
    /// Why the last request failed, if it did.
    pub(crate) error: RwSignal<Option<ApiError>>,
    /// When the last answer came, by the browser's clock.
    pub(crate) seen_at: RwSignal<Option<Timestamp>>,
    refreshes: RwSignal<u32>,
    open: StoredValue<bool>,
}

impl<T: Send + Sync + 'static> Clone for Polled<T> {
    fn clone(&self) -> Self {
        *self
    }
}

// A derive would require `T: Copy`.
impl<T: Send + Sync + 'static> Copy for Polled<T> {}

impl<T: Clone + PartialEq + Send + Sync + 'static> Polled<T> {
    /// Asks every `every_ms` milliseconds while the page is visible, and at once when `key` changes. A new
    /// key clears the value.
    pub(crate) fn new<K, F>(
        every_ms: i64,
        key: impl Fn() -> K + 'static,
        ask: impl Fn(K) -> F + 'static,
    ) -> Self
    where
        K: Clone + PartialEq + 'static,
        F: Future<Output = Result<T, ApiError>> + 'static,
    {
        let polled = Self {
            value: RwSignal::new(None),
            error: RwSignal::new(None),
            seen_at: RwSignal::new(None),
            refreshes: RwSignal::new(0),
            open: StoredValue::new(false),
        };
        let newest = StoredValue::new(0_u32);
        Effect::new(move |before: Option<K>| {
            polled.refreshes.track();
            let key = key();
            if before.is_some_and(|before| before != key) {
                polled.value.set(None);
            }
            newest.update_value(|number| *number = number.wrapping_add(1));
            let own = newest.get_value();
            polled.open.set_value(true);
            let answer = ask(key.clone());
            spawn_local(async move {
                let answer = answer.await;
                // `None`: the page is gone.
                if newest.try_get_value() == Some(own) {
                    polled.take(answer);
                }
            });
            key
        });
        spawn_local(async move {
            loop {
                browser::sleep(every_ms).await;
                match polled.open.try_get_value() {
                    None => return,
                    Some(false) if browser::visible() => polled.ask_now(),
                    Some(_) => {}
                }
            }
        });
        polled
    }

    /// Asks without waiting for the next interval.
    pub(crate) fn ask_now(self) {
        self.refreshes.try_update(|refreshes| *refreshes = refreshes.wrapping_add(1));
    }

    fn take(self, answer: Result<T, ApiError>) {
        self.open.set_value(false);
        match answer {
            Ok(value) => {
                self.seen_at.set(Some(Timestamp::from_millis(browser::now_ms())));
                if self.error.with_untracked(Option::is_some) {
                    self.error.set(None);
                }
                // An equal value is not rendered again.
                if self.value.with_untracked(|seen| seen.as_ref() != Some(&value)) {
                    self.value.set(Some(value));
                }
            }
            Err(error) => {
                if self.error.with_untracked(|known| known.as_ref() != Some(&error)) {
                    self.error.set(Some(error));
                }
            }
        }
    }
}
