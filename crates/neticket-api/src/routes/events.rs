//! Events as everyone sees them.

use actix_web::http::header::{CACHE_CONTROL, ETAG, EntityTag, Header as _, IfNoneMatch};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use neticket_app::{AppError, EventSearch};
use neticket_contract::{Availability, EventDetail, EventListQuery, EventSummary, Page};
use neticket_domain::{EventId, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::error::ApiError;
use crate::query::ValidQuery;
use crate::state::State;
use crate::wire;

/// As old as the server's own copy may be.
const PUBLIC_1_S: &str = "public, max-age=1";

/// Events: bookable ones first, then those that open soon, then the rest; each by when they start.
#[utoipa::path(get, path = "/api/v1/events", tag = "Events", params(EventListQuery), responses(
    (status = 200, description = "A page of events.", body = Page<EventSummary>),
))]
pub(crate) async fn event_list(
    state: Data<State>,
    query: ValidQuery<EventListQuery>,
) -> Result<HttpResponse, ApiError> {
    let EventListQuery { q, status, include_past, page, size } = query.0;
    let search = EventSearch { query: q.unwrap_or_default(), status, include_past, page, size };
    let events = state.app.events_page(&search).await?;
    let page = wire::page(events, page, size, wire::event_summary);
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, PUBLIC_1_S)).json(page))
}

/// One event, with its grades and what is left of them.
#[utoipa::path(get, path = "/api/v1/events/{id}", tag = "Events",
    params(("id" = i64, Path, description = "The event."),
        ("If-None-Match" = Option<String>, Header, description = "An `ETag` that the caller has.")),
    responses(
    (status = 200, description = "The event.", body = EventDetail,
        headers(("ETag" = String, description = "Of everything but `server_time`."),
            ("Cache-Control" = String, description = "`public, max-age=1`"))),
    (status = 304, description = "The caller has it as it is.", headers(("ETag" = String))),
))]
pub(crate) async fn event_view(
    state: Data<State>,
    id: Path<i64>,
    req: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let view = state.app.event(EventId(id.into_inner())).await?;
    let detail = wire::event_detail(view, state.app.now());
    let tag = entity_tag(&detail)?;
    let unchanged = has_already(&req, &tag);
    let mut response = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, PUBLIC_1_S));
    Ok(if unchanged { response.finish() } else { response.json(detail) })
}

/// What can be booked of an event right now.
#[utoipa::path(get, path = "/api/v1/events/{id}/availability", tag = "Events",
    params(("id" = i64, Path, description = "The event.")), responses(
    (status = 200, description = "What is left of each grade.", body = Availability,
        headers(("Cache-Control" = String, description = "`no-cache`"))),
))]
pub(crate) async fn event_availability(state: Data<State>, id: Path<i64>) -> Result<HttpResponse, ApiError> {
    let view = state.app.event(EventId(id.into_inner())).await?;
    let availability = wire::availability(&view, state.app.now());
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-cache")).json(availability))
}

/// Of the content without the clock; weak, because the clock moves on under it.
fn entity_tag(detail: &EventDetail) -> Result<EntityTag, ApiError> {
    let timeless = EventDetail { server_time: Timestamp::from_millis(0), ..detail.clone() };
    let content = serde_json::to_vec(&timeless).map_err(|error| AppError::Internal(error.to_string()))?;
    Ok(EntityTag::new_weak(URL_SAFE_NO_PAD.encode(&Sha256::digest(content)[..16])))
}

fn has_already(req: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(req) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}
