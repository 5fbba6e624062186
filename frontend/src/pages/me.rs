//! The user's own reservations and account.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use neticket_contract::{Page, Reservation, User};

use super::profile::{NicknameForm, PasswordForm};
use crate::api::ApiError;
use crate::booking;
use crate::browser;
use crate::components::{
    CancelDialog, Failure, FormError, Glyph, Icon, Notice, Pagination, Poster, ReservationBadge,
};
use crate::format;
use crate::i18n::{Msg, tr, use_i18n};
use crate::load::{Load, Loader, last_if_past};
use crate::operations::use_api;
use crate::session::{Viewer, use_session};
use crate::sign_in::require_user;
use crate::title::page_title;

const SKELETONS: usize = 3;
/// Milliseconds between two requests that look for changes of reservations. An administrator may cancel an
/// event.
const FOLLOW_MS: i64 = 15_000;

#[component]
pub(crate) fn MePage() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let api = use_api();
    page_title(move || i18n.text(Msg::MeTitle).to_owned());
    require_user("/me".to_owned());
    let map = use_query_map();
    let number = Memo::new(move |_| {
        map.with(|map| map.get("page")).and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).max(1)
    });
    // Only the user's id matters here. A changed nickname must not load the list again.
    let owner = Memo::new(move |_| session.user_id());
    let bookings = Loader::new(
        move || owner.get().map(|owner| (owner, number.get())),
        move |(_, page)| api.reservation_list(page),
    );
    bookings.follow(FOLLOW_MS);
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(page) = bookings.value()
            && let Some(last) = last_if_past(&page)
        {
            let back = NavigateOptions { replace: true, ..NavigateOptions::default() };
            navigate(&format!("/me?page={last}"), back);
        }
    });
    let pending = RwSignal::new(None::<Reservation>);
    let replace = move |changed: Reservation| {
        if let Some(mut page) = untrack(|| bookings.value()) {
            if let Some(old) = page.items.iter_mut().find(|old| old.id == changed.id) {
                *old = changed;
            }
            bookings.put(page);
        }
    };
    view! {
        <div class="page me">
            <h1>{tr(Msg::MeTitle)}</h1>
            <section aria-labelledby="bookings-title">
                <h2 id="bookings-title" class="visually-hidden">{tr(Msg::MeBookings)}</h2>
                {move || match bookings.state.get() {
                    Load::Loading => skeletons().into_any(),
                    Load::Failed(error) => view! { <Failure error retry=move || bookings.reload() /> }.into_any(),
                    Load::Ready(page) if last_if_past(&page).is_some() => skeletons().into_any(),
                    Load::Ready(page) if page.items.is_empty() => view! { <NoBookings /> }.into_any(),
                    Load::Ready(page) => list(page, pending).into_any(),
                }}
            </section>
            <CancelDialog pending done=replace />
            {move || match session.viewer() {
                Viewer::User(user) => view! { <AccountSection user /> }.into_any(),
                Viewer::Unknown | Viewer::Visitor => ().into_any(),
            }}
        </div>
    }
}

fn list(page: Page<Reservation>, pending: RwSignal<Option<Reservation>>) -> impl IntoView {
    let rows = page.items.into_iter().map(|reservation| view! { <Row reservation pending /> }).collect_view();
    view! {
        <ul class="bookings">{rows}</ul>
        <Pagination page=page.page.into() total=page.total_pages link=|number| format!("/me?page={number}") />
    }
}

#[component]
fn Row(reservation: Reservation, pending: RwSignal<Option<Reservation>>) -> impl IntoView {
    let i18n = use_i18n();
    let Reservation { id, status, event, ticket_type, quantity, total_price, cancellable, .. } =
        reservation.clone();
    let starts_at = event.starts_at;
    let title = event.title.clone();
    view! {
        <li class="booking-row" data-testid="booking-row">
            <Poster url=event.image_url />
            <div class="booking-row__text">
                <ReservationBadge status />
                <h3><a href=format!("/reservations/{id}")>{event.title}</a></h3>
                {event.cancelled.then(|| view! { <p>{tr(Msg::TicketEventCancelled)}</p> })}
                <p class="card__fact">
                    <Icon glyph=Glyph::Calendar />
                    <time datetime=starts_at.to_string()>{move || format::brief_date(i18n, starts_at)}</time>
                </p>
                <p class="card__fact"><Icon glyph=Glyph::Pin />{event.place}</p>
                <p class="card__fact">
                    <Icon glyph=Glyph::Ticket />
                    {move || {
                        let tickets = i18n
                            .fill(Msg::ReservationTickets, &[("ticket_type", &ticket_type.name), ("n", &quantity)]);
                        format!("{tickets} · {}", format::money(i18n, total_price))
                    }}
                </p>
            </div>
            {cancellable
                .then(|| {
                    view! {
                        <button
                            type="button"
                            class="button button--quiet booking-row__cancel"
                            aria-label=move || i18n.fill(Msg::CancelOf, &[("title", &title)])
                            on:click=move |_| pending.set(Some(reservation.clone()))
                        >
                            {tr(Msg::CancelAction)}
                        </button>
                    }
                })}
        </li>
    }
}

fn skeletons() -> impl IntoView {
    let row = |_| {
        view! {
            <li class="booking-row" aria-hidden="true">
                <div class="poster skeleton"></div>
                <div class="booking-row__text">
                    <span class="skeleton skeleton--badge"></span>
                    <span class="skeleton skeleton--title"></span>
                    <span class="skeleton skeleton--line"></span>
                </div>
            </li>
        }
    };
    view! {
        <p class="visually-hidden" role="status">{tr(Msg::Loading)}</p>
        <ul class="bookings">{(0..SKELETONS).map(row).collect_view()}</ul>
    }
}

#[component]
fn NoBookings() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <Notice glyph=Glyph::Ticket title=Signal::derive(move || i18n.text(Msg::MeEmptyTitle).to_owned())>
            <p>{tr(Msg::MeEmptyText)}</p>
            <a class="button button--main" href="/">{tr(Msg::MeEmptyAction)}</a>
        </Notice>
    }
}

#[component]
fn AccountSection(user: User) -> impl IntoView {
    let session = use_session();
    let navigate = use_navigate();
    let refusal = RwSignal::new(None::<Msg>);
    let busy = RwSignal::new(false);
    let sign_out = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        refusal.set(None);
        let navigate = navigate.clone();
        spawn_local(async move {
            match session.logout().await {
                Ok(()) => {
                    booking::forget_all();
                    // Leaves the page first, because this page would ask to sign in again.
                    navigate("/", NavigateOptions::default());
                    browser::sleep(0).await;
                    session.end();
                }
                Err(ApiError::OtherUser) => drop(refusal.try_set(Some(Msg::ProblemOtherUser))),
                Err(_) => drop(refusal.try_set(Some(Msg::MeLogoutFailed))),
            }
            busy.try_set(false);
        });
    };
    view! {
        <section class="account" aria-labelledby="account-title">
            <h2 id="account-title">{tr(Msg::MeAccount)}</h2>
            <p class="account__email">{user.email.clone()}</p>
            <div class="account__forms">
                <details>
                    <summary>{tr(Msg::ProfileNicknameTitle)}</summary>
                    <NicknameForm user />
                </details>
                <details>
                    <summary>{tr(Msg::ProfilePasswordTitle)}</summary>
                    <PasswordForm />
                </details>
            </div>
            <FormError text=refusal />
            <button
                type="button"
                class="button button--quiet"
                aria-busy=move || busy.get().to_string()
                on:click=sign_out
            >
                {tr(Msg::MeLogout)}
            </button>
        </section>
    }
}
