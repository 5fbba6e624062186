//! The server from its start to an orderly shutdown.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{Serving, borrowed, embedded, neticket};

/// The deadline of each wait in this file.
const DEADLINE: Duration = Duration::from_secs(20);

/// A login request. The server has read its head and waits for its body.
struct InFlight {
    connection: BufReader<TcpStream>,
    body: String,
}

impl InFlight {
    fn login(address: &str, credentials: &Value) -> Self {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.set_read_timeout(Some(DEADLINE)).unwrap();
        let body = credentials.to_string();
        write!(
            connection,
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n",
            body.len()
        )
        .unwrap();
        let mut connection = BufReader::new(connection);
        let (mut status, mut end) = (String::new(), String::new());
        connection.read_line(&mut status).unwrap();
        connection.read_line(&mut end).unwrap();
        assert!(status.starts_with("HTTP/1.1 100 ") && end == "\r\n", "{status}{end}");
        Self { connection, body }
    }

    /// Sends the body and reads the answer.
    fn finish(mut self) -> String {
        self.connection.get_mut().write_all(self.body.as_bytes()).unwrap();
        let mut answer = String::new();
        self.connection.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// Stops the server while logins are in flight. Returns its exit code and its log.
fn end_during_logins(serving: Serving, credentials: &Value) -> (Option<i32>, String) {
    let address = serving.url.strip_prefix("http://").unwrap().to_owned();
    let logins: Vec<_> = (0..4).map(|_| InFlight::login(&address, credentials)).collect();
    serving.ask_to_end();
    let asked = Instant::now();
    while TcpStream::connect(&address).is_ok() {
        assert!(asked.elapsed() < DEADLINE, "the server still accepts connections");
        std::thread::sleep(Duration::from_millis(5));
    }
    for login in logins {
        let answer = login.finish();
        assert!(answer.starts_with("HTTP/1.1 200 "), "the answer is incomplete: {answer}");
    }
    serving.wait()
}

#[tokio::test]
async fn sigterm_finishes_requests_in_flight_and_the_log_has_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = embedded(folder.path());
    settings.push(("RUST_LOG", "info,neticket_api=debug".to_owned()));
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

    let ended = tokio::task::spawn_blocking(move || end_during_logins(serving, &credentials));
    let (code, log) = ended.await.unwrap();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("/api/v1/auth/login"), "the log contains no request: {log}");
    for secret in ["Hunter2", token.as_str(), "argon2id"] {
        assert!(!log.contains(secret), "the secret {secret} is in the log: {log}");
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
