//! docs/lessons.md names tests that exist.

use super::finding::Finding;

const PAGE: &str = "docs/lessons.md";

/// Compares each `path`: `test` of the page with the file at that path. `read` returns the text of a file of
/// the repository, or `None` if there is no such file. Paths without `crates/` are meant below it.
pub(super) fn check(page: &str, read: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in page.lines().enumerate().filter(|(_, line)| line.starts_with('|')) {
        let mut file: Option<(&str, String)> = None;
        for quoted in line.split('`').skip(1).step_by(2) {
            let place = || format!("{PAGE}:{}", index + 1);
            if quoted.rsplit_once('.').is_some_and(|(_, extension)| extension == "rs") {
                file = read(&format!("crates/{quoted}")).or_else(|| read(quoted)).map(|text| (quoted, text));
                if file.is_none() {
                    findings.push(Finding::new(place(), format!("the file `{quoted}` does not exist")));
                }
            } else if let Some((path, text)) = &file
                && is_test_name(quoted)
                && !has_word(text, quoted)
            {
                findings.push(Finding::new(place(), format!("`{path}` has no test `{quoted}`")));
            }
        }
    }
    findings
}

/// Tests that a macro declares stand without `fn`.
fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|it| it == word)
}

/// Names of one word, such as those of tables and tools, are not meant.
fn is_test_name(quoted: &str) -> bool {
    quoted.matches('_').count() >= 2 && quoted.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    fn check(row: &str) -> Vec<String> {
        let read =
            |path: &str| (path == "crates/a/tests/b.rs").then(|| "fn it_sells_nothing() {}".to_owned());
        super::check(&format!("# Lessons\n{row}\n"), read).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_test_that_exists_is_accepted() {
        assert_eq!(check("| 1 | overselling | `a/tests/b.rs`: `it_sells_nothing` |"), [""; 0]);
        assert_eq!(check("| 1 | overselling | a CHECK of `ticket_types` |"), [""; 0]);
    }

    #[test]
    fn a_missing_test_or_file_is_found() {
        let gone = check("| 1 | overselling | `a/tests/b.rs`: `it_sells_too_much` |");
        assert_eq!(gone, ["docs/lessons.md:2: `a/tests/b.rs` has no test `it_sells_too_much`"]);
        assert_eq!(check("| 1 | x | `a/tests/c.rs`: `it_sells_nothing` |").len(), 1);
    }
}
