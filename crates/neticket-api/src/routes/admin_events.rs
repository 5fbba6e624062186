//! Events as administrators see and make them.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json};
use neticket_app::EventSearch;
use neticket_contract::{AdminEvent, AdminEventListQuery, EventCreateRequest, Page};

use crate::body::ValidJson;
use crate::caller::{Admin, ClientAddress};
use crate::error::ApiError;
use crate::query::ValidQuery;
use crate::state::State;
use crate::wire;

/// All events, past and cancelled ones too.
#[utoipa::path(get, path = "/api/v1/admin/events", tag = "Administration", security(("access" = [])),
    params(AdminEventListQuery), responses(
    (status = 200, description = "A page of events.", body = Page<AdminEvent>),
))]
pub(crate) async fn admin_event_list(
    state: Data<State>,
    _who: Admin,
    query: ValidQuery<AdminEventListQuery>,
) -> Result<Json<Page<AdminEvent>>, ApiError> {
    let AdminEventListQuery { q, status, page, size } = query.0;
    let search = EventSearch { query: q.unwrap_or_default(), status, include_past: true, page, size };
    let events = state.app.admin_events_page(&search).await?;
    let now = state.app.now();
    Ok(Json(wire::page(events, page, size, |view| wire::admin_event(view, now))))
}

/// Makes an event. It is in the audit log.
#[utoipa::path(post, path = "/api/v1/admin/events", tag = "Administration", security(("access" = [])),
    request_body = EventCreateRequest, responses(
    (status = 201, description = "The event is made.", body = AdminEvent,
        headers(("Location" = String, description = "The event, as everyone sees it."))),
))]
pub(crate) async fn admin_event_create(
    state: Data<State>,
    who: Admin,
    from: ClientAddress,
    body: ValidJson<EventCreateRequest>,
) -> Result<HttpResponse, ApiError> {
    let view = state.app.event_create(who.0, Some(from.0.to_string()), wire::event_draft(body.0)).await?;
    let location = format!("/api/v1/events/{}", view.summary.id);
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, location))
        .json(wire::admin_event(view, state.app.now())))
}
