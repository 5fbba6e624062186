//! One event on the inventory page: its ledger beside the store, and the actions.

use leptos::prelude::*;
use neticket_contract::{InventoryEntry, InventoryTicketType};
use neticket_domain::EventStatus;

use super::super::api::LedgerDeed;
use super::deed::{Asked, Deed, name};
use crate::components::{Glyph, Icon, StatusBadge};
use crate::format;
use crate::i18n::{T, tr, use_i18n};

/// Follows `entry` as it changes, without rendering the focused element again.
#[component]
pub(crate) fn Entry(
    #[prop(into)] entry: Signal<InventoryEntry>,
    asked: RwSignal<Option<Asked>>,
) -> impl IntoView {
    let id = entry.with_untracked(|entry| entry.event_id);
    let title = move || entry.with(|entry| entry.title.clone());
    let drifted =
        Memo::new(move |_| entry.with(|entry| entry.ticket_types.iter().any(|grade| grade.drift != 0)));
    let grades = Memo::new(move |_| {
        entry.with(|entry| entry.ticket_types.iter().map(|grade| grade.id).collect::<Vec<_>>())
    });
    let grade = move |id: i64| {
        Memo::new(move |_| {
            entry.with(|entry| entry.ticket_types.iter().find(|grade| grade.id == id).cloned())
        })
    };
    let heading = format!("room-{id}");
    let labelled = heading.clone();
    view! {
        <li class="room-entry" data-testid="inventory-entry" data-drifted=move || drifted.get().to_string()>
            <article aria-labelledby=labelled>
                <div class="room-entry__head">
                    <StatusBadge status=Signal::derive(move || entry.with(|entry| entry.status)) />
                    <h3 id=heading>
                        <a href=format!("/admin/events/{id}") rel="external">{title}</a>
                        <span class="fine">{format!(" #{id}")}</span>
                    </h3>
                </div>
                <LedgerState entry />
                <div class="table-frame" role="region" tabindex="0" aria-label=tr(T::RoomTable)>
                    <table class="room-table">
                        <thead>
                            <tr>
                                <th scope="col">{tr(T::RoomGrade)}</th>
                                <th scope="col">{tr(T::RoomCapacity)}</th>
                                <th scope="col">{tr(T::RoomStore)}</th>
                                <th scope="col">{tr(T::RoomLedger)}</th>
                                <th scope="col">{tr(T::RoomDrift)}</th>
                            </tr>
                        </thead>
                        <tbody>
                            <For each=move || grades.get() key=|id| *id let:id>
                                <Grade grade=grade(id) />
                            </For>
                        </tbody>
                    </table>
                </div>
                <Buttons entry asked />
            </article>
        </li>
    }
}

/// Loaded or not, paused or not, the epoch, and the number of pending bookings.
#[component]
fn LedgerState(entry: Signal<InventoryEntry>) -> impl IntoView {
    let i18n = use_i18n();
    let ledger = Memo::new(move |_| entry.with(|entry| entry.ledger.clone()));
    view! {
        <ul class="room-state">
            <li data-on=move || ledger.get().loaded.to_string()>
                {move || i18n.text(if ledger.get().loaded { T::RoomIsLoaded } else { T::RoomIsNotLoaded })}
            </li>
            {move || {
                ledger.get().paused.then(|| {
                    view! {
                        <li class="room-state__paused">
                            <Icon glyph=Glyph::Pause />
                            {tr(T::StatusPaused)}
                        </li>
                    }
                })
            }}
            {move || {
                ledger.get().epoch.map(|epoch| view! { <li>{i18n.fill(T::RoomEpoch, &[("n", &epoch)])}</li> })
            }}
            <li>
                {move || i18n.fill(T::RoomPending, &[("n", &format::count(i18n, ledger.get().pending))])}
            </li>
        </ul>
    }
}

#[component]
fn Grade(grade: Memo<Option<InventoryTicketType>>) -> impl IntoView {
    let i18n = use_i18n();
    let grade = Memo::new(move |_| grade.get());
    let number = move |pick: fn(&InventoryTicketType) -> Option<u32>| {
        move || {
            let number = grade.with(|grade| grade.as_ref().and_then(pick));
            number.map_or_else(|| "–".to_owned(), |number| format::count(i18n, number.into()))
        }
    };
    let drift = Memo::new(move |_| grade.with(|grade| grade.as_ref().map_or(0, |grade| grade.drift)));
    view! {
        <tr>
            <th scope="row">{move || grade.with(|grade| grade.as_ref().map(|grade| grade.name.clone()))}</th>
            <td>{number(|grade| Some(grade.capacity))}</td>
            <td>{number(|grade| Some(grade.store_left))}</td>
            <td>{number(|grade| grade.ledger_left)}</td>
            <td class="room-table__drift" data-drift=move || (drift.get() != 0).to_string()>
                {move || match drift.get() {
                    0 => view! { <span class="room-table__same">{i18n.text(T::RoomSame)}</span> }.into_any(),
                    drift => view! {
                        <Icon glyph=Glyph::Alert />
                        {i18n.fill(
                            if drift > 0 { T::RoomTooMany } else { T::RoomTooFew },
                            &[("n", &format::count(i18n, drift.unsigned_abs()))],
                        )}
                    }
                    .into_any(),
                }}
            </td>
        </tr>
    }
}

#[component]
fn Buttons(entry: Signal<InventoryEntry>, asked: RwSignal<Option<Asked>>) -> impl IntoView {
    let i18n = use_i18n();
    let paused = Memo::new(move |_| entry.with(|entry| entry.ledger.paused));
    let loaded = Memo::new(move |_| entry.with(|entry| entry.ledger.loaded));
    let cancelled = Memo::new(move |_| entry.with(|entry| entry.status == EventStatus::Cancelled));
    let pause = Signal::derive(move || {
        Deed::Ledger(if paused.get() { LedgerDeed::Resume } else { LedgerDeed::Pause })
    });
    let button = move |deed: Signal<Deed>, off: Signal<bool>| {
        let ask = move |_| {
            let entry = Some(entry.get_untracked());
            asked.set(Some(Asked { deed: deed.get_untracked(), entry }));
        };
        view! {
            <button type="button" class="button button--small" disabled=move || off.get() on:click=ask>
                {move || i18n.text(deed.get().action())}
                <span class="unseen">{move || entry.with(|entry| format!(": {}", name(entry)))}</span>
            </button>
        }
    };
    let fixed = |deed: Deed| Signal::stored(deed);
    let not_loaded = Signal::derive(move || !loaded.get());
    view! {
        <div class="room-entry__actions">
            {button(pause, cancelled.into())}
            {button(fixed(Deed::Reconcile), not_loaded)}
            {button(fixed(Deed::Ledger(LedgerDeed::Load)), Signal::stored(false))}
            {button(fixed(Deed::Ledger(LedgerDeed::Evict)), not_loaded)}
            {button(fixed(Deed::ClearEvent), Signal::stored(false))}
        </div>
    }
}
