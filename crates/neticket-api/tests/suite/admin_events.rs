//! How administrators change, cancel and delete events, and what other clients then see.

use neticket_testkit::{Answer, TestEnv, TestServer, on_both};
use reqwest::Method;
use serde_json::{Value, json};

const EVENTS: &str = "/api/v1/admin/events";

async fn with_tag(
    server: &TestServer,
    method: Method,
    path: &str,
    token: &str,
    tag: &str,
    body: Value,
) -> Answer {
    let request = server.request(method, path).bearer_auth(token).header("if-match", tag).json(&body);
    Answer::read(request.send().await.unwrap()).await
}

/// The invalid fields of a refusal, each with its code.
fn faults(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.code(), "validation_failed", "{}", answer.text);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| (text(&error["field"]), text(&error["code"]))).collect()
}

fn fault(field: &str, code: &str) -> (String, String) {
    (field.to_owned(), code.to_owned())
}

on_both! {
    async fn an_event_can_be_changed_only_from_its_latest_version(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let admin = server.admin(1).await;
        let event = env.event_on_sale(&[10, 20], 4).await;
        let path = format!("{EVENTS}/{}", event.id);
        let seen = server.get(&path, Some(&admin.token)).await;
        assert_eq!((seen.status, seen.header("etag")), (200, "\"1\""), "{}", seen.text);
        assert_eq!(seen.json()["ticket_types"][1]["capacity"], 20);

        let titled = |title: &str| json!({ "title": title });
        let change = async |tag: &str, title: &str| {
            with_tag(&server, Method::PATCH, &path, &admin.token, tag, titled(title)).await
        };
        let changed = change("\"1\"", "첫째").await;
        assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""), "{}", changed.text);
        assert_eq!(changed.json()["title"], "첫째");
        for stale in ["\"1\"", "W/\"2\"", "\"9\", \"1\"", "nonsense"] {
            let refused = change(stale, "둘째").await;
            assert_eq!((refused.status, refused.code().as_str()), (412, "edit_conflict"), "{stale}");
        }
        for good in ["\"9\", \"2\"", "*"] {
            assert_eq!(change(good, good).await.status, 200, "{good}");
        }
        let unconditional = server.ask(Method::PATCH, &path, Some(&admin.token), Some(titled("넷째"))).await;
        assert_eq!((unconditional.status, unconditional.header("etag")), (200, "\"5\""));
        let same = server.ask(Method::PATCH, &path, Some(&admin.token), Some(titled("넷째"))).await;
        assert_eq!((same.status, same.header("etag")), (200, "\"5\""), "nothing was done");
        let public = server.get(&format!("/api/v1/events/{}", event.id), None).await;
        assert_eq!(public.json()["title"], "넷째", "everyone sees it at once");

        let log = server.get("/api/v1/admin/audit?size=2", Some(&admin.token)).await.json();
        let newest = &log["items"][0];
        assert_eq!((&log["total_items"], &newest["action"]), (&json!(5), &json!("event_update")));
        assert_eq!(
            (&newest["before"], &newest["after"]),
            (&json!({"title": "*"}), &json!({"title": "넷째"}))
        );
        assert_eq!(newest["actor"], json!({"id": admin.id.0, "nickname": "person1"}));
        assert_eq!(
            (&newest["target"], &newest["ip"]),
            (&json!(format!("event/{}", event.id)), &json!("127.0.0.1"))
        );
        env.finish().await;
    }

    async fn an_invalid_event_form_gets_all_field_errors_in_one_answer(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let admin = server.admin(1).await;
        let now = env.now().await;
        let draft = json!({
            "title": " ", "place": "서울", "description": "", "color": "red",
            "opens_at": now.plus_millis(9_000_000), "starts_at": now.plus_millis(-1_000),
            "max_per_user": 101, "image_key": "nothing",
            "ticket_types": [
                {"name": "R", "price": -1, "capacity": 0}, {"name": "R", "price": 100_000_001, "capacity": "many"},
            ],
        });
        let refused = server.post(EVENTS, Some(&admin.token), draft.clone()).await;
        let mut found = faults(&refused);
        found.sort();
        assert_eq!(
            found,
            [
                fault("color", "unknown_field"),
                fault("image_key", "not_found"),
                fault("max_per_user", "out_of_range"),
                fault("opens_at", "out_of_range"),
                fault("starts_at", "out_of_range"),
                fault("ticket_types[0].capacity", "out_of_range"),
                fault("ticket_types[0].price", "out_of_range"),
                fault("ticket_types[1].capacity", "invalid_type"),
                fault("ticket_types[1].name", "duplicate"),
                fault("ticket_types[1].price", "out_of_range"),
                fault("title", "required"),
            ]
        );
        // If one field is invalid, another field that can only be judged together with it is not reported.
        let mut unreadable = draft.clone();
        unreadable["starts_at"] = json!("tomorrow");
        let found = faults(&server.post(EVENTS, Some(&admin.token), unreadable).await);
        assert!(
            found.iter().any(|(field, code)| field == "starts_at" && code == "invalid_value"),
            "{found:?}"
        );
        assert!(!found.iter().any(|(field, _)| field == "opens_at"), "{found:?}");

        let event = env.event_on_sale(&[10], 4).await;
        let path = format!("{EVENTS}/{}", event.id);
        let change = json!({"title": "", "opens_at": event.starts_at, "max_per_user": 0});
        let found = faults(&server.ask(Method::PATCH, &path, Some(&admin.token), Some(change)).await);
        assert_eq!(found.len(), 3, "{found:?}");
        env.finish().await;
    }

    async fn lengths_are_counted_in_characters(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let admin = server.admin(1).await;
        let event = env.event_on_sale(&[10], 4).await;
        let path = format!("{EVENTS}/{}", event.id);
        let change =
            async |body: Value| server.ask(Method::PATCH, &path, Some(&admin.token), Some(body)).await;
        for text in ["한", "🎭", "a"] {
            let ticket_type = json!([{"id": event.ticket_types[0].id, "name": text.repeat(50), "price": 0, "capacity": 10}]);
            let longest = json!({
                "title": text.repeat(200), "place": text.repeat(200), "description": text.repeat(10_000), "ticket_types": ticket_type,
            });
            let changed = change(longest).await;
            assert_eq!(changed.status, 200, "{}", changed.text);
            assert_eq!(changed.json()["description"], text.repeat(10_000));
            let too_long = json!({"title": text.repeat(201), "description": text.repeat(10_001)});
            let mut found = faults(&change(too_long).await);
            found.sort();
            assert_eq!(found, [fault("description", "too_long"), fault("title", "too_long")], "{text}");
        }
        env.finish().await;
    }

    async fn an_event_with_reservations_is_cancelled_and_one_without_is_deleted(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.task_interval_ms = 20;
        let server = env.server().await;
        let (admin, person) = (server.admin(1).await, server.person(2).await);
        let token = Some(admin.token.as_str());
        let (booked, unbooked) = (env.event_on_sale(&[10], 4).await, env.event_on_sale(&[10], 4).await);
        let booking_body = json!({"ticket_type_id": booked.ticket_types[0].id, "quantity": 2});
        let mine = server.post("/api/v1/reservations", Some(&person.token), booking_body.clone()).await;
        assert_eq!(mine.status, 201, "{}", mine.text);
        let path = |event: &neticket_testkit::store::EventRecord| format!("{EVENTS}/{}", event.id);
        let refused = server.ask(Method::DELETE, &path(&booked), token, None).await;
        assert_eq!((refused.status, refused.code().as_str()), (409, "event_has_reservations"));
        let stale =
            with_tag(&server, Method::DELETE, &path(&unbooked), &admin.token, "\"2\"", json!({})).await;
        assert_eq!(stale.code(), "edit_conflict");
        let deleted =
            with_tag(&server, Method::DELETE, &path(&unbooked), &admin.token, "\"1\"", json!({})).await;
        assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
        for gone in [path(&unbooked), format!("/api/v1/events/{}", unbooked.id)] {
            assert_eq!(server.get(&gone, token).await.code(), "not_found", "{gone}");
        }

        let cancel = format!("{}/cancel", path(&booked));
        let cancelled = server.post(&cancel, token, json!({})).await;
        assert_eq!((cancelled.status, cancelled.header("etag")), (200, "\"2\""), "{}", cancelled.text);
        assert_eq!(cancelled.json()["status"], "cancelled");
        let again = server.post(&cancel, token, json!({})).await;
        assert_eq!(again.json()["cancelled_at"], cancelled.json()["cancelled_at"]);
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(15);
        let seen = loop {
            let seen = server.get(mine.header("location"), Some(&person.token)).await.json();
            assert_eq!((&seen["event"]["cancelled"], &seen["cancellable"]), (&json!(true), &json!(false)));
            if seen["status"] == "cancelled" {
                break seen;
            }
            assert!(tokio::time::Instant::now() < deadline, "{seen}");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        };
        assert!(seen["cancelled_at"].is_string(), "{seen}");
        let late = server.post("/api/v1/reservations", Some(&person.token), booking_body).await;
        assert_eq!(late.code(), "sale_closed");
        let changed = server.ask(Method::PATCH, &path(&booked), token, Some(json!({"title": "x"}))).await;
        assert_eq!(changed.code(), "event_cancelled");
        let log = server.get("/api/v1/admin/audit", token).await.json();
        let actions: Vec<_> =
            log["items"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
        assert_eq!(actions, ["event_cancel", "event_delete", "admin_create"]);
        env.finish().await;
    }
}
