//! Every dependency must have a reason: a line in CONTRIBUTING.md that names it.

use super::finding::Finding;

/// Compares `[workspace.dependencies]` of the root manifest with the names in backticks in CONTRIBUTING.md.
pub(super) fn check(manifest: &str, reasons: &str) -> Vec<Finding> {
    let unexplained = names(manifest).filter(|name| !reasons.contains(&format!("`{name}`")));
    unexplained
        .map(|name| {
            let message =
                format!("does not explain why `{name}` is a dependency (the name must be in backticks)");
            Finding::new("CONTRIBUTING.md", message)
        })
        .collect()
}

/// The dependencies that are not part of the workspace.
fn names(manifest: &str) -> impl Iterator<Item = &str> {
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.contains("path = "))
        .filter_map(|line| line.split_once('=').map(|(name, _)| name.trim()))
        .filter(|name| !name.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[workspace]\nmembers = []\n\n[workspace.dependencies]\n\
        own = { path = \"own\" }\n# why = see there\nserde = { version = \"1\" }\nuuid = \"1\"\n\n[profile.dev]\ndebug = 1\n";

    #[test]
    fn explained_dependencies_are_accepted() {
        assert_eq!(check(MANIFEST, "- `serde`, `uuid`: the wire"), []);
    }

    #[test]
    fn an_unexplained_dependency_is_found() {
        let found = check(MANIFEST, "- `serde`: the wire; uuid without backticks");
        assert_eq!(found.len(), 1);
        assert!(found[0].message.contains("`uuid`"), "{found:?}");
    }
}
