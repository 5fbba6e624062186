//! Reservations over HTTP.

use insta::assert_json_snapshot;
use neticket_testkit::{Answer, TestEnv, TestServer, on_both};
use reqwest::Method;
use serde_json::{Value, json};

use crate::snapshot::masked;

pub(crate) async fn book(server: &TestServer, token: &str, key: Option<&str>, body: Value) -> Answer {
    let mut request = server.request(Method::POST, "/api/v1/reservations").bearer_auth(token).json(&body);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    Answer::read(request.send().await.unwrap()).await
}

on_both! {
    async fn a_user_books_reads_and_cancels_a_reservation(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let event = env.event_on_sale(&[5], 4).await;
        let (person, other) = (server.person(1).await, server.person(2).await);
        let token = person.token.as_str();
        let booking_body = json!({"ticket_type_id": event.ticket_types[0].id, "quantity": 2});
        let booked = book(&server, token, Some("key-1"), booking_body.clone()).await;
        assert_json_snapshot!("reservation_created", masked(&booked, &["location", "cache-control"]));
        let replayed = book(&server, token, Some("key-1"), booking_body).await;
        assert_eq!(replayed.header("idempotency-replayed"), "true");
        assert_eq!((replayed.status, replayed.json()), (201, booked.json()));
        let path = booked.header("location").to_owned();
        assert_eq!(server.get(&path, Some(token)).await.json(), booked.json());
        assert_eq!(server.get(&path, Some(&other.token)).await.code(), "not_found");
        let list = server.get("/api/v1/reservations", Some(token)).await;
        assert_json_snapshot!("reservation_list", masked(&list, &[]));
        let cancel = server.post(&format!("{path}/cancel"), Some(token), json!({})).await;
        assert_json_snapshot!("reservation_cancelled", masked(&cancel, &[]));
        let again = server.post(&format!("{path}/cancel"), Some(token), json!({})).await;
        assert_eq!((again.status, again.json()), (200, cancel.json()));
        let stranger = server.post(&format!("{path}/cancel"), Some(&other.token), json!({})).await;
        assert_eq!(stranger.code(), "not_found");
        env.finish().await;
    }

    async fn a_booking_is_refused_with_its_reason(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let now = env.now().await;
        let (open, soon) = (
            env.event_on_sale(&[3, 10], 4).await,
            env.event(now.plus_millis(3_600_000), now.plus_millis(7_200_000), &[3], 4).await,
        );
        let token = server.person(1).await.token;
        let booking_body = |id, quantity| json!({"ticket_type_id": id, "quantity": quantity});
        let (few, many) = (open.ticket_types[0].id, open.ticket_types[1].id);
        assert_json_snapshot!(
            "sold_out",
            masked(&book(&server, &token, None, booking_body(few, 4)).await, &[])
        );
        assert_eq!(book(&server, &token, Some("k"), booking_body(many, 3)).await.status, 201);
        assert_json_snapshot!(
            "over_the_limit",
            masked(&book(&server, &token, None, booking_body(many, 2)).await, &[])
        );
        assert_json_snapshot!(
            "key_reused",
            masked(&book(&server, &token, Some("k"), booking_body(many, 1)).await, &[])
        );
        let early = book(&server, &token, None, booking_body(soon.ticket_types[0].id, 1)).await;
        assert_json_snapshot!("sale_not_open", masked(&early, &[]));
        for quantity in [json!(0), json!(101), json!(-1), json!(1.5), json!("2"), json!(null)] {
            let refused =
                book(&server, &token, None, json!({"ticket_type_id": many, "quantity": quantity})).await;
            assert_eq!((refused.status, refused.code().as_str()), (422, "validation_failed"), "{quantity}");
        }
        for key in ["", "키", &"k".repeat(256), "a b"] {
            let refused = book(&server, &token, Some(key), booking_body(many, 1)).await;
            assert_eq!(refused.code(), "validation_failed", "{key}");
        }
        assert_eq!(
            book(&server, &token, None, booking_body(neticket_testkit::domain::TicketTypeId(987_654), 1))
                .await
                .code(),
            "not_found"
        );
        env.finish().await;
    }
}
