//! The list of all events, including past and cancelled ones.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};
use neticket_contract::{AdminEvent, Page};
use neticket_domain::{EventStatus, SEARCH_LEN_MAX};

use super::api::use_admin_api;
use super::list_query::ListQuery;
use super::nav::{here, in_place};
use crate::components::{Failure, Glyph, Icon, Notice, Pagination, Poster, StatusBadge};
use crate::format;
use crate::i18n::{Msg, tr, use_i18n};
use crate::load::{Load, Loader, last_if_past};
use crate::sale::status_text;
use crate::title::page_title;

const PATH: &str = "/admin/events";
const SKELETONS: usize = 5;
const STATUSES: [EventStatus; 6] = [
    EventStatus::Scheduled,
    EventStatus::OnSale,
    EventStatus::SoldOut,
    EventStatus::Paused,
    EventStatus::Closed,
    EventStatus::Cancelled,
];

#[component]
pub(crate) fn EventsPage() -> impl IntoView {
    let i18n = use_i18n();
    let api = use_admin_api();
    let map = use_query_map();
    let query = Memo::new(move |_| ListQuery { drifted: false, ..map.with(ListQuery::read) });
    let events = Loader::new(
        move || Some(query.get()),
        move |query| async move { api.admin_event_list(&query).await },
    );
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(last) = events.value().and_then(|page| last_if_past(&page)) {
            navigate(&query.get_untracked().turned_to(last.into()).at(PATH), in_place());
        }
    });
    page_title(move || i18n.text(Msg::EventsTitle).to_owned());
    let number = move || {
        events.value().map(|page| i18n.fill(Msg::HomeCount, &[("n", &format::count(i18n, page.total_items))]))
    };
    view! {
        <div class="page admin-list">
            <div class="page-head">
                <h1>{tr(Msg::EventsTitle)}</h1>
                <a class="button button--main" href="/admin/events/new" rel="external">
                    <Icon glyph=Glyph::Plus />
                    {tr(Msg::EventsNew)}
                </a>
            </div>
            <ListSearch query path=PATH>
                <StatusFilter query />
            </ListSearch>
            <p class="home__count" role="status">{number}</p>
            <div aria-busy=move || events.busy.get().to_string()>
                {move || match events.state.get() {
                    Load::Loading => skeletons().into_any(),
                    Load::Failed(error) => view! { <Failure error retry=move || events.reload() /> }.into_any(),
                    Load::Ready(page) if last_if_past(&page).is_some() => skeletons().into_any(),
                    Load::Ready(page) if page.items.is_empty() => nothing(query.get_untracked()).into_any(),
                    Load::Ready(page) => list(page, query.get_untracked()).into_any(),
                }}
            </div>
        </div>
    }
}

/// A search field, followed by the other filters of the list.
#[component]
pub(crate) fn ListSearch(query: Memo<ListQuery>, path: &'static str, children: Children) -> impl IntoView {
    let navigate = use_navigate();
    let text = RwSignal::new(String::new());
    // The search text stays while another filter changes the list.
    let q = Memo::new(move |_| query.get().q);
    Effect::new(move |_| text.set(q.get()));
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let q = text.get_untracked().trim().to_owned();
        navigate(&ListQuery { q, page: 1, ..query.get_untracked() }.at(path), here());
    };
    view! {
        <div class="list-tools">
            <form class="search" role="search" on:submit=submit>
                <label class="visually-hidden" for="list-search">{tr(Msg::SearchLabel)}</label>
                <input
                    id="list-search"
                    type="search"
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
            {children()}
        </div>
    }
}

#[component]
fn StatusFilter(query: Memo<ListQuery>) -> impl IntoView {
    let navigate = use_navigate();
    let choose = move |word: String| {
        let status = EventStatus::parse(&word);
        navigate(&ListQuery { status, page: 1, ..query.get_untracked() }.at(PATH), here());
    };
    let options = STATUSES
        .map(|status| {
            view! {
                <option value=status.as_str() prop:selected=move || query.get().status == Some(status)>
                    {tr(status_text(status))}
                </option>
            }
        })
        .collect_view();
    view! {
        <label class="select">
            <span class="visually-hidden">{tr(Msg::EventsStatus)}</span>
            <select on:change:target=move |event| choose(event.target().value())>
                <option value="" prop:selected=move || query.get().status.is_none()>{tr(Msg::EventsAnyStatus)}</option>
                {options}
            </select>
        </label>
    }
}

