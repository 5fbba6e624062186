//! The built clients, which are held in memory.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use actix_web::http::header::{
    ACCEPT, AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    Encoding, EntityTag, Header as _, IF_NONE_MATCH, VARY,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::csp;

const INDEX: &str = "index.html";
/// The page of the administrators' client. Everyone may load it, because its data comes from endpoints that
/// require an administrator.
const ADMIN: &str = "admin.html";
/// A build has few files. If a folder has more than this, it is not a build.
const FILES_MAX: usize = 1000;
/// A file name with at least this many hexadecimal digits in a row contains a hash of the content.
const HASH_LEN_MIN: usize = 12;

/// All files of the built clients.
pub(crate) struct Client {
    /// By path, without a leading slash.
    assets: HashMap<String, Asset>,
    /// The Content-Security-Policy of each page.
    policies: HashMap<&'static str, String>,
}

struct Asset {
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
    content_type: &'static str,
    etag: EntityTag,
    immutable: bool,
}

impl Client {
    /// Reads the client from `folder`. `images_url`: where browsers find images, if not on this server.
    ///
    /// # Errors
    /// The folder cannot be read, has no `index.html`, or has too many files to be a build.
    pub(crate) fn load(folder: &Path, images_url: Option<&str>) -> io::Result<Self> {
        let mut files = HashMap::new();
        collect(folder, "", &mut files)?;
        if !files.contains_key(INDEX) {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("it has no {INDEX}")));
        }
        let policy = |page| {
            let html: &Bytes = files.get(page)?;
            Some((page, csp::of_client(&String::from_utf8_lossy(html), images_url)))
        };
        let policies = [INDEX, ADMIN].into_iter().filter_map(policy).collect();
        let assets = files
            .iter()
            .filter(|(path, _)| !is_variant(path, &files))
            .map(|(path, plain)| (path.clone(), Asset::new(path, plain, &files)))
            .collect();
        Ok(Self { assets, policies })
    }

    /// The answer for `path`: a file, or a page if the path could be a page of the client.
    pub(crate) fn answer(&self, path: &str, req: &HttpRequest) -> Option<HttpResponse> {
        if let Some(asset) = self.assets.get(path).filter(|_| !matches!(path, INDEX | ADMIN)) {
            return Some(respond(asset, None, req));
        }
        let page = self.page(path);
        let (asset, policy) = (self.assets.get(page)?, self.policies.get(page)?);
        wants_page(req, path).then(|| respond(asset, Some(policy.as_str()), req))
    }

    /// The page of the client that handles `path`, or that shows the message that there is no such page.
    fn page(&self, path: &str) -> &'static str {
        let inside = path == "admin" || path.starts_with("admin/");
        if inside && self.policies.contains_key(ADMIN) { ADMIN } else { INDEX }
    }
}

/// `policy`: the Content-Security-Policy, for pages only.
fn respond(asset: &Asset, policy: Option<&str>, req: &HttpRequest) -> HttpResponse {
    let cache = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = req.headers().get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    if known.contains(asset.etag.tag()) {
        return HttpResponse::NotModified()
            .insert_header((ETAG, asset.etag.clone()))
            .insert_header((CACHE_CONTROL, cache))
            .finish();
    }
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, asset.content_type))
        .insert_header((CACHE_CONTROL, cache))
        .insert_header((VARY, "Accept-Encoding"))
        .insert_header((ETAG, asset.etag.clone()));
    if let Some(policy) = policy {
        response.insert_header((CONTENT_SECURITY_POLICY, policy));
    }
    let (bytes, encoding) = asset.pick(req);
    if let Some(encoding) = encoding {
        response.insert_header((CONTENT_ENCODING, encoding));
    }
    response.body(bytes)
}

impl Asset {
    fn new(path: &str, plain: &Bytes, files: &HashMap<String, Bytes>) -> Self {
        Self {
            plain: plain.clone(),
            brotli: files.get(&format!("{path}.br")).cloned(),
            gzip: files.get(&format!("{path}.gz")).cloned(),
            content_type: content_type(path),
            // Weak, because the compressed forms have the same tag.
            etag: EntityTag::new_weak(URL_SAFE_NO_PAD.encode(&Sha256::digest(plain)[..16])),
            immutable: has_hash(path),
        }
    }

    /// The smallest form that the browser accepts, and its encoding.
    fn pick(&self, req: &HttpRequest) -> (Bytes, Option<&'static str>) {
        let accepted = AcceptEncoding::parse(req).ok();
        let takes = |encoding: Encoding| {
            let offered = [Encoding::identity(), encoding.clone()];
            accepted.as_ref().and_then(|accepted| accepted.negotiate(offered.iter())) == Some(encoding)
        };
        match (&self.brotli, &self.gzip) {
            (Some(brotli), _) if takes(Encoding::brotli()) => (brotli.clone(), Some("br")),
            (_, Some(gzip)) if takes(Encoding::gzip()) => (gzip.clone(), Some("gzip")),
            _ => (self.plain.clone(), None),
        }
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut HashMap<String, Bytes>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else if files.len() < FILES_MAX {
            files.insert(path, Bytes::from(std::fs::read(entry.path())?));
        } else {
            return Err(io::Error::other(format!("more than {FILES_MAX} files: this is not a built client")));
        }
    }
    Ok(())
}

