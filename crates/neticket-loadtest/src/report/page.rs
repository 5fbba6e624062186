//! A self-contained page: no script, and nothing is loaded.

use std::collections::BTreeMap;

use anyhow::Result;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::plots::{self, DARK, LIGHT, Palette};
use super::table::ms;
use crate::result::{Kind, Latency, Run, float};

const STYLE: &str = include_str!("page.css");

/// A page with one section per run.
pub(crate) fn page(runs: &[Run]) -> Result<String> {
    let sections = runs.iter().map(section).collect::<Result<Vec<_>>>()?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "NETicket load test" }
                style { (PreEscaped(STYLE)) }
            }
            body { main { @for section in &sections { (section) } } }
        }
    };
    Ok(page.into_string())
}

fn section(run: &Run) -> Result<Markup> {
    Ok(html! {
        section {
            header {
                h1 { (title(run)) }
                p.quiet { (run.at) }
                code.command { (run.command) }
            }
            div.cards {
                (card(&format!("{:.0}", run.per_s), "answers per second", ""))
                @if run.kind == Kind::Rush {
                    (card(&ms(run.latency.all.mean_us), "mean wait", ""))
                    (card(&ms(run.last_answer_ms * 1e3), "time to the last answer", ""))
                } @else {
                    (card(&ms(float(run.latency.winners.p50_us)), "median latency", ""))
                    (card(&ms(float(run.latency.winners.p99_us)), "99th percentile", ""))
                }
                (card(&run.counts.confirmed.to_string(), if run.kind == Kind::Read { "answered" } else { "confirmed" }, "winners"))
                @if run.counts.sold_out > 0 { (card(&run.counts.sold_out.to_string(), "sold out", "losers")) }
                (card(&run.counts.final_errors.to_string(), "errors", if run.counts.final_errors > 0 { "errors" } else { "" }))
            }
            (audit(run))
            h2 { "Latency by percentile" }
            p.quiet { "Measured from the planned send time of each request. " (legend(run)) }
            (figure(run, plots::percentiles)?)
            (latencies(run))
            h2 { "Answers over time" }
            (figure(run, plots::answers)?)
            @if run.kind == Kind::Rush {
                h2 { "Winners and losers" }
                (figure(run, plots::decided)?)
            }
            h2 { "Measured on" }
            (settings(run))
        }
    })
}

fn title(run: &Run) -> String {
    let config = &run.config;
    match run.kind {
        Kind::Rush => {
            format!("{} people for {} seats within {} ms", config.people, config.seats, config.ramp_ms)
        }
        Kind::Book => format!("Booking over {} connections for {} s", config.connections, config.seconds),
        Kind::Read => format!("Reading over {} connections for {} s", config.connections, config.seconds),
        Kind::Hold => format!("Holding {} connections for {} s", config.connections, config.seconds),
    }
}

fn card(value: &str, name: &str, kind: &str) -> Markup {
    html! { div class={ "card " (kind) } { strong { (value) } span { (name) } } }
}

fn audit(run: &Run) -> Markup {
    html! {
        @match &run.audit {
            Some(audit) if audit.passed => p.audit.winners {
                "Audit passed: " (audit.reported) " confirmed to clients = " (audit.stored - audit.unknown_stored) " stored, "
                (audit.seats_gone) " seats taken, nobody over the limit, ledger = store."
            },
            Some(audit) => div.audit.errors {
                p { "Audit failed:" }
                ul { @for fault in &audit.faults { li { (fault) } } }
            },
            None => p.audit.quiet { "No audit." },
        }
    }
}

fn legend(run: &Run) -> Markup {
    html! {
        @if run.latency.losers.count == 0 && run.kind == Kind::Read { span.key.winners { "answered" } }
        @else { span.key.winners { "confirmed" } span.key.losers { "sold out" } span.key.errors { "errors" } }
    }
}

fn figure(run: &Run, plot: fn(&Run, Palette) -> Result<String>) -> Result<Markup> {
    Ok(html! {
        figure.light { (PreEscaped(plot(run, LIGHT)?)) }
        figure.dark { (PreEscaped(plot(run, DARK)?)) }
    })
}

fn latencies(run: &Run) -> Markup {
    let row = |name: &str, latency: &Latency| {
        let values = [latency.p50_us, latency.p90_us, latency.p99_us, latency.p999_us, latency.max_us];
        html! {
            @if latency.count > 0 {
                tr {
                    th { (name) }
                    td { (latency.count) }
                    td { (ms(latency.mean_us)) }
                    @for us in values { td { (ms(float(us))) } }
                }
            }
        }
    };
    html! {
        div.wide { table {
            thead { tr { @for name in ["", "count", "mean", "p50", "p90", "p99", "p99.9", "max"] { th { (name) } } } }
            tbody {
                (row("winners", &run.latency.winners))
                (row("losers", &run.latency.losers))
                (row("all", &run.latency.all))
            }
        } }
    }
}

fn settings(run: &Run) -> Markup {
    let machine = &run.machine;
    let client = &run.client;
    let list = |settings: &BTreeMap<String, String>| {
        html! { @for (name, value) in settings { (name) " = " (value) br; } }
    };
    html! {
        dl {
            dt { "Processor" } dd { (machine.cpu) ", " (machine.cores) " cores" }
            dt { "Memory" } dd { (machine.memory_mib) " MiB" }
            dt { "Kernel" } dd { (machine.kernel) }
            dt { "Database" } dd { @if run.durability.database.is_empty() { "not asked" } (list(&run.durability.database)) }
            dt { "Redis" } dd { @if run.durability.redis.is_empty() { "not asked" } (list(&run.durability.redis)) }
            dt { "Client" } dd {
                (format!("{} processes, {:.1} s of processor time, {:.1} µs a request",
                    run.config.processes, client.cpu_s, client.cpu_us_per_request))
            }
            @if run.counts.errors_total() > 0 {
                dt { "Errors" } dd {
                    @for (name, count) in &run.counts.errors { (name) ": " (count) br; }
                    (run.counts.first_try_errors) " on the first try, " (run.counts.repeats) " repeats"
                }
            }
        }
    }
}
