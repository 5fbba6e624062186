//! One event: everything there is to know, and the booking.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use neticket_contract::{EventDetail, ProblemCode};
use neticket_domain::{EventStatus, SaleWindow};

use super::NotFoundPage;
use crate::api::use_api;
use crate::clock::use_clock;
use crate::components::{BookingPanel, Failure, Glyph, Icon, Poster, StatusBadge};
use crate::format;
use crate::i18n::{T, tr, use_i18n};
use crate::live::follow_availability;
use crate::load::{Load, Loader};
use crate::sale::status_at;
use crate::title::page_title;

/// Between two looks whether somebody has changed the event. What moves by itself is followed apart from that.
const FOLLOW_MS: i64 = 20_000;

/// An event; the same as long as nobody has changed it, whatever is sold.
#[derive(Clone, Debug)]
struct Facts(Box<EventDetail>);

impl PartialEq for Facts {
    fn eq(&self, other: &Self) -> bool {
        let still = |facts: &Self| {
            let mut detail = (*facts.0).clone();
            detail.server_time = detail.summary.opens_at;
            detail.summary.status = EventStatus::OnSale;
            for grade in &mut detail.ticket_types {
                grade.left = 0;
            }
            detail
        };
        still(self) == still(other)
    }
}

#[component]
pub(crate) fn EventPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|map| map.get("id")).and_then(|id| id.parse::<i64>().ok()));
    let api = use_api();
    let event = Loader::new(
        move || id.get(),
        move |id| async move { api.event(id).await.map(|detail| Facts(Box::new(detail))) },
    );
    event.follow(FOLLOW_MS);
    move || {
        if id.get().is_none() {
            return NotFoundPage().into_any();
        }
        match event.state.get() {
            Load::Loading => view! { <EventSkeleton /> }.into_any(),
            Load::Failed(error) if error.code() == Some(ProblemCode::NotFound) => NotFoundPage().into_any(),
            Load::Failed(error) => {
                view! { <div class="page"><Failure error retry=move || event.reload() /></div> }.into_any()
            }
            Load::Ready(Facts(detail)) => view! { <EventView event=*detail /> }.into_any(),
        }
    }
}

#[component]
fn EventView(event: EventDetail) -> impl IntoView {
    let i18n = use_i18n();
    let clock = use_clock();
    let summary = event.summary.clone();
    let window = SaleWindow { opens_at: summary.opens_at, closes_at: summary.closes_at };
    let seen = follow_availability(summary.id, summary.opens_at, use_api(), clock);
    clock.wake_at(summary.opens_at);
    let given = summary.status;
    let status = Memo::new(move |_| {
        let given = seen.with(|seen| seen.as_ref().map_or(given, |seen| seen.status));
        status_at(given, window, clock.now())
    });
    let left = Memo::new(move |_| {
        seen.with(|seen| seen.as_ref().map(|seen| seen.ticket_types.clone()).unwrap_or_default())
    });
    let title = summary.title.clone();
    page_title(move || title.clone());
    let alt = {
        let title = summary.title.clone();
        Signal::derive(move || i18n.fill(T::EventPosterOf, &[("title", &title)]))
    };
    let (starts_at, closes_at) = (summary.starts_at, summary.closes_at);
    let max = event.max_per_user;
    let description = event.description.clone();
    view! {
        <article class="page event">
            <div class="event__poster">
                <Poster url=summary.image_url alt eager=true />
            </div>
            <div class="event__head">
                <StatusBadge status />
                <h1>{summary.title}</h1>
                <Show when=move || status.get() == EventStatus::Cancelled>
                    <p class="form-error">{tr(T::EventCancelled)}</p>
                </Show>
                <dl class="facts">
                    <div>
                        <dt><Icon glyph=Glyph::Calendar />{tr(T::EventWhen)}</dt>
                        <dd>
                            <time datetime=starts_at.to_string()>{move || format::full_date(i18n, starts_at)}</time>
                        </dd>
                    </div>
                    <div>
                        <dt><Icon glyph=Glyph::Pin />{tr(T::EventWhere)}</dt>
                        <dd>{summary.place}</dd>
                    </div>
                    <div>
                        <dt><Icon glyph=Glyph::Clock />{tr(T::EventSale)}</dt>
                        <dd>
                            {move || {
                                i18n.fill(
                                    T::EventSaleWindow,
                                    &[
                                        ("from", &format::brief_date(i18n, window.opens_at)),
                                        ("to", &format::brief_date(i18n, closes_at)),
                                    ],
                                )
                            }}
                        </dd>
                    </div>
                    <div>
                        <dt><Icon glyph=Glyph::Person />{tr(T::EventRule)}</dt>
                        <dd>{move || i18n.fill(T::EventLimit, &[("n", &max)])}</dd>
                    </div>
                </dl>
            </div>
            <div class="event__booking">
                <BookingPanel event status left />
            </div>
            {(!description.trim().is_empty())
                .then(|| {
                    view! {
                        <section class="event__about" aria-labelledby="about-title">
                            <h2 id="about-title">{tr(T::EventAbout)}</h2>
                            <p class="prose">{description}</p>
                        </section>
                    }
                })}
        </article>
    }
}

#[component]
fn EventSkeleton() -> impl IntoView {
    view! {
        <div class="page event" aria-busy="true">
            <p class="unseen" role="status">{tr(T::Loading)}</p>
            <div class="event__poster"><div class="poster skeleton"></div></div>
            <div class="event__head">
                <span class="skeleton skeleton--badge"></span>
                <span class="skeleton skeleton--headline"></span>
                <span class="skeleton skeleton--line"></span>
                <span class="skeleton skeleton--line"></span>
                <span class="skeleton skeleton--line"></span>
            </div>
            <div class="event__booking"><div class="skeleton skeleton--panel"></div></div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use neticket_contract::{EventSummary, TicketType};
    use neticket_domain::Timestamp;

    use super::*;

    fn facts(left: u32, price: u64, server_ms: i64) -> Facts {
        let at = Timestamp::from_millis(1_000);
        Facts(Box::new(EventDetail {
            summary: EventSummary {
                id: 1,
                title: "햄릿".into(),
                place: "국립극장".into(),
                starts_at: at,
                opens_at: at,
                closes_at: at,
                status: if left == 0 { EventStatus::SoldOut } else { EventStatus::OnSale },
                price_from: price,
                currency: "KRW".into(),
                image_url: None,
            },
            description: String::new(),
            max_per_user: 4,
            revision: None,
            server_time: Timestamp::from_millis(server_ms),
            ticket_types: vec![TicketType { id: 1, name: "R".into(), price, capacity: 9, left }],
        }))
    }

    #[test]
    fn a_page_is_drawn_anew_for_another_price_but_not_for_what_is_sold() {
        assert_eq!(facts(9, 100, 5), facts(0, 100, 6));
        assert_ne!(facts(9, 100, 5), facts(9, 200, 5));
    }
}
