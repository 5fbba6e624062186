//! The statistics of the last minutes as line charts, and as a table for people who prefer to read.

use leptos::prelude::*;
use neticket_contract::Stats;

use super::super::api::use_admin_api;
use super::super::polled::Polled;
use super::history::{History, Look};
use super::plot::{HEIGHT, WIDTH, ceiling, path, top};
use crate::browser;
use crate::components::{Glyph, Icon};
use crate::format;
use crate::i18n::{I18n, Msg, tr, use_i18n};
use crate::problem_text::error_text;

/// Milliseconds between two polls.
const EVERY_MS: i64 = 1_000;
/// Milliseconds between two rows of the table.
const ROWS_EVERY_MS: i64 = 10_000;
/// The most problem codes that are shown. The others are rare.
const PROBLEMS_MAX: usize = 8;

/// The value of a sample that a chart shows.
type Pick = fn(&Look) -> Option<f64>;

const BOOKINGS: Pick = |look| Some(look.bookings_per_s);
const P99: Pick = |look| look.p99_ms;
const QUEUE: Pick = |look| Some(browser::number(i64::try_from(look.in_flight).unwrap_or(i64::MAX)));
const JOURNAL: Pick = |look| Some(browser::number(i64::try_from(look.journal_len).unwrap_or(i64::MAX)));

#[component]
pub(crate) fn Charts() -> impl IntoView {
    let i18n = use_i18n();
    let api = use_admin_api();
    let stats = Polled::new(EVERY_MS, || (), move |()| api.stats_view());
    let history = RwSignal::new(History::default());
    Effect::new(move |_| {
        if let Some(stats) = stats.value.get() {
            history.update(|history| history.add(Look::of(&stats)));
        }
    });
    let as_of = move || {
        stats.value.get().map(|stats| {
            let nodes = format::count(i18n, stats.nodes.into());
            let time = format::clock(i18n, stats.server_time);
            i18n.fill(Msg::RoomAsOf, &[("nodes", &nodes), ("time", &time), ("s", &stats.window_s)])
        })
    };
    view! {
        <section class="charts" aria-labelledby="charts-title">
            <div class="charts__head">
                <h2 id="charts-title">{tr(Msg::RoomCharts)}</h2>
                <p class="text-small" data-testid="as-of">{as_of}</p>
            </div>
            {move || {
                stats
                    .error
                    .get()
                    .map(|error| {
                        view! {
                            <p class="form-error">
                                <Icon glyph=Glyph::Alert />
                                {i18n.text(error_text(&error))}
                            </p>
                        }
                    })
            }}
            <div class="charts__grid">
                <Chart history title=Msg::RoomBookings unit=Msg::RoomPerSecond pick=BOOKINGS />
                <Chart history title=Msg::RoomP99 unit=Msg::RoomMillis pick=P99 />
                <Chart history title=Msg::RoomQueue unit=Msg::RoomNumber pick=QUEUE />
                <Chart history title=Msg::RoomJournal unit=Msg::RoomNumber pick=JOURNAL />
            </div>
            <Problems stats=stats.value />
            <Numbers history />
        </section>
    }
}

