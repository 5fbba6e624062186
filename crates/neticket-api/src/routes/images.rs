//! Event images. The key of an image is derived from its content, so the image of a key never changes.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::web::{Data, Path};

use crate::csp;
use crate::error::ApiError;
use crate::extract::caller::ClientAddress;
use crate::state::State;

/// The only image type that becomes smaller by compression.
const SVG: &str = "image/svg+xml";

pub(crate) async fn image(
    state: Data<State>,
    key: Path<String>,
    client_ip: ClientAddress,
) -> Result<HttpResponse, ApiError> {
    state.limits.read(client_ip.0)?;
    // The content type is derived from the key, and must be an image type. A file in the image store can
    // therefore never be served as HTML.
    let image = state
        .app
        .image(&key)
        .await?
        .filter(|image| image.content_type.starts_with("image/"))
        .ok_or_else(|| ApiError::not_found("No image has this key."))?;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, image.content_type))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((CONTENT_SECURITY_POLICY, csp::IMAGE));
    if image.content_type != SVG {
        response.insert_header((CONTENT_ENCODING, "identity"));
    }
    Ok(response.body(image.bytes))
}
