//! The frame around all pages of administration, and the routes.

use leptos::prelude::*;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::hooks::use_location;
use leptos_router::path;

use super::BASE;
use super::access::{Access, Unsaved};
use super::api::AdminApi;
use super::audit::AuditPage;
use super::edit::{EditPage, JustMade, NewPage};
use super::events::EventsPage;
use super::inventory::InventoryPage;
use super::nav::{AdminNav, go};
use crate::app::{Announcement, start};
use crate::clock::use_clock;
use crate::components::{Footer, Glyph, Header, Icon};
use crate::i18n::{Msg, tr};
use crate::pages::NotFoundPage;
use crate::session::use_session;
use crate::title::focus_on_navigation;

#[component]
pub(crate) fn AdminApp() -> impl IntoView {
    let session = start();
    provide_context(AdminApi::new(session, use_clock()));
    provide_context(JustMade::default());
    provide_context(Unsaved::default());
    view! {
        <Router base=BASE>
            <Frame />
        </Router>
        <Announcement />
    }
}

/// The frame around every page. People who are not administrators see the page for an unknown address.
#[component]
fn Frame() -> impl IntoView {
    focus_on_navigation();
    let session = use_session();
    let unsaved: Unsaved = expect_context();
    let access = Memo::new(move |before: Option<&Access>| {
        Access::of(&session.viewer()).keeping(before.copied(), unsaved.get())
    });
    let with_pages = Memo::new(move |_| access.get().shows_pages());
    view! {
        <Header>
            {move || match access.get() {
                Access::Granted => view! { <AdminNav /> }.into_any(),
                Access::Unknown | Access::Kept => ().into_any(),
                Access::Denied => view! { <PlainSearch /> }.into_any(),
            }}
        </Header>
        <main id="main" tabindex="-1">
            {move || match access.get() {
                Access::Granted => ().into_any(),
                Access::Kept => signed_out().into_any(),
                Access::Unknown => waiting().into_any(),
                Access::Denied => NotFoundPage().into_any(),
            }}
            {move || with_pages.get().then(pages)}
        </main>
        <Footer />
    }
}

fn pages() -> impl IntoView {
    view! {
        <FlatRoutes fallback=Elsewhere>
            <Route path=path!("/events") view=EventsPage />
            <Route path=path!("/events/new") view=NewPage />
            <Route path=path!("/events/:id") view=EditPage />
            <Route path=path!("/inventory") view=InventoryPage />
            <Route path=path!("/audit") view=AuditPage />
        </FlatRoutes>
    }
}

/// Redirects `/admin` to the list of events. Every other unknown address shows "not found".
#[component]
fn Elsewhere() -> impl IntoView {
    let pathname = use_location().pathname;
    let entrance = Memo::new(move |_| pathname.with(|path| path.trim_end_matches('/') == BASE));
    let go = go();
    Effect::new(move |_| {
        if entrance.get() {
            go("/admin/events".to_owned());
        }
    });
    move || if entrance.get() { waiting().into_any() } else { NotFoundPage().into_any() }
}

/// Says that the session has ended. The form below keeps its input.
fn signed_out() -> impl IntoView {
    view! {
        <p class="form-error page" role="alert" data-testid="signed-out">
            <Icon glyph=Glyph::Alert />
            {tr(Msg::FormSignedOut)}
        </p>
    }
}

fn waiting() -> impl IntoView {
    view! {
        <div class="page" aria-busy="true">
            <p class="visually-hidden" role="status">{tr(Msg::Loading)}</p>
            <span class="skeleton skeleton--headline"></span>
            <div class="skeleton skeleton--panel"></div>
        </div>
    }
}

/// The search of the other client, as a plain form, because its results are a page of that client.
#[component]
fn PlainSearch() -> impl IntoView {
    view! {
        <form class="search" role="search" action="/">
            <label class="visually-hidden" for="search">{tr(Msg::SearchLabel)}</label>
            <input
                id="search"
                type="search"
                name="q"
                enterkeyhint="search"
                autocomplete="off"
                placeholder=tr(Msg::SearchPlaceholder)
            />
            <button type="submit" class="icon-button" aria-label=tr(Msg::SearchAction)>
                <Icon glyph=Glyph::Search />
            </button>
        </form>
    }
}
