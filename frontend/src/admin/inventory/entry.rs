//! One event on the inventory page: its ledger beside the store, and the actions.

use leptos::prelude::*;
use neticket_contract::{InventoryEntry, InventoryTicketType};
use neticket_domain::EventStatus;

use super::super::api::LedgerAction;
use super::action::{InventoryAction, PendingAction, name};
use crate::components::{Glyph, Icon, StatusBadge};
use crate::format;
use crate::i18n::{Msg, tr, use_i18n};

/// Follows `entry` as it changes, without rendering the focused element again.
#[component]
pub(crate) fn Entry(
    #[prop(into)] entry: Signal<InventoryEntry>,
    pending: RwSignal<Option<PendingAction>>,
) -> impl IntoView {
    let id = entry.with_untracked(|entry| entry.event_id);
    let title = move || entry.with(|entry| entry.title.clone());
    let drifted = Memo::new(move |_| {
        entry.with(|entry| entry.ticket_types.iter().any(|ticket_type| ticket_type.drift != 0))
    });
    let ticket_types = Memo::new(move |_| {
        entry.with(|entry| entry.ticket_types.iter().map(|ticket_type| ticket_type.id).collect::<Vec<_>>())
    });
    let ticket_type = move |id: i64| {
        Memo::new(move |_| {
            entry.with(|entry| entry.ticket_types.iter().find(|ticket_type| ticket_type.id == id).cloned())
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
                        <span class="text-small">{format!(" #{id}")}</span>
                    </h3>
                </div>
                <LedgerState entry />
                <div class="table-frame" role="region" tabindex="0" aria-label=tr(Msg::RoomTable)>
                    <table class="room-table">
                        <thead>
                            <tr>
                                <th scope="col">{tr(Msg::RoomTicketType)}</th>
                                <th scope="col">{tr(Msg::RoomCapacity)}</th>
                                <th scope="col">{tr(Msg::RoomStore)}</th>
                                <th scope="col">{tr(Msg::RoomLedger)}</th>
                                <th scope="col">{tr(Msg::RoomDrift)}</th>
                            </tr>
                        </thead>
                        <tbody>
                            <For each=move || ticket_types.get() key=|id| *id let:id>
                                <TicketType ticket_type=ticket_type(id) />
                            </For>
                        </tbody>
                    </table>
                </div>
                <Buttons entry pending />
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
                {move || i18n.text(if ledger.get().loaded { Msg::RoomIsLoaded } else { Msg::RoomIsNotLoaded })}
            </li>
            {move || {
                ledger.get().paused.then(|| {
                    view! {
                        <li class="room-state__paused">
                            <Icon glyph=Glyph::Pause />
                            {tr(Msg::StatusPaused)}
                        </li>
                    }
                })
            }}
            {move || {
                ledger.get().epoch.map(|epoch| view! { <li>{i18n.fill(Msg::RoomEpoch, &[("n", &epoch)])}</li> })
            }}
            <li>
                {move || i18n.fill(Msg::RoomPending, &[("n", &format::count(i18n, ledger.get().pending))])}
            </li>
        </ul>
    }
}

#[component]
fn TicketType(ticket_type: Memo<Option<InventoryTicketType>>) -> impl IntoView {
    let i18n = use_i18n();
    let ticket_type = Memo::new(move |_| ticket_type.get());
    let number = move |pick: fn(&InventoryTicketType) -> Option<u32>| {
        move || {
            let number = ticket_type.with(|ticket_type| ticket_type.as_ref().and_then(pick));
            number.map_or_else(|| "–".to_owned(), |number| format::count(i18n, number.into()))
        }
    };
    let drift = Memo::new(move |_| {
        ticket_type.with(|ticket_type| ticket_type.as_ref().map_or(0, |ticket_type| ticket_type.drift))
    });
    view! {
        <tr>
            <th scope="row">{move || ticket_type.with(|ticket_type| ticket_type.as_ref().map(|ticket_type| ticket_type.name.clone()))}</th>
            <td>{number(|ticket_type| Some(ticket_type.capacity))}</td>
            <td>{number(|ticket_type| Some(ticket_type.store_left))}</td>
            <td>{number(|ticket_type| ticket_type.ledger_left)}</td>
            <td class="room-table__drift" data-drift=move || (drift.get() != 0).to_string()>
                {move || match drift.get() {
                    0 => view! { <span class="room-table__same">{i18n.text(Msg::RoomSame)}</span> }.into_any(),
                    drift => view! {
                        <Icon glyph=Glyph::Alert />
                        {i18n.fill(
                            if drift > 0 { Msg::RoomTooMany } else { Msg::RoomTooFew },
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
fn Buttons(entry: Signal<InventoryEntry>, pending: RwSignal<Option<PendingAction>>) -> impl IntoView {
    let i18n = use_i18n();
    let paused = Memo::new(move |_| entry.with(|entry| entry.ledger.paused));
    let loaded = Memo::new(move |_| entry.with(|entry| entry.ledger.loaded));
    let cancelled = Memo::new(move |_| entry.with(|entry| entry.status == EventStatus::Cancelled));
    let pause = Signal::derive(move || {
        InventoryAction::Ledger(if paused.get() { LedgerAction::Resume } else { LedgerAction::Pause })
    });
    let button = move |action: Signal<InventoryAction>, off: Signal<bool>| {
        let ask = move |_| {
            let entry = Some(entry.get_untracked());
            pending.set(Some(PendingAction { action: action.get_untracked(), entry }));
        };
        view! {
            <button type="button" class="button button--small" disabled=move || off.get() on:click=ask>
                {move || i18n.text(action.get().button())}
                <span class="visually-hidden">{move || entry.with(|entry| format!(": {}", name(entry)))}</span>
            </button>
        }
    };
    let fixed = |action: InventoryAction| Signal::stored(action);
    let not_loaded = Signal::derive(move || !loaded.get());
    view! {
        <div class="room-entry__actions">
            {button(pause, cancelled.into())}
            {button(fixed(InventoryAction::Reconcile), not_loaded)}
            {button(fixed(InventoryAction::Ledger(LedgerAction::Load)), Signal::stored(false))}
            {button(fixed(InventoryAction::Ledger(LedgerAction::Evict)), not_loaded)}
            {button(fixed(InventoryAction::ClearEvent), Signal::stored(false))}
        </div>
    }
}
