//! Uploads a file and reports the progress, which `fetch` cannot do.

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::{Closure, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FormData, ProgressEvent, XmlHttpRequest};

use crate::api::{Answer, ApiError, BASE};
use crate::browser;

/// The longest time for an upload: 5 MiB over a slow line.
const TIMEOUT_MS: u32 = 180_000;

/// Holds the upload that is under way, so that it can be aborted.
pub(crate) type Abort = StoredValue<Option<XmlHttpRequest>, LocalStorage>;

/// Posts `file` as the field `file` of a form.
///
/// # Errors
/// [`ApiError::Lost`] if no answer came or the upload was aborted.
pub(crate) async fn send(
    path: &str,
    file: &File,
    token: Option<String>,
    progress: impl Fn(f64) + 'static,
    abort: Abort,
) -> Result<Answer, ApiError> {
    let sent_ms = browser::now_ms();
    let request = XmlHttpRequest::new().map_err(|_| ApiError::Lost)?;
    let on_progress = Closure::<dyn FnMut(ProgressEvent)>::new(move |event: ProgressEvent| {
        if event.total() > 0.0 {
            progress(event.loaded() / event.total());
        }
    });
    let ended = js_sys::Promise::new(&mut |resolve, _| request.set_onloadend(Some(&resolve)));
    begin(&request, path, file, token, &on_progress).map_err(|_| ApiError::Lost)?;
    abort.try_set_value(Some(request.clone()));
    let _ = JsFuture::from(ended).await;
    // Another upload may have replaced it.
    abort.try_update_value(|held| {
        if held.as_ref() == Some(&request) {
            *held = None;
        }
    });
    let status = request.status().unwrap_or(0);
    if status == 0 {
        return Err(ApiError::Lost);
    }
    let body = request.response_text().ok().flatten().unwrap_or_default();
    Ok(Answer::of(status, body, sent_ms, browser::now_ms()))
}

fn begin(
    request: &XmlHttpRequest,
    path: &str,
    file: &File,
    token: Option<String>,
    on_progress: &Closure<dyn FnMut(ProgressEvent)>,
) -> Result<(), JsValue> {
    let form = FormData::new()?;
    form.append_with_blob_and_filename("file", file, &file.name())?;
    request.open("POST", &format!("{BASE}{path}"))?;
    request.set_timeout(TIMEOUT_MS);
    request.set_request_header("Accept", "application/json, application/problem+json")?;
    if let Some(token) = token {
        request.set_request_header("Authorization", &format!("Bearer {token}"))?;
    }
    request.upload()?.set_onprogress(Some(on_progress.as_ref().unchecked_ref()));
    request.send_with_opt_form_data(Some(&form))
}
