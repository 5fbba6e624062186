//! The frame around all pages, and the routes.

use leptos::prelude::*;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::path;

use crate::clock::Clock;
use crate::components::{Footer, Header, Search};
use crate::i18n::I18n;
use crate::operations::Api;
use crate::pages::{EventPage, HomePage, LoginPage, MePage, NotFoundPage, ReservationPage, SignupPage};
use crate::session::Session;
use crate::theme;
use crate::title::{Announced, focus_on_navigation};

/// Provides the context of every page of both clients: the session, the language, the clock, the theme and
/// the API.
pub(crate) fn start() -> Session {
    let session = Session::start();
    let clock = Clock::start();
    provide_context(I18n::start());
    provide_context(theme::start());
    provide_context(session);
    provide_context(clock);
    provide_context(Api::new(session, clock));
    provide_context(Announced(RwSignal::new(String::new())));
    session
}

#[component]
pub(crate) fn App() -> impl IntoView {
    start();
    view! {
        <Router>
            <Frame />
        </Router>
        <Announcement />
    }
}

/// Announces the present page to screen readers.
#[component]
pub(crate) fn Announcement() -> impl IntoView {
    let announced: Announced = expect_context();
    view! { <p class="visually-hidden" role="status">{move || announced.0.get()}</p> }
}

/// The frame around every page.
#[component]
fn Frame() -> impl IntoView {
    focus_on_navigation();
    view! {
        <Header>
            <Search />
        </Header>
        <main id="main" tabindex="-1">
            <FlatRoutes fallback=NotFoundPage>
                <Route path=path!("/") view=HomePage />
                <Route path=path!("/events/:id") view=EventPage />
                <Route path=path!("/reservations/:id") view=ReservationPage />
                <Route path=path!("/me") view=MePage />
                <Route path=path!("/login") view=LoginPage />
                <Route path=path!("/signup") view=SignupPage />
            </FlatRoutes>
        </main>
        <Footer />
    }
}
