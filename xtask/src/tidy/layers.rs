//! Which crate may import which: the table of crates in ARCHITECTURE.md, compared with `cargo metadata`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::finding::Finding;

/// The first cells of the table's head.
const TABLE_HEAD: &str = "| crate |";
/// What stands in the last column for a crate that may import every other one.
const ANYTHING: &str = "anything";

/// Each crate, and the crates that it may import, in its product and in its tests.
type Layers<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Crates for tests: everyone's tests may import them, the product may not.
const TEST_CRATES: [&str; 2] = ["neticket-testkit", "neticket-testservers"];

/// The feature that adds switches that break promises. Only tests may enable it, so that releases lack them.
const TESTING_FEATURE: &str = "testing";

/// Libraries that only some crates may name: how their names begin, and who may.
const LIBRARIES: [(&str, &[&str]); 5] = [
    ("sea-orm", &["neticket-store", "migrations"]),
    // The load test looks at the tables from outside.
    ("sqlx", &["neticket-store", "migrations", "neticket-loadtest"]),
    // The store's cache of events sits in Redis.
    ("redis", &["neticket-ledger", "neticket-store", "neticket-testkit", "neticket-loadtest"]),
    // The load test compares with servers of its own.
    ("actix", &["neticket-api", "neticket", "neticket-testkit", "neticket-loadtest"]),
    ("aws-sdk", &["neticket-media", "neticket-testkit"]),
];

/// Every import that the table in `architecture` does not allow, every crate outside the folder of its name,
/// and every row of the table without a crate.
pub(super) fn check(metadata: &Value, architecture: &str) -> Vec<Finding> {
    let layers = layers(architecture);
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let names: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let of_packages = packages.iter().flat_map(|package| check_package(package, &names, &layers));
    let rows = layers.iter().flat_map(|(name, allowed)| std::iter::once(name).chain(allowed));
    let unknown = rows.filter(|name| **name != ANYTHING && !names.contains(*name)).map(|name| {
        Finding::new(
            "ARCHITECTURE.md",
            format!("the table of crates contains `{name}`, which is not a crate"),
        )
    });
    of_packages.chain(unknown).collect()
}

/// Reads the table: the first cell of a row names the crate, the last one what it may import.
fn layers(architecture: &str) -> Layers<'_> {
    let rows = architecture.lines().skip_while(|line| !line.starts_with(TABLE_HEAD)).skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .filter_map(|row| {
            let mut cells = row.trim_matches('|').split('|').map(str::trim);
            let name = cells.next()?.trim_matches('`');
            let allowed = cells.next_back()?;
            Some((name, allowed.split(", ").map(|it| it.trim_matches('`')).filter(|it| *it != "–").collect()))
        })
        .collect()
}

fn check_package(package: &Value, workspace: &[&str], layers: &Layers<'_>) -> Vec<Finding> {
    let name = package["name"].as_str().unwrap_or_default();
    let mut findings = Vec::new();
    let manifest = package["manifest_path"].as_str().unwrap_or_default();
    if manifest.rsplit('/').nth(1) != Some(name) {
        findings.push(Finding::new(name, format!("is in a folder with another name: {manifest}")));
    }
    let Some(allowed) = layers.get(name) else {
        findings.push(Finding::new(name, "is not in the table of crates in ARCHITECTURE.md"));
        return findings;
    };
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let imported = dependency["name"].as_str().unwrap_or_default();
        let in_tests = dependency["kind"].as_str() == Some("dev");
        let broken = if workspace.contains(&imported) {
            !may_import(allowed, imported, in_tests) && imported != name
        } else {
            !may_name(name, imported)
        };
        if broken {
            let whose = if in_tests { "the tests of " } else { "" };
            let message =
                format!("{whose}{name} may not import {imported} (table of crates in ARCHITECTURE.md)");
            findings.push(Finding::new(name, message));
        }
        let enables_testing =
            dependency["features"].as_array().is_some_and(|it| it.iter().any(|it| it == TESTING_FEATURE));
        if enables_testing && !in_tests && name != TEST_CRATES[0] {
            let message = format!("enables the feature `{TESTING_FEATURE}` of {imported} outside its tests");
            findings.push(Finding::new(name, message));
        }
    }
    for (feature, enabled) in package["features"].as_object().into_iter().flatten() {
        let is_testing = |it: &str| it == TESTING_FEATURE || it.ends_with("/testing");
        if enabled.as_array().into_iter().flatten().filter_map(Value::as_str).any(is_testing) {
            findings.push(Finding::new(name, format!("its feature `{feature}` enables `{TESTING_FEATURE}`")));
        }
    }
    findings
}

