//! Events as everyone sees them.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{
    CACHE_CONTROL, ETAG, EntityTag, Header as _, HeaderValue, IF_NONE_MATCH, IfNoneMatch,
    TryIntoHeaderValue as _,
};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use moka::future::Cache;
use neticket_app::{AppError, EventSearch, EventView};
use neticket_contract::{Availability, EventDetail, EventListQuery, EventSummary, Page};
use neticket_domain::{EventId, Timestamp};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::error::ApiError;
use crate::query::ValidQuery;
use crate::state::State;
use crate::wire;

const JSON: &str = "application/json";
/// How long an event that has been written out is sent again, clock included.
const WRITTEN_AGE_MAX: Duration = Duration::from_millis(50);
/// Most events kept.
const WRITTEN_MAX: u64 = 10_000;
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
    let written = state.written_events.of(&state, EventId(id.into_inner())).await?;
    let mut response = if written.is_known(&req) { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, written.tag_header.clone())).insert_header((CACHE_CONTROL, PUBLIC_1_S));
    if written.is_known(&req) {
        return Ok(response.finish());
    }
    Ok(response.content_type(JSON).body(written.detail.clone()))
}

/// What can be booked of an event right now.
#[utoipa::path(get, path = "/api/v1/events/{id}/availability", tag = "Events",
    params(("id" = i64, Path, description = "The event.")), responses(
    (status = 200, description = "What is left of each grade.", body = Availability,
        headers(("Cache-Control" = String, description = "`no-cache`"))),
))]
pub(crate) async fn event_availability(state: Data<State>, id: Path<i64>) -> Result<HttpResponse, ApiError> {
    let written = state.written_events.of(&state, EventId(id.into_inner())).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-cache")).content_type(JSON);
    Ok(response.body(written.availability.clone()))
}

/// Events as they go out, written once for the whole crowd that reloads them.
pub(crate) struct WrittenEvents(Cache<EventId, Arc<WrittenEvent>>);

struct WrittenEvent {
    detail: Bytes,
    availability: Bytes,
    tag: EntityTag,
    tag_header: HeaderValue,
}

impl WrittenEvents {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().max_capacity(WRITTEN_MAX).time_to_live(WRITTEN_AGE_MAX).build())
    }

    /// The event, [`WRITTEN_AGE_MAX`] older at most than the application's own copies.
    async fn of(&self, state: &State, id: EventId) -> Result<Arc<WrittenEvent>, ApiError> {
        if let Some(written) = self.0.get(&id).await {
            return Ok(written);
        }
        // Many may write it at once; what is slow, the application asks for once for all of them.
        let written = Arc::new(WrittenEvent::new(state.app.event(id).await?, state.app.now())?);
        self.0.insert(id, Arc::clone(&written)).await;
        Ok(written)
    }
}

impl WrittenEvent {
    fn new(view: EventView, now: Timestamp) -> Result<Self, ApiError> {
        let availability = json(&wire::availability(&view, now))?;
        let detail = wire::event_detail(view, now);
        let tag = entity_tag(&detail)?;
        let tag_header =
            tag.clone().try_into_value().map_err(|error| AppError::Internal(error.to_string()))?;
        Ok(Self { detail: json(&detail)?, availability, tag, tag_header })
    }

    /// Whether the caller has it as it is.
    fn is_known(&self, req: &HttpRequest) -> bool {
        if !req.headers().contains_key(IF_NONE_MATCH) {
            return false;
        }
        match IfNoneMatch::parse(req) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(&self.tag)),
            Err(_) => false,
        }
    }
}

fn json(value: &impl Serialize) -> Result<Bytes, ApiError> {
    let text = serde_json::to_vec(value).map_err(|error| AppError::Internal(error.to_string()))?;
    Ok(Bytes::from(text))
}

/// Of the content without the clock; weak, because the clock moves on under it.
fn entity_tag(detail: &EventDetail) -> Result<EntityTag, ApiError> {
    let timeless = EventDetail { server_time: Timestamp::from_millis(0), ..detail.clone() };
    Ok(EntityTag::new_weak(URL_SAFE_NO_PAD.encode(&Sha256::digest(json(&timeless)?)[..16])))
}
