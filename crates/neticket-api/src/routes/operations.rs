//! Endpoints for operators and load balancers.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::state::State;

/// The state of the server.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Check that the process runs
#[utoipa::path(get, path = "/healthz", tag = "Operations", responses(
    (status = 200, description = "The process is alive.", body = Health),
))]
pub(crate) async fn health() -> HttpResponse {
    ok()
}

/// Check that the server is ready
///
/// The server is ready if the store and the ledger answer and it is not about to stop.
#[utoipa::path(get, path = "/readyz", tag = "Operations", responses(
    (status = 200, description = "The node is ready for requests.", body = Health),
))]
pub(crate) async fn readiness(state: Data<State>) -> Result<HttpResponse, ApiError> {
    state.app.ready().await?;
    Ok(ok())
}

fn ok() -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(Health { status: "ok" })
}
