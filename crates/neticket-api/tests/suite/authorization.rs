//! Who may use which operation: anyone, a signed-in user, or an administrator. The table covers all
//! operations of the OpenAPI document.

use std::collections::BTreeSet;

use neticket_testkit::{Backends, TestEnv};
use reqwest::Method;
use serde_json::{Value, json};

/// Who may use an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Anyone,
    SignedIn,
    Admin,
}
use Access::{Admin, Anyone, SignedIn};

/// All operations with their paths, as the OpenAPI document names them.
const OPERATIONS: &[(&str, &str, &str, Access)] = &[
    ("account_signup", "POST", "/api/v1/auth/signup", Anyone),
    ("session_login", "POST", "/api/v1/auth/login", Anyone),
    ("session_refresh", "POST", "/api/v1/auth/refresh", Anyone),
    ("session_logout", "POST", "/api/v1/auth/logout", Anyone),
    ("account_view", "GET", "/api/v1/me", SignedIn),
    ("account_update", "PATCH", "/api/v1/me", SignedIn),
    ("password_change", "POST", "/api/v1/me/password", SignedIn),
    ("event_list", "GET", "/api/v1/events", Anyone),
    ("event_view", "GET", "/api/v1/events/{id}", Anyone),
    ("event_availability", "GET", "/api/v1/events/{id}/availability", Anyone),
    ("event_availability_stream", "GET", "/api/v1/events/{id}/availability/stream", Anyone),
    ("reservation_create", "POST", "/api/v1/reservations", SignedIn),
    ("reservation_list", "GET", "/api/v1/reservations", SignedIn),
    ("reservation_view", "GET", "/api/v1/reservations/{id}", SignedIn),
    ("reservation_cancel", "POST", "/api/v1/reservations/{id}/cancel", SignedIn),
    ("admin_event_list", "GET", "/api/v1/admin/events", Admin),
    ("admin_event_create", "POST", "/api/v1/admin/events", Admin),
    ("admin_event_view", "GET", "/api/v1/admin/events/{id}", Admin),
    ("admin_event_update", "PATCH", "/api/v1/admin/events/{id}", Admin),
    ("admin_event_delete", "DELETE", "/api/v1/admin/events/{id}", Admin),
    ("admin_event_cancel", "POST", "/api/v1/admin/events/{id}/cancel", Admin),
    ("audit_list", "GET", "/api/v1/admin/audit", Admin),
    ("admin_cache_clear", "DELETE", "/api/v1/admin/cache", Admin),
    ("admin_cache_clear_event", "DELETE", "/api/v1/admin/cache/events/{id}", Admin),
    ("admin_image_create", "POST", "/api/v1/admin/images", Admin),
    ("inventory_list", "GET", "/api/v1/admin/inventory", Admin),
    ("inventory_load", "POST", "/api/v1/admin/inventory/{event_id}/load", Admin),
    ("inventory_evict", "POST", "/api/v1/admin/inventory/{event_id}/evict", Admin),
    ("inventory_pause", "POST", "/api/v1/admin/inventory/{event_id}/pause", Admin),
    ("inventory_resume", "POST", "/api/v1/admin/inventory/{event_id}/resume", Admin),
    ("inventory_reconcile", "POST", "/api/v1/admin/inventory/{event_id}/reconcile", Admin),
    ("stats_view", "GET", "/api/v1/admin/stats", Admin),
    ("health", "GET", "/healthz", Anyone),
    ("readiness", "GET", "/readyz", Anyone),
    ("openapi_document", "GET", "/api/openapi.json", Anyone),
];

#[test]
fn every_operation_of_the_document_has_an_authorization_case() {
    let document: Value = serde_json::from_str(&neticket_api::openapi_document()).unwrap();
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if let Some(id) = operation["operationId"].as_str() {
                documented.insert((id.to_owned(), method.to_uppercase(), path.clone()));
            }
        }
    }
    let tabled: BTreeSet<_> = OPERATIONS
        .iter()
        .map(|(id, method, path, _)| ((*id).to_owned(), (*method).to_owned(), (*path).to_owned()))
        .collect();
    assert_eq!(documented, tabled);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_refuses_callers_without_the_required_role() {
    let mut env = TestEnv::new(Backends::Embedded).await;
    let server = env.server().await;
    let (person, admin) = (server.person(1).await.token, server.admin(2).await.token);
    let forged = format!("{}x", &admin[..admin.len() - 1]);
    for (id, method, path, access) in OPERATIONS {
        let path = path.replace("{event_id}", "1");
        let path = path.replace(
            "{id}",
            if path.contains("reservations") { "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b" } else { "1" },
        );
        let method: Method = method.parse().unwrap();
        let body = (method != Method::GET).then(|| json!({"bad": true}));
        for (token, is) in
            [(None, Anyone), (Some(&forged), Anyone), (Some(&person), SignedIn), (Some(&admin), Admin)]
        {
            let answer = server.ask(method.clone(), &path, token.map(String::as_str), body.clone()).await;
            let code = answer.code();
            let refused = code == "unauthenticated" || code == "forbidden";
            // Without its cookie, a refresh is unauthenticated for everyone.
            let expected = match (access, is) {
                _ if *id == "session_refresh" => "unauthenticated",
                (Anyone, _) | (SignedIn, SignedIn | Admin) | (Admin, Admin) => "",
                (Admin, SignedIn) => "forbidden",
                (SignedIn | Admin, Anyone) => "unauthenticated",
            };
            assert_eq!(if refused { code.as_str() } else { "" }, expected, "{id}: {}", answer.text);
            assert!(answer.status < 500, "{id}: {}", answer.text);
        }
    }
    env.finish().await;
}
