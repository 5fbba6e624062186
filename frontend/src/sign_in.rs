//! What signing in and signing up share: the page to which people return.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use leptos_router::location::State;
use wasm_bindgen::JsValue;

use crate::api::encode;
use crate::session::{Viewer, use_session};

/// Marks an entry of the history whose predecessor is the page to return to.
const COMES_FROM_NEXT: &str = "comes-from-next";

/// The options for a page that leads to signing in and wants to be returned to. Returning then goes one step
/// back in the history, so that "Back" leads neither through the sign-in page nor to the same page twice.
pub(crate) fn from_next() -> NavigateOptions {
    NavigateOptions { state: State::new(Some(COMES_FROM_NEXT.into())), ..NavigateOptions::default() }
}

/// The mark of the present entry, for links that replace it.
pub(crate) fn inherited_mark() -> JsValue {
    window().history().and_then(|history| history.state()).unwrap_or(JsValue::NULL)
}

/// The address of the sign-in page, which returns to `path`.
pub(crate) fn login_path(path: &str, search: &str) -> String {
    sign_in_path("/login", &with_search(path, search))
}

/// `page` with the path to return to in its query.
pub(crate) fn sign_in_path(page: &str, next: &str) -> String {
    match safe_next(next) {
        "/" => page.to_owned(),
        next => format!("{page}?next={}", encode(next)),
    }
}

fn with_search(path: &str, search: &str) -> String {
    match search.trim_start_matches('?') {
        "" => path.to_owned(),
        search => format!("{path}?{search}"),
    }
}

/// Accepts only paths of this site that are not a sign-in page. Anything else becomes `/`.
fn safe_next(next: &str) -> &str {
    let inside = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(['\\', '\t', '\n', '\r'])
        && !next.starts_with("/login")
        && !next.starts_with("/signup");
    if inside { next } else { "/" }
}

/// The path to return to, as the address contains it.
pub(crate) fn next_path() -> String {
    let next = use_query_map().with_untracked(|map| map.get("next")).unwrap_or_default();
    safe_next(&next).to_owned()
}

/// Leaves the page as soon as a user is signed in.
pub(crate) fn leave_when_signed_in(next: String) {
    let session = use_session();
    let navigate = use_navigate();
    Effect::new(move |left: Option<bool>| {
        if left == Some(true) || !matches!(session.viewer(), Viewer::User(_)) {
            return left == Some(true);
        }
        if next.starts_with("/admin") {
            // A separate client, so the browser loads it.
            let _ = window().location().replace(&next);
            return true;
        }
        let back = inherited_mark().as_string().is_some_and(|mark| mark == COMES_FROM_NEXT);
        if !back || window().history().and_then(|history| history.back()).is_err() {
            navigate(&next, NavigateOptions { replace: true, ..Default::default() });
        }
        true
    });
}

/// Sends visitors to the sign-in page, which returns here afterwards.
pub(crate) fn require_user(here: String) {
    let session = use_session();
    let navigate = use_navigate();
    Effect::new(move |_| {
        if session.viewer() == Viewer::Visitor {
            navigate(&login_path(&here, ""), NavigateOptions { replace: true, ..Default::default() });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_never_redirects_to_another_site() {
        for next in
            ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/\t/x"]
        {
            assert_eq!(safe_next(next), "/", "{next}");
        }
    }

    #[test]
    fn a_sign_in_returns_to_the_previous_page() {
        assert_eq!(safe_next("/events/3"), "/events/3");
        assert_eq!(safe_next(&with_search("/", "?q=a")), "/?q=a");
        assert_eq!(safe_next("/login?next=/"), "/");
    }
}
