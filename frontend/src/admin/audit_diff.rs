//! What an entry of the audit log says has changed: the values that differ, one by one. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

/// A value before and after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Like `ticket_types[0].capacity`. Empty if the root itself is the value.
    pub(crate) path: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// All values that differ, ordered by path.
pub(crate) fn changes(before: Option<&Value>, after: Option<&Value>) -> Vec<Change> {
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    if let Some(before) = before {
        flatten(String::new(), before, &mut old);
    }
    if let Some(after) = after {
        flatten(String::new(), after, &mut new);
    }
    let mut paths: Vec<&String> = old.keys().chain(new.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
        .into_iter()
        .filter(|path| old.get(*path) != new.get(*path))
        .map(|path| Change {
            path: path.clone(),
            before: old.get(path).cloned(),
            after: new.get(path).cloned(),
        })
        .collect()
}

fn flatten(path: String, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(path, value, into);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, value) in items.iter().enumerate() {
                flatten(format!("{path}[{index}]"), value, into);
            }
        }
        // The same as a missing value.
        Value::Null => {}
        Value::String(text) => drop(into.insert(path, text.clone())),
        other => drop(into.insert(path, other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_different_values_are_changes() {
        let before =
            json!({ "paused": false, "epoch": 3, "ticket_types": [{ "capacity": 10, "name": "R" }] });
        let after = json!({ "paused": true, "epoch": 3, "ticket_types": [{ "capacity": 20, "name": "R" }] });
        let found = changes(Some(&before), Some(&after));
        let paths: Vec<&str> = found.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths, ["paused", "ticket_types[0].capacity"]);
        assert_eq!(found[1].before.as_deref(), Some("10"));
        assert_eq!(found[1].after.as_deref(), Some("20"));
    }

    #[test]
    fn a_null_counts_as_no_value() {
        let found =
            changes(Some(&json!({ "image_key": null, "closed": null })), Some(&json!({ "image_key": "k" })));
        assert_eq!(found, [Change { path: "image_key".into(), before: None, after: Some("k".into()) }]);
    }

    #[test]
    fn a_new_field_has_no_value_before() {
        let found = changes(None, Some(&json!({ "title": "<img>" })));
        assert_eq!(found, [Change { path: "title".into(), before: None, after: Some("<img>".into()) }]);
        assert_eq!(changes(None, None), []);
    }
}
