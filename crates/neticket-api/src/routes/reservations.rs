//! The reservations of the signed-in user.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json, Path};
use neticket_app::{NewReservation, ReservationState};
use neticket_contract::{Page, PageQuery, Reservation, ReservationCreateRequest};
use neticket_domain::{FieldError, Quantity, ReservationId, TicketTypeId};
use uuid::Uuid;

use crate::error::ApiError;
use crate::extract::caller::{Disconnected, IdempotencyKey, SignedIn};
use crate::extract::json::ValidJson;
use crate::extract::query::ValidQuery;
use crate::state::State;
use crate::wire;

/// Book tickets
///
/// Books tickets of one ticket type. A request with an `Idempotency-Key` can be repeated until it is
/// answered, and books only once.
#[utoipa::path(post, path = "/api/v1/reservations", tag = "Reservations", security(("access" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "A key that the client chooses for \
        this booking: 1 to 255 visible ASCII characters.", min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    request_body = ReservationCreateRequest, responses(
    (status = 201, description = "The booking is committed.", body = Reservation,
        headers(("Location" = String, description = "The reservation."),
            ("Idempotency-Replayed" = String, description = "`true` if an earlier request with this key made the booking."))),
    (status = 202, description = "The booking is admitted, with status `pending`. Poll `Location` until the status is no longer `pending`.",
        body = Reservation,
        headers(("Location" = String, description = "The reservation."),
            ("Idempotency-Replayed" = String, description = "`true` if an earlier request with this key made the booking."))),
))]
pub(crate) async fn reservation_create(
    state: Data<State>,
    user: SignedIn,
    key: IdempotencyKey,
    disconnected: Disconnected,
    body: ValidJson<ReservationCreateRequest>,
) -> Result<HttpResponse, ApiError> {
    let user = user.0.user;
    state.limits.booking(user)?;
    let quantity = Quantity::new(body.0.quantity).ok_or_else(|| {
        ApiError::field("quantity", FieldError { code: "out_of_range", message: "must be between 1 and 100" })
    })?;
    let wanted = NewReservation {
        ticket_type: TicketTypeId(body.0.ticket_type_id),
        quantity,
        unit_price: body.0.unit_price,
        disconnected: disconnected.0,
    };
    let booked = state.app.reservation_create(user, key.0.as_deref(), wanted).await?;
    let pending = booked.reservation.state == ReservationState::Pending;
    let mut response = if pending { HttpResponse::Accepted() } else { HttpResponse::Created() };
    response.insert_header((LOCATION, format!("/api/v1/reservations/{}", booked.reservation.id)));
    if booked.replayed {
        response.insert_header(("Idempotency-Replayed", "true"));
    }
    Ok(response.json(wire::reservation(booked.reservation)))
}

/// List your reservations
///
/// Reservations of any status, newest first.
#[utoipa::path(get, path = "/api/v1/reservations", tag = "Reservations", security(("access" = [])),
    params(PageQuery), responses(
    (status = 200, description = "A page of reservations.", body = Page<Reservation>),
))]
pub(crate) async fn reservation_list(
    state: Data<State>,
    user: SignedIn,
    query: ValidQuery<PageQuery>,
) -> Result<Json<Page<Reservation>>, ApiError> {
    let PageQuery { page, size } = query.0;
    let reservations = state.app.reservations_page(user.0.user, page, size).await?;
    Ok(Json(wire::page(reservations, page, size, wire::reservation)))
}

/// Get one of your reservations
#[utoipa::path(get, path = "/api/v1/reservations/{id}", tag = "Reservations", security(("access" = [])),
    params(("id" = Uuid, Path, description = "The reservation.")), responses(
    (status = 200, description = "The reservation.", body = Reservation),
))]
pub(crate) async fn reservation_view(
    state: Data<State>,
    user: SignedIn,
    id: Path<Uuid>,
) -> Result<Json<Reservation>, ApiError> {
    let view = state.app.reservation(user.0.user, ReservationId(id.into_inner())).await?;
    Ok(Json(wire::reservation(view)))
}

/// Cancel one of your reservations
///
/// If the reservation is cancelled already, nothing changes.
#[utoipa::path(post, path = "/api/v1/reservations/{id}/cancel", tag = "Reservations", security(("access" = [])),
    params(("id" = Uuid, Path, description = "The reservation.")), responses(
    (status = 200, description = "The cancelled reservation.", body = Reservation),
))]
pub(crate) async fn reservation_cancel(
    state: Data<State>,
    user: SignedIn,
    id: Path<Uuid>,
) -> Result<Json<Reservation>, ApiError> {
    state.limits.booking(user.0.user)?;
    let view = state.app.reservation_cancel(user.0.user, ReservationId(id.into_inner())).await?;
    Ok(Json(wire::reservation(view)))
}
