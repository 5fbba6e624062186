//! The page of one event, with its details and the booking.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_params_map;
use neticket_contract::{Availability, EventDetail, ProblemCode};
use neticket_domain::{EventStatus, SaleWindow};

use super::NotFoundPage;
use crate::availability_feed::follow_availability;
use crate::booking::{Booking, Prices, Stage, prices_of};
use crate::browser;
use crate::clock::use_clock;
use crate::components::{BookingPanel, Failure, Glyph, Icon, Poster, StatusBadge};
use crate::format;
use crate::i18n::{Msg, tr, use_i18n};
use crate::load::{Load, Loader};
use crate::operations::use_api;
use crate::sale::status_at;
use crate::title::page_title;

/// Milliseconds between two requests that look for edits of the event. Seats left are followed separately.
const FOLLOW_MS: i64 = 20_000;
/// All open pages learn of an edit at once. Each waits a random time up to this many milliseconds before it
/// fetches the event.
const SPREAD_MS: f64 = 300.0;
/// The pauses between fetches while nodes answer an older revision than the newest known one. After the last
/// one, only the requests every 20 s go on.
const CATCH_UP_WAITS_MS: [i64; 5] = [1_000, 2_000, 4_000, 8_000, 16_000];

/// The details of an event. Two are equal if nobody has edited the event, whatever was sold.
#[derive(Clone, Debug)]
struct StaticDetail(Box<EventDetail>);

impl StaticDetail {
    /// The details without the fields that change while tickets are sold.
    fn still(&self) -> EventDetail {
        let mut detail = (*self.0).clone();
        detail.server_time = detail.summary.opens_at;
        detail.summary.status = EventStatus::OnSale;
        for ticket_type in &mut detail.ticket_types {
            ticket_type.left = 0;
        }
        detail
    }

    /// Also without prices, because the page changes them in place.
    fn frame(&self) -> EventDetail {
        let mut detail = self.still();
        detail.revision = None;
        detail.summary.price_from = 0;
        for ticket_type in &mut detail.ticket_types {
            (ticket_type.price, ticket_type.capacity) = (0, 0);
        }
        detail
    }

    /// The same with another price. `None` if it has that price already.
    fn with_price(&self, ticket_type_id: i64, price: u64) -> Option<Self> {
        let mut detail = self.0.clone();
        let ticket_type = detail.ticket_types.iter_mut().find(|it| it.id == ticket_type_id)?;
        if ticket_type.price == price {
            return None;
        }
        ticket_type.price = price;
        Some(Self(detail))
    }
}

impl PartialEq for StaticDetail {
    fn eq(&self, other: &Self) -> bool {
        self.still() == other.still()
    }
}

/// Whether the page has to be rendered again.
fn is_drawn_anew(before: Option<&Load<StaticDetail>>, now: Option<&Load<StaticDetail>>) -> bool {
    match (before, now) {
        (Some(Load::Ready(before)), Some(Load::Ready(now))) => before.frame() != now.frame(),
        _ => before != now,
    }
}

/// The event that the page shows.
#[derive(Clone, Copy)]
struct Shown {
    event: Loader<StaticDetail>,
    /// The lowest revision that is requested. 0 accepts any.
    wanted: StoredValue<i64>,
}

impl Shown {
    fn is_behind(self, revision: i64) -> bool {
        let is_older = |load: &Load<StaticDetail>| match load {
            Load::Ready(StaticDetail(detail)) => detail.revision.unwrap_or(0) < revision,
            Load::Loading | Load::Failed(_) => false,
        };
        self.event.state.try_with_untracked(is_older) == Some(true)
    }

    /// Shows the price that the refusal of a booking contained, and fetches the event with that price.
    fn correct(self, ticket_type_id: i64, price: u64) {
        let stale_detail = self.event.state.try_with_untracked(|load| match load {
            Load::Ready(facts) => facts.with_price(ticket_type_id, price),
            Load::Loading | Load::Failed(_) => None,
        });
        if let Some(facts) = stale_detail.flatten() {
            let revision = facts.0.revision.unwrap_or(0);
            self.event.put(facts);
            // Perhaps there is no such revision: a ledger that is not loaded yet answers with the previous
            // price.
            self.catch_up(revision + 1, &CATCH_UP_WAITS_MS[..2]);
        }
    }

