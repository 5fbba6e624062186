//! The inventory over HTTP.

use std::time::Duration;

use neticket_testkit::{Answer, TestEnv, TestServer, on_both};
use reqwest::Method;
use serde_json::{Value, json};

use crate::reservations::book;

/// The deadline of each wait in this file.
const DEADLINE: Duration = Duration::from_secs(10);

async fn reconcile(
    server: &TestServer,
    token: &str,
    event: i64,
    dry_run: bool,
    if_match: Option<&str>,
) -> Answer {
    let path = format!("/api/v1/admin/inventory/{event}/reconcile?dry_run={dry_run}");
    let mut request = server.request(Method::POST, &path).bearer_auth(token);
    if let Some(tag) = if_match {
        request = request.header("if-match", tag);
    }
    Answer::read(request.send().await.unwrap()).await
}

/// Repeats the request until `accept` accepts the answer.
pub(crate) async fn get_until(
    server: &TestServer,
    token: &str,
    path: &str,
    accept: impl Fn(&Value) -> bool,
) -> Value {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let answer = server.get(path, Some(token)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        if accept(&body) {
            return body;
        }
        assert!(tokio::time::Instant::now() < deadline, "{body}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

on_both! {
    async fn every_inventory_action_answers_the_changed_entry(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let (admin, person) = (server.admin(1).await.token, server.person(2).await.token);
        let event = env.event_on_sale(&[5], 4).await;
        let booking_body = json!({"ticket_type_id": event.ticket_types[0].id, "quantity": 2});
        assert_eq!(book(&server, &person, None, booking_body.clone()).await.status, 201);
        let list = "/api/v1/admin/inventory?size=5";
        let page = get_until(&server, &admin, list, |page| page["items"][0]["ledger"]["pending"] == 0).await;
        let ticket_type = json!({
            "id": event.ticket_types[0].id, "name": "VIP", "capacity": 5, "store_left": 3, "ledger_left": 3, "drift": 0
        });
        assert_eq!(
            (&page["total_items"], &page["items"][0]["ticket_types"]),
            (&json!(1), &json!([ticket_type]))
        );
        assert_eq!(page["items"][0]["status"], "on_sale");
        let path = |action| format!("/api/v1/admin/inventory/{}/{action}", event.id);
        let act = async |action| server.post(&path(action), Some(&admin), json!({})).await;
        let loaded = act("load").await.json();
        assert!(
            loaded["ledger"]["epoch"].as_i64() > page["items"][0]["ledger"]["epoch"].as_i64(),
            "{loaded}"
        );
        let paused = act("pause").await.json();
        assert_eq!((&paused["ledger"]["paused"], &paused["status"]), (&json!(true), &json!("paused")));
        assert_eq!(
            server.get(&format!("/api/v1/events/{}", event.id), None).await.json()["status"],
            "paused",
            "at once"
        );
        assert_eq!(book(&server, &person, None, booking_body.clone()).await.code(), "sale_paused");
        let evicted = act("evict").await;
        assert_eq!(
            (evicted.status, &evicted.json()["ledger"]["paused"]),
            (200, &json!(true)),
            "{}",
            evicted.text
        );
        assert_eq!(act("resume").await.json()["ledger"]["paused"], json!(false));
        assert_eq!(book(&server, &person, None, booking_body).await.status, 201);
        let nothing = server.post("/api/v1/admin/inventory/987654/load", Some(&admin), json!({})).await;
        assert_eq!(nothing.code(), "not_found");
        env.finish().await;
    }

    async fn a_difference_is_repaired_only_if_it_is_still_the_reported_one(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.engine.task_interval_ms = 60_000; // no background task repairs it
        let server = env.server().await;
        let admin = server.admin(1).await.token;
        let event = env.event_on_sale(&[5], 4).await;
        let mut wrong = env.snapshot(event.id).await;
        wrong.ticket_types[0].left = 7;
        env.install(&wrong).await;
        let shown = reconcile(&server, &admin, event.id.0, true, None).await;
        let change = json!({"ticket_type_id": event.ticket_types[0].id, "from": 7, "to": 5});
        assert_eq!(shown.json(), json!({"applied": false, "changes": [change]}));
        let tag = shown.header("etag").to_owned();
        assert!(tag.starts_with('"'), "strong: {tag}");
        for other in ["\"other\"", &format!("W/{tag}"), "nonsense", "\"a\", \"b\""] {
            assert_eq!(
                reconcile(&server, &admin, event.id.0, false, Some(other)).await.code(),
                "edit_conflict",
                "{other}"
            );
        }
        let drifted = server.get("/api/v1/admin/inventory?drifted=true", Some(&admin)).await.json();
        assert_eq!(drifted["items"][0]["ticket_types"][0]["drift"], 2);
        let applied = reconcile(&server, &admin, event.id.0, false, Some(&format!("\"x\", {tag}"))).await;
        assert_eq!(applied.json(), json!({"applied": true, "changes": [change]}));
        let again = reconcile(&server, &admin, event.id.0, false, Some("*")).await;
        assert_eq!(
            again.json(),
            json!({"applied": false, "changes": []}),
            "an action without an effect was audited"
        );
        let drifted = server.get("/api/v1/admin/inventory?drifted=true", Some(&admin)).await.json();
        assert_eq!(drifted["total_items"], 0);
        env.finish().await;
    }
}
