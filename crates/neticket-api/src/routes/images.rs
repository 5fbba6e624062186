//! Event images. Their keys come from their content, so they never change.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::web::{Data, Path};

use crate::csp;
use crate::error::ApiError;
use crate::state::State;

pub(crate) async fn image(state: Data<State>, key: Path<String>) -> Result<HttpResponse, ApiError> {
    let image = state.app.media().read(&key).await;
    // Never HTML, whatever came to lie in the folder.
    let image = image
        .filter(|image| image.content_type.starts_with("image/"))
        .ok_or_else(|| ApiError::not_found("There is no image of this key."))?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, image.content_type))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((CONTENT_SECURITY_POLICY, csp::IMAGE))
        .body(image.bytes))
}
