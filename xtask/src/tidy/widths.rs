//! Comments and Markdown prose wrap at 110 columns. rustfmt wraps code.

use super::finding::Finding;

const COLUMNS_MAX: usize = 110;
/// Copies of scripts of an earlier version stay as they were.
const COPIES: &str = "/old_scripts/";

/// Between these lines of a Markdown file, a program writes the text.
const GENERATED: [&str; 2] = ["<!-- Written by ", "<!-- End of what is written by "];

/// The lines of a file that are wider. Tables, code blocks, headings, generated text and lines with an
/// address are excepted.
pub(super) fn check(name: &str, text: &str) -> Vec<Finding> {
    if name.contains(COPIES) {
        return Vec::new();
    }
    let is_prose: fn(&str) -> bool = match name.rsplit('.').next() {
        Some("rs") => |line| line.starts_with("//"),
        Some("lua") => |line| line.starts_with("--"),
        Some("md") => |line| !line.starts_with(['|', '#']),
        _ => return Vec::new(),
    };
    let (mut is_code_block, mut is_generated) = (false, false);
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let start = line.trim_start();
        is_code_block ^= start.starts_with("```");
        is_generated = (is_generated || start.starts_with(GENERATED[0])) && !start.starts_with(GENERATED[1]);
        let columns = line.chars().count();
        let is_excepted = is_code_block || is_generated || line.contains("](") || line.contains("://");
        if columns > COLUMNS_MAX && is_prose(start) && !is_excepted {
            let message = format!("has {columns} columns, but at most {COLUMNS_MAX} are allowed: wrap it");
            findings.push(Finding::new(format!("{name}:{}", index + 1), message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(name: &str, start: &str) -> usize {
        check(name, &format!("{start}{}\n", "word ".repeat(30))).len()
    }

    #[test]
    fn a_wide_comment_or_paragraph_is_found() {
        assert_eq!(count("a.rs", "    /// "), 1);
        assert_eq!(count("a.lua", "-- "), 1);
        assert_eq!(count("a.md", "- "), 1);
    }

    #[test]
    fn code_and_tables_and_addresses_and_code_blocks_are_exempt() {
        assert_eq!(count("a.rs", "let a = \""), 0);
        assert_eq!(count("a.md", "| "), 0);
        assert_eq!(count("a.md", "[a](b) "), 0);
        assert_eq!(count("a.md", "```\n"), 0);
        assert_eq!(count("a.md", "<!-- Written by `a` -->\n"), 0);
        assert_eq!(count("a.md", "<!-- Written by `a` -->\n<!-- End of what is written by `a` -->\n"), 1);
        assert_eq!(count("tests/old_scripts/a.lua", "-- "), 0);
    }

    #[test]
    fn columns_are_counted_in_characters() {
        assert_eq!(check("a.md", &"가".repeat(COLUMNS_MAX)), []);
    }
}
