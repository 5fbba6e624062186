//! A node that answers on a port, and a client for it.

use std::sync::Arc;

use neticket_app::App;
use neticket_domain::{Email, Nickname, Password, UserId};
use reqwest::header::HeaderMap;
use reqwest::{Method, Response};
use serde_json::Value;

use crate::TestEnv;

/// The password of everyone whom a test signs up.
pub const PASSWORD: &str = "abcdef1!";

/// The HTTP side of a node.
pub struct TestServer {
    pub app: Arc<App>,
    /// Without a slash at the end.
    pub url: String,
    /// The base address of `/metrics`, if it has a listener of its own.
    pub metrics_url: Option<String>,
    client: reqwest::Client,
}

/// An answer, read completely.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

/// A user who has signed up and is logged in.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: UserId,
    pub email: String,
    pub token: String,
}

impl TestEnv {
    /// Starts a node that answers on a free port of this machine.
    pub async fn server(&mut self) -> TestServer {
        let app = self.node().await;
        let bound = neticket_api::server(Arc::clone(&app), self.config.listen, 2).expect("a port");
        let url = format!("http://{}", bound.address);
        tokio::spawn(bound.server);
        let metrics_url = bound.metrics.map(|metrics| {
            tokio::spawn(metrics.server);
            format!("http://{}", metrics.address)
        });
        let client = reqwest::Client::builder().build().expect("a client");
        TestServer { app, url, metrics_url, client }
    }
}

impl TestServer {
    /// Sends a request. `token` is the access token, if any.
    pub async fn ask(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::read(request.send().await.expect("an answer")).await
    }

    pub async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.ask(Method::GET, path, token, None).await
    }

    pub async fn post(&self, path: &str, token: Option<&str>, body: Value) -> Answer {
        self.ask(Method::POST, path, token, Some(body)).await
    }

    /// A request that the test builds itself.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// Signs a user up and logs them in. `n` is part of the name.
    pub async fn person(&self, n: usize) -> Person {
        let (email, password, nickname) = credentials(n);
        self.app.signup(email, password, nickname).await.expect("an account");
        self.signed_in(n).await
    }

    /// Creates an administrator and logs them in.
    pub async fn admin(&self, n: usize) -> Person {
        let (email, password, nickname) = credentials(n);
        self.app.admin_create(email, password, nickname).await.expect("an account");
        self.signed_in(n).await
    }

    async fn signed_in(&self, n: usize) -> Person {
        let email = credentials(n).0.as_str().to_owned();
        let session = self.app.login(&email, PASSWORD).await.expect("a session");
        Person { id: session.account.id, email, token: session.access_token }
    }
}

fn credentials(n: usize) -> (Email, Password, Nickname) {
    (
        Email::parse(&format!("person{n}@example.com")).expect("an e-mail"),
        Password::parse(PASSWORD).expect("a password"),
        Nickname::parse(&format!("person{n}")).expect("a nickname"),
    )
}

impl Answer {
    pub async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.expect("a whole answer") }
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }

    /// A header's value; empty if there is no such header.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The code of a problem; empty if the answer is not a problem.
    pub fn code(&self) -> String {
        if self.header("content-type") != "application/problem+json" {
            return String::new();
        }
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}
