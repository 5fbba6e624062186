//! The audit finds every kind of fault: a negative control for each of its checks.

use std::time::Duration;

use neticket_loadtest::{Audit, ClientReport, Database, audit};
use neticket_testkit::domain::EventId;
use neticket_testkit::{TestEnv, TestServer, on_both};
use serde_json::json;
use uuid::Uuid;

const AT_ONCE: Duration = Duration::ZERO;

/// Three people with one ticket each, and what they were told.
async fn booked(env: &TestEnv, server: &TestServer) -> (Database, ClientReport) {
    let event = env.event_on_sale(&[5], 1).await;
    let mut confirmed = Vec::new();
    for n in 0..3 {
        let person = server.person(n).await;
        let booking = json!({ "ticket_type_id": event.ticket_types[0].id, "quantity": 1 });
        let answer = server.post("/api/v1/reservations", Some(&person.token), booking).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        confirmed.push(answer.json()["id"].as_str().unwrap().parse::<Uuid>().unwrap());
    }
    let report = ClientReport {
        event: event.id.0,
        max_per_user: 1,
        confirmed,
        unknown_users: Vec::new(),
        wrong_answers: 0,
        before: Default::default(),
    };
    (Database::connect(&env.config.database_url).await.unwrap(), report)
}

async fn change(database: &Database, query: &'static str) {
    match database {
        Database::MySql(pool) => drop(sqlx::query(query).execute(pool).await.unwrap()),
        Database::Sqlite(pool) => drop(sqlx::query(query).execute(pool).await.unwrap()),
    }
}

async fn run_audit(database: &Database, server: &TestServer, report: &ClientReport) -> Audit {
    audit(database, std::slice::from_ref(&server.url), report, AT_ONCE).await.unwrap()
}

fn finds(found: &Audit, fault: &str) {
    assert!(!found.passed && found.faults.iter().any(|f| f.contains(fault)), "{fault}: {found:?}");
}

on_both! {
    async fn the_audit_finds_manipulated_data(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let (database, report) = booked(&env, &server).await;
        // The availability that the server shows may be out of date for a moment.
        let found = audit(&database, std::slice::from_ref(&server.url), &report, Duration::from_secs(5))
            .await
            .unwrap();
        assert!(found.passed, "{found:?}");
        assert_eq!((found.reported, found.stored, found.seats_gone), (3, 3, 3));

        // Seats are gone without a booking.
        change(&database, "UPDATE ticket_types SET `left` = `left` - 1").await;
        finds(&run_audit(&database, &server, &report).await, "4 seats are taken and 3 are confirmed");
        change(&database, "UPDATE ticket_types SET `left` = `left` + 1").await;
        assert!(run_audit(&database, &server, &report).await.passed);

        // A client is told of fewer reservations, of another person's, or of none.
        let mut less = report.clone();
        let kept = less.confirmed.pop().unwrap();
        finds(
            &run_audit(&database, &server, &less).await,
            "1 reservations are confirmed in the store but were never confirmed to a client",
        );
        less.confirmed.push(less.confirmed[0]);
        finds(&run_audit(&database, &server, &less).await, "got the reservation of another");
        less.confirmed.pop();
        less.unknown_users.push(-1);
        finds(&run_audit(&database, &server, &less).await, "never confirmed to a client");
        less.before.insert(kept);
        less.unknown_users.clear();
        assert!(run_audit(&database, &server, &less).await.passed);
        let wrong = ClientReport { wrong_answers: 1, ..report.clone() };
        finds(&run_audit(&database, &server, &wrong).await, "did not match their requests");

        // A user holds more than the limit.
        change(&database, "UPDATE reservations SET user_id = (SELECT MIN(id) FROM users)").await;
        finds(&run_audit(&database, &server, &report).await, "1 users hold more than the 1 tickets");

        // A confirmed booking is gone.
        change(&database, "DELETE FROM reservations WHERE status = 'confirmed'").await;
        finds(
            &run_audit(&database, &server, &report).await,
            "3 reservations that the server confirmed to clients are not confirmed in the store",
        );
        change(&database, "UPDATE ticket_types SET `left` = capacity").await;
        finds(
            &run_audit(&database, &server, &report).await,
            "3 reservations that the server confirmed to clients are not confirmed in the store",
        );
        // The ledger still knows those bookings. Losing it makes the node load it again from the store.
        env.lose_ledger(EventId(report.event)).await;
        env.finish().await;
    }
}
