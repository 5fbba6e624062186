//! The table on the terminal.

use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;

use crate::audit::Audit;
use crate::result::{Kind, Latency, Run};

/// The result of a run as a table for the terminal.
pub(crate) fn table(run: &Run) -> String {
    let counts = &run.counts;
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    let mut row = |name: &str, value: String| {
        table.add_row([name.to_owned(), value]);
    };
    match run.kind {
        Kind::Rush => {
            row("people", format!("{} within {} ms", run.config.people, run.config.ramp_ms));
            row("last answer", format!("{:.0} ms after the start", run.last_answer_ms));
        }
        _ => row("connections", format!("{} for {} s", run.config.connections, run.config.seconds)),
    }
    row("answers per second", format!("{:.0}", run.per_s));
    row("confirmed", format!("{} ({} of them pending at first)", counts.confirmed, counts.after_pending));
    if run.kind != Kind::Read {
        row("sold out", counts.sold_out.to_string());
    }
    for (code, count) in &counts.refused {
        row(code, count.to_string());
    }
    row("errors on the first try", counts.first_try_errors.to_string());
    row("final errors", counts.final_errors.to_string());
    for (name, count) in &counts.errors {
        row(&format!("  {name}"), count.to_string());
    }
    for (name, latency) in [("winners", &run.latency.winners), ("losers", &run.latency.losers)] {
        if latency.count > 0 {
            row(name, latency_words(latency));
        }
    }
    let client = &run.client;
    row(
        "cost of the load generator",
        format!("{:.1} s of processor time, {:.1} µs a request", client.cpu_s, client.cpu_us_per_request),
    );
    if let Some(audit) = &run.audit {
        row("audit", audit_words(audit));
    }
    table.to_string()
}

/// A latency in one line.
fn latency_words(latency: &Latency) -> String {
    format!(
        "mean {} · p50 {} · p90 {} · p99 {} · max {}",
        ms(latency.mean_us),
        ms(crate::result::float(latency.p50_us)),
        ms(crate::result::float(latency.p90_us)),
        ms(crate::result::float(latency.p99_us)),
        ms(crate::result::float(latency.max_us)),
    )
}

/// Microseconds as milliseconds, with two decimals below 10 ms and none from there on.
pub(super) fn ms(us: f64) -> String {
    let ms = us / 1e3;
    if ms < 10.0 { format!("{ms:.2} ms") } else { format!("{ms:.0} ms") }
}

fn audit_words(audit: &Audit) -> String {
    if audit.passed {
        format!(
            "passed: {} confirmed to clients = {} stored, {} seats taken, {} lost answers ({} stored)",
            audit.reported, audit.stored, audit.seats_gone, audit.unknown, audit.unknown_stored
        )
    } else {
        format!("FAILED\n{}", audit.faults.join("\n"))
    }
}