fn may_import(allowed: &[&str], imported: &str, in_tests: bool) -> bool {
    let for_tests = in_tests && TEST_CRATES.contains(&imported);
    for_tests || allowed == [ANYTHING] || allowed.contains(&imported)
}

fn may_name(name: &str, library: &str) -> bool {
    let rule = LIBRARIES.iter().find(|(start, _)| library.starts_with(start));
    rule.is_none_or(|(_, allowed)| allowed.contains(&name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TABLE: &str = "# Crates\n\n| crate | what it contains | may import |\n|---|---|---|\n\
        | `neticket-domain` | ids | – |\n\
        | `neticket-store` | SQL, `lua/` | `neticket-domain`, `migrations` |\n\
        | `neticket-app` | use cases | `neticket-domain`, `neticket-store` |\n\
        | `neticket-api` | routes | `neticket-app`, `neticket-domain` |\n\
        | `neticket-testkit` | tests | anything |\n\nText\n| `not-a-crate` | of another table | – |\n";

    #[test]
    fn the_table_is_read_to_its_end() {
        let layers = layers(TABLE);
        assert_eq!(layers.len(), 5);
        assert_eq!(layers["neticket-domain"], [""; 0]);
        assert_eq!(layers["neticket-store"], ["neticket-domain", "migrations"]);
    }

    #[test]
    fn a_row_without_a_crate_is_found() {
        let package = json!({ "name": "neticket-domain", "manifest_path": "/x/neticket-domain/Cargo.toml" });
        let found = check(&json!({ "packages": [package] }), TABLE);
        assert!(
            found.iter().any(|it| it.message.contains("`neticket-app`, which is not a crate")),
            "{found:?}"
        );
    }

    fn findings(name: &str, imported: &str, kind: Option<&str>) -> Vec<Finding> {
        let package = json!({
            "name": name,
            "manifest_path": format!("/somewhere/{name}/Cargo.toml"),
            "dependencies": [{ "name": imported, "kind": kind }],
        });
        let names = ["neticket-domain", "neticket-store", "neticket-api", "neticket-testkit"];
        check_package(&package, &names, &layers(TABLE))
    }

    #[test]
    fn an_edge_of_the_table_is_accepted() {
        assert_eq!(findings("neticket-store", "neticket-domain", None), []);
        assert_eq!(findings("neticket-store", "sea-orm", None), []);
        assert_eq!(findings("neticket-domain", "uuid", None), []);
    }

    #[test]
    fn an_edge_against_the_table_is_found() {
        let found = findings("neticket-api", "neticket-store", None);
        assert!(found[0].message.contains("may not import neticket-store"), "{found:?}");
        assert_eq!(findings("neticket-api", "neticket-store", Some("dev")).len(), 1);
        assert_eq!(findings("neticket-domain", "neticket-domain", Some("dev")).len(), 0);
    }

    #[test]
    fn a_library_of_another_layer_is_found() {
        assert_eq!(findings("neticket-app", "sea-orm-migration", None).len(), 1);
        assert_eq!(findings("neticket-app", "redis", None).len(), 1);
        assert_eq!(findings("neticket-store", "actix-web", None).len(), 1);
    }

    #[test]
    fn only_tests_import_the_testkit() {
        assert_eq!(findings("neticket-api", "neticket-testkit", Some("dev")), []);
        assert_eq!(findings("neticket-api", "neticket-testkit", None).len(), 1);
    }

    #[test]
    fn only_tests_enable_the_switches_that_break_promises() {
        let enabled_by = |name: &str, kind: Option<&str>| {
            let package = json!({
                "name": name,
                "manifest_path": format!("/somewhere/{name}/Cargo.toml"),
                "dependencies": [{ "name": "neticket-store", "kind": kind, "features": ["testing"] }],
            });
            check_package(&package, &["neticket-store"], &layers(TABLE))
        };
        assert_eq!(enabled_by("neticket-testkit", None), []);
        assert_eq!(enabled_by("neticket-app", Some("dev")), []);
        assert!(enabled_by("neticket-app", None)[0].message.contains("outside its tests"));
        let package = json!({
            "name": "neticket-store",
            "manifest_path": "/somewhere/neticket-store/Cargo.toml",
            "features": { "default": ["testing"], "testing": [] },
        });
        assert!(
            check_package(&package, &[], &layers(TABLE))[0].message.contains("feature `default` enables")
        );
    }

    #[test]
    fn a_crate_outside_the_table_or_in_another_folder_is_found() {
        assert!(findings("neticket-utils", "uuid", None)[0].message.contains("not in the table"));
        let package = json!({ "name": "neticket-domain", "manifest_path": "/somewhere/domain/Cargo.toml" });
        assert!(check_package(&package, &[], &layers(TABLE))[0].message.contains("folder with another name"));
    }
}
