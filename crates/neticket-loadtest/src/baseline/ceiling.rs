//! The ceiling: a server that handles HTTP, tokens and JSON but sells nothing. It has no store, no ledger, no
//! log and no middleware.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::{self, Bytes, Data, Json, Path};
use neticket_contract::{EventDetail, ReservationCreateRequest};
use uuid::Uuid;

use super::args::CeilingArgs;
use super::http::{self, Caller};

/// The only event, and its answer as JSON.
struct State {
    event: EventDetail,
    json: Bytes,
}

pub(super) fn serve(args: &CeilingArgs) -> anyhow::Result<()> {
    let event = http::event(1, 1);
    let json = Bytes::from(serde_json::to_vec(&event)?);
    let state = Data::new(State { event, json });
    http::serve(args.listen, &args.jwt_secret, move |config| {
        config
            .app_data(state.clone())
            .route("/api/v1/reservations", web::post().to(book))
            .route("/api/v1/events/{id}", web::get().to(event_detail));
    })
}

async fn book(state: Data<State>, _: Caller, body: Json<ReservationCreateRequest>) -> HttpResponse {
    let ticket_types = &state.event.ticket_types;
    let Some(ticket_type) = ticket_types.iter().find(|ticket_type| ticket_type.id == body.ticket_type_id)
    else {
        return HttpResponse::NotFound().finish();
    };
    http::created(&state.event, ticket_type, Uuid::new_v4(), body.quantity)
}

async fn event_detail(state: Data<State>, _: Path<i64>) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(state.json.clone())
}
