//! The Content-Security-Policy headers: what each kind of page may load and run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// For all answers that are not a page.
pub(crate) const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// For images. Nothing runs, even if a browser opens an image by itself and it is an SVG.
pub(crate) const IMAGE: &str =
    "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

/// For Swagger UI, which sets styles on its elements and draws icons from data URLs.
pub(crate) const DOCS: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// For the client with the page `html`. Only its own inline scripts run. If browsers do not get images from
/// this server, images may also come from the origin of `images_url`.
pub(crate) fn of_client(html: &str, images_url: Option<&str>) -> String {
    let mut scripts = vec!["'self'".to_owned(), "'wasm-unsafe-eval'".to_owned()];
    scripts.extend(inline_scripts(html).map(hash));
    let scripts = scripts.join(" ");
    let images = images_url.map(|url| format!(" {}", origin(url))).unwrap_or_default();
    format!(
        "default-src 'self'; script-src {scripts}; style-src 'self'; \
         img-src 'self' data: blob:{images}; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + "://".len());
    url[host..].find('/').map_or(url, |end| &url[..host + end])
}

/// For a page that has one inline style sheet and loads nothing else.
pub(crate) fn of_styled_page(style: &str) -> String {
    format!(
        "default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(style)
    )
}

/// The CSP source expression that allows exactly `text`.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// The text of each script element that has no `src`.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    let lower = html.to_ascii_lowercase();
    let mut scripts = Vec::new();
    let mut from = 0;
    while let Some(start) = lower[from..].find("<script").map(|at| from + at) {
        let Some(open_end) = lower[start..].find('>').map(|at| start + at + 1) else { break };
        let Some(end) = lower[open_end..].find("</script").map(|at| open_end + at) else { break };
        if !lower[start..open_end].contains(" src=") {
            scripts.push(&html[open_end..end]);
        }
        from = end;
    }
    scripts.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inline_scripts_of_the_client_are_allowed_by_their_hash() {
        let html = "<html><script src=\"/a.js\"></script><SCRIPT type=module>import 'x';\n</SCRIPT><script>1</script>";
        assert_eq!(inline_scripts(html).collect::<Vec<_>>(), ["import 'x';\n", "1"]);
        let policy = of_client(html, None);
        // printf 1 | openssl dgst -sha256 -binary | base64
        assert!(policy.contains("'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s='"), "{policy}");
        assert!(policy.starts_with("default-src 'self'; script-src 'self' 'wasm-unsafe-eval' 'sha256-"));
        assert!(!policy.contains("unsafe-inline"));
    }

    #[test]
    fn the_image_store_may_provide_images_and_nothing_else() {
        for (url, origin) in [
            ("https://img.example.com", "https://img.example.com"),
            ("http://127.0.0.1:9000/tickets", "http://127.0.0.1:9000"),
        ] {
            let policy = of_client("", Some(url));
            assert!(policy.contains(&format!("; img-src 'self' data: blob: {origin};")), "{policy}");
            assert_eq!(policy.matches(origin).count(), 1, "{policy}");
        }
        assert!(of_client("", None).contains("img-src 'self' data: blob:;"));
    }
}
