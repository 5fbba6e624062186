//! The routing table. Every path that answers GET also answers HEAD. It answers any other method with 405 and
//! `Allow`.

pub(crate) mod accounts;
pub(crate) mod admin;
pub(crate) mod docs;
pub(crate) mod events;
mod images;
pub(crate) mod metrics;
pub(crate) mod operations;
mod problems;
pub(crate) mod reservations;
mod web;

use actix_web::guard::{Any, Get, Head};
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{PathConfig, ServiceConfig, resource, route, scope};
use actix_web::{Resource, Route};

use crate::error::ApiError;
use crate::metrics::{OTHER, RouteMetrics};
use crate::middleware;

/// The prefix of all API paths.
const API: &str = "/api/v1";

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .app_data(RouteMetrics::of(OTHER))
        .app_data(
            PathConfig::default()
                .error_handler(|_, _| ApiError::not_found("The address has an invalid parameter.").into()),
        )
        .service(
            scope(API)
                .wrap(from_fn(middleware::api::api))
                .configure(api)
                .default_service(route().to(nothing_here)),
        )
        .service(path("/api/openapi.json", "GET, HEAD").route(large(get().to(docs::openapi_document))))
        .service(scope("/api").default_service(route().to(nothing_here)))
        .service(path("/healthz", "GET, HEAD").route(get().to(operations::health)))
        .service(path("/readyz", "GET, HEAD").route(get().to(operations::readiness)))
        .service(path("/metrics", "GET, HEAD").route(get().to(metrics::metrics_public)))
        .service(path("/docs", "GET, HEAD").route(get().to(docs::swagger_ui_redirect)))
        .service(path("/docs/{file:.*}", "GET, HEAD").route(large(get().to(docs::swagger_ui))))
        .service(path("/images/{key}", "GET, HEAD").route(large(get().to(images::image))))
        .service(path("/problems/{code}", "GET, HEAD").route(large(get().to(problems::problem_page))))
        .default_service(large(route().to(web::client_or_nothing)));
}

fn api(config: &mut ServiceConfig) {
    config
        .service(api_path("/api/v1/auth/signup", "POST").route(post().to(accounts::account_signup)))
        .service(api_path("/api/v1/auth/login", "POST").route(post().to(accounts::session_login)))
        .service(api_path("/api/v1/auth/refresh", "POST").route(post().to(accounts::session_refresh)))
        .service(api_path("/api/v1/auth/logout", "POST").route(post().to(accounts::session_logout)))
        .service(
            api_path("/api/v1/me", "GET, HEAD, PATCH")
                .route(get().to(accounts::account_view))
                .route(actix_web::web::patch().to(accounts::account_update)),
        )
        .service(api_path("/api/v1/me/password", "POST").route(post().to(accounts::password_change)))
        .service(api_path("/api/v1/events", "GET, HEAD").route(large(get().to(events::event_list))))
        .service(api_path("/api/v1/events/{id}", "GET, HEAD").route(large(get().to(events::event_view))))
        .service(
            api_path("/api/v1/events/{id}/availability", "GET, HEAD")
                .route(get().to(events::event_availability)),
        )
        .service(
            api_path(events::STREAM_PATH, "GET, HEAD").route(get().to(events::event_availability_stream)),
        )
        .service(
            api_path("/api/v1/reservations", "GET, HEAD, POST")
                .route(large(get().to(reservations::reservation_list)))
                .route(post().to(reservations::reservation_create)),
        )
        .service(
            api_path("/api/v1/reservations/{id}", "GET, HEAD")
                .route(get().to(reservations::reservation_view)),
        )
        .service(
            api_path("/api/v1/reservations/{id}/cancel", "POST")
                .route(post().to(reservations::reservation_cancel)),
        )
        .configure(admin);
}

fn admin(config: &mut ServiceConfig) {
    config
        .service(
            api_path("/api/v1/admin/events", "GET, HEAD, POST")
                .route(large(get().to(admin::events::admin_event_list)))
                .route(post().to(admin::events::admin_event_create)),
        )
        .service(
            api_path("/api/v1/admin/events/{id}", "GET, HEAD, PATCH, DELETE")
                .route(large(get().to(admin::events::admin_event_view)))
                .route(large(actix_web::web::patch().to(admin::events::admin_event_update)))
                .route(actix_web::web::delete().to(admin::events::admin_event_delete)),
        )
        .service(
            api_path("/api/v1/admin/events/{id}/cancel", "POST")
                .route(large(post().to(admin::events::admin_event_cancel))),
        )
        .service(
            api_path("/api/v1/admin/audit", "GET, HEAD").route(large(get().to(admin::audit::audit_list))),
        )
        .service(api_path("/api/v1/admin/images", "POST").route(post().to(admin::images::admin_image_create)))
        .service(
            api_path("/api/v1/admin/cache", "DELETE").route(delete().to(admin::cache::admin_cache_clear)),
        )
        .service(
            api_path("/api/v1/admin/cache/events/{id}", "DELETE")
                .route(delete().to(admin::cache::admin_cache_clear_event)),
        )
        .service(
            api_path("/api/v1/admin/inventory", "GET, HEAD")
                .route(large(get().to(admin::inventory::inventory_list))),
        )
        .service(
            api_path("/api/v1/admin/inventory/{event_id}/load", "POST")
                .route(post().to(admin::inventory::inventory_load)),
        )
        .service(
            api_path("/api/v1/admin/inventory/{event_id}/evict", "POST")
                .route(post().to(admin::inventory::inventory_evict)),
        )
        .service(
            api_path("/api/v1/admin/inventory/{event_id}/pause", "POST")
                .route(post().to(admin::inventory::inventory_pause)),
        )
        .service(
            api_path("/api/v1/admin/inventory/{event_id}/resume", "POST")
                .route(post().to(admin::inventory::inventory_resume)),
        )
        .service(
            api_path("/api/v1/admin/inventory/{event_id}/reconcile", "POST")
                .route(post().to(admin::inventory::inventory_reconcile)),
        )
        .service(api_path("/api/v1/admin/stats", "GET, HEAD").route(get().to(admin::stats::stats_view)));
}

/// A resource at `path` that allows the methods in `allow`.
fn path(path: &'static str, allow: &'static str) -> Resource {
    counted(resource(path), path, allow)
}

/// Like `path`, within the scope of the API.
fn api_path(path: &'static str, allow: &'static str) -> Resource {
    counted(resource(path.strip_prefix(API).unwrap_or(path)), path, allow)
}

fn counted(resource: Resource, path: &'static str, allow: &'static str) -> Resource {
    resource.app_data(RouteMetrics::of(path)).default_service(
        route().to(move || async move { Err::<String, ApiError>(ApiError::method_not_allowed(allow)) }),
    )
}

fn get() -> Route {
    route().guard(Any(Get()).or(Head()))
}

fn post() -> Route {
    actix_web::web::post()
}

fn delete() -> Route {
    actix_web::web::delete()
}

/// For answers that may be large: compresses them if the caller accepts that. All other answers of the API
/// are small, so the compression middleware would only cost time.
fn large(route: Route) -> Route {
    route.wrap(from_fn(middleware::compression::plain_if_small)).wrap(Compress::default())
}

async fn nothing_here() -> Result<String, ApiError> {
    Err(ApiError::not_found("The API has nothing at this address."))
}
