//! Public endpoints for events.

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, ETAG};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use neticket_app::EventSearch;
use neticket_contract::{Availability, EventDetail, EventListQuery, EventQuery, EventSummary, Page};
use neticket_domain::EventId;

use crate::error::ApiError;
use crate::extract::caller::ClientAddress;
use crate::extract::query::ValidQuery;
use crate::state::State;
use crate::wire;

/// The path of the streams. Unlike all other answers of the API, streams are not JSON.
pub(crate) const STREAM_PATH: &str = "/api/v1/events/{id}/availability/stream";

const JSON: &str = "application/json";
/// Clients and proxies may cache an answer for 1 s, like the cache of the server itself.
const PUBLIC_1_S: &str = "public, max-age=1";

/// List events
///
/// Bookable events come first, then those that open soon, then the rest. Each group is sorted by start.
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

/// Get an event
///
/// The event with its ticket types and the tickets left.
#[utoipa::path(get, path = "/api/v1/events/{id}", tag = "Events",
    params(EventQuery, ("id" = i64, Path, description = "The event."),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the caller's copy.")),
    responses(
    (status = 200, description = "The event, at most 1 s old. The seats left and `server_time` are at most 250 ms old.",
        body = EventDetail,
        headers(("ETag" = String, description = "The tag of everything except `server_time`."),
            ("Cache-Control" = String, description = "`public, max-age=1`"))),
    (status = 304, description = "The caller's copy is current.", headers(("ETag" = String))),
))]
pub(crate) async fn event_view(
    state: Data<State>,
    id: Path<i64>,
    query: ValidQuery<EventQuery>,
    req: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let id = EventId(id.into_inner());
    let copy = state.app.event_copy_since(id, query.0.revision.unwrap_or(0)).await?;
    let rendered = state.rendered_events.of(&state.app, id, copy).await?;
    let mut response = if rendered.is_known(&req) { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, rendered.tag_header.clone())).insert_header((CACHE_CONTROL, PUBLIC_1_S));
    if rendered.is_known(&req) {
        return Ok(response.finish());
    }
    Ok(response.content_type(JSON).body(rendered.detail.clone()))
}

/// Get the availability of an event
///
/// How many tickets of each ticket type can be booked now.
#[utoipa::path(get, path = "/api/v1/events/{id}/availability", tag = "Events",
    params(("id" = i64, Path, description = "The event.")), responses(
    (status = 200, description = "The seats left of each ticket type, at most 250 ms old. `server_time` is the time of the answer.",
        body = Availability, headers(("Cache-Control" = String, description = "`no-cache`"))),
))]
pub(crate) async fn event_availability(state: Data<State>, id: Path<i64>) -> Result<HttpResponse, ApiError> {
    let id = EventId(id.into_inner());
    let rendered = state.rendered_events.of(&state.app, id, state.app.event_copy(id).await?).await?;
    let availability = wire::availability(&rendered.view, state.app.now());
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-cache")).json(availability))
}

/// Stream the availability of an event
///
/// The current availability, and then every change, at most four times a second, until the caller closes the
/// connection.
#[utoipa::path(get, path = "/api/v1/events/{id}/availability/stream", tag = "Events",
    params(("id" = i64, Path, description = "The event.")), responses(
    (status = 200, description = "Server-sent events named `availability`. The `data` of each is the \
        answer of `GET /api/v1/events/{id}/availability`. The server sends a comment every 15 s between them. The stream \
        ends when the event is deleted or the server stops. `retry` is the time to wait before a new connection.",
        body = String, content_type = "text/event-stream",
        headers(("Cache-Control" = String, description = "`no-store`"))),
))]
pub(crate) async fn event_availability_stream(
    state: Data<State>,
    id: Path<i64>,
    client_ip: ClientAddress,
    req: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let id = EventId(id.into_inner());
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // Makes proxies like nginx pass on each event at once.
        .insert_header(("X-Accel-Buffering", "no"))
        // Closes the connection when the stream ends. A server that is stopping would otherwise wait for the
        // idle connection.
        .force_close();
    if req.method() == Method::HEAD {
        state.app.event_copy(id).await?;
        return Ok(response.finish());
    }
    Ok(response.streaming(state.streams.open(&state.app, id, client_ip.0, &state.http).await?))
}
