//! The document's title, and the focus, after each navigation.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use wasm_bindgen::JsCast as _;

use crate::i18n::{Msg, use_i18n};

/// The name of the present page. A live region reads it out.
#[derive(Clone, Copy)]
pub(crate) struct Announced(pub(crate) RwSignal<String>);

/// Sets the title of the page. The text may depend on the language and on loaded data.
pub(crate) fn page_title(title: impl Fn() -> String + 'static) {
    let i18n = use_i18n();
    let announced: Announced = expect_context();
    Effect::new(move |_| {
        let title = title();
        document().set_title(&i18n.fill(Msg::TitlePage, &[("page", &title)]));
        announced.0.set(title);
    });
}

/// Moves the focus to the page's content whenever the path changes, as a browser does for a new document.
pub(crate) fn focus_on_navigation() {
    let pathname = use_location().pathname;
    Effect::new(move |before: Option<String>| {
        let path = pathname.get();
        if before.is_some_and(|before| before != path) {
            request_animation_frame(|| {
                if let Some(main) = document().get_element_by_id("main") {
                    // The router has scrolled already.
                    let still = web_sys::FocusOptions::new();
                    still.set_prevent_scroll(true);
                    let _ = main.unchecked_into::<web_sys::HtmlElement>().focus_with_options(&still);
                }
            });
        }
        path
    });
}
