//! The page of one reservation, pending or decided.

use js_sys::Array;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_params_map;
use neticket_contract::{ProblemCode, Reservation, ReservationStatus};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

use super::NotFoundPage;
use crate::clock::use_clock;
use crate::components::{CancelDialog, Failure, Glyph, Icon, Poster, ReservationBadge};
use crate::format;
use crate::i18n::{I18n, Msg, tr, use_i18n};
use crate::load::{Load, Loader};
use crate::operations::use_api;
use crate::session::use_session;
use crate::sign_in::require_user;
use crate::title::page_title;
use crate::{browser, ics, qr};

/// The pauses between two requests for a pending reservation, in milliseconds: the first, which grows, and
/// the longest.
const FOLLOW_FIRST_MS: i64 = 700;
const FOLLOW_MAX_MS: i64 = 5_000;
/// Milliseconds between two requests for a decided reservation, because an administrator may cancel its
/// event.
const FOLLOW_MS: i64 = 15_000;

#[component]
pub(crate) fn ReservationPage() -> impl IntoView {
    let i18n = use_i18n();
    let api = use_api();
    let session = use_session();
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|map| map.get("id")).unwrap_or_default());
    page_title(move || i18n.text(Msg::ReservationTitle).to_owned());
    require_user(format!("/reservations/{}", id.get_untracked()));
    let owner = Memo::new(move |_| session.user_id());
    let reservation = Loader::new(
        move || owner.get().map(|owner| (owner, id.get())),
        move |(_, id)| async move { api.reservation(&id).await },
    );
    follow_pending(reservation);
    reservation.follow(FOLLOW_MS);
    let pending = RwSignal::new(None::<Reservation>);
    view! {
        {move || match reservation.state.get() {
            Load::Loading => view! { <TicketSkeleton /> }.into_any(),
            Load::Failed(error) if not_there(error.code()) => NotFoundPage().into_any(),
            Load::Failed(error) => {
                view! { <div class="page"><Failure error retry=move || reservation.reload() /></div> }.into_any()
            }
            Load::Ready(booked) => view! { <Ticket reservation=booked pending /> }.into_any(),
        }}
        <CancelDialog pending done=move |changed| reservation.put(changed) />
    }
}

/// The server answers "not found" for another person's reservation. An impossible id is treated in the same
/// way.
fn not_there(code: Option<ProblemCode>) -> bool {
    matches!(
        code,
        Some(ProblemCode::NotFound | ProblemCode::ValidationFailed | ProblemCode::MalformedRequest)
    )
}

/// Loads the reservation again while it is pending.
fn follow_pending(reservation: Loader<Reservation>) {
    Effect::new(move |wait: Option<i64>| {
        let wait = wait.unwrap_or(FOLLOW_FIRST_MS);
        let pending = reservation.value().is_some_and(|it| it.status == ReservationStatus::Pending);
        if !pending || reservation.busy.get() {
            return wait;
        }
        spawn_local(async move {
            browser::sleep(wait).await;
            reservation.reload();
        });
        (wait * 3 / 2).min(FOLLOW_MAX_MS)
    });
}

#[component]
fn Ticket(reservation: Reservation, pending: RwSignal<Option<Reservation>>) -> impl IntoView {
    let i18n = use_i18n();
    let clock = use_clock();
    let status = reservation.status;
    let (headline, text) = match status {
        ReservationStatus::Pending => (Msg::TicketPendingTitle, Msg::TicketPendingText),
        ReservationStatus::Confirmed => (Msg::TicketConfirmedTitle, Msg::TicketConfirmedText),
        ReservationStatus::Rejected => (Msg::TicketRejectedTitle, Msg::TicketRejectedText),
        ReservationStatus::Cancelled if reservation.event.cancelled => {
            (Msg::TicketCancelledTitle, Msg::TicketEventCancelled)
        }
        ReservationStatus::Cancelled => (Msg::TicketCancelledTitle, Msg::TicketCancelledText),
    };
    let whole = StoredValue::new(reservation.clone());
    let add_to_calendar = move |_| download_calendar(i18n, &whole.get_value(), clock.read());
    let event_path = format!("/events/{}", reservation.event.id);
    let rejected = status == ReservationStatus::Rejected;
    view! {
        <div class="page ticket-page">
            <div class="ticket-page__head" role="status">
                <ReservationBadge status />
                <h1>{tr(headline)}</h1>
                <p class="lead">{tr(text)}</p>
            </div>
            <TicketBody reservation />
            <div class="ticket-page__actions">
                {(status == ReservationStatus::Confirmed)
                    .then(|| {
                        view! {
                            <button type="button" class="button button--main" on:click=add_to_calendar>
                                <Icon glyph=Glyph::Calendar />
                                {tr(Msg::TicketCalendar)}
                            </button>
                        }
                    })}
                {rejected
                    .then(|| view! { <a class="button button--main" href=event_path>{tr(Msg::TicketAgain)}</a> })}
                <a class="button" href="/me">{tr(Msg::BookingSeeMine)}</a>
                {whole
                    .get_value()
                    .cancellable
                    .then(|| {
                        view! {
                            <button
                                type="button"
                                class="button button--quiet"
                                on:click=move |_| pending.set(Some(whole.get_value()))
                            >
                                {tr(Msg::CancelAction)}
                            </button>
                        }
                    })}
            </div>
        </div>
    }
}

