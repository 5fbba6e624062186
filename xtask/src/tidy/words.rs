//! The words that docs/glossary.md rules out do not occur in code, prose or names of files.

use super::finding::Finding;

/// The page that lists the words. It contains them itself.
const PAGE: &str = "docs/glossary.md";
const TABLE_HEAD: &str = "| not |";
const EXTENSIONS: [&str; 12] =
    ["rs", "lua", "css", "mjs", "md", "toml", "yml", "sh", "snap", "conf", "cnf", "html"];
/// Copies of scripts of an earlier version stay as they were, and these rules contain the words.
const EXEMPT: [&str; 3] = ["/old_scripts/", "xtask/src/tidy/", PAGE];

/// A row of the table.
#[derive(Debug, PartialEq)]
pub(super) struct Rule {
    words: Vec<String>,
    instead: String,
    /// A line that contains one of these may contain the words: public names that must stay.
    exceptions: Vec<String>,
}

/// Reads the table of the glossary. Without it, [`check_table`] has a finding.
pub(super) fn rules(glossary: &str) -> Vec<Rule> {
    let rows = glossary.lines().skip_while(|line| !line.starts_with(TABLE_HEAD)).skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .filter_map(|row| {
            let mut cells = row.trim_matches('|').split('|').map(str::trim);
            let words = cells.next()?.split(", ").map(str::to_owned).collect();
            let instead = cells.next()?.to_owned();
            let exceptions = cells.next().unwrap_or_default().split('`').skip(1).step_by(2);
            Some(Rule { words, instead, exceptions: exceptions.map(str::to_owned).collect() })
        })
        .collect()
}

/// A glossary without the table would rule out nothing, and no file could have a finding.
pub(super) fn check_table(rules: &[Rule]) -> Option<Finding> {
    rules.is_empty().then(|| Finding::new(PAGE, format!("has no table that begins with `{TABLE_HEAD}`")))
}

/// Every line of a file that contains a word of `rules`, and the file itself if its name does.
pub(super) fn check(name: &str, text: &str, rules: &[Rule]) -> Vec<Finding> {
    let is_checked = name.rsplit_once('.').is_some_and(|(_, extension)| EXTENSIONS.contains(&extension));
    if !is_checked || EXEMPT.iter().any(|it| name.contains(it)) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in std::iter::once(name).chain(text.lines()).enumerate() {
        let words = words(line);
        for rule in rules {
            let is_exception = || rule.exceptions.iter().any(|it| line.contains(it));
            if let Some(word) = rule.words.iter().find(|word| words.contains(word))
                && !is_exception()
            {
                let message = format!("`{word}` is not a word of this project: write {}", rule.instead);
                findings.push(Finding::new(format!("{name}:{number}"), message));
            }
        }
    }
    findings
}

/// The words of a line in lower case. Names are split: `BookingDesk` and `booking_desk` have two words.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower_case = false;
    for character in line.chars() {
        if !character.is_alphabetic() || (character.is_uppercase() && after_lower_case) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphabetic()) {
            word.extend(character.to_lowercase());
        }
        after_lower_case = character.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLOSSARY: &str = "# Glossary\n\n| word | meaning |\n|---|---|\n| desk | another table |\n\n\
        | not | write | except in |\n|---|---|---|\n| desk, desks | service | |\n\
        | grade | ticket type | `--grade`, `\"grade\"` |\n\nText\n";

    fn found(line: &str) -> usize {
        check("a.rs", line, &rules(GLOSSARY)).len()
    }

    #[test]
    fn the_table_is_read_to_its_end() {
        let rules = rules(GLOSSARY);
        assert_eq!(rules.len(), 2);
        assert_eq!((rules[0].words.len(), rules[1].exceptions.len()), (2, 2));
        assert_eq!(check_table(&rules), None);
    }

    #[test]
    fn a_glossary_without_the_table_is_found() {
        assert!(check_table(&rules("# Glossary\n\nText\n")).is_some());
    }

    #[test]
    fn a_ruled_out_word_is_found_in_names_and_prose() {
        assert_eq!(found("struct BookingDesk;"), 1);
        assert_eq!(found("let booking_desks = DESK;"), 1);
        assert_eq!(found("// The desk answers."), 1);
        assert_eq!(found("let desktop = upgrade;"), 0);
        assert_eq!(check("src/desk.rs", "", &rules(GLOSSARY)).len(), 1);
    }

    #[test]
    fn public_names_and_other_files_are_exempt() {
        assert_eq!(found("run(\"--grade\")"), 0);
        assert_eq!(found("run(grade)"), 1);
        assert_eq!(check(PAGE, "desk", &rules(GLOSSARY)), []);
        assert_eq!(check("a.png", "desk", &rules(GLOSSARY)), []);
    }
}
