//! Every problem code is caused by a real request, and has the shape of RFC 9457.

use std::collections::BTreeSet;
use std::time::Duration;

use neticket_contract::ProblemCode;
use neticket_testkit::app::reservation_id;
use neticket_testkit::domain::{Epoch, ReservationId};
use neticket_testkit::ledger::{AdmitRequest, LedgerSnapshot, SnapshotReservation};
use neticket_testkit::servers::{MariaDb, Redis, TestDatabase};
use neticket_testkit::store::EventRecord;
use neticket_testkit::{Answer, Backends, S3, TestEnv, TestServer, tickets, until};
use reqwest::Method;
use serde_json::{Value, json};

/// The codes that were seen so far. It checks the shape of each problem.
#[derive(Default)]
struct ProducedCodes(BTreeSet<String>);

impl ProducedCodes {
    fn check(&mut self, answer: &Answer, expected: ProblemCode) -> Value {
        assert_eq!(answer.code(), expected.as_str(), "{} {}", answer.status, answer.text);
        assert_eq!(answer.status, expected.status());
        let body = answer.json();
        assert_eq!(body["type"], format!("/problems/{expected}"));
        assert_eq!(body["title"], expected.title());
        assert_eq!(body["status"], expected.status());
        assert_eq!(body["trace_id"], answer.header("x-request-id"));
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        assert_eq!(answer.header("retry-after").parse::<u32>().is_ok(), expected.retryable(), "{expected}");
        self.0.insert(expected.to_string());
        body
    }
}

async fn raw(server: &TestServer, path: &str, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = server.request(Method::POST, path).header("content-type", content_type).body(body);
    Answer::read(request.send().await.unwrap()).await
}

/// Refusals that any request can get.
async fn of_requests(produced: &mut ProducedCodes) {
    let mut env = TestEnv::new(Backends::Embedded).await;
    let server = env.server().await;
    let (login, json_type) = ("/api/v1/auth/login", "application/json");
    for body in ["", "{", "nonsense", "{\"email\": \"a\"", "[1,", "\u{feff}{}"] {
        produced.check(&raw(&server, login, json_type, body).await, ProblemCode::MalformedRequest);
    }
    produced
        .check(&raw(&server, login, json_type, vec![b'"', 0xff, b'"']).await, ProblemCode::MalformedRequest);
    produced.check(&raw(&server, login, "text/plain", "{}").await, ProblemCode::UnsupportedMediaType);
    produced.check(
        &raw(&server, login, json_type, format!("\"{}\"", "x".repeat(100_000))).await,
        ProblemCode::PayloadTooLarge,
    );
    for path in ["/api/v1/nothing", "/api", "/api/v2/events", "/api/v1/reservations/1/2/3"] {
        produced.check(&server.get(path, None).await, ProblemCode::NotFound);
    }
    let wrong_method = server.ask(Method::DELETE, login, None, None).await;
    produced.check(&wrong_method, ProblemCode::MethodNotAllowed);
    assert_eq!(wrong_method.header("allow"), "POST");
    let request = server.request(Method::GET, "/api/v1/events").header("accept", "image/png");
    produced.check(&Answer::read(request.send().await.unwrap()).await, ProblemCode::NotAcceptable);
    let fields = [
        (
            json!({"email": "a@b.kr", "password": "abcdef1!", "nickname": "ann", "admin": true}),
            "admin",
            "unknown_field",
        ),
        (json!({"email": "a@b.kr", "password": "abcdef1!"}), "nickname", "required"),
        (json!({"email": 5, "password": "abcdef1!", "nickname": "ann"}), "email", "invalid_type"),
        (json!({"email": "a@b.kr", "password": "abcdefgh", "nickname": "ann"}), "password", "weak_password"),
    ];
    for (body, field, code) in fields {
        let problem = produced
            .check(&server.post("/api/v1/auth/signup", None, body).await, ProblemCode::ValidationFailed);
        assert_eq!(
            (&problem["errors"][0]["field"], &problem["errors"][0]["code"]),
            (&json!(field), &json!(code))
        );
    }
    let all_wrong = json!({"email": "x", "password": "y", "nickname": "z"});
    let problem = produced
        .check(&server.post("/api/v1/auth/signup", None, all_wrong).await, ProblemCode::ValidationFailed);
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(3), "all at once: {problem}");
    env.finish().await;
}

