//! The OpenAPI document. The operations come from the handlers, and the refusals of each operation from one
//! table in this file.

use actix_web::http::StatusCode;
use neticket_contract::{PROBLEM_CONTENT_TYPE, Problem, ProblemCode};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Content, HeaderBuilder, ObjectBuilder, OpenApi as Document, PathItem, Ref, RefOr, Response,
    ResponseBuilder, Type,
};
use utoipa::{Modify, OpenApi};

use crate::extract::refresh_cookie::REFRESH_COOKIE;
use crate::routes::{accounts, admin, docs, events, operations, reservations};

const DESCRIPTION: &str = "Sells tickets at the moment everyone wants one.\n\n\
    Every refusal is an RFC 9457 problem. Clients decide by its `code`. Each code has a page under `/problems/`. \
    Unknown fields and parameters are refused. Times are RFC 3339 in UTC. Money is in whole won.";

/// The root of the document: its title, the list of operations, the tags, and the modifiers that apply to all
/// operations.
#[derive(OpenApi)]
#[openapi(
    info(title = "NETicket", version = "1", description = DESCRIPTION, license(name = "MIT", identifier = "MIT")),
    paths(
        accounts::account_signup, accounts::session_login, accounts::session_refresh, accounts::session_logout,
        accounts::account_view, accounts::account_update, accounts::password_change,
        events::event_list, events::event_view, events::event_availability, events::event_availability_stream,
        reservations::reservation_create, reservations::reservation_list, reservations::reservation_view,
        reservations::reservation_cancel,
        admin::events::admin_event_list, admin::events::admin_event_create,
        admin::events::admin_event_view, admin::events::admin_event_update, admin::events::admin_event_delete,
        admin::events::admin_event_cancel,
        admin::audit::audit_list,
        admin::cache::admin_cache_clear, admin::cache::admin_cache_clear_event,
        admin::images::admin_image_create,
        admin::inventory::inventory_list, admin::inventory::inventory_load, admin::inventory::inventory_evict,
        admin::inventory::inventory_pause, admin::inventory::inventory_resume,
        admin::inventory::inventory_reconcile,
        admin::stats::stats_view,
        operations::health, operations::readiness, docs::openapi_document,
    ),
    components(schemas(Problem)),
    tags(
        (name = "Accounts", description = "Accounts and sessions."),
        (name = "Events", description = "The public view of events."),
        (name = "Reservations", description = "Your reservations."),
        (name = "Administration", description = "For accounts with the role `admin`."),
        (name = "Operations", description = "For operators of the server."),
    ),
    modifiers(&Security, &Refusals),
)]
struct Api;

/// The document, pretty-printed, with a line feed at the end.
pub fn document_text() -> String {
    let mut text = serde_json::to_string_pretty(&Api::openapi()).unwrap_or_default();
    text.push('\n');
    text
}

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut Document) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("The access token of a session."))
            .build();
        let cookie = ApiKeyValue::with_description(REFRESH_COOKIE, "The refresh token of a session.");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("access", SecurityScheme::Http(bearer));
        components.add_security_scheme("refresh", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

struct Refusals;

impl Modify for Refusals {
    fn modify(&self, document: &mut Document) {
        for (path, item) in &mut document.paths.paths {
            for operation in operations_of(item) {
                refuse(path, operation);
                for response in operation.responses.responses.values_mut() {
                    if let RefOr::T(response) = response {
                        let id = header("The id of the request. Problems have it as `trace_id`.");
                        response.headers.insert("X-Request-Id".to_owned(), id.into());
                    }
                }
            }
        }
    }
}

fn operations_of(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.patch, &mut item.put, &mut item.delete]
        .into_iter()
        .filter_map(Option::as_mut)
}

fn refuse(path: &str, operation: &mut Operation) {
    let mut codes = codes_of(path, operation);
    codes.sort_by_key(|code| code.status());
    for group in codes.chunk_by(|a, b| a.status() == b.status()) {
        let Some(first) = group.first() else { continue };
        let response = problem_response(first.status(), group);
        operation.responses.responses.insert(first.status().to_string(), response.into());
    }
}

