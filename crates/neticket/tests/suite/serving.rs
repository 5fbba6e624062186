//! From start to an orderly end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Serving, borrowed, embedded, neticket};

#[tokio::test]
async fn sigterm_finishes_what_is_in_flight_and_nothing_secret_is_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let settings = embedded(folder.path());
    let serving = Serving::start(neticket(&["serve"], &borrowed(&settings)));
    let client = reqwest::Client::new();
    let account = json!({"email": "ann@example.com", "password": "Hunter2-secret!", "nickname": "ann"});
    let signup = format!("{}/api/v1/auth/signup", serving.url);
    assert_eq!(client.post(&signup).json(&account).send().await.unwrap().status(), 201);
    let login = format!("{}/api/v1/auth/login", serving.url);
    let session = client.post(&login).json(&account).send().await.unwrap();
    assert_eq!(session.status(), 422, "a nickname is an unknown field of a login");
    let credentials = json!({"email": "ann@example.com", "password": "Hunter2-secret!"});
    let session: Value = client.post(&login).json(&credentials).send().await.unwrap().json().await.unwrap();
    let token = session["access_token"].as_str().unwrap().to_owned();

    // Requests that take as long as a password's hash are under way when the end is asked for.
    let in_flight: Vec<_> =
        (0..4).map(|_| tokio::spawn(client.post(&login).json(&credentials).send())).collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (code, log) = tokio::task::spawn_blocking(|| serving.terminate()).await.unwrap();
    for answer in in_flight {
        assert_eq!(answer.await.unwrap().expect("an answer, not a cut").status(), 200);
    }
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("/api/v1/auth/login"), "requests are logged: {log}");
    for secret in ["Hunter2", token.as_str(), "argon2id"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    for line in log.lines().filter(|line| line.starts_with('{')) {
        serde_json::from_str::<Value>(line).expect("logs are JSON where there is no terminal");
    }
}

#[tokio::test]
async fn a_restart_keeps_accounts_and_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let settings = embedded(folder.path());
    let client = reqwest::Client::new();
    let serving = Serving::start(neticket(&["serve"], &borrowed(&settings)));
    let account = json!({"email": "ann@example.com", "password": "Abcdef1!", "nickname": "ann"});
    client.post(format!("{}/api/v1/auth/signup", serving.url)).json(&account).send().await.unwrap();
    let credentials = json!({"email": "ann@example.com", "password": "Abcdef1!"});
    let session =
        client.post(format!("{}/api/v1/auth/login", serving.url)).json(&credentials).send().await.unwrap();
    let session: Value = session.json().await.unwrap();
    let token = session["access_token"].as_str().unwrap().to_owned();
    let (code, _) = tokio::task::spawn_blocking(|| serving.terminate()).await.unwrap();
    assert_eq!(code, Some(0));
    let serving = Serving::start(neticket(&["serve"], &borrowed(&settings)));
    let me = client.get(format!("{}/api/v1/me", serving.url)).bearer_auth(token).send().await.unwrap();
    assert_eq!(me.status(), 200);
    tokio::task::spawn_blocking(|| serving.terminate()).await.unwrap();
}
