//! A node that is told to stop. Load balancers learn it first. Then the node stops accepting requests, and
//! finishes those that it has accepted. It leaves nothing for other nodes to recover.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use neticket_testkit::domain::TicketTypeId;
use neticket_testkit::{Backends, TestEnv};
use reqwest::Client;
use serde_json::{Value, json};

use crate::process::{Serving, neticket};

/// The deadline of each wait in this file.
const DEADLINE: Duration = Duration::from_secs(30);

/// A node of `env` that drains for `drain_s` seconds.
fn node(env: &TestEnv, drain_s: &str) -> Serving {
    let (redis_url, folder) =
        (env.config.redis_url.clone().expect("a Redis"), env.config.data_dir.display().to_string());
    Serving::start(neticket(
        &["serve"],
        &[
            ("NETICKET_DATA_DIR", folder.as_str()),
            ("NETICKET_LISTEN", "127.0.0.1:0"),
            ("NETICKET_DATABASE_URL", env.config.database_url.as_str()),
            ("NETICKET_REDIS_URL", redis_url.as_str()),
            ("NETICKET_REDIS_PREFIX", env.config.redis_prefix.as_str()),
            ("NETICKET_RATE_LIMIT", "off"),
            ("NETICKET_DRAIN_S", drain_s),
        ],
    ))
}

async fn signed_in(client: &Client, url: &str, n: usize) -> String {
    let email = format!("person{n}@example.com");
    let account = json!({"email": email, "password": "Abcdef1!", "nickname": format!("person{n}")});
    client.post(format!("{url}/api/v1/auth/signup")).json(&account).send().await.unwrap();
    let credentials = json!({"email": email, "password": "Abcdef1!"});
    let login = client.post(format!("{url}/api/v1/auth/login")).json(&credentials).send().await.unwrap();
    login.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned()
}

async fn book(client: &Client, url: &str, token: &str, ticket_type: TicketTypeId) -> reqwest::Result<u16> {
    let booking = json!({"ticket_type_id": ticket_type, "quantity": 1});
    let book = client.post(format!("{url}/api/v1/reservations")).bearer_auth(token).json(&booking);
    Ok(book.send().await?.status().as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_stopped_under_load_leaves_nothing_in_the_journal() {
    let env = TestEnv::new(Backends::Shared).await;
    let serving = node(&env, "0");
    let client = Client::new();
    let event = env.event_on_sale(&[1_000_000], 100).await;
    let (ticket_type, confirmed) = (event.ticket_types[0].id, Arc::new(AtomicUsize::new(0)));
    let mut people = Vec::new();
    for n in 0..8 {
        let token = signed_in(&client, &serving.url, n).await;
        let (client, url, confirmed) = (client.clone(), serving.url.clone(), Arc::clone(&confirmed));
        people.push(tokio::spawn(async move {
            let mut refused = 0;
            // Books until the node has stopped. Every answer must be true.
            while let Ok(status) = book(&client, &url, &token, ticket_type).await {
                match status {
                    201 => confirmed.fetch_add(1, Ordering::SeqCst),
                    409 if refused < 3 => {
                        refused += 1;
                        0
                    }
                    409 => break, // this person holds the limit
                    other => panic!("{other}"),
                };
            }
        }));
    }
    let deadline = Instant::now() + DEADLINE;
    while confirmed.load(Ordering::SeqCst) < 50 {
        assert!(Instant::now() < deadline, "too few bookings were confirmed in time");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (code, log) = tokio::task::spawn_blocking(|| serving.terminate()).await.unwrap();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(env.ledger.view(event.id).await.unwrap().unwrap().journal_len, 0, "the journal is not empty");
    for person in people {
        person.await.unwrap();
    }
    let sold = env.confirmed(&event).await[0];
    let answered = u64::try_from(confirmed.load(Ordering::SeqCst)).unwrap();
    assert!(
        sold >= answered,
        "{answered} bookings were confirmed to clients, but only {sold} tickets are sold"
    );
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_sigterm_readyz_answers_503_and_the_node_serves_until_a_second_signal() {
    let env = TestEnv::new(Backends::Shared).await;
    let serving = node(&env, "300");
    let client = Client::new();
    let event = env.event_on_sale(&[10], 10).await;
    let token = signed_in(&client, &serving.url, 0).await;
    let readyz = format!("{}/readyz", serving.url);
    assert_eq!(client.get(&readyz).send().await.unwrap().status(), 200);
    serving.ask_to_end();
    let deadline = Instant::now() + DEADLINE;
    let leaving = loop {
        let answer = client.get(&readyz).send().await.unwrap();
        if answer.status() == 503 {
            break answer;
        }
        assert!(Instant::now() < deadline, "readyz did not answer 503 in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(leaving.headers()["connection"], "close", "the node must close kept-alive connections");
    let fresh = Client::new();
    assert_eq!(book(&fresh, &serving.url, &token, event.ticket_types[0].id).await.unwrap(), 201);
    let began = Instant::now();
    let (code, log) = tokio::task::spawn_blocking(|| serving.terminate()).await.unwrap();
    assert_eq!(code, Some(0), "{log}");
    assert!(began.elapsed() < DEADLINE, "the second signal did not end the drain");
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_streams_end_cleanly_and_delay_no_shutdown() {
    let env = TestEnv::new(Backends::Shared).await;
    let serving = node(&env, "0");
    let event = env.event_on_sale(&[10], 10).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        let path = format!("{}/api/v1/events/{}/availability/stream", serving.url, event.id);
        let mut stream = Client::new().get(path).send().await.unwrap();
        assert!(stream.chunk().await.unwrap().is_some(), "the stream sent nothing");
        streams.push(stream);
    }
    let began = Instant::now();
    let (code, log) = tokio::task::spawn_blocking(|| serving.terminate()).await.unwrap();
    assert_eq!(code, Some(0), "{log}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    for mut stream in streams {
        while stream.chunk().await.expect("the stream ends without a broken connection").is_some() {}
    }
    env.finish().await;
}
