//! Where one chooses and books.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use neticket_contract::{EventDetail, Problem, ProblemCode, TicketTypeLeft};
use neticket_domain::EventStatus;
use wasm_bindgen::JsCast as _;

use super::grade_picker::{GradePicker, QuantityPicker};
use super::stage_notice::StageNotice;
use super::{Countdown, SpokenCountdown};
use crate::api::use_api;
use crate::booking::{Attempt, Booking, Prices, Stage};
use crate::format;
use crate::i18n::{I18n, T, tr, use_i18n};
use crate::pages::{from_next, login_path};
use crate::sale::status_text;
use crate::session::{Who, use_session};

/// What is chosen on the page; also in the tab's storage, with its key.
#[derive(Clone, Copy)]
struct Choice {
    event_id: i64,
    grade: RwSignal<Option<i64>>,
    quantity: RwSignal<u32>,
}

impl Choice {
    /// The choice of before, if it still fits; the only grade, if there is only one.
    fn start(event: &EventDetail) -> Self {
        let known = |id: i64| event.ticket_types.iter().any(|grade| grade.id == id);
        let stored = Attempt::load(event.summary.id).filter(|attempt| known(attempt.ticket_type_id));
        let only = match event.ticket_types.as_slice() {
            [grade] => Some(grade.id),
            _ => None,
        };
        let quantity = stored.as_ref().map_or(1, |attempt| attempt.quantity);
        let choice = Self {
            event_id: event.summary.id,
            grade: RwSignal::new(stored.map(|attempt| attempt.ticket_type_id).or(only)),
            quantity: RwSignal::new(quantity.clamp(1, event.max_per_user.max(1))),
        };
        Effect::new(move |_| {
            if let (Some(grade), quantity) = (choice.grade.get(), choice.quantity.get()) {
                choice.attempt(grade, quantity).save(choice.event_id);
            }
        });
        choice
    }

    /// The attempt for this choice: its key was made when it was chosen.
    fn attempt(self, grade: i64, quantity: u32) -> Attempt {
        match Attempt::load(self.event_id) {
            Some(stored) => stored.choose(grade, quantity),
            None => Attempt::new(grade, quantity),
        }
    }
}

