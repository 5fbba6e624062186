//! Which crate may import which: the table of ARCHITECTURE.md, held against `cargo metadata`.

use serde_json::Value;

use super::Finding;

/// Each crate and which of the others it may import, in the product as in its tests.
const LAYERS: [(&str, &[&str]); 14] = [
    ("neticket-domain", &[]),
    ("neticket-contract", &["neticket-domain"]),
    ("neticket-ledger", &["neticket-domain"]),
    ("migrations", &[]),
    ("neticket-store", &["neticket-domain", "migrations"]),
    ("neticket-media", &[]),
    ("neticket-app", &["neticket-domain", "neticket-ledger", "neticket-store", "neticket-media"]),
    ("neticket-api", &["neticket-app", "neticket-domain", "neticket-contract"]),
    (
        "neticket",
        &[
            "neticket-api",
            "neticket-app",
            "migrations",
            "neticket-domain",
            "neticket-contract",
            "neticket-media",
            "neticket-store",
        ],
    ),
    ("neticket-loadtest", &["neticket-contract", "neticket-domain"]),
    ("neticket-testkit", ANYTHING),
    ("neticket-testservers", &[]),
    ("xtask", &["neticket-testservers"]),
    ("frontend", &["neticket-contract", "neticket-domain"]),
];
const ANYTHING: &[&str] = &["*"];

/// Crates for tests: everyone's tests may import them, the product may not.
const TEST_CRATES: [&str; 2] = ["neticket-testkit", "neticket-testservers"];

/// Libraries that only some crates may name: how their names begin, and who may.
const LIBRARIES: [(&str, &[&str]); 5] = [
    ("sea-orm", &["neticket-store", "migrations"]),
    // The load test looks at the tables from outside.
    ("sqlx", &["neticket-store", "migrations", "neticket-loadtest"]),
    // The store's read cache sits in Redis.
    ("redis", &["neticket-ledger", "neticket-store", "neticket-testkit", "neticket-loadtest"]),
    // The load test compares with servers of its own.
    ("actix", &["neticket-api", "neticket", "neticket-testkit", "neticket-loadtest"]),
    ("aws-sdk", &["neticket-media", "neticket-testkit"]),
];

/// Every edge that the table does not allow, and every crate that is not in the folder of its name.
pub(super) fn check(metadata: &Value) -> Vec<Finding> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let names: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    packages.iter().flat_map(|package| check_package(package, &names)).collect()
}

fn check_package(package: &Value, workspace: &[&str]) -> Vec<Finding> {
    let name = package["name"].as_str().unwrap_or_default();
    let mut findings = Vec::new();
    let manifest = package["manifest_path"].as_str().unwrap_or_default();
    if manifest.rsplit('/').nth(1) != Some(name) {
        findings.push(Finding::new(name, format!("lies in a folder of another name: {manifest}")));
    }
    let Some((_, allowed)) = LAYERS.iter().find(|(known, _)| *known == name) else {
        findings.push(Finding::new(
            name,
            "is not in the table of layers: xtask/src/tidy/layers.rs, ARCHITECTURE.md",
        ));
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
                format!("{whose}{name} may not import {imported} (table of layers in ARCHITECTURE.md)");
            findings.push(Finding::new(name, message));
        }
    }
    findings
}

fn may_import(allowed: &[&str], imported: &str, in_tests: bool) -> bool {
    let for_tests = in_tests && TEST_CRATES.contains(&imported);
    for_tests || allowed == ANYTHING || allowed.contains(&imported)
}

fn may_name(name: &str, library: &str) -> bool {
    let rule = LIBRARIES.iter().find(|(start, _)| library.starts_with(start));
    rule.is_none_or(|(_, allowed)| allowed.contains(&name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn findings(name: &str, imported: &str, kind: Option<&str>) -> Vec<Finding> {
        let package = json!({
            "name": name,
            "manifest_path": format!("/somewhere/{name}/Cargo.toml"),
            "dependencies": [{ "name": imported, "kind": kind }],
        });
        check_package(&package, &["neticket-domain", "neticket-store", "neticket-api", "neticket-testkit"])
    }

    #[test]
    fn an_edge_of_the_table_is_fine() {
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
    fn a_crate_outside_the_table_or_in_another_folder_is_found() {
        assert!(findings("neticket-utils", "uuid", None)[0].message.contains("not in the table"));
        let package = json!({ "name": "neticket-domain", "manifest_path": "/somewhere/domain/Cargo.toml" });
        assert!(check_package(&package, &[])[0].message.contains("folder of another name"));
    }
}
