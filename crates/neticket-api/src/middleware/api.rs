//! The middleware around the API. It limits how often a client reads, refuses clients that do not accept the
//! media type of the answer, and forbids caches to store the answers.

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, HeaderMap};
use actix_web::middleware::Next;
use neticket_contract::{PROBLEM_CONTENT_TYPE, ProblemCode};

use super::envelope::set_if_absent;
use crate::error::ApiError;
use crate::extract::caller::client_address;
use crate::state::state;

/// The media types in an `Accept` header that include JSON.
const JSON_TYPES: [&str; 4] = ["*/*", "application/*", "application/json", PROBLEM_CONTENT_TYPE];
/// The end of the path of a stream, and the media types that include one.
const STREAM_END: &str = "/availability/stream";
const STREAM_TYPES: [&str; 3] = ["*/*", "text/*", "text/event-stream"];

/// Checks the request, runs the handler, and sets `Cache-Control` unless the handler has set it.
pub(crate) async fn api(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Err(refusal) = check_request(&req) {
        return Ok(req.error_response(refusal));
    }
    let mut response = next.call(req).await?.map_into_boxed_body();
    set_if_absent(response.headers_mut(), CACHE_CONTROL, "no-store");
    Ok(response)
}

fn check_request(req: &ServiceRequest) -> Result<(), ApiError> {
    let is_stream = req.path().ends_with(STREAM_END);
    if !accepts(req.headers(), if is_stream { &STREAM_TYPES } else { &JSON_TYPES }) {
        let only = if is_stream { "text/event-stream" } else { "application/json" };
        return Err(ApiError::new(
            ProblemCode::NotAcceptable,
            format!("The answer is available only as {only}."),
        ));
    }
    if req.method().is_safe() {
        let state = state(req.request());
        state.limits.read(client_address(state, req.peer_addr().map(|peer| peer.ip()), req.headers()))?;
    }
    Ok(())
}

/// Whether `Accept` allows one of `types`. A missing or malformed header allows everything.
fn accepts(headers: &HeaderMap, types: &[&str]) -> bool {
    let mut ranges = headers
        .get_all(ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter(|range| range.contains('/'))
        .peekable();
    ranges.peek().is_none()
        || ranges.any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
            let refused = parts.any(|parameter| {
                parameter
                    .strip_prefix("q=")
                    .and_then(|weight| weight.parse::<f32>().ok())
                    .is_some_and(|q| q <= 0.0)
            });
            !refused && types.contains(&media_type.as_str())
        })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn only_an_accept_header_that_excludes_json_is_refused() {
        let accepts = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(value));
            super::accepts(&headers, &JSON_TYPES)
        };
        assert!(super::accepts(&HeaderMap::new(), &JSON_TYPES));
        for value in
            ["*/*", "application/json", "text/html, application/*;q=0.1", "", "nonsense", "APPLICATION/JSON"]
        {
            assert!(accepts(value), "{value}");
        }
        for value in
            ["text/html", "application/xml, image/*", "application/json;q=0", "text/html, */*; q=0.0"]
        {
            assert!(!accepts(value), "{value}");
        }
    }
}