    /// Fetches the event until its revision is at least `revision`, with these pauses in milliseconds.
    fn catch_up(self, revision: i64, waits: &'static [i64]) {
        // Nodes may differ in what they know. A lower revision does not replace a higher one that is being
        // fetched.
        if self.wanted.get_value() >= revision || !self.is_behind(revision) {
            return;
        }
        self.wanted.set_value(revision);
        spawn_local(async move {
            browser::sleep(browser::whole(js_sys::Math::random() * SPREAD_MS)).await;
            for wait in waits {
                // A newer revision has its own loop.
                if self.wanted.try_get_value() != Some(revision) || !self.is_behind(revision) {
                    return;
                }
                // The loop waits for a slow answer. A second request would drop it, and every page would ask
                // twice.
                if !self.event.is_asking() {
                    self.event.look();
                }
                browser::sleep(*wait).await;
            }
            if self.wanted.try_get_value() == Some(revision) && self.is_behind(revision) {
                // No node has it. It can be requested again when the server names it again.
                self.wanted.set_value(0);
            }
        });
    }
}

#[component]
pub(crate) fn EventPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|map| map.get("id")).and_then(|id| id.parse::<i64>().ok()));
    move || match id.get() {
        Some(id) => view! { <EventWithId id /> }.into_any(),
        None => NotFoundPage().into_any(),
    }
}

/// Holds what outlives a new rendering of the event: the loaded details, and the booking under way.
#[component]
fn EventWithId(id: i64) -> impl IntoView {
    let api = use_api();
    let wanted = StoredValue::new(0);
    let event = Loader::new(
        move || Some(id),
        move |id| {
            let revision = Some(wanted.get_value()).filter(|revision| *revision > 0);
            async move { api.event(id, revision).await.map(|detail| StaticDetail(Box::new(detail))) }
        },
    );
    event.follow(FOLLOW_MS);
    let shown = Shown { event, wanted };
    let booking = Booking::new(id, api, use_clock());
    let prices = Prices::new(Memo::new(move |before: Option<&Vec<(i64, u64)>>| {
        event.state.with(|load| match load {
            Load::Ready(StaticDetail(detail)) => prices_of(detail),
            Load::Loading | Load::Failed(_) => before.cloned().unwrap_or_default(),
        })
    }));
    follow_prices(shown, prices, booking);
    // One stream for all renderings. Otherwise every page would open another stream at the moment of an edit.
    let opens_at = Memo::new(move |_| {
        event.state.with(|load| match load {
            Load::Ready(StaticDetail(detail)) => Some(detail.summary.opens_at),
            Load::Loading | Load::Failed(_) => None,
        })
    });
    let seen = follow_availability(id, opens_at, api, use_clock());
    Effect::new(move |_| {
        if let Some(revision) = seen.with(|seen| seen.as_ref().and_then(|seen| seen.revision)) {
            shown.catch_up(revision, &CATCH_UP_WAITS_MS);
        }
    });
    let drawn = Memo::new_with_compare(move |_| event.state.get(), is_drawn_anew);
    move || match drawn.get() {
        Load::Loading => view! { <EventSkeleton /> }.into_any(),
        Load::Failed(error) if error.code() == Some(ProblemCode::NotFound) => NotFoundPage().into_any(),
        Load::Failed(error) => {
            view! { <div class="page"><Failure error retry=move || event.reload() /></div> }.into_any()
        }
        Load::Ready(StaticDetail(detail)) => {
            view! { <EventView event=*detail seen booking prices /> }.into_any()
        }
    }
}

/// Shows the price that a refusal contains. When a price on the page changes, the booking pauses for a
/// moment, and the notice of a changed price is updated.
fn follow_prices(shown: Shown, prices: Prices, booking: Booking) {
    Effect::new(move |_| {
        if let Stage::PriceChanged { ticket_type_id, to, .. } = booking.stage.get() {
            shown.correct(ticket_type_id, to);
        }
    });
    Effect::new(move |before: Option<Vec<(i64, u64)>>| {
        let now = prices.all();
        if before.is_some_and(|before| !before.is_empty() && before != now) {
            booking.pause();
            booking.update_price(&now);
        }
        now
    });
}