#[component]
fn Chart(history: RwSignal<History>, title: Msg, unit: Msg, pick: Pick) -> impl IntoView {
    let i18n = use_i18n();
    let lines = Memo::new(move |_| history.with(|history| history.lines(pick)));
    let scale = Memo::new(move |_| lines.with(|lines| ceiling(top(lines))));
    let now = move || lines.with(|lines| lines.last().and_then(|line| line.last().copied()));
    let value = move || match now() {
        // The value of the newest sample, if it has one.
        Some((0, value)) => i18n.fill(unit, &[("n", &rounded(i18n, value))]),
        _ => "–".to_owned(),
    };
    let described = move || {
        let most = lines.with(|lines| rounded(i18n, top(lines)));
        i18n.fill(Msg::RoomChartText, &[("title", &i18n.text(title)), ("now", &value()), ("most", &most)])
    };
    let view_box = format!("0 0 {WIDTH} {HEIGHT}");
    let middle = HEIGHT / 2.0;
    view! {
        <figure class="chart">
            <figcaption>
                <span>{tr(title)}</span>
                <strong>{value}</strong>
            </figcaption>
            <div class="chart__frame">
                <svg viewBox=view_box preserveAspectRatio="none" role="img" aria-label=described>
                    <path class="chart__grid" d=format!("M0 0H{WIDTH}M0 {middle}H{WIDTH}M0 {HEIGHT}H{WIDTH}") />
                    <path class="chart__line" d=move || lines.with(|lines| path(lines, scale.get())) />
                </svg>
                <span class="chart__scale" aria-hidden="true">{move || rounded(i18n, scale.get())}</span>
            </div>
        </figure>
    }
}

/// A whole number, except below 10, where one decimal is shown.
fn rounded(i18n: I18n, value: f64) -> String {
    if value > 0.0 && value < 10.0 && value.fract() != 0.0 {
        return format!("{value:.1}");
    }
    format::count(i18n, u64::try_from(browser::whole(value)).unwrap_or(0))
}

/// Refusals of the last minute, the most frequent first.
#[component]
fn Problems(stats: RwSignal<Option<Stats>>) -> impl IntoView {
    let i18n = use_i18n();
    let problems = Memo::new(move |_| stats.with(|stats| stats.as_ref().map(|stats| stats.problems.clone())));
    let bars = move || {
        let problems = problems.get().unwrap_or_default();
        let most = problems.first().map_or(1, |problem| problem.count.max(1));
        problems
            .into_iter()
            .take(PROBLEMS_MAX)
            .map(|problem| {
                let percent = problem.count.saturating_mul(100) / most;
                view! {
                    <li>
                        <code>{problem.code.as_str()}</code>
                        <span class="problems__count">{format::count(i18n, problem.count)}</span>
                        <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                            <rect width=percent.to_string() height="4" />
                        </svg>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <div class="problems">
            <h3>{tr(Msg::RoomProblems)}</h3>
            <ul>{bars}</ul>
            <Show when=move || problems.get().is_some_and(|problems| problems.is_empty())>
                <p class="text-small">{tr(Msg::RoomNoProblems)}</p>
            </Show>
        </div>
    }
}

/// The same data as a table.
#[component]
fn Numbers(history: RwSignal<History>) -> impl IntoView {
    let i18n = use_i18n();
    let open = RwSignal::new(false);
    let cell = move |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| rounded(i18n, value));
    let rows = move || {
        history
            .get()
            .sparse(ROWS_EVERY_MS)
            .into_iter()
            .map(|look| {
                view! {
                    <tr>
                        <th scope="row">{format::clock(i18n, look.at)}</th>
                        <td>{cell(BOOKINGS(&look))}</td>
                        <td>{cell(P99(&look))}</td>
                        <td>{cell(QUEUE(&look))}</td>
                        <td>{cell(JOURNAL(&look))}</td>
                    </tr>
                }
            })
            .collect_view()
    };
    view! {
        <details class="numbers" on:toggle=move |_| open.update(|open| *open = !*open)>
            <summary>{tr(Msg::RoomNumbers)}</summary>
            <div class="table-frame" role="region" tabindex="0" aria-label=tr(Msg::RoomNumbers)>
                <table class="room-table">
                    <thead>
                        <tr>
                            <th scope="col">{tr(Msg::RoomTime)}</th>
                            <th scope="col">{tr(Msg::RoomBookings)}</th>
                            <th scope="col">{tr(Msg::RoomP99)}</th>
                            <th scope="col">{tr(Msg::RoomQueue)}</th>
                            <th scope="col">{tr(Msg::RoomJournal)}</th>
                        </tr>
                    </thead>
                    <tbody>{move || open.get().then(rows)}</tbody>
                </table>
            </div>
        </details>
    }
}
