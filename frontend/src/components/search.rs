//! The search field of the header. The search words are in the address.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_navigate, use_query_map};
use neticket_domain::SEARCH_LEN_MAX;

use super::{Glyph, Icon};
use crate::home_query::HomeQuery;
use crate::i18n::{Msg, tr};

#[component]
pub(crate) fn Search() -> impl IntoView {
    let query = use_query_map();
    let pathname = use_location().pathname;
    let at_home = move || pathname.get() == "/";
    let text = RwSignal::new(String::new());
    Effect::new(move |_| {
        text.set(if at_home() { query.with(|map| map.get("q")).unwrap_or_default() } else { String::new() });
    });
    let navigate = use_navigate();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let here = if pathname.get_untracked() == "/" {
            query.with_untracked(HomeQuery::read)
        } else {
            HomeQuery::default()
        };
        let there = HomeQuery { q: text.get_untracked().trim().to_owned(), page: 1, ..here };
        navigate(&there.path(), Default::default());
    };
    view! {
        <form class="search" role="search" on:submit=submit>
            <label class="visually-hidden" for="search">{tr(Msg::SearchLabel)}</label>
            <input
                id="search"
                type="search"
                name="q"
                maxlength=SEARCH_LEN_MAX.to_string()
                enterkeyhint="search"
                autocomplete="off"
                placeholder=tr(Msg::SearchPlaceholder)
                prop:value=move || text.get()
                on:input:target=move |event| text.set(event.target().value())
            />
            <button type="submit" class="icon-button" aria-label=tr(Msg::SearchAction)>
                <Icon glyph=Glyph::Search />
            </button>
        </form>
    }
}
