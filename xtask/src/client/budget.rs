//! Checks the size of the clients: the compressed bytes that the first page of each loads.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::compress;
use crate::workspace::Workspace;

/// The limits for a page with its scripts, WebAssembly and styles, compressed with brotli. Administration may
/// be larger, because only a few people load it.
const BUDGETS_BYTES: [(&str, usize); 2] = [("index.html", 250_000), ("admin.html", 350_000)];
const EXTENSIONS: [&str; 3] = ["js", "wasm", "css"];

/// Adds up the sizes of all files that each page names.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    for (page, budget) in BUDGETS_BYTES {
        let total = total(&workspace.dist(), page)?;
        println!("{total:>8} bytes in total after brotli compression; the budget of {page} is {budget}");
        ensure!(total <= budget, "{page} is {} bytes over its budget", total - budget);
    }
    Ok(())
}

fn total(dist: &Path, page: &str) -> Result<usize> {
    let html = fs::read_to_string(dist.join(page)).context("the client is not built")?;
    let mut total = 0;
    for name in std::iter::once(page).chain(assets(&html)) {
        let bytes = compressed_len(&dist.join(name))?;
        println!("{bytes:>8} bytes  {name}");
        total += bytes;
    }
    Ok(total)
}

/// The client's own files that a page names, each once.
fn assets(page: &str) -> Vec<&str> {
    let mut names: Vec<&str> = page
        // Minified pages omit quotes.
        .split(|c: char| c.is_whitespace() || "\"'`=<>".contains(c))
        .filter_map(|word| word.strip_prefix('/').or_else(|| word.strip_prefix("./")))
        .filter(|name| {
            EXTENSIONS.iter().any(|known| Path::new(name).extension().is_some_and(|own| own == *known))
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn compressed_len(path: &Path) -> Result<usize> {
    let prepared = compress::with_suffix(path, ".br");
    let content = if prepared.exists() {
        fs::read(&prepared)?
    } else {
        fs::read(path)
            .with_context(|| format!("the page refers to {}, which does not exist", path.display()))?
    };
    Ok(content.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_counts_once() {
        let page = r#"<link rel="modulepreload" href="/app-1.js"><link href=/style.css rel=stylesheet>
            <link rel="preload" href="/app-1_bg.wasm"><script>import init from '/app-1.js';</script>
            <a href="/events">"#;
        assert_eq!(assets(page), ["app-1.js", "app-1_bg.wasm", "style.css"]);
    }
}
