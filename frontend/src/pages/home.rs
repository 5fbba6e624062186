//! The list of events that can be booked, now or soon.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use neticket_contract::{EventSummary, Page};
use neticket_domain::EventStatus;

use crate::components::{EventCard, EventCardSkeleton, Failure, Glyph, Notice, Pagination};
use crate::format;
use crate::home_query::HomeQuery;
use crate::i18n::{Msg, tr, use_i18n};
use crate::load::{Load, Loader, last_if_past};
use crate::operations::use_api;
use crate::sale::status_text;
use crate::title::page_title;

/// How many images load at once, because they are certainly in view. The others load when they come into
/// view.
const EAGER: usize = 4;
/// Enough placeholders to fill a screen.
const SKELETONS: usize = 8;
/// The statuses that have a filter of their own.
const FILTERS: [EventStatus; 3] = [EventStatus::OnSale, EventStatus::Scheduled, EventStatus::SoldOut];

#[component]
pub(crate) fn HomePage() -> impl IntoView {
    let i18n = use_i18n();
    let api = use_api();
    let map = use_query_map();
    let query = Memo::new(move |_| map.with(HomeQuery::read));
    let events = Loader::new(
        move || Some(query.get()),
        move |query| async move { api.event_list(&query.request()).await },
    );
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(page) = events.value()
            && let Some(last) = last_if_past(&page)
        {
            let there = HomeQuery { page: last, ..query.get_untracked() };
            navigate(&there.path(), NavigateOptions { replace: true, ..Default::default() });
        }
    });
    page_title(move || i18n.text(Msg::HomeTitle).to_owned());
    let headline = move || {
        let query = query.get();
        if query.q.is_empty() {
            i18n.text(Msg::HomeTitle).to_owned()
        } else {
            i18n.fill(Msg::HomeFound, &[("q", &query.q)])
        }
    };
    let number = move || {
        events.value().map(|page| i18n.fill(Msg::HomeCount, &[("n", &format::count(i18n, page.total_items))]))
    };
    view! {
        <div class="page home">
            <div class="page-head">
                <h1>{headline}</h1>
                <p class="home__count" role="status">{number}</p>
            </div>
            <Filters query />
            <div aria-busy=move || events.busy.get().to_string() class:stale=move || events.busy.get()>
                {move || match events.state.get() {
                    Load::Loading => skeletons().into_any(),
                    Load::Failed(error) => view! { <Failure error retry=move || events.reload() /> }.into_any(),
                    Load::Ready(page) if last_if_past(&page).is_some() => skeletons().into_any(),
                    Load::Ready(page) if page.items.is_empty() => view! { <Empty query=query.get() /> }.into_any(),
                    Load::Ready(page) => list(page, query.get_untracked()).into_any(),
                }}
            </div>
        </div>
    }
}

fn list(page: Page<EventSummary>, query: HomeQuery) -> impl IntoView {
    let cards = page
        .items
        .into_iter()
        .enumerate()
        .map(|(index, event)| view! { <EventCard event eager=index < EAGER /> })
        .collect_view();
    let link = move |number: u64| {
        HomeQuery { page: u32::try_from(number).unwrap_or(u32::MAX), ..query.clone() }.path()
    };
    view! {
        <ul class="cards">{cards}</ul>
        <Pagination page=page.page.into() total=page.total_pages link />
    }
}

fn skeletons() -> impl IntoView {
    view! {
        <p class="visually-hidden" role="status">{tr(Msg::Loading)}</p>
        <ul class="cards">{(0..SKELETONS).map(|_| view! { <EventCardSkeleton /> }).collect_view()}</ul>
    }
}

#[component]
fn Filters(query: Memo<HomeQuery>) -> impl IntoView {
    let chip = move |status: Option<EventStatus>| {
        let to = move || HomeQuery { status, page: 1, ..query.get() }.path();
        let current = move || (query.get().status == status).then_some("true");
        let text = tr(status.map_or(Msg::FilterAll, status_text));
        view! {
            <li>
                <a class="chip" href=to aria-current=current>
                    {text}
                </a>
            </li>
        }
    };
    let navigate = use_navigate();
    let toggle = move |_| {
        let query = query.get_untracked();
        let there = HomeQuery { include_past: !query.include_past, page: 1, ..query };
        navigate(&there.path(), NavigateOptions { scroll: false, ..Default::default() });
    };
    view! {
        <nav class="filters" aria-label=tr(Msg::FilterLabel)>
            <ul>
                {chip(None)}
                {FILTERS.map(|status| chip(Some(status))).collect_view()}
            </ul>
            <label class="check">
                <input
                    type="checkbox"
                    name="include_past"
                    prop:checked=move || query.get().include_past
                    on:change=toggle
                />
                {tr(Msg::FilterPast)}
            </label>
        </nav>
    }
}

#[component]
fn Empty(query: HomeQuery) -> impl IntoView {
    let i18n = use_i18n();
    let narrowed = query.narrowed() || query.page > 1;
    let title = if narrowed { Msg::EmptyFoundTitle } else { Msg::EmptyTitle };
    let text = if narrowed { Msg::EmptyFoundText } else { Msg::EmptyText };
    view! {
        <Notice glyph=Glyph::Ticket title=Signal::derive(move || i18n.text(title).to_owned())>
            <p>{tr(text)}</p>
            {narrowed.then(|| view! { <a class="button" href="/">{tr(Msg::EmptyAll)}</a> })}
        </Notice>
    }
}
