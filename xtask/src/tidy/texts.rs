//! Rules for the text of single files.

use std::path::Path;

use super::finding::Finding;

/// Files should stay below this many lines.
const LINES_ADVISED: usize = 500;
/// A file with more lines must be split.
const LINES_MAX: usize = 650;
const DIVIDED: [&str; 3] = ["rs", "lua", "css"];
/// These files contain the words for which they search.
const THESE_RULES: &str = "xtask/src/tidy/";

/// Words that must not stay in code, and why.
const UNFINISHED: [(&str, &str); 6] = [
    ("todo!", "is unfinished work"),
    ("unimplemented!", "is unfinished work"),
    ("dbg!", "is left over from debugging"),
    ("FIXME", "is unfinished work: finish it, or move it to the list of planned work"),
    ("XXX", "is unfinished work: finish it, or move it to the list of planned work"),
    ("#[ignore", "disables a test: fix it or delete it"),
];

/// The store's switch that turns its guard off, to prove that tests would notice.
const GUARD_SWITCH: &str = "without_guard";
const GUARD_SWITCH_PLACES: [&str; 3] =
    ["crates/neticket-store/src/connect.rs", "crates/neticket-app/tests/", "crates/neticket-testkit/"];

/// The ledger's method that deletes a ledger with its journal, to prove that nothing depends on it.
const LOSS: &str = ".drop_for_test(";
const LOSS_PLACES: [&str; 2] = ["crates/neticket-ledger/", "crates/neticket-testkit/"];

/// Paths that exist only on this machine: the home of the user who runs this, and the checkout.
pub(super) fn machine_paths(home: Option<&Path>, root: &Path) -> Vec<String> {
    // A checkout directly below `/`, as in containers, has a name that other paths share.
    let root = (root.components().count() > 2).then_some(root);
    let home = home.filter(|home| home.components().count() > 1);
    home.into_iter().chain(root).map(|path| path.display().to_string()).collect()
}

/// All findings about one file. It must not contain any of `machine_paths`.
pub(super) fn check(name: &str, text: &str, machine_paths: &[String]) -> Vec<Finding> {
    if name.starts_with(THESE_RULES) {
        return check_shape(name, text);
    }
    let mut findings = check_shape(name, text);
    for (index, line) in text.lines().enumerate() {
        let place = || format!("{name}:{}", index + 1);
        findings.extend(
            check_line(name, line, machine_paths).into_iter().map(|message| Finding::new(place(), message)),
        );
    }
    findings
}

/// Advice about a file that breaks no rule.
pub(super) fn advice(name: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    let is_long = is_divided(name) && lines > LINES_ADVISED && lines <= LINES_MAX;
    is_long.then(|| format!("note: {name} has {lines} lines; files should have less than {LINES_ADVISED}"))
}

fn check_shape(name: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if is_divided(name) && lines > LINES_MAX {
        findings.push(Finding::new(
            name,
            format!("has {lines} lines, but at most {LINES_MAX} are allowed: split it"),
        ));
    }
    if is_rust(name) && !text.starts_with("//!") {
        findings.push(Finding::new(name, "does not begin with a `//!` that says what lives here and why"));
    }
    findings
}

fn check_line(name: &str, line: &str, machine_paths: &[String]) -> Vec<String> {
    let mut messages = Vec::new();
    if is_rust(name) {
        let broken = UNFINISHED.iter().filter(|(word, _)| contains_word(line, word));
        messages.extend(broken.map(|(word, why)| format!("`{word}` {why}")));
        let may_switch = GUARD_SWITCH_PLACES.iter().any(|place| name.starts_with(place)) || is_test(name);
        if line.contains(GUARD_SWITCH) && !may_switch {
            messages.push(format!("`{GUARD_SWITCH}` is only for tests of the store and the booking engine"));
        }
        let may_lose = LOSS_PLACES.iter().any(|place| name.starts_with(place)) || is_test(name);
        if line.contains(LOSS) && !may_lose {
            messages.push(format!("`{LOSS}…)` drops a ledger that may have a journal: it is only for tests"));
        }
    }
    if let Some(path) = machine_paths.iter().find(|path| contains_path(line, path)) {
        messages.push(format!("`{path}…` is a path of one machine"));
    }
    if name.ends_with("package-lock.json") && line.contains("\"resolved\": \"http") {
        messages.push(
            "the lock file names a registry's host: set omit-lockfile-registry-resolved in .npmrc".into(),
        );
    }
    messages
}

fn is_divided(name: &str) -> bool {
    DIVIDED.iter().any(|extension| has_extension(name, extension))
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|own| own == extension)
}

