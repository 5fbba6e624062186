//! The header of every page: brand, language, theme, and the signed-in user.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use neticket_domain::Role;
use wasm_bindgen::JsCast as _;

use super::{Glyph, Icon};
use crate::i18n::{Msg, tr, use_i18n};
use crate::session::{Viewer, use_session};
use crate::sign_in::login_path;
use crate::theme::Theme;

/// `children` are in the middle of the header.
#[component]
pub(crate) fn Header(children: Children) -> impl IntoView {
    let skip = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        if let Some(main) = document().get_element_by_id("main") {
            let _ = main.unchecked_into::<web_sys::HtmlElement>().focus();
        }
    };
    view! {
        <a class="skip" href="#main" on:click=skip>{tr(Msg::HeaderSkip)}</a>
        <header class="header">
            <div class="header__row">
                <a class="brand" href="/" aria-label=tr(Msg::HeaderHome)>
                    <svg class="brand__mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
                        <path d="M4 8h24v6a2.6 2.6 0 0 0 0 5v5H4v-5a2.6 2.6 0 0 0 0-5z" />
                        <path class="brand__letter" d="M11.5 21v-10l9 10v-10" />
                    </svg>
                    <span>"NETicket"</span>
                </a>
                {children()}
                <div class="header__tools">
                    <LanguageSwitch />
                    <ThemeSwitch />
                    <Account />
                </div>
            </div>
        </header>
    }
}

#[component]
fn LanguageSwitch() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <button
            type="button"
            class="text-button"
            lang=move || i18n.language().other().tag()
            on:click=move |_| i18n.switch()
        >
            {move || i18n.language().other().text(Msg::LanguageShort)}
            <span class="visually-hidden">{move || i18n.language().other().text(Msg::LanguageSwitchTo)}</span>
        </button>
    }
}

#[component]
fn ThemeSwitch() -> impl IntoView {
    let i18n = use_i18n();
    let theme: RwSignal<Theme> = expect_context();
    let glyph = Signal::derive(move || match theme.get() {
        Theme::System => Glyph::Contrast,
        Theme::Light => Glyph::Sun,
        Theme::Dark => Glyph::Moon,
    });
    let name = move || match theme.get() {
        Theme::System => i18n.text(Msg::ThemeSystem),
        Theme::Light => i18n.text(Msg::ThemeLight),
        Theme::Dark => i18n.text(Msg::ThemeDark),
    };
    view! {
        <button
            type="button"
            class="icon-button"
            aria-label=name
            title=name
            on:click=move |_| theme.update(|theme| *theme = theme.next())
        >
            <Icon glyph />
        </button>
    }
}

/// The link to the sign-in page, or to the user's own page.
#[component]
fn Account() -> impl IntoView {
    let session = use_session();
    let location = use_location();
    let login = move || login_path(&location.pathname.get(), &location.search.get());
    move || {
        match session.viewer() {
        Viewer::Unknown => view! { <span class="header__account header__account--unknown"></span> }.into_any(),
        Viewer::Visitor => {
            view! { <a class="header__account button button--small" href=login>{tr(Msg::HeaderLogin)}</a> }
                .into_any()
        }
        Viewer::User(user) => view! {
            {(user.role == Role::Admin)
                .then(|| {
                    // A separate client, so the browser loads it.
                    view! { <a class="text-button" href="/admin/events" rel="external">{tr(Msg::HeaderAdmin)}</a> }
                })}
            <a class="header__account text-button" href="/me">
                <Icon glyph=Glyph::Person />
                <span class="header__name">{user.nickname}</span>
                <span class="visually-hidden">{tr(Msg::HeaderMe)}</span>
            </a>
        }
        .into_any(),
    }
    }
}
