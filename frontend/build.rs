//! Turns the translation files into code: one constant per key, with its text in each language. The build
//! fails if a key or a placeholder is missing in one language. A key that no code uses is reported as dead
//! code.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const LANGUAGES: [&str; 2] = ["ko", "en"];
/// The folders of the translations: texts of both clients, and texts of administration.
const FOLDERS: [&str; 2] = ["locales", "locales/admin"];

type Texts = BTreeMap<String, String>;

fn main() -> Result<(), Box<dyn Error>> {
    if env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        // The names of functions take several times as much space as the functions themselves. The section
        // that wasm-bindgen reads has to stay.
        println!("cargo::rustc-link-arg-bins=--strip-all");
        println!("cargo::rustc-link-arg-bins=--keep-section=target_features");
    }
    let mut code =
        String::from("#[allow(non_upper_case_globals, reason = \"named like variants\")]\nimpl Msg {\n");
    let mut known = BTreeSet::new();
    for folder in FOLDERS {
        let [first, other] = LANGUAGES.map(|language| read(&format!("{folder}/{language}.json")));
        let (first, other) = (first?, other?);
        let faults = differences(&first, &other);
        if !faults.is_empty() {
            return Err(format!("{folder}: the languages differ: {}", faults.join("; ")).into());
        }
        for (key, text) in &first {
            if !known.insert(key.clone()) {
                return Err(format!("{folder}: {key} is there twice").into());
            }
            let texts = (text, &other[key]);
            writeln!(
                code,
                "    pub(crate) const {}: Self = Self(&[{:?}, {:?}]);",
                variant(key),
                texts.0,
                texts.1
            )?;
        }
    }
    code.push_str("}\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("texts.rs"), code)?;
    Ok(())
}

fn read(path: &str) -> Result<Texts, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={path}");
    Ok(serde_json::from_str(&fs::read_to_string(path)?).map_err(|error| format!("{path}: {error}"))?)
}

fn differences(first: &Texts, other: &Texts) -> Vec<String> {
    let keys: BTreeSet<&String> = first.keys().chain(other.keys()).collect();
    keys.into_iter()
        .filter_map(|key| match (first.get(key), other.get(key)) {
            (Some(a), Some(b)) if placeholders(a) == placeholders(b) => None,
            (Some(_), Some(_)) => Some(format!("{key} has other placeholders")),
            _ => Some(format!("{key} is missing in one of them")),
        })
        .collect()
}

/// The names between braces in `text`.
fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

/// `home.title_long` becomes `HomeTitleLong`.
fn variant(key: &str) -> String {
    key.split(['.', '_'])
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
        })
        .collect::<Option<String>>()
        .unwrap_or_default()
}
