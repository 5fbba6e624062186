//! One request and its answer, through the browser's `fetch`.

use js_sys::{Date, Reflect};
use leptos::prelude::window;
use neticket_contract::Problem;
use neticket_domain::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestCache, RequestCredentials, RequestInit, Response};

use super::ApiError;
use crate::browser;
use crate::clock::Sample;

pub(crate) const BASE: &str = "/api/v1";
/// The timeout of a request, in milliseconds.
const TIMEOUT_MS: u32 = 20_000;
/// The timeout of a request with `kept`, in milliseconds.
const KEPT_TIMEOUT_MS: u32 = 45_000;

/// A request to the server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    /// The part after `/api/v1`.
    pub(crate) path: String,
    /// JSON.
    pub(crate) body: Option<String>,
    pub(crate) token: Option<String>,
    /// A header that only this operation has: name and value.
    pub(crate) header: Option<(&'static str, String)>,
    /// Whether to bypass all caches.
    pub(crate) fresh: bool,
    /// Whether the browser finishes the request, and stores the cookies of the answer, even if the person
    /// leaves the page.
    pub(crate) kept: bool,
    /// The user for whom alone this may be sent. `None`: the user who is signed in when it is called.
    pub(crate) user_id: Option<i64>,
}

pub(crate) fn get(path: String) -> Request {
    Request { method: "GET", path, ..Request::default() }
}

pub(crate) fn post<T: Serialize>(path: &str, body: &T) -> Request {
    // The contract's types have no maps and no parts that can fail, so serialising them always succeeds.
    Request { body: serde_json::to_string(body).ok(), ..Request { method: "POST", ..get(path.to_owned()) } }
}

/// The answer of the server.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    body: String,
    retry_after_s: Option<u32>,
    etag: Option<String>,
    sent_ms: i64,
    received_ms: i64,
    /// The `Date` header.
    date: Option<Timestamp>,
}

impl Answer {
    /// An answer that did not come through [`send`].
    pub(crate) fn of(status: u16, body: String, sent_ms: i64, received_ms: i64) -> Self {
        Self { status, body, retry_after_s: None, etag: None, sent_ms, received_ms, date: None }
    }

    /// The `ETag` header. Empty if there is none.
    pub(crate) fn etag(&self) -> String {
        self.etag.clone().unwrap_or_default()
    }

    /// The body of a success.
    ///
    /// # Errors
    /// [`ApiError::Refused`] if the server refused, [`ApiError::Unreadable`] if the answer does not follow
    /// the contract.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        self.ok()?;
        serde_json::from_str(&self.body).map_err(|_| ApiError::Unreadable(self.status))
    }

    /// Checks that the answer is a success. For answers without a body.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub(crate) fn ok(&self) -> Result<(), ApiError> {
        if (200..300).contains(&self.status) {
            return Ok(());
        }
        Err(serde_json::from_str::<Problem>(&self.body).map_or(
            ApiError::Unreadable(self.status),
            |problem| ApiError::Refused { problem: Box::new(problem), retry_after_s: self.retry_after_s },
        ))
    }

    /// A sample of the server's clock. `server` is the time that this answer contains.
    pub(crate) fn sample(&self, server: Timestamp) -> Sample {
        Sample::of(self.sent_ms, server, self.received_ms)
    }

    /// The same with the time of the `Date` header.
    pub(crate) fn coarse_sample(&self) -> Option<Sample> {
        self.date.map(|date| Sample::coarse(self.sent_ms, date, self.received_ms))
    }
}

/// Encodes a text as a part of a path or a query.
pub(crate) fn encode(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// Sends the request and waits for the answer.
///
/// # Errors
/// [`ApiError::Lost`] if no answer came. The server may have acted on the request.
pub(crate) async fn send(request: &Request) -> Result<Answer, ApiError> {
    let sent_ms = browser::now_ms();
    let options = options(request).map_err(|_| ApiError::Lost)?;
    let url = format!("{BASE}{}", request.path);
    let response: Response = JsFuture::from(window().fetch_with_str_and_init(&url, &options))
        .await
        .and_then(JsCast::dyn_into)
        .map_err(|_| ApiError::Lost)?;
    let received_ms = browser::now_ms();
    let body = read_body(&response).await.map_err(|_| ApiError::Lost)?;
    let header = |name: &str| response.headers().get(name).ok().flatten();
    Ok(Answer {
        status: response.status(),
        body,
        etag: header("ETag"),
        retry_after_s: header("Retry-After").and_then(|seconds| seconds.trim().parse().ok()),
        sent_ms,
        received_ms,
        date: header("Date").map(|date| Timestamp::from_millis(browser::whole(Date::parse(&date)))),
    })
}

fn options(request: &Request) -> Result<RequestInit, JsValue> {
    let headers = Headers::new()?;
    headers.set("Accept", "application/json, application/problem+json")?;
    if let Some(token) = &request.token {
        headers.set("Authorization", &format!("Bearer {token}"))?;
    }
    if let Some((name, value)) = &request.header {
        headers.set(name, value)?;
    }
    let options = RequestInit::new();
    options.set_method(request.method);
    options.set_credentials(RequestCredentials::SameOrigin);
    let timeout = if request.kept { KEPT_TIMEOUT_MS } else { TIMEOUT_MS };
    options.set_signal(Some(&AbortSignal::timeout_with_u32(timeout)));
    if request.kept {
        // The bindings have no setter for it.
        Reflect::set(&options, &"keepalive".into(), &JsValue::TRUE)?;
    }
    if request.fresh {
        options.set_cache(RequestCache::NoStore);
    }
    if let Some(body) = &request.body {
        headers.set("Content-Type", "application/json")?;
        options.set_body(&JsValue::from_str(body));
    }
    options.set_headers(&headers);
    Ok(options)
}

async fn read_body(response: &Response) -> Result<String, JsValue> {
    let text = JsFuture::from(response.text()?).await?;
    Ok(text.as_string().unwrap_or_default())
}
