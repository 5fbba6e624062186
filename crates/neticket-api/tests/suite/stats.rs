//! The statistics of all nodes over HTTP.

use neticket_testkit::{TestEnv, on_both};
use serde_json::{Value, json};

use crate::inventory::get_until;
use crate::reservations::book;

on_both! {
    async fn stats_cover_all_nodes(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let (one, other) = (env.server().await, env.server().await);
        let (admin, person) = (one.admin(1).await.token, one.person(2).await.token);
        let event = env.event_on_sale(&[5], 4).await;
        let booking_body =
            |quantity: u32| json!({"ticket_type_id": event.ticket_types[0].id, "quantity": quantity});
        assert_eq!(book(&other, &person, None, booking_body(2)).await.status, 201);
        assert_eq!(book(&other, &person, None, booking_body(9)).await.code(), "sold_out");
        assert_eq!(one.get("/api/v1/nothing", None).await.status, 404);
        let is_whole = |stats: &Value| {
            let count = |code: &str| {
                let problems = stats["problems"].as_array().unwrap().iter();
                problems
                    .filter(|problem| problem["code"] == code)
                    .filter_map(|problem| problem["count"].as_u64())
                    .sum::<u64>()
            };
            stats["nodes"] == 2 && count("sold_out") == 1 && count("not_found") == 1
        };
        let stats = get_until(&one, &admin, "/api/v1/admin/stats", is_whole).await;
        assert!(
            stats["bookings_per_s"].as_f64() > Some(0.0) && stats["p99_ms"].as_f64() > Some(0.0),
            "{stats}"
        );
        assert_eq!(
            (&stats["window_s"], &stats["in_flight"], &stats["drift"]),
            (&json!(5), &json!(0), &json!(0))
        );
        env.finish().await;
    }
}
