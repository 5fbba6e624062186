//! `/metrics`: the metrics of the application and of the HTTP layer.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Data;
use prometheus_client::encoding::text::encode_eof;

use crate::error::ApiError;
use crate::state::State;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics, on the public listener. It serves them only in development, and only if metrics have no
/// listener of their own.
pub(crate) async fn metrics_public(state: Data<State>) -> Result<HttpResponse, ApiError> {
    if state.metrics_public { Ok(answer(&state)) } else { Err(ApiError::not_found("There is nothing here.")) }
}

/// All metrics, on a listener that serves nothing else.
pub(crate) async fn metrics_private(state: Data<State>) -> HttpResponse {
    answer(&state)
}

fn answer(state: &State) -> HttpResponse {
    let mut text = String::with_capacity(64 * 1024);
    state.app.metrics().register().write(&mut text);
    state.http.register().write(&mut text);
    // Writing to a String cannot fail.
    let _ = encode_eof(&mut text);
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, OPENMETRICS))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(text)
}
