//! Invalidating the caches of events. The ledger is never touched.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use neticket_domain::EventId;

use crate::error::ApiError;
use crate::extract::caller::{Admin, ClientAddress};
use crate::state::State;

/// Clear the event cache
///
/// Invalidates the cached data of all events on all nodes, so that it is read from the database again. Seats
/// and bookings are not touched. The action is written to the audit log.
#[utoipa::path(delete, path = "/api/v1/admin/cache", tag = "Administration", security(("access" = [])), responses(
    (status = 204, description = "The cached data is invalidated."),
))]
pub(crate) async fn admin_cache_clear(
    state: Data<State>,
    user: Admin,
    client_ip: ClientAddress,
) -> Result<HttpResponse, ApiError> {
    state.app.cache_clear(user.0, Some(client_ip.0.to_string())).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Clear the cache of one event
///
/// Succeeds also if there is no such event. The action is written to the audit log.
#[utoipa::path(delete, path = "/api/v1/admin/cache/events/{id}", tag = "Administration", security(("access" = [])),
    params(("id" = i64, Path, description = "The event.")), responses(
    (status = 204, description = "The cached data is invalidated."),
))]
pub(crate) async fn admin_cache_clear_event(
    state: Data<State>,
    user: Admin,
    client_ip: ClientAddress,
    id: Path<i64>,
) -> Result<HttpResponse, ApiError> {
    state.app.cache_clear_event(user.0, Some(client_ip.0.to_string()), EventId(id.into_inner())).await?;
    Ok(HttpResponse::NoContent().finish())
}
