//! Decides which answers are not compressed.

use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_ENCODING, HeaderValue};
use actix_web::middleware::Next;

/// Bodies of at most this many bytes are not compressed, because compression would cost more than it saves.
const PLAIN_LEN_MAX: u64 = 1024;

/// Runs inside the compression middleware. Marks small bodies so that they are not compressed.
pub(crate) async fn plain_if_small<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(req).await?;
    let small = matches!(response.response().body().size(), BodySize::Sized(len) if len <= PLAIN_LEN_MAX);
    if small && !response.headers().contains_key(CONTENT_ENCODING) {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("identity"));
    }
    Ok(response)
}
