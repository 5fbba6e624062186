//! The ticket types, one row each, in the order in which they are shown.

use leptos::prelude::*;

use super::check::TICKET_TYPES_MAX;
use super::draft::{Draft, DraftTicketType, number};
use super::entry::{Entry, FieldBinding, FieldFault, Kind};
use super::state::{Form, focus_soon};
use crate::components::{Glyph, Icon};
use crate::format;
use crate::i18n::{Msg, tr, use_i18n};

#[component]
pub(crate) fn TicketTypes(form: Form) -> impl IntoView {
    let rows = Memo::new(move |_| {
        form.draft
            .with(|draft| draft.ticket_types.iter().map(|ticket_type| ticket_type.row).collect::<Vec<_>>())
    });
    let add = move |_| {
        form.rearranged(|draft| {
            let row = draft.free_row();
            draft.ticket_types.push(DraftTicketType { row, ..DraftTicketType::default() });
        });
        let index = form.draft.with_untracked(|draft| draft.ticket_types.len().saturating_sub(1));
        focus_soon(format!("ticket_types[{index}].name"));
    };
    let max_per_user = FieldBinding::of(form, "max_per_user", |draft| &mut draft.max_per_user);
    let full = move || rows.with(Vec::len) >= TICKET_TYPES_MAX;
    view! {
        <fieldset class="form-part">
            <legend>{tr(Msg::EventTicketTypes)}</legend>
            <Entry
                form
                part=max_per_user
                label=Msg::FormMaxPerUser
                kind=Kind::Number
            />
            <ol class="ticket-type-rows" id="ticket_types" tabindex="-1">
                <For each=move || rows.get() key=|row| *row let:row>
                    <Row form row />
                </For>
            </ol>
            <FieldFault form path=Signal::stored("ticket_types".to_owned()) />
            <button
                type="button"
                class="button"
                disabled=full
                on:click=add
            >
                <Icon glyph=Glyph::Plus />
                {tr(Msg::FormTicketTypeAdd)}
            </button>
        </fieldset>
    }
}

/// A field of the ticket type in row `row`, wherever the row is now.
fn binding(
    form: Form,
    row: i64,
    field: &'static str,
    part: fn(&mut DraftTicketType) -> &mut String,
) -> FieldBinding {
    let path = Signal::derive(move || path(form, row, field));
    FieldBinding {
        path,
        value: Signal::derive(move || {
            let ticket_type = form.draft.with(|draft| find(draft, row).cloned());
            ticket_type.map(|mut ticket_type| part(&mut ticket_type).clone()).unwrap_or_default()
        }),
        change: Callback::new(move |(text,): (String,)| {
            form.typed(path.get_untracked(), |draft| {
                if let Some(ticket_type) =
                    draft.ticket_types.iter_mut().find(|ticket_type| ticket_type.row == row)
                {
                    *part(ticket_type) = text;
                }
            });
        }),
    }
}

fn find(draft: &Draft, row: i64) -> Option<&DraftTicketType> {
    draft.ticket_types.iter().find(|ticket_type| ticket_type.row == row)
}

/// The path of a field of row `row`. Tracked.
fn path(form: Form, row: i64, field: &str) -> String {
    let index =
        form.draft.with(|draft| draft.ticket_types.iter().position(|ticket_type| ticket_type.row == row));
    format!("ticket_types[{}].{field}", index.unwrap_or(0))
}

#[component]
fn Row(form: Form, row: i64) -> impl IntoView {
    let i18n = use_i18n();
    let index = Memo::new(move |_| {
        form.draft
            .with(|draft| draft.ticket_types.iter().position(|ticket_type| ticket_type.row == row))
            .unwrap_or(0)
    });
    let last = Memo::new(move |_| form.draft.with(|draft| draft.ticket_types.len()).saturating_sub(1));
    let ticket_type =
        Memo::new(move |_| form.draft.with(|draft| find(draft, row).cloned()).unwrap_or_default());
    let name = move || match ticket_type.with(|ticket_type| ticket_type.name.trim().to_owned()) {
        name if name.is_empty() => i18n.fill(Msg::FormTicketTypeNumber, &[("n", &(index.get() + 1))]),
        name => name,
    };
    let price = Signal::derive(move || {
        number(&ticket_type.with(|ticket_type| ticket_type.price.clone()))
            .map(|won| format::money(i18n, won))
            .unwrap_or_default()
    });
    let sold = Signal::derive(move || match ticket_type.with(|ticket_type| ticket_type.sold) {
        0 => String::new(),
        sold => i18n.fill(Msg::FormTicketTypeSold, &[("n", &format::count(i18n, sold.into()))]),
    });
    let step = move |up: bool| {
        let from = index.get_untracked();
        let to = if up { from.saturating_sub(1) } else { (from + 1).min(last.get_untracked()) };
        form.rearranged(|draft| draft.ticket_types.swap(from, to));
        // At either end of the list the button is disabled, so the other one gets the focus.
        let is_end = to == if up { 0 } else { last.get_untracked() };
        let word = if up == is_end { "down" } else { "up" };
        focus_soon(format!("ticket-type-{row}-{word}"));
    };
    let remove = move |_| {
        form.rearranged(|draft| draft.ticket_types.retain(|ticket_type| ticket_type.row != row));
        form.reveal("ticket_types");
        focus_soon("ticket_types".to_owned());
    };
    let name_slot = binding(form, row, "name", |ticket_type| &mut ticket_type.name);
    let price_slot = binding(form, row, "price", |ticket_type| &mut ticket_type.price);
    let capacity_slot = binding(form, row, "capacity", |ticket_type| &mut ticket_type.capacity);
    let kept = move || last.get() == 0 || ticket_type.with(|ticket_type| ticket_type.sold > 0);
    view! {
        <li class="ticket-type-row">
            <div class="ticket-type-row__head" role="group" aria-label=name>
                <strong>{name}</strong>
                <button
                    type="button"
                    class="icon-button"
                    id=format!("ticket-type-{row}-up")
                    disabled=move || index.get() == 0
                    aria-label=move || i18n.fill(Msg::FormTicketTypeUp, &[("name", &name())])
                    on:click=move |_| step(true)
                >
                    <Icon glyph=Glyph::Up />
                </button>
                <button
                    type="button"
                    class="icon-button"
                    id=format!("ticket-type-{row}-down")
                    disabled=move || index.get() == last.get()
                    aria-label=move || i18n.fill(Msg::FormTicketTypeDown, &[("name", &name())])
                    on:click=move |_| step(false)
                >
                    <Icon glyph=Glyph::Down />
                </button>
                <button
                    type="button"
                    class="icon-button"
                    disabled=kept
                    aria-label=move || i18n.fill(Msg::FormTicketTypeRemove, &[("name", &name())])
                    on:click=remove
                >
                    <Icon glyph=Glyph::Cross />
                </button>
            </div>
            <div class="ticket-type-row__fields">
                <Entry form part=name_slot label=Msg::FormTicketTypeName kind=Kind::Line />
                <Entry
                    form
                    part=price_slot
                    label=Msg::FormTicketTypePrice
                    kind=Kind::Number
                    hint=price
                />
                <Entry
                    form
                    part=capacity_slot
                    label=Msg::FormTicketTypeCapacity
                    kind=Kind::Number
                    hint=sold
                />
            </div>
        </li>
    }
}
