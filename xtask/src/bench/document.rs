//! The generated parts of docs/benchmarks.md.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::summary::{Summary, goal, number, range, verdict};

/// A part of the document between its own pair of markers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Ladder,
    /// The open streams, which can be measured separately.
    Streams,
}

impl Part {
    fn markers(self) -> (&'static str, &'static str) {
        match self {
            Self::Ladder => (BEGIN, END),
            Self::Streams => (BEGIN_STREAMS, END_STREAMS),
        }
    }
}

const BEGIN_STREAMS: &str =
    "<!-- Written by `cargo xtask bench --only streams --docs`; changes here are lost. -->";
const END_STREAMS: &str = "<!-- End of what is written by `cargo xtask bench --only streams --docs`. -->";
const BEGIN: &str = "<!-- Written by `cargo xtask bench --docs`; changes here are lost. -->";
const END: &str = "<!-- End of what is written by `cargo xtask bench --docs`. -->";

/// Replaces one generated part of the document at `path`.
pub(super) fn write(path: &Path, part: Part, summary: &Summary) -> Result<()> {
    let text = fs::read_to_string(path)?;
    let replaced = replace(&text, part, &markdown(summary));
    let replaced = replaced.with_context(|| format!("{} does not contain the markers", path.display()))?;
    Ok(fs::write(path, replaced)?)
}

fn replace(text: &str, part: Part, new: &str) -> Option<String> {
    let (begin, end) = part.markers();
    let (before, rest) = text.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}\n\n{new}\n{end}{after}"))
}

/// The figures first, then the missed goals, then the values behind the figures and the machine.
fn markdown(summary: &Summary) -> String {
    let mut text = String::new();
    let Summary { date, command, rounds, seconds, machine, .. } = summary;
    let _ = writeln!(
        text,
        "Measured on {date} with `{command}`: {rounds} rounds, {seconds} s per scenario and round, medians.\n"
    );
    text.push_str("| figure | floor | goal | median | min – max | |\n|---|---|---|---|---|---|\n");
    for figure in &summary.figures {
        let (unit, spread) = (figure.unit, &figure.spread);
        let _ = writeln!(
            text,
            "| {} | {} | {} | **{}** | {} | {} |",
            figure.name,
            figure.floor,
            goal(figure.goal, unit),
            number(spread.median, unit),
            range(spread.min, spread.max, unit),
            verdict(figure)
        );
    }
    text.push_str(&missed(summary));
    text.push_str("\nThe measurements behind them, and those without a goal:\n\n");
    text.push_str("| | median | min – max |\n|---|---|---|\n");
    for speed in &summary.speeds {
        let (unit, spread) = (speed.unit, &speed.spread);
        let median = number(spread.median, unit);
        let _ = writeln!(text, "| {} | {median} | {} |", speed.name, range(spread.min, spread.max, unit));
    }
    let _ = writeln!(
        text,
        "\nOn {}, {} cores, {}, {}, files on {}. Clients, nodes, nginx, Redis and MariaDB share the cores.\n",
        machine.processor, machine.cores, machine.memory, machine.system, machine.file_system
    );
    for line in machine.versions.iter().chain(&machine.durability) {
        let _ = writeln!(text, "- {line}");
    }
    text
}

/// The missed goals in sentences, because a reader easily overlooks them in a table.
fn missed(summary: &Summary) -> String {
    let missed: Vec<_> = summary.figures.iter().filter(|figure| !figure.reached).collect();
    if missed.is_empty() {
        return "\nEvery goal was reached.\n".to_owned();
    }
    let mut text = format!("\nMissed, {} of {}:\n\n", missed.len(), summary.figures.len());
    for figure in missed {
        let (median, goal) = (number(figure.spread.median, figure.unit), goal(figure.goal, figure.unit));
        let _ = writeln!(text, "- {}: {median}, where the goal is {goal}", figure.name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::summary::tests::summary;
    use super::*;

    #[test]
    fn the_generated_part_matches_its_snapshot() {
        insta::assert_snapshot!(markdown(&summary()));
    }

    #[test]
    fn only_the_text_between_the_markers_is_replaced() {
        let old = "old\n";
        let streams = format!("{BEGIN_STREAMS}\n{old}{END_STREAMS}\nafter\n");
        let text = format!("before\n{BEGIN}\n{old}{END}\nbetween\n{streams}");
        let replaced = replace(&text, Part::Ladder, "new\n").unwrap();
        assert_eq!(replaced, format!("before\n{BEGIN}\n\nnew\n\n{END}\nbetween\n{streams}"));
        let again = replace(&replaced, Part::Ladder, "new\n").unwrap();
        assert_eq!(again, replaced, "a second write must change nothing");
        let replaced = replace(&text, Part::Streams, "new\n").unwrap();
        let streams = format!("{BEGIN_STREAMS}\n\nnew\n\n{END_STREAMS}\nafter\n");
        assert_eq!(replaced, format!("before\n{BEGIN}\n{old}{END}\nbetween\n{streams}"));
        assert_eq!(replace("without markers", Part::Ladder, "new"), None);
    }

    #[test]
    fn the_document_has_its_markers() {
        let document = include_str!("../../../docs/benchmarks.md");
        assert!([Part::Ladder, Part::Streams].iter().all(|part| replace(document, *part, "new").is_some()));
    }

    #[test]
    fn a_run_without_missed_goals_says_so() {
        let mut summary = summary();
        summary.figures.retain(|figure| figure.reached);
        assert!(missed(&summary).contains("Every goal was reached"));
    }
}