/// Whether `path` is the compressed form of another file.
fn is_variant(path: &str, files: &HashMap<String, Bytes>) -> bool {
    [".br", ".gz"].iter().any(|end| path.strip_suffix(end).is_some_and(|plain| files.contains_key(plain)))
}

/// Whether the file name contains a hash of the content.
fn has_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split(['-', '_', '.'])
        .any(|part| part.len() >= HASH_LEN_MIN && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "jpg" | "jpeg" => "image/jpeg",
        "ico" => "image/x-icon",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Whether the request is for a page: it accepts HTML explicitly, or accepts anything and the path does not
/// look like a file.
fn wants_page(req: &HttpRequest, path: &str) -> bool {
    let accept = req.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let names_file = path.rsplit('/').next().is_some_and(|name| name.contains('.') && name != INDEX);
    accept.contains("text/html") || (accept.contains("*/*") && !names_file)
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::http::header::HeaderMap;
    use actix_web::test::TestRequest;

    use super::*;

    fn client() -> (Client, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str| std::fs::write(folder.path().join(name), content).unwrap();
        write("index.html", "<script>1</script>");
        write("app-0123456789abcdef.js", "plain");
        write("app-0123456789abcdef.js.br", "brotli");
        write("app-0123456789abcdef.js.gz", "gzip");
        std::fs::create_dir(folder.path().join("icons")).unwrap();
        write("icons/seat.svg", "<svg/>");
        (Client::load(folder.path(), None).unwrap(), folder)
    }

    fn get(client: &Client, path: &str, headers: &[(&'static str, &'static str)]) -> Option<HttpResponse> {
        let request =
            headers.iter().fold(TestRequest::get(), |request, header| request.insert_header(*header));
        client.answer(path, &request.to_http_request())
    }

    fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
        headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn hashed_assets_are_immutable_and_sent_compressed() {
        let (client, _folder) = client();
        for (accept, encoding) in [
            ("br, gzip", "br"),
            ("gzip", "gzip"),
            ("gzip, deflate, br;q=0", "gzip"),
            ("identity", ""),
            ("", ""),
        ] {
            let response = get(&client, "app-0123456789abcdef.js", &[("accept-encoding", accept)]).unwrap();
            assert_eq!(header(response.headers(), "content-encoding"), encoding, "{accept}");
            assert_eq!(header(response.headers(), "cache-control"), "public, max-age=31536000, immutable");
            assert_eq!(header(response.headers(), "content-type"), "text/javascript; charset=utf-8");
        }
        assert!(get(&client, "app-0123456789abcdef.js.br", &[]).is_none());
    }

    #[test]
    fn every_page_of_the_client_is_its_index_and_is_revalidated() {
        let (client, _folder) = client();
        for path in ["", "events/1", "index.html", "me"] {
            let response = get(&client, path, &[("accept", "text/html,*/*;q=0.8")]).unwrap();
            assert_eq!(header(response.headers(), "cache-control"), "no-cache");
            assert!(header(response.headers(), "content-security-policy").contains("'sha256-"));
        }
        let etag = client.assets[INDEX].etag.to_string();
        let known: &'static str = Box::leak(etag.into_boxed_str());
        let response = get(&client, "", &[("if-none-match", known)]).unwrap();
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn administration_has_its_own_page_and_policy() {
        let (_, folder) = client();
        std::fs::write(folder.path().join(ADMIN), "<script>2</script>").unwrap();
        let client = Client::load(folder.path(), None).unwrap();
        let policy = |path: &str| {
            let response = get(&client, path, &[("accept", "text/html")]).unwrap();
            header(response.headers(), "content-security-policy").to_owned()
        };
        assert_eq!(policy("admin"), policy("admin/events/7"));
        assert_ne!(policy("admin"), policy(""));
        assert_eq!(policy("administrators"), policy(""));
        // The page has no second name: a path like this belongs to the public client.
        assert_eq!(policy("admin.html"), policy(""));
    }

    #[test]
    fn without_the_admin_client_its_pages_are_the_public_index() {
        let (client, _folder) = client();
        let tag_and_policy = |path: &str| {
            let response = get(&client, path, &[("accept", "text/html")]).unwrap();
            ["etag", "content-security-policy"].map(|name| header(response.headers(), name).to_owned())
        };
        assert_eq!(tag_and_policy("admin/events"), tag_and_policy(""));
        assert_eq!(tag_and_policy("admin/events")[0], client.assets[INDEX].etag.to_string());
    }

    #[test]
    fn a_missing_file_is_not_answered_with_the_index() {
        let (client, _folder) = client();
        for path in ["gone-0123456789abcdef.js", "../Cargo.toml", "icons/gone.svg"] {
            assert!(get(&client, path, &[("accept", "*/*")]).is_none(), "{path}");
        }
        assert!(get(&client, "icons/seat.svg", &[]).is_some());
    }

    #[test]
    fn a_folder_without_an_index_is_refused_and_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Client::load(folder.path(), None).err().unwrap().to_string().contains("index.html"));
    }
}
