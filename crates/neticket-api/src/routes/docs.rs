//! The OpenAPI document, and Swagger UI to browse it. Swagger UI loads nothing from another host.

use std::sync::{Arc, LazyLock};

use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION,
};
use actix_web::web::{Data, Path};
use neticket_app::AppError;
use utoipa_swagger_ui::Config;

use crate::csp;
use crate::error::ApiError;
use crate::state::State;

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    // "none" switches off the validator badge, which would be loaded from another host.
    Arc::new(Config::from("/api/openapi.json").validator_url("none").display_operation_id(true))
});

/// Get the OpenAPI document
#[utoipa::path(get, path = "/api/openapi.json", tag = "Operations", responses(
    (status = 200, description = "An OpenAPI 3.1 document.", body = serde_json::Value),
))]
pub(crate) async fn openapi_document(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(state.document.clone())
}

/// Redirects to the folder, because the pages of Swagger UI name their files relative to it.
pub(crate) async fn swagger_ui_redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}

pub(crate) async fn swagger_ui(file: Path<String>) -> Result<HttpResponse, ApiError> {
    let file = utoipa_swagger_ui::serve(&file, CONFIG.clone())
        .map_err(|error| AppError::Internal(format!("swagger ui: {error}")))?
        .ok_or_else(|| ApiError::not_found("Swagger UI has no such file."))?;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, file.content_type))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((CONTENT_SECURITY_POLICY, csp::DOCS));
    if file.gzpipped {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    Ok(response.body(file.bytes.into_owned()))
}
