//! Functions of the browser that the bindings do not offer in the form that the clients need.

use js_sys::{Function, Promise, Reflect};
use leptos::prelude::window;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// The browser's clock, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    whole(js_sys::Date::now())
}

/// The whole number nearest to a number of JavaScript. Times and random waits stay far below 2^53.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "saturates; no conversion trait exists"
)]
pub(crate) fn whole(number: f64) -> i64 {
    number.round() as i64
}

/// A whole number as JavaScript has it. Exact below 2^53.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "no conversion trait exists")]
pub(crate) fn number(whole: i64) -> f64 {
    whole as f64
}

/// Waits at least one turn of the event loop, and at most some 24 days.
pub(crate) async fn sleep(millis: i64) {
    let millis = i32::try_from(millis.max(0)).unwrap_or(i32::MAX);
    let timer = Promise::new(&mut |resolve, _| {
        // Fails only without a window.
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis);
    });
    let _ = JsFuture::from(timer).await;
}

/// Whether the page is visible.
pub(crate) fn visible() -> bool {
    leptos::prelude::document().visibility_state() == web_sys::VisibilityState::Visible
}

/// Whether the browser reports that it has a network.
pub(crate) fn online() -> bool {
    window().navigator().on_line()
}

/// A lock that all tabs of this site share. Released on drop.
pub(crate) struct TabLock(Option<Function>);

impl TabLock {
    /// Waits for the lock. Browsers without such locks (pages without TLS) lock nothing.
    pub(crate) async fn acquire(name: &str) -> Self {
        Self(Self::request(name).await)
    }

    async fn request(name: &str) -> Option<Function> {
        let locks = Reflect::get(&window().navigator(), &"locks".into()).ok()?;
        let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
        let mut release = None;
        let held = Promise::new(&mut |resolve, _| release = Some(resolve));
        let mut granted = None;
        let grant = Promise::new(&mut |resolve, _| granted = Some(resolve));
        let granted = granted?;
        let callback = Closure::once_into_js(move || {
            let _ = granted.call0(&JsValue::UNDEFINED);
            held
        });
        request.call2(&locks, &name.into(), &callback).ok()?;
        JsFuture::from(grant).await.ok()?;
        release
    }
}

impl Drop for TabLock {
    fn drop(&mut self) {
        if let Some(release) = &self.0 {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}