#[component]
pub(crate) fn BookingPanel(
    event: EventDetail,
    /// Lives longer than the panel, which is drawn anew when the event has changed.
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
        let now = (choice.grade.get(), choice.quantity.get());
        let settled = match stage.get_untracked() {
            // What a refusal left of the quantity is no other choice.
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
    let grades = StoredValue::new(event.ticket_types.clone());
    follow_stage(booking);
    if let Some(attempt) = Attempt::load(event.summary.id) {
        booking.resume(attempt);
    }
    // With the outcome open, another choice could become a second booking.
    let locked =
        Signal::derive(move || matches!(stage.get(), Stage::Trying(_) | Stage::Booked(_) | Stage::Unknown));
    // Nothing can be booked any more, and nothing is under way either.
    let over = Memo::new(move |_| {
        let no_more =
            matches!(status.get(), EventStatus::SoldOut | EventStatus::Closed | EventStatus::Cancelled);
        no_more && !locked.get()
    });
    let press = press(choice, booking, prices, missing);
    let total = move || {
        let price = prices.of(choice.grade.get()?)?;
        Some(format::money(i18n, price.saturating_mul(choice.quantity.get().into())))
    };
    // What is open can be continued even if the last seats are gone: they may be one's own.
    let closed =
        move || stage.get() != Stage::Unknown && (status.get() != EventStatus::OnSale || locked.get());
    let fixed = Signal::derive(move || locked.get() || over.get() && status.get() != EventStatus::SoldOut);
    view! {
        <form class="booking" novalidate aria-labelledby="booking-title" on:submit=press>
            <h2 id="booking-title">{tr(T::BookingTitle)}</h2>
            <Show when=move || status.get() == EventStatus::Scheduled>
                <div class="booking__opening">
                    <p>{move || i18n.fill(T::EventOpensAt, &[("date", &format::full_date(i18n, opens_at))])}</p>
                    <Countdown until=opens_at />
                </div>
            </Show>
            <SpokenCountdown until=opens_at />
            <GradePicker grades=event.ticket_types prices left chosen=choice.grade locked=fixed missing />
            <Show when=move || !over.get()>
                <QuantityPicker quantity=choice.quantity max=event.max_per_user.max(1) locked />
            </Show>
            <div class="booking__bar">
                <StageNotice stage grades left chosen=choice.grade />
                <p class="booking__total" hidden=move || over.get()>
                    <span>{tr(T::BookingTotal)}</span>
                    <output>{move || total().unwrap_or_else(|| "–".to_owned())}</output>
                </p>
                <button
                    type="submit"
                    class="button button--main"
                    data-testid="book"
                    disabled=closed
                    // Not `disabled`: that would take the focus from the button.
                    aria-disabled=move || booking.is_paused().then_some("true")
                    aria-busy=move || matches!(stage.get(), Stage::Trying(_)).to_string()
                >
                    {move || button_text(i18n, status.get(), &stage.get(), &session.who(), opens_at)}
                </button>
            </div>
        </form>
    }
}

/// How many more the person may book, if that was why not; at least the one that the page cannot go below.
fn room_left(problem: &Problem) -> Option<u32> {
    let (max, held) = (problem.max_per_user?, problem.already_held?);
    (problem.code == ProblemCode::PurchaseLimitExceeded).then(|| max.saturating_sub(held).max(1))
}

/// What the button says it does, or why it does nothing.
fn button_text(
    i18n: I18n,
    status: EventStatus,
    stage: &Stage,
    who: &Who,
    opens_at: neticket_domain::Timestamp,
) -> AnyView {
    if matches!(stage, Stage::Trying(_) | Stage::Booked(_)) {
        return i18n.text(T::BookingBusy).into_any();
    }
    if *stage == Stage::Unknown {
        return i18n.text(T::BookingContinue).into_any();
    }
    match status {
        EventStatus::Scheduled => view! {
            <span>{i18n.text(T::BookingOpensIn)}</span>
            " "
            <Countdown until=opens_at />
        }
        .into_any(),
        EventStatus::OnSale if *who == Who::Visitor => i18n.text(T::BookingLogin).into_any(),
        EventStatus::OnSale => i18n.text(T::BookingAction).into_any(),
        other => i18n.text(status_text(other)).into_any(),
    }
}

/// The press: signs in first where that is needed, else books.
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
        let Some(grade) = choice.grade.get_untracked() else {
            missing.set(true);
            focus_first_grade();
            return;
        };
        // Without a price the server would book at any.
        let Some(price) = untrack(|| prices.of(grade)) else { return };
        let mut attempt = choice.attempt(grade, choice.quantity.get_untracked());
        attempt.unit_price = Some(price);
        if untrack(|| session.who()) == Who::Visitor {
            attempt.save(choice.event_id);
            navigate(&login_path(&format!("/events/{}", choice.event_id), ""), from_next());
            return;
        }
        booking.press(attempt);
    }
}

fn focus_first_grade() {
    if let Ok(Some(input)) = document().query_selector(".grade input:not(:disabled)") {
        let _ = input.unchecked_into::<web_sys::HtmlElement>().focus();
    }
}

/// Goes where an outcome leads: to the booking, to signing in, or back to the countdown.
fn follow_stage(booking: Booking) {
    let navigate = use_navigate();
    let api = use_api();
    let event_id = booking.event_id();
    Effect::new(move |_| match booking.stage.get() {
        Stage::Booked(id) => {
            // "Back" leads to the event, and not into a booking that is done.
            navigate(&format!("/reservations/{id}"), NavigateOptions::default());
        }
        Stage::Refused(problem) if problem.code == ProblemCode::Unauthenticated => {
            navigate(&login_path(&format!("/events/{event_id}"), ""), from_next());
        }
        Stage::Refused(problem) if problem.code == ProblemCode::SaleNotOpen => {
            // Our idea of the server's clock was wrong: measuring it anew shows the countdown again.
            spawn_local(async move {
                let _ = api.availability(event_id).await;
            });
        }
        _ => {}
    });
}
