//! The status of a sale or a reservation: always a word and an icon, never the colour alone.

use leptos::prelude::*;
use neticket_contract::ReservationStatus;
use neticket_domain::EventStatus;

use super::{Glyph, Icon};
use crate::i18n::{Msg, use_i18n};
use crate::sale::status_text;

#[component]
pub(crate) fn StatusBadge(#[prop(into)] status: Signal<EventStatus>) -> impl IntoView {
    let i18n = use_i18n();
    let glyph = Signal::derive(move || match status.get() {
        EventStatus::Scheduled => Glyph::Clock,
        EventStatus::OnSale => Glyph::Ticket,
        EventStatus::Paused => Glyph::Pause,
        EventStatus::SoldOut | EventStatus::Closed | EventStatus::Cancelled => Glyph::Cross,
    });
    view! {
        <span class="badge" data-status=move || status.get().as_str()>
            <Icon glyph />
            {move || i18n.text(status_text(status.get()))}
        </span>
    }
}

#[component]
pub(crate) fn ReservationBadge(status: ReservationStatus) -> impl IntoView {
    let i18n = use_i18n();
    let (word, glyph, text) = match status {
        ReservationStatus::Pending => ("pending", Glyph::Clock, Msg::ReservationPending),
        ReservationStatus::Confirmed => ("confirmed", Glyph::Check, Msg::ReservationConfirmed),
        ReservationStatus::Rejected => ("rejected", Glyph::Alert, Msg::ReservationRejected),
        ReservationStatus::Cancelled => ("cancelled", Glyph::Cross, Msg::ReservationCancelled),
    };
    view! {
        <span class="badge" data-status=word>
            <Icon glyph=glyph />
            {move || i18n.text(text)}
        </span>
    }
}
