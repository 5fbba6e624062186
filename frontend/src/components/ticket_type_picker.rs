//! The choice of the ticket type and the quantity.

use leptos::prelude::*;
use neticket_contract::{TicketType, TicketTypeLeft};

use super::{Glyph, Icon};
use crate::booking::Prices;
use crate::format;
use crate::i18n::{Msg, tr, use_i18n};
use crate::sale::seats_left;

/// With this many seats left or fewer, the number is emphasised.
const FEW: u32 = 10;

/// The ticket types as radio buttons. A ticket type without seats cannot be chosen, unless it is chosen
/// already.
#[component]
pub(crate) fn TicketTypePicker(
    ticket_types: Vec<TicketType>,
    prices: Prices,
    #[prop(into)] left: Signal<Vec<TicketTypeLeft>>,
    chosen: RwSignal<Option<i64>>,
    #[prop(into)] locked: Signal<bool>,
    /// Whether the message "choose one" is shown.
    missing: RwSignal<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    let rows = ticket_types
        .into_iter()
        .map(|ticket_type| {
            let TicketType { id, name, left: known, .. } = ticket_type;
            let left = Memo::new(move |_| left.with(|left| seats_left(left, id).unwrap_or(known)));
            let seats = move || match left.get() {
                0 => i18n.text(Msg::TicketTypeSoldOut).to_owned(),
                n => i18n.fill(Msg::TicketTypeLeft, &[("n", &format::count(i18n, n.into()))]),
            };
            view! {
                <label class="ticket-type" data-left=move || left.get().to_string()>
                    <input
                        type="radio"
                        name="ticket-type"
                        value=id.to_string()
                        prop:checked=move || chosen.get() == Some(id)
                        disabled=move || locked.get() || (left.get() == 0 && chosen.get() != Some(id))
                        on:change=move |_| {
                            missing.set(false);
                            chosen.set(Some(id));
                        }
                    />
                    <span class="ticket-type__name">{name}</span>
                    <span class="ticket-type__price">
                        {move || prices.of(id).map(|price| format::money(i18n, price))}
                    </span>
                    <span class="ticket-type__left" class:ticket-type__left--few=move || { left.get() <= FEW }>{seats}</span>
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="ticket-types" aria-describedby="ticket-type-missing">
            <legend>{tr(Msg::EventTicketTypes)}</legend>
            {rows}
            <p class="field__error" id="ticket-type-missing" aria-live="assertive">
                {move || missing.get().then(|| view! { <Icon glyph=Glyph::Alert /> {i18n.text(Msg::TicketTypeMissing)} })}
            </p>
        </fieldset>
    }
}

/// A number with a button on each side.
#[component]
pub(crate) fn QuantityPicker(
    quantity: RwSignal<u32>,
    max: u32,
    #[prop(into)] locked: Signal<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    let step = move |up: bool| {
        quantity.update(|n| *n = if up { n.saturating_add(1).min(max) } else { n.saturating_sub(1).max(1) });
    };
    view! {
        <div class="quantity">
            <label for="quantity">
                {tr(Msg::EventQuantity)}
                <span class="quantity__rule">{move || i18n.fill(Msg::EventLimit, &[("n", &max)])}</span>
            </label>
            <div class="quantity__box" role="group" aria-label=tr(Msg::EventQuantity)>
                <button
                    type="button"
                    class="icon-button"
                    aria-label=tr(Msg::QuantityLess)
                    disabled=move || { locked.get() || quantity.get() <= 1 }
                    on:click=move |_| step(false)
                >
                    <Icon glyph=Glyph::Minus />
                </button>
                <input
                    id="quantity"
                    type="number"
                    inputmode="numeric"
                    min="1"
                    max=max.to_string()
                    disabled=move || locked.get()
                    prop:value=move || quantity.get().to_string()
                    on:change:target=move |event| {
                        let typed = event.target().value().trim().parse().unwrap_or(1_u32);
                        quantity.set(typed.clamp(1, max));
                        event.target().set_value(&quantity.get_untracked().to_string());
                    }
                />
                <button
                    type="button"
                    class="icon-button"
                    aria-label=tr(Msg::QuantityMore)
                    disabled=move || { locked.get() || quantity.get() >= max }
                    on:click=move |_| step(true)
                >
                    <Icon glyph=Glyph::Plus />
                </button>
            </div>
        </div>
    }
}
