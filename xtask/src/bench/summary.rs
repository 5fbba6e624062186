//! The summary of a run: all figures, as JSON for programs and as a table for the terminal.

use std::fmt::Write as _;

use serde::Serialize;

use super::figures::{Figure, Goal, Round, Speed, figures, speeds};
use super::machine::Machine;

/// The result of a run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Summary {
    /// The date in UTC, like `2026-12-24`.
    pub(super) date: String,
    pub(super) command: String,
    pub(super) rounds: usize,
    /// Seconds per scenario and round.
    pub(super) seconds: u32,
    pub(super) figures: Vec<Figure>,
    pub(super) speeds: Vec<Speed>,
    pub(super) machine: Machine,
}

impl Summary {
    pub(super) fn new(
        date: String,
        command: String,
        seconds: u32,
        rounds: &[Round],
        machine: Machine,
    ) -> Self {
        let (figures, speeds) = (figures(rounds), speeds(rounds));
        Self { date, command, rounds: rounds.len(), seconds, figures, speeds, machine }
    }

    /// Figures and speeds for the terminal.
    pub(super) fn table(&self) -> String {
        let mut rows = vec![["", "floor", "goal", "median", "min – max", ""].map(str::to_owned)];
        rows.extend(self.figures.iter().map(|figure| {
            let unit = figure.unit;
            [
                figure.name.to_owned(),
                figure.floor.to_owned(),
                goal(figure.goal, unit),
                number(figure.spread.median, unit),
                range(figure.spread.min, figure.spread.max, unit),
                verdict(figure).to_owned(),
            ]
        }));
        rows.extend(self.speeds.iter().map(|speed| {
            let (unit, spread) = (speed.unit, &speed.spread);
            let range = range(spread.min, spread.max, unit);
            let words = [speed.name, "", "", &number(spread.median, unit), &range, ""];
            words.map(str::to_owned)
        }));
        aligned(&rows)
    }
}

/// One word that says whether the goal was reached.
pub(super) fn verdict(figure: &Figure) -> &'static str {
    if figure.reached { "reached" } else { "missed" }
}

/// Like `≥ 0.70 ×`.
pub(super) fn goal(goal: Goal, unit: &str) -> String {
    match goal {
        Goal::AtLeast(value) => format!("≥ {}", number(value, unit)),
        Goal::AtMost(value) => format!("≤ {}", number(value, unit)),
        Goal::Always(value) => format!("{} in every round", number(value, unit)),
    }
}

/// Like `1.0 – 1.2 s`.
pub(super) fn range(min: f64, max: f64, unit: &str) -> String {
    format!("{} – {}", number(min, ""), number(max, unit))
}

/// A number with as many digits as mean something, grouped thousands, and the unit.
pub(super) fn number(value: f64, unit: &str) -> String {
    let size = value.abs();
    let text = if size >= 1000.0 {
        grouped(&format!("{value:.0}"))
    } else if size >= 100.0 || (value.fract() == 0.0 && unit.is_empty()) {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    };
    if unit.is_empty() { text } else { format!("{text} {unit}") }
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Aligns each column to its widest cell. All columns are aligned to the left, because there are only a few
/// numbers.
fn aligned(rows: &[[String; 6]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    text
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::scenarios::Scenario;
    use super::*;

    /// Two rounds in which some goals are reached and some are not.
    pub(in crate::bench) fn summary() -> Summary {
        let round = |ceiling: f64, node: f64, last_s: f64| {
            let mut round = Round::new();
            round.entry(Scenario::Ceiling).or_default().insert("per_s", ceiling);
            round.entry(Scenario::Node).or_default().insert("per_s", node);
            round.entry(Scenario::Rush).or_default().extend([("errors", 0.0), ("last_s", last_s)]);
            round
        };
        let machine = Machine {
            processor: "A processor".to_owned(),
            cores: 2,
            memory: "8 GiB".to_owned(),
            system: "Linux 6.1".to_owned(),
            file_system: "ext4".to_owned(),
            versions: vec!["NETicket abc".to_owned(), "MariaDB 10.11".to_owned()],
            durability: vec!["MariaDB: `innodb_flush_log_at_trx_commit = 1`".to_owned()],
        };
        let rounds = [round(40_000.0, 30_000.0, 2.5), round(38_000.0, 28_000.0, 2.25)];
        Summary::new("2026-12-24".to_owned(), "cargo xtask bench --docs".to_owned(), 4, &rounds, machine)
    }

    #[test]
    fn numbers_have_only_significant_digits() {
        assert_eq!(number(1_234_567.8, "/s"), "1,234,568 /s");
        assert_eq!(number(21_400.0, "/s"), "21,400 /s");
        assert_eq!(number(999.6, "ms"), "1000 ms");
        assert_eq!(number(13.25, "×"), "13.2 ×");
        assert_eq!(number(0.704, "×"), "0.70 ×");
        assert_eq!(number(0.0, ""), "0");
        assert_eq!(number(-0.05, "ms"), "-0.05 ms");
        assert_eq!(number(-123_456.0, ""), "-123,456");
    }

    #[test]
    fn the_table_names_each_figure_with_goal_median_and_verdict() {
        let table = summary().table();
        let line = |start: &str| table.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
        assert!(line("durable bookings/s ÷ ceiling").contains("≥ 0.70 ×"));
        assert!(line("durable bookings/s ÷ ceiling").ends_with("reached"));
        assert!(line("the rush, seats for all: last answer").ends_with("missed"));
        assert!(line("ceiling: no store").contains("39,000 /s"));
    }

    #[test]
    fn the_json_summary_names_the_missed_goals() {
        let json = serde_json::to_value(summary()).unwrap();
        let missed = json["figures"].as_array().unwrap().iter().filter(|figure| figure["reached"] == false);
        assert_eq!(missed.count(), 1);
        assert_eq!(json["figures"][0]["goal"]["at_least"], 0.7);
        assert_eq!(json["figures"][0]["spread"]["rounds"].as_array().unwrap().len(), 2);
    }
}
