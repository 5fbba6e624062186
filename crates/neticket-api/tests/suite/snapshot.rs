//! Prepares answers for snapshots: it replaces values that differ between runs by their kind.

use neticket_testkit::Answer;
use serde_json::{Value, json};

/// Status, chosen headers and body of an answer.
pub(crate) fn masked(answer: &Answer, headers: &[&str]) -> Value {
    let mut body = serde_json::from_str(&answer.text).unwrap_or_else(|_| Value::String(answer.text.clone()));
    mask(&mut body);
    let mut masked = json!({ "status": answer.status, "body": body });
    for name in headers {
        let mut value = Value::String(answer.header(name).to_owned());
        mask(&mut value);
        masked[*name] = value;
    }
    masked
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "id" if member.as_i64().is_some_and(|id| id > u32::MAX.into()) => *member = "[id]".into(),
                    "access_token" | "trace_id" => *member = format!("[{name}]").into(),
                    _ => mask(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::String(text) => {
            let is_moment = |word: &str| word.contains('T') && word.trim_end_matches('.').ends_with('Z');
            if text.split(' ').any(is_moment) {
                let words: Vec<&str> =
                    text.split(' ').map(|w| if is_moment(w) { "[time]" } else { w }).collect();
                *text = words.join(" ");
            } else if let Some((path, id)) = text.rsplit_once('/')
                && id.len() == 36
            {
                *text = format!("{path}/[id]");
            } else if text.len() == 36 && text.matches('-').count() == 4 {
                "[id]".clone_into(text);
            }
        }
        _ => {}
    }
}
