//! Common code of both servers: tokens, an event, and the settings of the real server that matter under load.

use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::dev::Payload;
use actix_web::error::{ErrorInternalServerError, ErrorUnauthorized};
use actix_web::http::header::{AUTHORIZATION, LOCATION};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, FromRequest, HttpRequest, HttpResponse, HttpServer};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use neticket_contract::{
    CURRENCY, EventDetail, EventSummary, Reservation, ReservationEvent, ReservationStatus,
    ReservationTicketType, TicketType,
};
use neticket_domain::{EventStatus, Role, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

/// As in the real server.
const BACKLOG: u32 = 8192;
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Ticket types of the event, as many as the load test creates.
pub(super) const TICKET_TYPES: u32 = 4;
/// Seats of each ticket type. More than any run books.
pub(super) const CAPACITY: u32 = 1_000_000;

/// The claims of the real server's tokens. All of them are parsed, as in the real server.
#[derive(Deserialize)]
#[expect(dead_code, reason = "the field is only deserialized")]
struct Claims {
    sub: i64,
    role: Role,
    sid: Uuid,
    iat: i64,
    exp: i64,
}

/// Checks tokens.
struct Tokens {
    key: DecodingKey,
    validation: Validation,
}

/// The id of the user whose token came with the request.
pub(super) struct Caller(pub(super) i64);

impl FromRequest for Caller {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request))
    }
}

fn caller(request: &HttpRequest) -> Result<Caller, actix_web::Error> {
    let tokens = request
        .app_data::<Data<Tokens>>()
        .ok_or_else(|| ErrorInternalServerError("the token key is missing"))?;
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer "));
    let token = token.ok_or_else(|| ErrorUnauthorized("send a token"))?;
    let decoded = jsonwebtoken::decode::<Claims>(token, &tokens.key, &tokens.validation);
    Ok(Caller(decoded.map_err(ErrorUnauthorized)?.claims.sub))
}

/// Serves `routes` at `listen` until SIGTERM, with one thread per core.
pub(super) fn serve(
    listen: SocketAddr,
    jwt_secret: &str,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> anyhow::Result<()> {
    let tokens = Data::new(Tokens {
        key: DecodingKey::from_secret(jwt_secret.as_bytes()),
        validation: Validation::new(Algorithm::HS256),
    });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(tokens.clone())
            .configure(routes.clone())
            .route("/healthz", web::get().to(HttpResponse::Ok))
    });
    let server = server.backlog(BACKLOG).keep_alive(KEEP_ALIVE).shutdown_timeout(1).bind(listen)?;
    actix_web::rt::System::new().block_on(server.run())?;
    Ok(())
}

/// The present time, by this machine's clock.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// An event of usual size that is on sale. The ids of its ticket types begin at `first_ticket_type`.
pub(super) fn event(id: i64, first_ticket_type: i64) -> EventDetail {
    let now = now();
    let starts_at = now.plus_millis(30 * 24 * 3_600_000);
    EventDetail {
        summary: EventSummary {
            id,
            title: "겨울밤의 재즈 콘서트: Winter Nights in Seoul".to_owned(),
            place: "세종문화회관 대극장".to_owned(),
            starts_at,
            opens_at: now.plus_millis(-60_000),
            closes_at: starts_at,
            status: EventStatus::OnSale,
            price_from: 66_000,
            currency: CURRENCY.to_owned(),
            image_url: None,
        },
        description: "A baseline to compare with.".to_owned(),
        max_per_user: 100,
        revision: None,
        server_time: now,
        ticket_types: (0..TICKET_TYPES)
            .map(|ticket_type| TicketType {
                id: first_ticket_type + i64::from(ticket_type),
                name: format!("Type {}", ticket_type + 1),
                price: 66_000,
                capacity: CAPACITY,
                left: CAPACITY,
            })
            .collect(),
    }
}

/// Answers 201 with the reservation, as the real server does.
pub(super) fn created(
    event: &EventDetail,
    ticket_type: &TicketType,
    id: Uuid,
    quantity: u32,
) -> HttpResponse {
    let reservation = Reservation {
        id,
        status: ReservationStatus::Confirmed,
        event: ReservationEvent {
            id: event.summary.id,
            title: event.summary.title.clone(),
            place: event.summary.place.clone(),
            starts_at: event.summary.starts_at,
            image_url: event.summary.image_url.clone(),
            cancelled: false,
        },
        ticket_type: ReservationTicketType { id: ticket_type.id, name: ticket_type.name.clone() },
        quantity,
        unit_price: ticket_type.price,
        total_price: ticket_type.price * u64::from(quantity),
        currency: CURRENCY.to_owned(),
        created_at: now(),
        cancelled_at: None,
        cancellable: true,
    };
    HttpResponse::Created().insert_header((LOCATION, format!("/api/v1/reservations/{id}"))).json(reservation)
}
