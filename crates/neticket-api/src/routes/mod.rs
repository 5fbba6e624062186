//! Which path leads where. Every path answers HEAD where it answers GET, and says `Allow` to every other method.

pub(crate) mod accounts;
pub(crate) mod admin_events;
pub(crate) mod docs;
pub(crate) mod events;
mod images;
pub(crate) mod operations;
mod problems;
pub(crate) mod reservations;
pub(crate) mod web;

use actix_web::guard::{Any, Get, Head};
use actix_web::middleware::from_fn;
use actix_web::web::{PathConfig, ServiceConfig, resource, route, scope};
use actix_web::{Resource, Route};

use crate::error::ApiError;
use crate::frame;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .app_data(PathConfig::default().error_handler(|_, _| {
            ApiError::not_found("The address names something that cannot exist.").into()
        }))
        .service(
            scope("/api/v1")
                .wrap(from_fn(frame::api))
                .configure(api)
                .default_service(route().to(nothing_here)),
        )
        .service(path("/api/openapi.json", "GET, HEAD").route(get().to(docs::openapi_document)))
        .service(scope("/api").default_service(route().to(nothing_here)))
        .service(path("/healthz", "GET, HEAD").route(get().to(operations::health)))
        .service(path("/readyz", "GET, HEAD").route(get().to(operations::readiness)))
        .service(path("/docs", "GET, HEAD").route(get().to(docs::swagger_ui_redirect)))
        .service(path("/docs/{file:.*}", "GET, HEAD").route(get().to(docs::swagger_ui)))
        .service(path("/images/{key}", "GET, HEAD").route(get().to(images::image)))
        .service(path("/problems/{code}", "GET, HEAD").route(get().to(problems::problem_page)))
        .default_service(route().to(web::client_or_nothing));
}

fn api(config: &mut ServiceConfig) {
    config
        .service(path("/auth/signup", "POST").route(post().to(accounts::account_signup)))
        .service(path("/auth/login", "POST").route(post().to(accounts::session_login)))
        .service(path("/auth/refresh", "POST").route(post().to(accounts::session_refresh)))
        .service(path("/auth/logout", "POST").route(post().to(accounts::session_logout)))
        .service(
            path("/me", "GET, HEAD, PATCH")
                .route(get().to(accounts::account_view))
                .route(actix_web::web::patch().to(accounts::account_update)),
        )
        .service(path("/me/password", "POST").route(post().to(accounts::password_change)))
        .service(path("/events", "GET, HEAD").route(get().to(events::event_list)))
        .service(path("/events/{id}", "GET, HEAD").route(get().to(events::event_view)))
        .service(path("/events/{id}/availability", "GET, HEAD").route(get().to(events::event_availability)))
        .service(
            path("/reservations", "GET, HEAD, POST")
                .route(get().to(reservations::reservation_list))
                .route(post().to(reservations::reservation_create)),
        )
        .service(path("/reservations/{id}", "GET, HEAD").route(get().to(reservations::reservation_view)))
        .service(path("/reservations/{id}/cancel", "POST").route(post().to(reservations::reservation_cancel)))
        .service(
            path("/admin/events", "GET, HEAD, POST")
                .route(get().to(admin_events::admin_event_list))
                .route(post().to(admin_events::admin_event_create)),
        );
}

/// A path and the methods that it has.
fn path(path: &str, allow: &'static str) -> Resource {
    resource(path).default_service(
        route().to(move || async move { Err::<String, ApiError>(ApiError::method_not_allowed(allow)) }),
    )
}

fn get() -> Route {
    route().guard(Any(Get()).or(Head()))
}

fn post() -> Route {
    actix_web::web::post()
}

async fn nothing_here() -> Result<String, ApiError> {
    Err(ApiError::not_found("The API has nothing at this address."))
}
