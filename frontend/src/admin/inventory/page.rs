//! The inventory page as a whole.

use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};
use neticket_contract::InventoryEntry;

use super::super::api::use_admin_api;
use super::super::events::ListSearch;
use super::super::list_query::ListQuery;
use super::super::nav::{here, in_place};
use super::super::polled::Polled;
use super::action::{ActionResult, InventoryAction, PendingAction};
use super::charts::Charts;
use super::dialog::ActionDialog;
use super::entry::Entry;
use super::reconcile::refusal;
use crate::components::{Glyph, Icon, Notice, Pagination};
use crate::format;
use crate::i18n::{Msg, tr, use_i18n};
use crate::load::last_if_past;
use crate::title::page_title;

const PATH: &str = "/admin/inventory";
/// Milliseconds between two polls of the inventory.
const EVERY_MS: i64 = 2_000;

#[component]
pub(crate) fn InventoryPage() -> impl IntoView {
    let i18n = use_i18n();
    let api = use_admin_api();
    let map = use_query_map();
    let query = Memo::new(move |_| ListQuery { status: None, ..map.with(ListQuery::read) });
    let room = Polled::new(
        EVERY_MS,
        move || query.get(),
        move |query| async move { api.inventory_list(&query).await },
    );
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(last) = room.value.with(|page| page.as_ref().and_then(last_if_past)) {
            navigate(&query.get_untracked().turned_to(last.into()).at(PATH), in_place());
        }
    });
    page_title(move || i18n.text(Msg::RoomTitle).to_owned());
    let pending = RwSignal::new(None::<PendingAction>);
    let result = RwSignal::new(None::<ActionResult>);
    let seen_at = move || {
        room.seen_at.get().map(|at| i18n.fill(Msg::RoomSeenAt, &[("time", &format::clock(i18n, at))]))
    };
    view! {
        <div class="page room">
            <h1>{tr(Msg::RoomTitle)}</h1>
            <Charts />
            <section aria-labelledby="ledgers-title">
                <div class="page-head">
                    <h2 id="ledgers-title">{tr(Msg::RoomLedgers)}</h2>
                    <button
                        type="button"
                        class="button button--small"
                        on:click=move |_| pending.set(Some(PendingAction { action: InventoryAction::ClearAll, entry: None }))
                    >
                        {tr(Msg::RoomClearAll)}
                    </button>
                </div>
                <ListSearch query path=PATH>
                    <DriftedOnly query />
                </ListSearch>
                <p class="text-small">{seen_at}</p>
                <div role="status" data-testid="action-result">
                    {move || {
                        result.get()
                            .map(|ActionResult { done, text }| {
                                let (class, glyph) =
                                    if done { ("form-done", Glyph::Check) } else { ("form-error", Glyph::Alert) };
                                view! { <p class=class><Icon glyph />{text}</p> }
                            })
                    }}
                </div>
                {move || {
                    room.error
                        .get()
                        .map(|error| {
                            view! {
                                <p class="form-error" role="alert">
                                    <Icon glyph=Glyph::Alert />
                                    {i18n.text(refusal(&error))}
                                </p>
                            }
                        })
                }}
                <Entries room query pending />
            </section>
            <ActionDialog pending result done=move || room.ask_now() />
        </div>
    }
}

/// The entries. Each one follows its own numbers.
#[component]
fn Entries(
    room: Polled<neticket_contract::Page<InventoryEntry>>,
    query: Memo<ListQuery>,
    pending: RwSignal<Option<PendingAction>>,
) -> impl IntoView {
    let i18n = use_i18n();
    // Entries that stay keep their positions, so that nobody presses a button that has just moved under
    // another event.
    let ids = Memo::new(move |before: Option<&Option<Vec<i64>>>| {
        room.value.with(|page| {
            let page = page.as_ref()?;
            let there = |id: &i64| page.items.iter().any(|entry| entry.event_id == *id);
            let mut ids: Vec<i64> = before.cloned().flatten().unwrap_or_default();
            ids.retain(there);
            let new = page.items.iter().map(|entry| entry.event_id).filter(|id| !ids.contains(id));
            let new: Vec<i64> = new.collect();
            ids.extend(new);
            Some(ids)
        })
    });
    let pages =
        Memo::new(move |_| room.value.with(|page| page.as_ref().map(|page| (page.page, page.total_pages))));
    let first = move |id: i64| {
        room.value.with_untracked(|page| {
            page.as_ref().and_then(|page| page.items.iter().find(|entry| entry.event_id == id).cloned())
        })
    };
    let entry = move |id: i64, first: InventoryEntry| {
        // An entry that has left the page keeps its last state until it is removed.
        Memo::new(move |before: Option<&InventoryEntry>| {
            let now = room.value.with(|page| {
                page.as_ref().and_then(|page| page.items.iter().find(|entry| entry.event_id == id).cloned())
            });
            now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
        })
    };
    let none = move || ids.with(|ids| ids.as_ref().is_some_and(Vec::is_empty));
    let title = Signal::derive(move || {
        i18n.text(if query.get().drifted { Msg::RoomNoDrift } else { Msg::EmptyFoundTitle }).to_owned()
    });
    view! {
        <ul class="room-entries" aria-busy=move || (ids.get().is_none() && room.error.get().is_none()).to_string()>
            <For each=move || ids.get().unwrap_or_default() key=|id| *id let:id>
                {first(id).map(|first| view! { <Entry entry=entry(id, first) pending /> })}
            </For>
        </ul>
        <Show when=none>
            <Notice glyph=Glyph::Check title />
        </Show>
        {move || {
            pages
                .get()
                .map(|(page, total)| {
                    let query = query.get_untracked();
                    let link = move |number: u64| query.turned_to(number).at(PATH);
                    view! { <Pagination page=page.into() total link /> }
                })
        }}
    }
}

#[component]
fn DriftedOnly(query: Memo<ListQuery>) -> impl IntoView {
    let navigate = use_navigate();
    let toggle = move |_| {
        let query = query.get_untracked();
        navigate(&ListQuery { drifted: !query.drifted, page: 1, ..query }.at(PATH), here());
    };
    view! {
        <label class="check">
            <input type="checkbox" prop:checked=move || query.get().drifted on:change=toggle />
            {tr(Msg::RoomDriftedOnly)}
        </label>
    }
}