#[component]
fn EventView(
    event: EventDetail,
    seen: ReadSignal<Option<Availability>>,
    booking: Booking,
    prices: Prices,
) -> impl IntoView {
    let i18n = use_i18n();
    let clock = use_clock();
    let summary = event.summary.clone();
    let window = SaleWindow { opens_at: summary.opens_at, closes_at: summary.closes_at };
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
        Signal::derive(move || i18n.fill(Msg::EventPosterOf, &[("title", &title)]))
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
                    <p class="form-error">{tr(Msg::EventCancelled)}</p>
                </Show>
                <dl class="facts">
                    <div>
                        <dt><Icon glyph=Glyph::Calendar />{tr(Msg::EventWhen)}</dt>
                        <dd>
                            <time datetime=starts_at.to_string()>{move || format::full_date(i18n, starts_at)}</time>
                        </dd>
                    </div>
                    <div>
                        <dt><Icon glyph=Glyph::Pin />{tr(Msg::EventWhere)}</dt>
                        <dd>{summary.place}</dd>
                    </div>
                    <div>
                        <dt><Icon glyph=Glyph::Clock />{tr(Msg::EventSale)}</dt>
                        <dd>
                            {move || {
                                i18n.fill(
                                    Msg::EventSaleWindow,
                                    &[
                                        ("from", &format::brief_date(i18n, window.opens_at)),
                                        ("to", &format::brief_date(i18n, closes_at)),
                                    ],
                                )
                            }}
                        </dd>
                    </div>
                    <div>
                        <dt><Icon glyph=Glyph::Person />{tr(Msg::EventRule)}</dt>
                        <dd>{move || i18n.fill(Msg::EventLimit, &[("n", &max)])}</dd>
                    </div>
                </dl>
            </div>
            <div class="event__booking">
                <BookingPanel event booking prices status left />
            </div>
            {(!description.trim().is_empty())
                .then(|| {
                    view! {
                        <section class="event__about" aria-labelledby="about-title">
                            <h2 id="about-title">{tr(Msg::EventAbout)}</h2>
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
            <p class="visually-hidden" role="status">{tr(Msg::Loading)}</p>
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

    fn facts(left: u32, price: u64, server_ms: i64) -> StaticDetail {
        let at = Timestamp::from_millis(1_000);
        StaticDetail(Box::new(EventDetail {
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
            server_time: Timestamp::from_millis(server_ms),
            revision: Some(1),
            ticket_types: vec![TicketType { id: 1, name: "R".into(), price, capacity: 9, left }],
        }))
    }

    fn ready(facts: StaticDetail) -> Load<StaticDetail> {
        Load::Ready(facts)
    }

    #[test]
    fn a_new_price_changes_the_static_details_and_a_new_seat_count_does_not() {
        assert_eq!(facts(9, 100, 5), facts(0, 100, 6));
        assert_ne!(facts(9, 100, 5), facts(9, 200, 5));
    }

    #[test]
    fn a_new_price_and_revision_do_not_redraw_the_page() {
        let mut dearer = facts(9, 200, 5);
        dearer.0.revision = Some(2);
        assert!(!is_drawn_anew(Some(&ready(facts(9, 100, 5))), Some(&ready(dearer))));
        let mut renamed = facts(9, 100, 5);
        renamed.0.summary.title = "맥베스".into();
        assert!(is_drawn_anew(Some(&ready(facts(9, 100, 5))), Some(&ready(renamed))));
        assert!(is_drawn_anew(Some(&Load::Loading), Some(&ready(facts(9, 100, 5)))));
    }

    #[test]
    fn a_price_from_an_answer_is_shown_in_place() {
        let corrected = facts(9, 100, 5).with_price(1, 200).unwrap();
        assert_eq!(corrected.0.ticket_types[0].price, 200);
        assert_eq!(corrected.0.revision, Some(1), "the event must still be fetched");
        assert!(!is_drawn_anew(Some(&ready(facts(9, 100, 5))), Some(&ready(corrected))));
    }

    #[test]
    fn a_price_that_is_already_shown_changes_nothing() {
        assert!(facts(9, 100, 5).with_price(1, 100).is_none());
        assert!(facts(9, 100, 5).with_price(2, 100).is_none(), "another ticket type");
    }
}
