//! A database is restored from a backup, while access tokens of accounts that the backup does not contain are
//! still valid.

use neticket_testkit::{Person, TestEnv, TestServer, on_both};
use reqwest::Method;
use serde_json::json;

use crate::reservations::book;

/// Operations that need the account are refused. Operations that only search for data of the account find
/// none.
async fn assert_nobody(
    server: &TestServer,
    gone: &Person,
    ticket_type: neticket_testkit::domain::TicketTypeId,
) {
    let token = Some(gone.token.as_str());
    let booking_body = json!({"ticket_type_id": ticket_type, "quantity": 1});
    let passwords = json!({"current_password": neticket_testkit::PASSWORD, "new_password": "ghijkl2?"});
    for answer in [
        server.get("/api/v1/me", token).await,
        server.ask(Method::PATCH, "/api/v1/me", token, Some(json!({"nickname": "somebody"}))).await,
        server.post("/api/v1/me/password", token, passwords).await,
        book(server, &gone.token, None, booking_body.clone()).await,
        book(server, &gone.token, Some("key"), booking_body.clone()).await,
        book(server, &gone.token, Some("key"), booking_body).await,
    ] {
        assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"), "{}", answer.text);
    }
    let listed = server.get("/api/v1/reservations", token).await;
    assert_eq!((listed.status, listed.json()["total_items"].as_u64()), (200, Some(0)), "{}", listed.text);
}

on_both! {
    async fn a_token_from_before_a_restore_belongs_to_nobody(backends: Backends) {
        // The backup is an empty database. `lost` is the deployment that ran on, `restored` the one that was
        // restored from the backup.
        let (mut lost, mut restored) = (TestEnv::new(backends).await, TestEnv::new(backends).await);
        let (lost_server, server) = (lost.server().await, restored.server().await);
        let gone = lost_server.person(1).await;
        assert_eq!(lost_server.get("/api/v1/me", Some(&gone.token)).await.status, 200);
        let next = server.person(2).await;
        assert_ne!(next.id, gone.id, "an id was assigned twice");

        let event = restored.event_on_sale(&[5], 4).await;
        let ticket_type = event.ticket_types[0].id;
        let booking_body = json!({"ticket_type_id": ticket_type, "quantity": 2});
        let booked = book(&server, &next.token, Some("key"), booking_body).await;
        assert_eq!(booked.status, 201, "{}", booked.text);
        assert_nobody(&server, &gone, ticket_type).await;
        let path = booked.header("location").to_owned();
        assert_eq!(server.get(&path, Some(&gone.token)).await.code(), "not_found");
        let cancel = server.post(&format!("{path}/cancel"), Some(&gone.token), json!({})).await;
        assert_eq!(cancel.code(), "not_found");

        let me = server.get("/api/v1/me", Some(&next.token)).await;
        assert_eq!((me.status, me.json()["nickname"].as_str()), (200, Some("person2")));
        assert_eq!(restored.confirmed(&event).await, [2], "a removed user has a reservation");
        lost.finish().await;
        restored.finish().await;
    }

    async fn an_administrator_removed_by_a_restore_gets_no_server_error(backends: Backends) {
        let (mut lost, mut restored) = (TestEnv::new(backends).await, TestEnv::new(backends).await);
        let gone = lost.server().await.admin(1).await;
        let server = restored.server().await;
        let event = restored.event_on_sale(&[5], 4).await;
        let token = Some(gone.token.as_str());
        for path in ["/api/v1/admin/events", "/api/v1/admin/inventory", "/api/v1/admin/audit"] {
            assert_eq!(server.get(path, token).await.status, 200, "the token carries the role: {path}");
        }
        let pause = format!("/api/v1/admin/inventory/{}/pause", event.id);
        let paused = server.post(&pause, token, json!({})).await;
        assert!(paused.status < 500, "{}", paused.text);
        let log = server.get("/api/v1/admin/audit", token).await.json();
        assert_eq!(log["items"][0]["actor"], json!({"id": gone.id.0, "nickname": null}), "{log}");
        assert_eq!(server.get("/api/v1/me", token).await.code(), "unauthenticated");
        lost.finish().await;
        restored.finish().await;
    }
}
