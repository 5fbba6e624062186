//! The panel in which people choose tickets and book.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use neticket_contract::{EventDetail, Problem, ProblemCode, TicketTypeLeft};
use neticket_domain::EventStatus;
use wasm_bindgen::JsCast as _;

use super::stage_notice::StageNotice;
use super::ticket_type_picker::{QuantityPicker, TicketTypePicker};
use super::{Countdown, SpokenCountdown};
use crate::booking::{Attempt, Booking, Prices, Stage};
use crate::format;
use crate::i18n::{I18n, Msg, tr, use_i18n};
use crate::operations::use_api;
use crate::sale::status_text;
use crate::session::{Viewer, use_session};
use crate::sign_in::{from_next, login_path};

/// The choice on the page. The tab's storage has it too, with its idempotency key.
#[derive(Clone, Copy)]
struct Choice {
    event_id: i64,
    ticket_type: RwSignal<Option<i64>>,
    quantity: RwSignal<u32>,
}

impl Choice {
    /// The stored choice if it still fits. Without one, the ticket type is chosen if there is only one.
    fn start(event: &EventDetail) -> Self {
        let known = |id: i64| event.ticket_types.iter().any(|ticket_type| ticket_type.id == id);
        let stored = Attempt::load(event.summary.id).filter(|attempt| known(attempt.ticket_type_id));
        let only = match event.ticket_types.as_slice() {
            [ticket_type] => Some(ticket_type.id),
            _ => None,
        };
        let quantity = stored.as_ref().map_or(1, |attempt| attempt.quantity);
        let choice = Self {
            event_id: event.summary.id,
            ticket_type: RwSignal::new(stored.map(|attempt| attempt.ticket_type_id).or(only)),
            quantity: RwSignal::new(quantity.clamp(1, event.max_per_user.max(1))),
        };
        Effect::new(move |_| {
            if let (Some(ticket_type), quantity) = (choice.ticket_type.get(), choice.quantity.get()) {
                choice.attempt(ticket_type, quantity).save(choice.event_id);
            }
        });
        choice
    }

    /// The attempt for this choice. Its key was made when the person chose.
    fn attempt(self, ticket_type: i64, quantity: u32) -> Attempt {
        match Attempt::load(self.event_id) {
            Some(stored) => stored.choose(ticket_type, quantity),
            None => Attempt::new(ticket_type, quantity),
        }
    }
}

#[component]
pub(crate) fn BookingPanel(
    event: EventDetail,
    /// Lives longer than the panel, which is rendered again when the event has changed.
    booking: Booking,
    prices: Prices,
    #[prop(into)] status: Signal<EventStatus>,
    #[prop(into)] left: Signal<Vec<TicketTypeLeft>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let choice = Choice::start(&event);
    let stage = booking.stage;
    // Another choice makes an old refusal meaningless.
    Effect::new(move |before: Option<(Option<i64>, u32)>| {
        let now = (choice.ticket_type.get(), choice.quantity.get());
        let settled = match stage.get_untracked() {
            // The page itself reduced the quantity after the refusal. That is not another choice.
            Stage::Refused(problem) => room_left(&problem) != Some(now.1),
            Stage::OtherUser | Stage::PriceChanged { .. } => true,
            _ => false,
        };
        if settled && before.is_some_and(|before| before != now) {
            stage.set(Stage::Idle);
        }
        now
    });
    Effect::new(move |_| {
        if let Stage::Refused(problem) = stage.get()
            && let Some(room) = room_left(&problem)
        {
            choice.quantity.update(|quantity| *quantity = room.min(*quantity));
        }
    });
    let missing = RwSignal::new(false);
    let opens_at = event.summary.opens_at;
    let ticket_types = StoredValue::new(event.ticket_types.clone());
    follow_stage(booking);
    if let Some(attempt) = Attempt::load(event.summary.id) {
        booking.resume(attempt);
    }
    // While the outcome is open, another choice could become a second booking.
    let locked =
        Signal::derive(move || matches!(stage.get(), Stage::Trying(_) | Stage::Booked(_) | Stage::Unknown));
    // Nothing can be booked any more, and no booking is under way.
    let over = Memo::new(move |_| {
        let no_more =
            matches!(status.get(), EventStatus::SoldOut | EventStatus::Closed | EventStatus::Cancelled);
        no_more && !locked.get()
    });
    let press = press(choice, booking, prices, missing);
    let total = move || {
        let price = prices.of(choice.ticket_type.get()?)?;
        Some(format::money(i18n, price.saturating_mul(choice.quantity.get().into())))
    };
    // An open booking can be continued even if the event is sold out, because the last seats may be its own.
    let closed =
        move || stage.get() != Stage::Unknown && (status.get() != EventStatus::OnSale || locked.get());
    let fixed = Signal::derive(move || locked.get() || over.get() && status.get() != EventStatus::SoldOut);
    view! {
        <form class="booking" novalidate aria-labelledby="booking-title" on:submit=press>
            <h2 id="booking-title">{tr(Msg::BookingTitle)}</h2>
            <Show when=move || status.get() == EventStatus::Scheduled>
                <div class="booking__opening">
                    <p>{move || i18n.fill(Msg::EventOpensAt, &[("date", &format::full_date(i18n, opens_at))])}</p>
                    <Countdown until=opens_at />
                </div>
            </Show>
            <SpokenCountdown until=opens_at />
            <TicketTypePicker ticket_types=event.ticket_types prices left chosen=choice.ticket_type locked=fixed missing />
            <Show when=move || !over.get()>
                <QuantityPicker quantity=choice.quantity max=event.max_per_user.max(1) locked />
            </Show>
            <div class="booking__bar">
                <StageNotice stage ticket_types left chosen=choice.ticket_type />
                <p class="booking__total" hidden=move || over.get()>
                    <span>{tr(Msg::BookingTotal)}</span>
                    <output>{move || total().unwrap_or_else(|| "–".to_owned())}</output>
                </p>
                <button
                    type="submit"
                    class="button button--main"
                    data-testid="book"
                    disabled=closed
                    // Not `disabled`, because that would take the focus from the button.
                    aria-disabled=move || booking.is_paused().then_some("true")
                    aria-busy=move || matches!(stage.get(), Stage::Trying(_)).to_string()
                >
                    {move || button_text(i18n, status.get(), &stage.get(), &session.viewer(), opens_at)}
                </button>
            </div>
        </form>
    }
}

