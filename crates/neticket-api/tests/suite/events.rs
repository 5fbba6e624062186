//! Events as everyone sees them, and how administrators create them.

use insta::assert_json_snapshot;
use neticket_testkit::{Answer, TestEnv, on_both};
use reqwest::Method;
use serde_json::{Value, json};

use crate::snapshot::masked;

on_both! {
    async fn anyone_reads_an_event_and_its_availability(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let event = env.event_on_sale(&[100, 50], 4).await;
        let list = server.get("/api/v1/events", None).await;
        assert_json_snapshot!("event_list", masked(&list, &["content-type"]));
        let path = format!("/api/v1/events/{}", event.id);
        let detail = server.get(&path, None).await;
        assert_json_snapshot!("event_detail", masked(&detail, &["cache-control"]));
        let request = server.request(Method::GET, &path).header("if-none-match", detail.header("etag"));
        let unchanged = Answer::read(request.send().await.unwrap()).await;
        assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""));
        let availability = server.get(&format!("{path}/availability"), None).await;
        assert_json_snapshot!("event_availability", masked(&availability, &[]));
        for missing in ["/api/v1/events/987654", "/api/v1/events/987654/availability", "/api/v1/events/x"] {
            assert_eq!(server.get(missing, None).await.code(), "not_found", "{missing}");
        }
        env.finish().await;
    }

    async fn a_page_past_the_end_is_empty_and_a_bad_query_gets_all_its_errors(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        env.event_on_sale(&[1], 1).await;
        let past = server.get("/api/v1/events?page=9&size=5", None).await;
        assert_json_snapshot!("event_list_past_the_end", masked(&past, &[]));
        for query in ["page=0", "size=101", "size=x", "status=open", "color=red", "page=-1", "include_past=2"]
        {
            let refused = server.get(&format!("/api/v1/events?{query}"), None).await;
            assert_eq!((refused.status, refused.code().as_str()), (422, "validation_failed"), "{query}");
        }
        env.finish().await;
    }

    async fn a_search_matches_every_word_case_insensitively(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let admin = server.admin(1).await;
        for (title, place) in
            [("Hamlet 햄릿", "서울 예술의전당"), ("HAMLET the musical", "부산"), ("100% 웃음", "서울")]
        {
            let event = with(&env, |e| (e["title"], e["place"]) = (json!(title), json!(place))).await;
            assert_eq!(server.post("/api/v1/admin/events", Some(&admin.token), event).await.status, 201);
        }
        for (query, expected) in
            [("hamlet", 2), ("HAMLET 서울", 1), ("hamlet 대구", 0), ("%25", 1), ("_", 0), ("", 3)]
        {
            let found = server.get(&format!("/api/v1/events?q={query}"), None).await.json();
            assert_eq!(found["total_items"], expected, "{query}");
        }
        env.finish().await;
    }

    async fn an_administrator_adds_an_event(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let admin = server.admin(1).await;
        let token = Some(admin.token.as_str());
        let created = server.post("/api/v1/admin/events", token, with(&env, |_| ()).await).await;
        assert_json_snapshot!("admin_event_created", masked(&created, &["location"]));
        let list = server.get("/api/v1/admin/events", token).await;
        assert_json_snapshot!("admin_event_list", masked(&list, &[]));
        env.finish().await;
    }

    async fn an_invalid_new_event_gets_all_its_errors_at_once(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let admin = server.admin(1).await;
        let wrong = with(&env, |e| {
            e["title"] = json!(" ");
            e["max_per_user"] = json!(0);
            e["ticket_types"] =
                json!([{"name": "R", "price": 1, "capacity": 0}, {"name": "", "price": 1, "capacity": 1}]);
        })
        .await;
        let refused = server.post("/api/v1/admin/events", Some(&admin.token), wrong).await;
        assert_json_snapshot!("admin_event_refused", masked(&refused, &[]));
        let backwards = with(&env, |e| {
            e["closes_at"] = json!("2099-01-01T00:00:00Z");
            e["opens_at"] = json!("2099-01-02T00:00:00Z");
            e["image_key"] = json!("nothing");
        })
        .await;
        let refused = server.post("/api/v1/admin/events", Some(&admin.token), backwards).await;
        assert_json_snapshot!("admin_event_backwards", masked(&refused, &[]));
        env.finish().await;
    }
}

/// A valid new event, modified by `change`.
async fn with(env: &TestEnv, change: impl FnOnce(&mut Value)) -> Value {
    let now = env.now().await;
    let mut event = json!({
        "title": "호두까기 인형", "place": "예술의전당 오페라극장", "description": "차이콥스키의 발레",
        "opens_at": now.plus_millis(-1_000), "starts_at": now.plus_millis(86_400_000),
        "ticket_types": [{"name": "R", "price": 120_000, "capacity": 300}, {"name": "S", "price": 80_000, "capacity": 500}],
    });
    change(&mut event);
    event
}
