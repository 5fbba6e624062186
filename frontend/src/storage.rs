//! The browser's storage. A browser may refuse it (private windows, full disks). Then nothing is stored, and
//! everything else still works.

use leptos::prelude::window;

/// One of the browser's two stores.
pub(crate) struct Store(Option<web_sys::Storage>);

/// Kept until the person clears it.
pub(crate) fn local() -> Store {
    Store(window().local_storage().ok().flatten())
}

/// Kept until the tab closes, across reloads.
pub(crate) fn session() -> Store {
    Store(window().session_storage().ok().flatten())
}

impl Store {
    pub(crate) fn get(&self, key: &str) -> Option<String> {
        self.0.as_ref().and_then(|store| store.get_item(key).ok().flatten())
    }

    pub(crate) fn set(&self, key: &str, value: &str) {
        if let Some(store) = &self.0 {
            // Refused if the storage is full. Nothing depends on it.
            let _ = store.set_item(key, value);
        }
    }

    pub(crate) fn remove(&self, key: &str) {
        if let Some(store) = &self.0 {
            let _ = store.remove_item(key);
        }
    }

    /// Every key that starts with `prefix`.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        let Some(store) = &self.0 else { return Vec::new() };
        (0..store.length().unwrap_or(0))
            .filter_map(|index| store.key(index).ok().flatten())
            .filter(|key| key.starts_with(prefix))
            .collect()
    }
}