/// The refusals that belong to this one operation.
fn codes_of_its_own(operation: &str) -> Vec<ProblemCode> {
    use ProblemCode as Code;
    match operation {
        "account_signup" => {
            vec![
                Code::EmailTaken,
                Code::NicknameTaken,
                Code::RateLimited,
                Code::Overloaded,
                Code::StoreUnavailable,
            ]
        }
        "session_login" | "password_change" => {
            vec![Code::BadCredentials, Code::RateLimited, Code::Overloaded, Code::StoreUnavailable]
        }
        "session_logout" => vec![Code::StoreUnavailable],
        "admin_event_create" => vec![Code::StoreUnavailable, Code::ImageStoreUnavailable],
        "admin_event_update" => vec![
            Code::EventCancelled,
            Code::CapacityBelowSold,
            Code::EventHasReservations,
            Code::LedgerBusy,
            Code::EditConflict,
            Code::LedgerUnavailable,
            Code::StoreUnavailable,
            Code::ImageStoreUnavailable,
        ],
        "admin_event_delete" => vec![
            Code::EventHasReservations,
            Code::LedgerBusy,
            Code::EditConflict,
            Code::LedgerUnavailable,
            Code::StoreUnavailable,
        ],
        "admin_event_cancel" => vec![Code::NotCancellable, Code::StoreUnavailable],
        "event_availability_stream" => vec![Code::RateLimited, Code::Overloaded, Code::StoreUnavailable],
        "admin_cache_clear" | "admin_cache_clear_event" => {
            vec![Code::LedgerUnavailable, Code::StoreUnavailable]
        }
        "admin_image_create" => {
            vec![Code::RateLimited, Code::Overloaded, Code::StoreUnavailable, Code::ImageStoreUnavailable]
        }
        "account_update" => vec![Code::NicknameTaken, Code::StoreUnavailable],
        "reservation_create" => vec![
            Code::NotFound,
            Code::SoldOut,
            Code::PurchaseLimitExceeded,
            Code::SaleNotOpen,
            Code::SaleClosed,
            Code::SalePaused,
            Code::PriceChanged,
            Code::IdempotencyKeyReused,
            Code::RateLimited,
            Code::Overloaded,
            Code::LedgerUnavailable,
            Code::StoreUnavailable,
        ],
        "reservation_cancel" => {
            vec![Code::NotCancellable, Code::RateLimited, Code::Overloaded, Code::StoreUnavailable]
        }
        "inventory_list" => vec![Code::RateLimited, Code::LedgerUnavailable, Code::StoreUnavailable],
        "inventory_load" => vec![Code::LedgerUnavailable, Code::StoreUnavailable],
        "inventory_evict" => vec![Code::LedgerBusy, Code::LedgerUnavailable, Code::StoreUnavailable],
        "inventory_pause" | "inventory_resume" => {
            vec![Code::EventCancelled, Code::LedgerUnavailable, Code::StoreUnavailable]
        }
        "inventory_reconcile" => vec![
            Code::LedgerBusy,
            Code::LedgerNotLoaded,
            Code::EditConflict,
            Code::LedgerUnavailable,
            Code::StoreUnavailable,
        ],
        "stats_view" => vec![Code::RateLimited],
        "health" | "openapi_document" => Vec::new(),
        "readiness" => vec![Code::Overloaded, Code::LedgerUnavailable, Code::StoreUnavailable],
        _ => vec![Code::RateLimited, Code::StoreUnavailable],
    }
}

/// All codes with which the operation can be refused.
fn codes_of(path: &str, operation: &Operation) -> Vec<ProblemCode> {
    use ProblemCode as Code;
    let mut codes = codes_of_its_own(operation.operation_id.as_deref().unwrap_or_default());
    if path.starts_with("/api/v1/") {
        codes.extend([Code::NotAcceptable, Code::Internal]);
    }
    if path.contains('{') {
        codes.push(Code::NotFound);
    }
    if path.starts_with("/api/v1/admin/") {
        codes.push(Code::Forbidden);
    }
    let public = ["account_signup", "session_login", "session_logout"];
    let signed_in = operation.security.is_some();
    if signed_in && !public.contains(&operation.operation_id.as_deref().unwrap_or_default()) {
        codes.push(Code::Unauthenticated);
    }
    if operation.request_body.is_some() {
        codes.extend([
            Code::MalformedRequest,
            Code::PayloadTooLarge,
            Code::UnsupportedMediaType,
            Code::ValidationFailed,
        ]);
    }
    if path.starts_with("/api/v1/") && takes_query(operation) {
        codes.push(Code::ValidationFailed);
    }
    codes
}

fn takes_query(operation: &Operation) -> bool {
    operation.parameters.iter().flatten().any(|parameter| {
        matches!(parameter, RefOr::T(parameter)
            if parameter.parameter_in == utoipa::openapi::path::ParameterIn::Query)
    })
}

fn problem_response(status: u16, codes: &[ProblemCode]) -> Response {
    let name =
        StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
    let list: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
    let mut response = ResponseBuilder::new()
        .description(format!("{name}: {}", list.join(", ")))
        .content(PROBLEM_CONTENT_TYPE, Content::new(Some(Ref::from_schema_name("Problem"))));
    if codes.iter().any(|code| code.retryable()) {
        response = response.header("Retry-After", retry_after());
    }
    if status == 401 {
        response = response.header("WWW-Authenticate", header("`Bearer`"));
    }
    response.build()
}

fn retry_after() -> utoipa::openapi::Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1))))
        .description(Some("The time to wait before the next request, in seconds."))
        .build()
}

fn header(description: &str) -> utoipa::openapi::Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .description(Some(description))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_document_matches_the_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/neticket-v1.json");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == document_text(),
            "openapi/neticket-v1.json is out of date: write it again with `cargo xtask openapi`"
        );
    }

    #[test]
    fn every_operation_has_a_name_a_tag_and_a_summary() {
        let mut document = Api::openapi();
        let mut names = Vec::new();
        for item in document.paths.paths.values_mut() {
            for operation in operations_of(item) {
                assert!(
                    operation.summary.is_some()
                        && operation.tags.as_ref().is_some_and(|tags| tags.len() == 1)
                );
                names.push(operation.operation_id.clone().unwrap());
            }
        }
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
