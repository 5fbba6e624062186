//! An event in the list.

use leptos::prelude::*;
use neticket_contract::EventSummary;
use neticket_domain::{EventStatus, SaleWindow};

use super::{Countdown, Glyph, Icon, Poster, StatusBadge};
use crate::clock::use_clock;
use crate::countdown::SOON_MS;
use crate::format;
use crate::i18n::{Msg, tr, use_i18n};
use crate::sale::status_at;

#[component]
pub(crate) fn EventCard(event: EventSummary, eager: bool) -> impl IntoView {
    let i18n = use_i18n();
    let clock = use_clock();
    let EventSummary { id, title, place, starts_at, opens_at, closes_at, price_from, image_url, .. } = event;
    let window = SaleWindow { opens_at, closes_at };
    let status = Memo::new(move |_| status_at(event.status, window, clock.now()));
    let soon = Memo::new(move |_| {
        status.get() == EventStatus::Scheduled && opens_at.millis_since(clock.now()) <= SOON_MS
    });
    let opening = move || {
        (status.get() == EventStatus::Scheduled).then(|| {
            if soon.get() {
                view! {
                    <p class="card__opening">
                        <span>{tr(Msg::CardOpensIn)}</span>
                        <Countdown until=opens_at />
                    </p>
                }
                .into_any()
            } else {
                let date = format::brief_date(i18n, opens_at);
                view! { <p class="card__opening">{i18n.fill(Msg::CardOpensAt, &[("date", &date)])}</p> }
                    .into_any()
            }
        })
    };
    view! {
        <li class="card" data-testid="event-card" data-status=move || status.get().as_str()>
            <Poster url=image_url eager=eager />
            <div class="card__text">
                <StatusBadge status />
                <h2 class="card__title">
                    <a href=format!("/events/{id}")>{title}</a>
                </h2>
                <p class="card__fact">
                    <Icon glyph=Glyph::Calendar />
                    <span class="visually-hidden">{tr(Msg::EventWhen)}</span>
                    <time datetime=starts_at.to_string()>{move || format::brief_date(i18n, starts_at)}</time>
                </p>
                <p class="card__fact">
                    <Icon glyph=Glyph::Pin />
                    <span class="visually-hidden">{tr(Msg::EventWhere)}</span>
                    {place}
                </p>
                {opening}
                <p class="card__price">
                    {move || i18n.fill(Msg::CardPriceFrom, &[("price", &format::money(i18n, price_from))])}
                </p>
            </div>
        </li>
    }
}

/// A placeholder of a card's size, shown while the list loads.
#[component]
pub(crate) fn EventCardSkeleton() -> impl IntoView {
    view! {
        <li class="card card--skeleton" aria-hidden="true">
            <div class="poster skeleton"></div>
            <div class="card__text">
                <span class="skeleton skeleton--badge"></span>
                <span class="skeleton skeleton--title"></span>
                <span class="skeleton skeleton--line"></span>
                <span class="skeleton skeleton--line"></span>
            </div>
        </li>
    }
}
