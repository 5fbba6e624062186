//! What a page shows depends on something that is being loaded, is there, or failed to come.

use std::future::Future;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::ApiError;

/// Where something that comes over the network stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Load<T> {
    Loading,
    Ready(T),
    Failed(ApiError),
}

/// Something that is loaded anew whenever its key changes. While it is, the old value stays.
pub(crate) struct Loader<T: Send + Sync + 'static> {
    pub(crate) state: RwSignal<Load<T>>,
    /// Whether a question is open.
    pub(crate) busy: RwSignal<bool>,
    again: RwSignal<u32>,
}

impl<T: Send + Sync + 'static> Clone for Loader<T> {
    fn clone(&self) -> Self {
        *self
    }
}

// A derive would want the value to be `Copy`, too.
impl<T: Send + Sync + 'static> Copy for Loader<T> {}

impl<T: Clone + Send + Sync + 'static> Loader<T> {
    /// `key` is tracked; `None` waits. An answer to an earlier key is dropped.
    pub(crate) fn new<K, F>(key: impl Fn() -> Option<K> + 'static, fetch: impl Fn(K) -> F + 'static) -> Self
    where
        F: Future<Output = Result<T, ApiError>> + 'static,
    {
        let loader =
            Self { state: RwSignal::new(Load::Loading), busy: RwSignal::new(true), again: RwSignal::new(0) };
        let newest = StoredValue::new(0_u32);
        Effect::new(move |_| {
            loader.again.track();
            let Some(key) = key() else { return };
            newest.update_value(|number| *number += 1);
            let own = newest.get_value();
            loader.busy.set(true);
            let answer = fetch(key);
            spawn_local(async move {
                let answer = answer.await;
                // `None`: the page is gone.
                if newest.try_get_value() != Some(own) {
                    return;
                }
                loader.state.set(match answer {
                    Ok(value) => Load::Ready(value),
                    Err(error) => Load::Failed(error),
                });
                loader.busy.set(false);
            });
        });
        loader
    }

    pub(crate) fn reload(self) {
        if let Some(Load::Failed(_)) = self.state.try_get_untracked() {
            self.state.set(Load::Loading);
        }
        self.again.try_update(|number| *number += 1);
    }

    /// The value, if it is there. Tracked.
    pub(crate) fn value(self) -> Option<T> {
        match self.state.get() {
            Load::Ready(value) => Some(value),
            Load::Loading | Load::Failed(_) => None,
        }
    }

    /// Puts in what another answer has told already.
    pub(crate) fn put(self, value: T) {
        self.state.try_set(Load::Ready(value));
    }
}
