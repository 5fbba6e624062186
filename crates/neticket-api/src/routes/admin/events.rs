//! Endpoints with which administrators list, create and change events.

use actix_web::HttpResponse;
use actix_web::http::header::{ETag, LOCATION};
use actix_web::web::{Data, Json, Path};
use neticket_app::{EventSearch, EventView};
use neticket_contract::{AdminEvent, AdminEventListQuery, EventCreateRequest, EventUpdateRequest, Page};
use neticket_domain::EventId;

use crate::error::ApiError;
use crate::extract::caller::{Admin, ClientAddress};
use crate::extract::if_match::{StrongTags, version_tag, versions};
use crate::extract::json::{self, FormJson};
use crate::extract::query::ValidQuery;
use crate::state::State;
use crate::wire;

/// List all events
///
/// Past and cancelled events are included.
#[utoipa::path(get, path = "/api/v1/admin/events", tag = "Administration", security(("access" = [])),
    params(AdminEventListQuery), responses(
    (status = 200, description = "A page of events.", body = Page<AdminEvent>),
))]
pub(crate) async fn admin_event_list(
    state: Data<State>,
    _user: Admin,
    query: ValidQuery<AdminEventListQuery>,
) -> Result<Json<Page<AdminEvent>>, ApiError> {
    let AdminEventListQuery { q, status, page, size } = query.0;
    let search = EventSearch { query: q.unwrap_or_default(), status, include_past: true, page, size };
    let events = state.app.admin_events_page(&search).await?;
    let now = state.app.now();
    Ok(Json(wire::page(events, page, size, |view| wire::admin_event(view, now))))
}

/// Create an event
///
/// The action is written to the audit log.
#[utoipa::path(post, path = "/api/v1/admin/events", tag = "Administration", security(("access" = [])),
    request_body = EventCreateRequest, responses(
    (status = 201, description = "The event is created.", body = AdminEvent,
        headers(("Location" = String, description = "The public view of the event."),
            ("ETag" = String, description = "The tag of this version of the event."))),
))]
pub(crate) async fn admin_event_create(
    state: Data<State>,
    user: Admin,
    client_ip: ClientAddress,
    body: FormJson<EventCreateRequest>,
) -> Result<HttpResponse, ApiError> {
    let draft = wire::event_draft(body.value);
    if !body.mistakes.is_empty() {
        return Err(json::refused(body.mistakes, state.app.event_draft_faults(&draft).await?));
    }
    let view = state.app.event_create(user.0, Some(client_ip.0.to_string()), draft).await?;
    let location = format!("/api/v1/events/{}", view.summary.id);
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, location))
        .insert_header(ETag(version_tag(view.version)))
        .json(wire::admin_event(view, state.app.now())))
}

/// Get an event as an administrator
///
/// Past and cancelled events can be read too.
#[utoipa::path(get, path = "/api/v1/admin/events/{id}", tag = "Administration", security(("access" = [])),
    params(("id" = i64, Path, description = "The event.")), responses(
    (status = 200, description = "The event.", body = AdminEvent,
        headers(("ETag" = String, description = "The tag of this version of the event. It does not depend on the seats left."))),
))]
pub(crate) async fn admin_event_view(
    state: Data<State>,
    _user: Admin,
    id: Path<i64>,
) -> Result<HttpResponse, ApiError> {
    Ok(event_answer(&state, state.app.admin_event(EventId(id.into_inner())).await?))
}

/// Change an event
///
/// An event can be changed while it is on sale. The action is written to the audit log.
#[utoipa::path(patch, path = "/api/v1/admin/events/{id}", tag = "Administration", security(("access" = [])),
    params(("id" = i64, Path, description = "The event."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version that the change is based on. If the \
            event has another version by now, nothing is changed.")),
    request_body = EventUpdateRequest, responses(
    (status = 200, description = "The changed event.", body = AdminEvent,
        headers(("ETag" = String, description = "The tag of this version of the event."))),
))]
pub(crate) async fn admin_event_update(
    state: Data<State>,
    user: Admin,
    client_ip: ClientAddress,
    id: Path<i64>,
    if_match: StrongTags,
    body: FormJson<EventUpdateRequest>,
) -> Result<HttpResponse, ApiError> {
    let (id, change) = (EventId(id.into_inner()), wire::event_change(body.value));
    if !body.mistakes.is_empty() {
        return Err(json::refused(body.mistakes, state.app.event_change_faults(id, &change).await?));
    }
    let client_ip = Some(client_ip.0.to_string());
    Ok(event_answer(
        &state,
        state.app.event_update(user.0, client_ip, id, &versions(if_match), &change).await?,
    ))
}

/// Delete an event
///
/// Only an event without reservations can be deleted. Cancelled reservations count too. The action is written
/// to the audit log.
#[utoipa::path(delete, path = "/api/v1/admin/events/{id}", tag = "Administration", security(("access" = [])),
    params(("id" = i64, Path, description = "The event."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version to delete. If the event has \
            another version by now, it is not deleted.")), responses(
    (status = 204, description = "The event is deleted."),
))]
pub(crate) async fn admin_event_delete(
    state: Data<State>,
    user: Admin,
    client_ip: ClientAddress,
    id: Path<i64>,
    if_match: StrongTags,
) -> Result<HttpResponse, ApiError> {
    let (id, client_ip) = (EventId(id.into_inner()), Some(client_ip.0.to_string()));
    state.app.event_delete(user.0, client_ip, id, &versions(if_match)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Cancel an event
///
/// All its reservations are cancelled within moments. If the event is cancelled already, nothing changes. The
/// action is written to the audit log.
#[utoipa::path(post, path = "/api/v1/admin/events/{id}/cancel", tag = "Administration", security(("access" = [])),
    params(("id" = i64, Path, description = "The event.")), responses(
    (status = 200, description = "The cancelled event.", body = AdminEvent,
        headers(("ETag" = String, description = "The tag of this version of the event."))),
))]
pub(crate) async fn admin_event_cancel(
    state: Data<State>,
    user: Admin,
    client_ip: ClientAddress,
    id: Path<i64>,
) -> Result<HttpResponse, ApiError> {
    let client_ip = Some(client_ip.0.to_string());
    Ok(event_answer(&state, state.app.event_cancel(user.0, client_ip, EventId(id.into_inner())).await?))
}

fn event_answer(state: &State, view: EventView) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ETag(version_tag(view.version)))
        .json(wire::admin_event(view, state.app.now()))
}