/// How many more tickets the person may book, if the purchase limit was the reason. At least 1, because the
/// page cannot go lower.
fn room_left(problem: &Problem) -> Option<u32> {
    let (max, held) = (problem.max_per_user?, problem.already_held?);
    (problem.code == ProblemCode::PurchaseLimitExceeded).then(|| max.saturating_sub(held).max(1))
}

/// What the button does, or why it does nothing.
fn button_text(
    i18n: I18n,
    status: EventStatus,
    stage: &Stage,
    viewer: &Viewer,
    opens_at: neticket_domain::Timestamp,
) -> AnyView {
    if matches!(stage, Stage::Trying(_) | Stage::Booked(_)) {
        return i18n.text(Msg::BookingBusy).into_any();
    }
    if *stage == Stage::Unknown {
        return i18n.text(Msg::BookingContinue).into_any();
    }
    match status {
        EventStatus::Scheduled => view! {
            <span>{i18n.text(Msg::BookingOpensIn)}</span>
            " "
            <Countdown until=opens_at />
        }
        .into_any(),
        EventStatus::OnSale if *viewer == Viewer::Visitor => i18n.text(Msg::BookingLogin).into_any(),
        EventStatus::OnSale => i18n.text(Msg::BookingAction).into_any(),
        other => i18n.text(status_text(other)).into_any(),
    }
}

/// Handles a press: leads to the sign-in page if nobody is signed in, and books otherwise.
fn press(
    choice: Choice,
    booking: Booking,
    prices: Prices,
    missing: RwSignal<bool>,
) -> impl Fn(SubmitEvent) + 'static {
    let session = use_session();
    let navigate = use_navigate();
    move |event| {
        event.prevent_default();
        let Some(ticket_type) = choice.ticket_type.get_untracked() else {
            missing.set(true);
            focus_first_ticket_type();
            return;
        };
        // Without a price the server would book at any price.
        let Some(price) = untrack(|| prices.of(ticket_type)) else { return };
        let mut attempt = choice.attempt(ticket_type, choice.quantity.get_untracked());
        attempt.unit_price = Some(price);
        if untrack(|| session.viewer()) == Viewer::Visitor {
            attempt.save(choice.event_id);
            navigate(&login_path(&format!("/events/{}", choice.event_id), ""), from_next());
            return;
        }
        booking.press(attempt);
    }
}

fn focus_first_ticket_type() {
    if let Ok(Some(input)) = document().query_selector(".ticket-type input:not(:disabled)") {
        let _ = input.unchecked_into::<web_sys::HtmlElement>().focus();
    }
}

/// Navigates after an outcome: to the reservation, to the sign-in page, or back to the countdown.
fn follow_stage(booking: Booking) {
    let navigate = use_navigate();
    let api = use_api();
    let event_id = booking.event_id();
    Effect::new(move |_| match booking.stage.get() {
        Stage::Booked(id) => {
            // A new entry of the history, so that "Back" leads to the event.
            navigate(&format!("/reservations/{id}"), NavigateOptions::default());
        }
        Stage::Refused(problem) if problem.code == ProblemCode::Unauthenticated => {
            navigate(&login_path(&format!("/events/{event_id}"), ""), from_next());
        }
        Stage::Refused(problem) if problem.code == ProblemCode::SaleNotOpen => {
            // The client's offset to the server's clock was wrong. Measuring it again shows the countdown
            // again.
            spawn_local(async move {
                let _ = api.availability(event_id).await;
            });
        }
        _ => {}
    });
}
