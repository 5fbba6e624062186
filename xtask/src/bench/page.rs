//! The ladder as a page, with bars for the speeds and marks for the goals. It loads nothing.

use std::fmt::Write as _;

use super::figures::{Figure, Speed};
use super::summary::{Summary, goal, number, range, verdict};

const STYLE: &str = "\
:root{color-scheme:light dark;--bar:#3b6fd4;--good:#2c8a4b;--bad:#c2402f;--line:#8886}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;width:100%}\
td,th{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}\
td.n{font-variant-numeric:tabular-nums;white-space:nowrap}\
.reached{color:var(--good);font-weight:600}.missed{color:var(--bad);font-weight:600}\
.track{position:relative;height:.9rem;min-width:12rem;background:#8882;border-radius:.2rem}\
.bar{height:100%;background:var(--bar);border-radius:.2rem}\
.spread{position:absolute;top:30%;height:40%;background:#0008}\
footer{margin:2rem 0;color:#777;font-size:.9rem}";

/// The whole page. `reports` are pages about single runs: the address relative to this page, and a title.
pub(super) fn html(summary: &Summary, reports: &[(String, String)]) -> String {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>NETicket: benchmarks</title>\
         <style>{STYLE}</style>\n<h1>Benchmarks</h1>\n\
         <p>{} · <code>{}</code> · {} rounds, {} s per scenario and round, medians</p>\n",
        escaped(&summary.date),
        escaped(&summary.command),
        summary.rounds,
        summary.seconds
    );
    text.push_str(
        "<h2>Figures</h2>\n<table><tr><th>figure<th>floor<th>goal<th>median<th>min – max<th></tr>\n",
    );
    for figure in &summary.figures {
        text.push_str(&figure_row(figure));
    }
    text.push_str("</table>\n<h2>The ladder</h2>\n<table>\n");
    let speeds: Vec<&Speed> = summary.speeds.iter().filter(|speed| speed.unit == "/s").collect();
    let longest = speeds.iter().map(|speed| speed.spread.max).fold(f64::MIN_POSITIVE, f64::max);
    for speed in speeds {
        text.push_str(&bar_row(speed, longest));
    }
    text.push_str("</table>\n<h2>Times</h2>\n<table>\n");
    for speed in summary.speeds.iter().filter(|speed| speed.unit != "/s") {
        let (spread, unit) = (&speed.spread, speed.unit);
        let (median, range) = (number(spread.median, unit), range(spread.min, spread.max, unit));
        let _ = writeln!(text, "<tr><td>{}<td class=n>{median}<td class=n>{range}</tr>", escaped(speed.name));
    }
    text.push_str("</table>\n");
    if !reports.is_empty() {
        text.push_str("<h2>Single runs</h2>\n<ul>\n");
        for (path, name) in reports {
            let _ = writeln!(text, "<li><a href=\"{}\">{}</a>", escaped(path), escaped(name));
        }
        text.push_str("</ul>\n");
    }
    let machine = &summary.machine;
    let _ = writeln!(
        text,
        "<footer>{}, {} cores, {}, {}, files on {}. Clients, nodes, nginx, Redis and MariaDB share the cores.<ul>",
        escaped(&machine.processor),
        machine.cores,
        escaped(&machine.memory),
        escaped(&machine.system),
        escaped(&machine.file_system)
    );
    for line in machine.versions.iter().chain(&machine.durability) {
        let _ = writeln!(text, "<li>{}", escaped(line));
    }
    text.push_str("</ul></footer>\n</html>\n");
    text
}

fn figure_row(figure: &Figure) -> String {
    let (unit, spread, verdict) = (figure.unit, &figure.spread, verdict(figure));
    let goal = goal(figure.goal, unit);
    format!(
        "<tr><td>{}<td class=n>{}<td class=n>{goal}<td class=n><b>{}</b><td class=n>{}<td class={verdict}>{verdict}</tr>\n",
        escaped(figure.name),
        figure.floor,
        number(spread.median, unit),
        range(spread.min, spread.max, unit)
    )
}

/// The bar shows the median. The dark stroke in it reaches from the slowest to the fastest round.
fn bar_row(speed: &Speed, longest: f64) -> String {
    let percent = |value: f64| 100.0 * value / longest;
    let spread = &speed.spread;
    format!(
        "<tr><td>{}<td class=n>{}<td style=\"width:40%\"><div class=track><div class=bar style=\"width:{:.2}%\"></div>\
         <div class=spread style=\"left:{:.2}%;width:{:.2}%\" title=\"{}\"></div></div></tr>\n",
        escaped(speed.name),
        number(spread.median, speed.unit),
        percent(spread.median),
        percent(spread.min),
        percent(spread.max - spread.min).max(0.3),
        range(spread.min, spread.max, speed.unit)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::summary::tests::summary;
    use super::*;

    #[test]
    fn the_page_shows_every_figure_and_loads_nothing() {
        let mut summary = summary();
        summary.machine.processor = "<b>processor".to_owned();
        let html = html(&summary, &[("rush-1.html".to_owned(), "the rush".to_owned())]);
        assert!(summary.figures.iter().all(|figure| html.contains(&escaped(figure.name))));
        assert!(html.contains("<td class=missed>missed") && html.contains("href=\"rush-1.html\""));
        assert!(html.contains("&lt;b&gt;processor"));
        for loading in ["http://", "https://", "<script", "<link", "<img", "url("] {
            assert!(!html.contains(loading), "{loading}");
        }
    }
}
