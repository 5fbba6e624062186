//! Links within administration, and to the site.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

use crate::i18n::{Msg, tr};

/// The paths and names of the sections.
const PLACES: [(&str, Msg); 3] = [
    ("/admin/events", Msg::NavEvents),
    ("/admin/inventory", Msg::NavInventory),
    ("/admin/audit", Msg::NavAudit),
];

#[component]
pub(crate) fn AdminNav() -> impl IntoView {
    let pathname = use_location().pathname;
    // A form is left by a page load, because the browser then asks about unsaved input.
    let rel = move || pathname.with(|path| is_form(path)).then_some("external");
    let links = PLACES
        .map(|(path, text)| {
            let current = move || pathname.with(|here| here.starts_with(path)).then_some("page");
            view! { <a class="admin-nav__link" href=path rel=rel aria-current=current>{tr(text)}</a> }
        })
        .collect_view();
    view! {
        <nav class="admin-nav" aria-label=tr(Msg::NavLabel)>
            {links}
            <a class="admin-nav__link" href="/">{tr(Msg::NavSite)}</a>
        </nav>
    }
}

/// Whether the page at `path` has a form whose input could be lost.
fn is_form(path: &str) -> bool {
    path.strip_prefix("/admin/events/").is_some_and(|rest| !rest.is_empty())
}

/// Navigates and replaces the present entry of the history.
pub(crate) fn go() -> impl Fn(String) + Copy + Send + Sync + 'static {
    let navigate = StoredValue::new_local(use_navigate());
    move |path| navigate.with_value(|navigate| navigate(&path, in_place()))
}

/// The address is complete already, so the router must not put its base before it.
pub(crate) fn here() -> NavigateOptions {
    NavigateOptions { resolve: false, ..NavigateOptions::default() }
}

pub(crate) fn in_place() -> NavigateOptions {
    NavigateOptions { replace: true, ..here() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_forms_are_left_with_a_page_load() {
        assert!(is_form("/admin/events/new") && is_form("/admin/events/7"));
        assert!(!is_form("/admin/events") && !is_form("/admin/events/") && !is_form("/admin/inventory"));
    }
}
