//! The ways within administration, and out of it.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

use crate::i18n::{T, tr};

/// The places, and what they are called.
const PLACES: [(&str, T); 3] =
    [("/admin/events", T::NavEvents), ("/admin/inventory", T::NavInventory), ("/admin/audit", T::NavAudit)];

#[component]
pub(crate) fn AdminNav() -> impl IntoView {
    let pathname = use_location().pathname;
    // Out of a form leads a page load, before which the browser asks about what is not saved.
    let rel = move || pathname.with(|path| is_form(path)).then_some("external");
    let links = PLACES
        .map(|(path, text)| {
            let current = move || pathname.with(|here| here.starts_with(path)).then_some("page");
            view! { <a class="admin-nav__link" href=path rel=rel aria-current=current>{tr(text)}</a> }
        })
        .collect_view();
    view! {
        <nav class="admin-nav" aria-label=tr(T::NavLabel)>
            {links}
            <a class="admin-nav__link" href="/">{tr(T::NavSite)}</a>
        </nav>
    }
}

/// Whether something can be typed at `path` that would be lost.
fn is_form(path: &str) -> bool {
    path.strip_prefix("/admin/events/").is_some_and(|rest| !rest.is_empty())
}

/// Goes somewhere in place of the page that is shown.
pub(crate) fn go() -> impl Fn(String) + Copy + Send + Sync + 'static {
    let navigate = StoredValue::new_local(use_navigate());
    move |path| navigate.with_value(|navigate| navigate(&path, in_place()))
}

/// The address is whole already: the router need not put its base before it.
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
    fn only_forms_are_left_by_a_page_load() {
        assert!(is_form("/admin/events/new") && is_form("/admin/events/7"));
        assert!(!is_form("/admin/events") && !is_form("/admin/events/") && !is_form("/admin/inventory"));
    }
}
