//! Reservations over HTTP.

use insta::assert_json_snapshot;
use neticket_testkit::{Answer, Site, World, on_both};
use reqwest::Method;
use serde_json::{Value, json};

use crate::shown::shown;

pub(crate) async fn book(site: &Site, token: &str, key: Option<&str>, body: Value) -> Answer {
    let mut request = site.request(Method::POST, "/api/v1/reservations").bearer_auth(token).json(&body);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    Answer::read(request.send().await.unwrap()).await
}

on_both! {
    async fn booking_looking_and_cancelling(parts: Parts) {
        let mut world = World::new(parts).await;
        let site = world.site().await;
        let event = world.event_on_sale(&[5], 4).await;
        let (person, other) = (site.person(1).await, site.person(2).await);
        let token = person.token.as_str();
        let wish = json!({"ticket_type_id": event.ticket_types[0].id, "quantity": 2});
        let booked = book(&site, token, Some("key-1"), wish.clone()).await;
        assert_json_snapshot!("reservation_created", shown(&booked, &["location", "cache-control"]));
        let replayed = book(&site, token, Some("key-1"), wish).await;
        assert_eq!(replayed.header("idempotency-replayed"), "true");
        assert_eq!((replayed.status, replayed.json()), (201, booked.json()));
        let path = booked.header("location").to_owned();
        assert_eq!(site.get(&path, Some(token)).await.json(), booked.json());
        assert_eq!(site.get(&path, Some(&other.token)).await.code(), "not_found");
        let list = site.get("/api/v1/reservations", Some(token)).await;
        assert_json_snapshot!("reservation_list", shown(&list, &[]));
        let cancel = site.post(&format!("{path}/cancel"), Some(token), json!({})).await;
        assert_json_snapshot!("reservation_cancelled", shown(&cancel, &[]));
        let again = site.post(&format!("{path}/cancel"), Some(token), json!({})).await;
        assert_eq!((again.status, again.json()), (200, cancel.json()));
        let stranger = site.post(&format!("{path}/cancel"), Some(&other.token), json!({})).await;
        assert_eq!(stranger.code(), "not_found");
        world.finish().await;
    }

    async fn the_refusals_of_a_booking(parts: Parts) {
        let mut world = World::new(parts).await;
        let site = world.site().await;
        let now = world.now().await;
        let (open, soon) = (
            world.event_on_sale(&[3, 10], 4).await,
            world.event(now.plus_millis(3_600_000), now.plus_millis(7_200_000), &[3], 4).await,
        );
        let token = site.person(1).await.token;
        let wish = |id, quantity| json!({"ticket_type_id": id, "quantity": quantity});
        let (few, many) = (open.ticket_types[0].id, open.ticket_types[1].id);
        assert_json_snapshot!("sold_out", shown(&book(&site, &token, None, wish(few, 4)).await, &[]));
        assert_eq!(book(&site, &token, Some("k"), wish(many, 3)).await.status, 201);
        assert_json_snapshot!("over_the_limit", shown(&book(&site, &token, None, wish(many, 2)).await, &[]));
        assert_json_snapshot!("key_reused", shown(&book(&site, &token, Some("k"), wish(many, 1)).await, &[]));
        let early = book(&site, &token, None, wish(soon.ticket_types[0].id, 1)).await;
        assert_json_snapshot!("sale_not_open", shown(&early, &[]));
        for quantity in [json!(0), json!(101), json!(-1), json!(1.5), json!("2"), json!(null)] {
            let refused = book(&site, &token, None, json!({"ticket_type_id": many, "quantity": quantity})).await;
            assert_eq!((refused.status, refused.code().as_str()), (422, "validation_failed"), "{quantity}");
        }
        for key in ["", "키", &"k".repeat(256), "a b"] {
            let refused = book(&site, &token, Some(key), wish(many, 1)).await;
            assert_eq!(refused.code(), "validation_failed", "{key}");
        }
        assert_eq!(book(&site, &token, None, wish(neticket_testkit::domain::TicketTypeId(987_654), 1)).await.code(), "not_found");
        world.finish().await;
    }
}
