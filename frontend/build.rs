//! Turns the translation files into code: an enum with one variant per key and a table per language. A key or a
//! placeholder that one language has and the other has not fails the build; a key that no code uses is dead code.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const LANGUAGES: [&str; 2] = ["ko", "en"];

/// A table of texts is long, and some texts are the same.
const LINTS: &str = r#"#[allow(clippy::too_many_lines, clippy::match_same_arms, reason = "generated")]"#;

type Texts = BTreeMap<String, String>;

fn main() -> Result<(), Box<dyn Error>> {
    if env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        // Functions' names are several times the size of the functions. What wasm-bindgen reads has to stay.
        println!("cargo::rustc-link-arg-bins=--strip-all");
        println!("cargo::rustc-link-arg-bins=--keep-section=target_features");
    }
    let mut languages = Vec::new();
    for language in LANGUAGES {
        let path = format!("locales/{language}.json");
        println!("cargo::rerun-if-changed={path}");
        let texts: Texts =
            serde_json::from_str(&fs::read_to_string(&path)?).map_err(|error| format!("{path}: {error}"))?;
        languages.push((language, texts));
    }
    let [(_, first), (other_name, other)] = languages.as_slice() else {
        return Err("two languages were expected".into());
    };
    let faults = differences(first, other);
    if !faults.is_empty() {
        return Err(format!("locales/{other_name}.json differs: {}", faults.join("; ")).into());
    }
    let code = generate(first, &languages)?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("texts.rs"), code)?;
    Ok(())
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

/// The names between braces.
fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

fn generate(keys: &Texts, languages: &[(&str, Texts)]) -> Result<String, Box<dyn Error>> {
    let mut code = String::from(
        "/// Every text there is.\n#[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub(crate) enum T {\n",
    );
    for key in keys.keys() {
        writeln!(code, "    {},", variant(key))?;
    }
    code.push_str("}\n");
    for (language, texts) in languages {
        writeln!(code, "{LINTS}\nfn {language}(key: T) -> &'static str {{\n    match key {{")?;
        for (key, text) in texts {
            writeln!(code, "        T::{} => {text:?},", variant(key))?;
        }
        code.push_str("    }\n}\n");
    }
    Ok(code)
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