fn list(page: Page<AdminEvent>, query: ListQuery) -> impl IntoView {
    let rows = page.items.into_iter().map(|event| view! { <Row event /> }).collect_view();
    let link = move |number: u64| query.turned_to(number).at(PATH);
    view! {
        <ul class="admin-rows">{rows}</ul>
        <Pagination page=page.page.into() total=page.total_pages link />
    }
}

#[component]
fn Row(event: AdminEvent) -> impl IntoView {
    let i18n = use_i18n();
    let capacity: u64 =
        event.detail.ticket_types.iter().map(|ticket_type| u64::from(ticket_type.capacity)).sum();
    let left: u64 = event.detail.ticket_types.iter().map(|ticket_type| u64::from(ticket_type.left)).sum();
    let sold = capacity.saturating_sub(left);
    let summary = event.detail.summary;
    let (starts_at, opens_at, closes_at) = (summary.starts_at, summary.opens_at, summary.closes_at);
    let window = move || {
        let from = format::brief_date(i18n, opens_at);
        i18n.fill(Msg::EventSaleWindow, &[("from", &from), ("to", &format::brief_date(i18n, closes_at))])
    };
    let numbers = move || {
        let (sold, capacity) = (format::count(i18n, sold), format::count(i18n, capacity));
        i18n.fill(Msg::EventsSold, &[("sold", &sold), ("capacity", &capacity)])
    };
    view! {
        <li class="admin-row" data-testid="event-row" data-status=summary.status.as_str()>
            <Poster url=summary.image_url />
            <div class="admin-row__text">
                <StatusBadge status=Signal::stored(summary.status) />
                <h2 class="admin-row__title">
                    <a href=format!("/admin/events/{}", summary.id) rel="external">{summary.title}</a>
                </h2>
                <p class="card__fact"><Icon glyph=Glyph::Pin />{summary.place}</p>
                <p class="card__fact">
                    <Icon glyph=Glyph::Calendar />
                    <time datetime=starts_at.to_string()>{move || format::full_date(i18n, starts_at)}</time>
                </p>
                <p class="card__fact">
                    <Icon glyph=Glyph::Clock />
                    <span class="visually-hidden">{tr(Msg::EventSale)}</span>
                    <span>{window}</span>
                </p>
            </div>
            <div class="admin-row__sold">
                <p>{numbers}</p>
                <Bar part=sold whole=capacity />
            </div>
        </li>
    }
}

/// A part of a whole as a bar. Text beside it says the same.
#[component]
pub(crate) fn Bar(part: u64, whole: u64) -> impl IntoView {
    let percent = part.saturating_mul(100).checked_div(whole).unwrap_or(0).min(100);
    view! {
        <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">
            <rect width=percent.to_string() height="4" />
        </svg>
    }
}

fn nothing(query: ListQuery) -> impl IntoView {
    let i18n = use_i18n();
    let title = if query.narrowed() { Msg::EmptyFoundTitle } else { Msg::EventsNone };
    view! {
        <Notice glyph=Glyph::Ticket title=Signal::derive(move || i18n.text(title).to_owned())>
            {query.narrowed().then(|| view! { <a class="button" href=PATH>{tr(Msg::EmptyAll)}</a> })}
        </Notice>
    }
}

fn skeletons() -> impl IntoView {
    let row = |_| view! { <li class="admin-row skeleton" aria-hidden="true"></li> };
    view! {
        <p class="visually-hidden" role="status">{tr(Msg::Loading)}</p>
        <ul class="admin-rows">{(0..SKELETONS).map(row).collect_view()}</ul>
    }
}
