//! What the page says while a booking is under way, and when it failed.

use leptos::prelude::*;
use neticket_contract::{Problem, ProblemCode, TicketType, TicketTypeLeft};

use super::{Glyph, Icon};
use crate::booking::{Stage, WaitReason};
use crate::format;
use crate::i18n::{I18n, Msg, tr, use_i18n};
use crate::problem_text::problem_text;
use crate::sale::seats_left;

#[component]
pub(crate) fn StageNotice(
    #[prop(into)] stage: Signal<Stage>,
    ticket_types: StoredValue<Vec<TicketType>>,
    #[prop(into)] left: Signal<Vec<TicketTypeLeft>>,
    chosen: RwSignal<Option<i64>>,
) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <div class="stage" role="status" data-testid="booking-status">
            {move || match stage.get() {
                Stage::Idle => ().into_any(),
                Stage::Trying(why) => trying(why).into_any(),
                Stage::Booked(_) => view! { <p>{tr(Msg::BookingDone)}</p> }.into_any(),
                Stage::OtherUser => alert(i18n.text(Msg::ProblemOtherUser).to_owned()).into_any(),
                Stage::Unknown => view! {
                    {alert(i18n.text(Msg::BookingUnknown).to_owned())}
                    <a href="/me">{tr(Msg::BookingSeeMine)}</a>
                }
                .into_any(),
                Stage::PriceChanged { from, to, .. } => {
                    let (from, to) = (format::money(i18n, from), format::money(i18n, to));
                    alert(i18n.fill(Msg::BookingPriceChanged, &[("from", &from), ("to", &to)])).into_any()
                }
                Stage::Refused(problem) => {
                    let others = (problem.code == ProblemCode::SoldOut)
                        .then(|| view! { <Others ticket_types left chosen /> });
                    view! {
                        {alert(refusal(i18n, &problem))}
                        {(problem.code == ProblemCode::PurchaseLimitExceeded)
                            .then(|| view! { <a href="/me">{tr(Msg::BookingSeeMine)}</a> })}
                        {others}
                    }
                    .into_any()
                }
            }}
        </div>
    }
}

fn alert(text: String) -> impl IntoView {
    view! {
        <p class="stage__text">
            <Icon glyph=Glyph::Alert />
            {text}
        </p>
    }
}

fn trying(why: WaitReason) -> impl IntoView {
    let text = match why {
        WaitReason::Nothing => Msg::BookingTrying,
        WaitReason::Busy => Msg::BookingQueue,
        WaitReason::Unreachable => Msg::BookingUnreachable,
        WaitReason::Offline => Msg::BookingOffline,
    };
    view! {
        <p class="stage__text">
            <span class="spinner" aria-hidden="true"></span>
            {tr(text)}
        </p>
    }
}

/// The reason for a refusal, with the numbers that belong to it.
fn refusal(i18n: I18n, problem: &Problem) -> String {
    match problem.code {
        ProblemCode::SoldOut => match problem.left {
            Some(left) if left > 0 => i18n.fill(Msg::BookingFewer, &[("n", &left)]),
            _ => i18n.text(Msg::ProblemSoldOut).to_owned(),
        },
        ProblemCode::PurchaseLimitExceeded => match (problem.max_per_user, problem.already_held) {
            (Some(max), Some(held)) => i18n.fill(Msg::BookingLimit, &[("max", &max), ("held", &held)]),
            _ => i18n.text(Msg::ProblemLimit).to_owned(),
        },
        code => i18n.text(problem_text(code)).to_owned(),
    }
}

/// The seats left in the other ticket types. A press on one chooses it.
#[component]
fn Others(
    ticket_types: StoredValue<Vec<TicketType>>,
    left: Signal<Vec<TicketTypeLeft>>,
    chosen: RwSignal<Option<i64>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let others = move || {
        let left = left.get();
        ticket_types
            .get_value()
            .into_iter()
            .filter(|ticket_type| Some(ticket_type.id) != chosen.get())
            .map(|ticket_type| (seats_left(&left, ticket_type.id).unwrap_or(ticket_type.left), ticket_type))
            .filter(|(left, _)| *left > 0)
            .collect::<Vec<_>>()
    };
    view! {
        {move || {
            let others = others();
            (!others.is_empty())
                .then(|| {
                    let rows = others
                        .into_iter()
                        .map(|(n, ticket_type)| {
                            let id = ticket_type.id;
                            let text = i18n
                                .fill(
                                    Msg::BookingOther,
                                    &[("ticket_type", &ticket_type.name), ("n", &format::count(i18n, n.into()))],
                                );
                            view! {
                                <li>
                                    <button
                                        type="button"
                                        class="button button--quiet"
                                        on:click=move |_| chosen.set(Some(id))
                                    >
                                        {text}
                                    </button>
                                </li>
                            }
                        })
                        .collect_view();
                    view! {
                        <p>{tr(Msg::BookingOthers)}</p>
                        <ul class="stage__others">{rows}</ul>
                    }
                })
        }}
    }
}