/// The ticket itself: a body, a perforation and a stub with the code.
#[component]
fn TicketBody(reservation: Reservation) -> impl IntoView {
    let i18n = use_i18n();
    let Reservation { id, status, event, ticket_type, quantity, total_price, created_at, .. } = reservation;
    let starts_at = event.starts_at;
    view! {
        <article class="ticket" data-status=if status == ReservationStatus::Confirmed { "valid" } else { "void" }>
            <div class="ticket__body">
                <Poster url=event.image_url />
                <div class="ticket__text">
                    <h2><a href=format!("/events/{}", event.id)>{event.title}</a></h2>
                    <dl class="facts">
                        <div>
                            <dt>{tr(Msg::EventWhen)}</dt>
                            <dd>
                                <time datetime=starts_at.to_string()>
                                    {move || format::full_date(i18n, starts_at)}
                                </time>
                            </dd>
                        </div>
                        <div>
                            <dt>{tr(Msg::EventWhere)}</dt>
                            <dd>{event.place}</dd>
                        </div>
                        <div>
                            <dt>{tr(Msg::TicketType)}</dt>
                            <dd>
                                {move || {
                                    i18n.fill(
                                        Msg::ReservationTickets,
                                        &[("ticket_type", &ticket_type.name), ("n", &quantity)],
                                    )
                                }}
                            </dd>
                        </div>
                        <div>
                            <dt>{tr(Msg::BookingTotal)}</dt>
                            <dd class="ticket__total">{move || format::money(i18n, total_price)}</dd>
                        </div>
                        <div>
                            <dt>{tr(Msg::TicketBookedAt)}</dt>
                            <dd>{move || format::full_date(i18n, created_at)}</dd>
                        </div>
                    </dl>
                </div>
            </div>
            <div class="ticket__stub">
                {(status == ReservationStatus::Confirmed).then(|| view! { <Code text=id.to_string() /> })}
                <p class="ticket__number">
                    <span>{tr(Msg::TicketNumber)}</span>
                    <code data-testid="reservation-id">{id.to_string()}</code>
                </p>
            </div>
        </article>
    }
}

/// The reservation's id as a code for the scanner at the door. Capital letters need a smaller code and mean
/// the same.
#[component]
fn Code(text: String) -> impl IntoView {
    qr::draw(&text.to_ascii_uppercase()).map(|drawing| {
        let view_box = format!("0 0 {0} {0}", drawing.side);
        view! {
            <svg class="qr" viewBox=view_box role="img" aria-label=tr(Msg::TicketCode) shape-rendering="crispEdges">
                <path class="qr__paper" d=format!("M0 0h{0}v{0}H0z", drawing.side) />
                <path class="qr__ink" d=drawing.path />
            </svg>
        }
    })
}

#[component]
fn TicketSkeleton() -> impl IntoView {
    view! {
        <div class="page ticket-page" aria-busy="true">
            <h1 class="visually-hidden">{tr(Msg::ReservationTitle)}</h1>
            <p class="visually-hidden" role="status">{tr(Msg::Loading)}</p>
            <span class="skeleton skeleton--headline"></span>
            <div class="skeleton skeleton--panel"></div>
        </div>
    }
}

/// Offers a calendar file as a download.
fn download_calendar(i18n: I18n, reservation: &Reservation, now: neticket_domain::Timestamp) {
    let url = format!("{}/reservations/{}", window().location().origin().unwrap_or_default(), reservation.id);
    let ticket_type = &reservation.ticket_type.name;
    let note = untrack(|| {
        let tickets =
            i18n.fill(Msg::ReservationTickets, &[("ticket_type", ticket_type), ("n", &reservation.quantity)]);
        format!("{tickets}\n{}: {}", i18n.text(Msg::TicketNumber), reservation.id)
    });
    let text = ics::calendar(reservation, &note, &url, now);
    // Fails only if the browser cannot make files at all.
    let _ = download("neticket.ics", "text/calendar;charset=utf-8", &text);
}

fn download(name: &str, media_type: &str, text: &str) -> Result<(), JsValue> {
    let kind = BlobPropertyBag::new();
    kind.set_type(media_type);
    let blob = Blob::new_with_str_sequence_and_options(&Array::of1(&text.into()), &kind)?;
    let url = Url::create_object_url_with_blob(&blob)?;
    let link: HtmlAnchorElement = document().create_element("a")?.dyn_into()?;
    link.set_href(&url);
    link.set_download(name);
    link.click();
    // The browser holds the file by itself now.
    Url::revoke_object_url(&url)
}