fn is_rust(name: &str) -> bool {
    has_extension(name, "rs")
}

fn is_test(name: &str) -> bool {
    name.contains("/tests/") || name.ends_with("/tests.rs") || name.ends_with("_tests.rs")
}

/// Whether `line` contains `word`, and not only as the end of a longer word.
fn contains_word(line: &str, word: &str) -> bool {
    let ends_longer_word = |start: usize| line[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(start, _)| !ends_longer_word(start))
}

/// Whether `line` contains `path` or a path below it. In the middle of a longer path or of an address, it is
/// another path.
fn contains_path(line: &str, path: &str) -> bool {
    let is_inside =
        |start: usize| line[..start].ends_with(|c: char| c.is_alphanumeric() || "._-~/*}".contains(c));
    let is_longer_word =
        |end: usize| line[end..].starts_with(|c: char| c.is_alphanumeric() || "._-~".contains(c));
    line.match_indices(path).any(|(start, _)| !is_inside(start) && !is_longer_word(start + path.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str) -> Vec<Finding> {
        let paths = machine_paths(Some(Path::new("/home/somebody")), Path::new("/srv/checkout"));
        super::check(name, text, &paths)
    }

    fn messages(name: &str, text: &str) -> Vec<String> {
        check(name, text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_that_keeps_the_rules_has_no_findings() {
        assert_eq!(check("crates/a/src/lib.rs", "//! Why.\nfn my_todo() {}\n"), []);
        assert_eq!(check("README.md", "see /api/home/somebody and https://host/home/somebody\n"), []);
        assert_eq!(check("deploy.sh", "cd $HOME/srv/checkout /home/somebody-else\n"), []);
    }

    #[test]
    fn a_rust_file_without_an_opening_comment_is_found() {
        assert!(messages("crates/a/src/lib.rs", "fn main() {}\n")[0].contains("does not begin with"));
    }

    #[test]
    fn a_file_that_is_too_long_is_found() {
        let long = format!("//! Why.\n{}", "\n".repeat(LINES_MAX));
        assert!(messages("a.rs", &long)[0].contains("split it"));
        assert!(messages("a.css", &long)[0].contains("split it"));
        assert_eq!(check("a.json", &long), []);
    }

    #[test]
    fn a_long_file_gets_a_note_before_it_is_too_long() {
        assert!(advice("a.rs", &"\n".repeat(LINES_ADVISED + 1)).is_some());
        assert_eq!(advice("a.rs", &"\n".repeat(LINES_ADVISED)), None);
        assert_eq!(advice("a.json", &"\n".repeat(LINES_ADVISED + 1)), None);
    }

    #[test]
    fn unfinished_work_is_found_with_its_line() {
        for (word, _) in UNFINISHED {
            let found = messages("a.rs", &format!("//! Why.\n    {word}(\n"));
            assert!(found.len() == 1 && found[0].starts_with("a.rs:2: "), "{word}: {found:?}");
        }
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        assert_eq!(messages("a.toml", "dir = \"/home/somebody/.cargo\"\n").len(), 1);
        assert_eq!(messages("a.sh", "cd /srv/checkout\n").len(), 1);
    }

    #[test]
    fn a_home_or_a_checkout_with_a_common_name_is_no_path_of_one_machine() {
        assert_eq!(machine_paths(Some(Path::new("/")), Path::new("/app")), [""; 0]);
        assert_eq!(machine_paths(None, Path::new("/srv/checkout")), ["/srv/checkout"]);
    }

    #[test]
    fn the_guard_switch_is_only_for_tests() {
        let line = "//! Why.\nstore.without_guard();\n";
        assert_eq!(messages("crates/neticket-app/src/booking.rs", line).len(), 1);
        assert_eq!(check("crates/neticket-app/tests/booking.rs", line), []);
        assert_eq!(check("crates/neticket-store/src/connect.rs", line), []);
        assert_eq!(messages("crates/neticket-store/src/lib.rs", line).len(), 1);
    }

    #[test]
    fn dropping_a_ledger_is_only_for_tests() {
        let line = "//! Why.\nledger.drop_for_test(event).await?;\n";
        assert_eq!(messages("crates/neticket-app/src/booking.rs", line).len(), 1);
        assert_eq!(check("crates/neticket-app/tests/booking.rs", line), []);
        assert_eq!(check("crates/neticket-testkit/src/test_env.rs", line), []);
    }

    #[test]
    fn a_lock_file_that_names_a_host_is_found() {
        let line = "  \"resolved\": \"https://registry.example/a.tgz\",\n";
        assert_eq!(messages("frontend/e2e/package-lock.json", line).len(), 1);
    }
}