/// Refusals about accounts and roles.
async fn of_accounts(produced: &mut ProducedCodes) {
    let mut env = TestEnv::new(Backends::Embedded).await;
    let server = env.server().await;
    let person = server.person(1).await;
    let login = json!({"email": person.email, "password": "wrong"});
    produced.check(&server.post("/api/v1/auth/login", None, login).await, ProblemCode::BadCredentials);
    produced.check(&server.get("/api/v1/me", None).await, ProblemCode::Unauthenticated);
    produced.check(&server.get("/api/v1/admin/events", Some(&person.token)).await, ProblemCode::Forbidden);
    let account =
        |email: &str, nickname: &str| json!({"email": email, "password": "abcdef1!", "nickname": nickname});
    let signup = "/api/v1/auth/signup";
    produced
        .check(&server.post(signup, None, account(&person.email, "other")).await, ProblemCode::EmailTaken);
    produced.check(
        &server.post(signup, None, account("other@example.com", "person1")).await,
        ProblemCode::NicknameTaken,
    );
    env.finish().await;
}

fn booking_body(event: &EventRecord, quantity: u32) -> Value {
    json!({"ticket_type_id": event.ticket_types[0].id, "quantity": quantity})
}

/// Refusals of bookings and cancels.
async fn of_bookings(produced: &mut ProducedCodes) {
    let mut env = TestEnv::new(Backends::Embedded).await;
    let server = env.server().await;
    let person = server.person(1).await;
    let token = Some(person.token.as_str());
    let now = env.now().await;
    let book = async |body| server.post("/api/v1/reservations", token, body).await;
    let event = env.event_on_sale(&[2], 4).await;
    produced.check(&book(booking_body(&event, 3)).await, ProblemCode::SoldOut);
    let roomy = env.event_on_sale(&[100], 4).await;
    produced.check(&book(booking_body(&roomy, 5)).await, ProblemCode::PurchaseLimitExceeded);
    let cheap = json!({"ticket_type_id": roomy.ticket_types[0].id, "quantity": 1, "unit_price": 1});
    let changed = produced.check(&book(cheap).await, ProblemCode::PriceChanged);
    assert_eq!(changed["unit_price"], roomy.ticket_types[0].price);
    let later = env.event(now.plus_millis(3_600_000), now.plus_millis(7_200_000), &[1], 4).await;
    produced.check(&book(booking_body(&later, 1)).await, ProblemCode::SaleNotOpen);
    let past = env.event(now.plus_millis(-7_200_000), now.plus_millis(-3_600_000), &[1], 4).await;
    produced.check(&book(booking_body(&past, 1)).await, ProblemCode::SaleClosed);
    load(&env, &roomy, true, Vec::new()).await;
    produced.check(&book(booking_body(&roomy, 1)).await, ProblemCode::SalePaused);

    let soon = env.event(now.plus_millis(-1_000), env.now().await.plus_millis(3_000), &[1], 4).await;
    let booked = book(booking_body(&soon, 1)).await;
    assert_eq!(booked.status, 201, "{}", booked.text);
    let cancel = format!("{}/cancel", booked.header("location"));
    while env.now().await < soon.starts_at {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    produced.check(&server.post(&cancel, token, json!({})).await, ProblemCode::NotCancellable);

    let keyed = async |quantity| {
        let request = server.request(Method::POST, "/api/v1/reservations").bearer_auth(&person.token);
        let request = request.header("idempotency-key", "k").json(&booking_body(&event, quantity));
        Answer::read(request.send().await.unwrap()).await
    };
    assert_eq!(keyed(1).await.status, 201);
    produced.check(&keyed(2).await, ProblemCode::IdempotencyKeyReused);
    of_faults(produced).await;
    env.finish().await;
}

/// Refusals of changes to an event.
async fn of_edits(produced: &mut ProducedCodes) {
    let mut env = TestEnv::new(Backends::Embedded).await;
    let server = env.server().await;
    let (admin, person) = (server.admin(1).await, server.person(2).await);
    let event = env.event_on_sale(&[10], 4).await;
    assert_eq!(
        server.post("/api/v1/reservations", Some(&person.token), booking_body(&event, 3)).await.status,
        201
    );
    let path = format!("/api/v1/admin/events/{}", event.id);
    let change = async |body| server.ask(Method::PATCH, &path, Some(&admin.token), Some(body)).await;
    let smaller = json!([{"id": event.ticket_types[0].id, "name": "R", "price": 1, "capacity": 2}]);
    let problem =
        produced.check(&change(json!({"ticket_types": smaller})).await, ProblemCode::CapacityBelowSold);
    assert_eq!(problem["sold"], 3);
    let deleted = server.ask(Method::DELETE, &path, Some(&admin.token), None).await;
    produced.check(&deleted, ProblemCode::EventHasReservations);
    let stale = server.request(Method::PATCH, &path).bearer_auth(&admin.token).header("if-match", "\"7\"");
    let stale = stale.json(&json!({"title": "x"})).send().await.unwrap();
    produced.check(&Answer::read(stale).await, ProblemCode::EditConflict);
    assert_eq!(server.post(&format!("{path}/cancel"), Some(&admin.token), json!({})).await.status, 200);
    produced.check(&change(json!({"title": "x"})).await, ProblemCode::EventCancelled);
    env.finish().await;
}

/// Gives an event a ledger that differs from the one that the store would build.
async fn load(env: &TestEnv, event: &EventRecord, paused: bool, reservations: Vec<SnapshotReservation>) {
    // The node also loads the ledger itself. Wait until it has, so that it does not replace this one.
    until("the sale opens", async || env.ledger.view(event.id).await.unwrap().is_some()).await;
    let snapshot = env.snapshot(event.id).await;
    let paused_at = if paused { Some(env.now().await) } else { None };
    env.install(&LedgerSnapshot { paused_at, reservations, ..snapshot }).await;
}

/// Refusals of the inventory actions.
async fn of_inventory(produced: &mut ProducedCodes) {
    let mut env = TestEnv::new(Backends::Embedded).await;
    let server = env.server().await;
    let (admin, user) = (server.admin(1).await, env.user(0).await);
    let event = env.event_on_sale(&[10], 4).await;
    let act = async |action: &str| {
        let path = format!("/api/v1/admin/inventory/{}/{action}", event.id);
        server.post(&path, Some(&admin.token), json!({})).await
    };
    let later = env.now().await.plus_millis(86_400_000);
    let far = env.event(later, later.plus_millis(1_000), &[1], 4).await;
    let unloaded = format!("/api/v1/admin/inventory/{}/reconcile", far.id);
    produced
        .check(&server.post(&unloaded, Some(&admin.token), json!({})).await, ProblemCode::LedgerNotLoaded);
    assert_eq!(act("load").await.status, 200);
    let (id, ticket_type) = (ReservationId(uuid::Uuid::new_v4()), event.ticket_types[0].id);
    let request = AdmitRequest { id, user, ticket_type, quantity: tickets(1), unit_price: None };
    env.ledger.admit(event.id, Epoch(0), &[request]).await.unwrap(); // as a node that then died would have
    produced.check(&act("evict").await, ProblemCode::LedgerBusy);
    let is_settled =
        async || env.ledger.view(event.id).await.unwrap().is_some_and(|view| view.journal_len == 0);
    until("recovery commits it", is_settled).await;
    env.finish().await;
}

/// Causes an internal error: the ledger knows a reservation that the store does not have.
async fn of_faults(produced: &mut ProducedCodes) {
    let mut env = TestEnv::new(Backends::Embedded).await;
    let server = env.server().await;
    let person = server.person(1).await;
    let event = env.event_on_sale(&[2], 4).await;
    let id = reservation_id(person.id, "k");
    load(&env, &event, false, vec![SnapshotReservation { id, user: person.id, held: 1 }]).await;
    let request = server.request(Method::POST, "/api/v1/reservations").bearer_auth(&person.token);
    let request = request.header("idempotency-key", "k").json(&booking_body(&event, 1));
    let problem = produced.check(&Answer::read(request.send().await.unwrap()).await, ProblemCode::Internal);
    assert!(!problem.to_string().contains("settled"), "internal details are in the problem: {problem}");
    env.finish().await;
}

/// Refusals of an overloaded or broken server.
async fn of_load(produced: &mut ProducedCodes) {
    let mut env = TestEnv::new(Backends::Embedded).await;
    env.config.rate_limit = true;
    let server = env.server().await;
    let login = json!({"email": "a@b.kr", "password": "x"});
    let limited = 'asking: {
        for _ in 0..200 {
            let answer = server.post("/api/v1/auth/login", None, login.clone()).await;
            if answer.status == 429 {
                break 'asking answer;
            }
        }
        panic!("password guessing was never rate-limited");
    };
    produced.check(&limited, ProblemCode::RateLimited);
    server.app.begin_draining();
    produced.check(&server.get("/readyz", None).await, ProblemCode::Overloaded);
    env.finish().await;

    let redis = Redis::default().start().expect("a Redis");
    let mut env = TestEnv::new(Backends::Shared).await;
    env.config.redis_url = Some(redis.url());
    env.ledger = neticket_testkit::app::App::open_ledger(&env.config).unwrap();
    let server = env.server().await;
    let token = server.person(1).await.token;
    let event = env.event_on_sale(&[2], 4).await;
    redis.pause().unwrap();
    let refused = server.post("/api/v1/reservations", Some(&token), booking_body(&event, 1)).await;
    redis.resume().unwrap();
    produced.check(&refused, ProblemCode::LedgerUnavailable);
    env.finish().await;

    let mut mariadb = MariaDb::default().start().expect("a MariaDB");
    let mut env = TestEnv::new(Backends::Shared).await;
    let database = TestDatabase::create_on(&mariadb.url()).expect("a database");
    env.config.database_url = database.url();
    env.config.engine.store_timeout_ms = 2_000;
    env.store =
        neticket_testkit::store::Store::connect(&neticket_testkit::app::App::store_options(&env.config))
            .await
            .unwrap();
    env.store.migrate().await.unwrap();
    let server = env.server().await;
    mariadb.kill().unwrap();
    produced.check(&server.get("/api/v1/events", None).await, ProblemCode::StoreUnavailable);
    mariadb.restart().unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while env.store.inventory_audit(None).await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "the store did not answer again in time");
    }
    env.finish().await;
    drop(database);
}

/// Refusals while the image store is unavailable.
async fn of_images(produced: &mut ProducedCodes) {
    let mut env = TestEnv::new(Backends::Embedded).await;
    let s3 = S3::start().await;
    s3.stop();
    env.config.s3 = Some(s3.options());
    let server = env.server().await;
    let image = server.get("/images/00112233445566778899aabbccddeeff.jpg", None).await;
    produced.check(&image, ProblemCode::ImageStoreUnavailable);
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_code_is_produced() {
    let mut produced = ProducedCodes::default();
    of_requests(&mut produced).await;
    of_accounts(&mut produced).await;
    of_bookings(&mut produced).await;
    of_edits(&mut produced).await;
    of_inventory(&mut produced).await;
    of_load(&mut produced).await;
    of_images(&mut produced).await;
    let all: BTreeSet<String> = ProblemCode::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(produced.0, all);
}
