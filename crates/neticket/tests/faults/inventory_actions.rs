//! Administrators during a rush: they use every inventory action again and again, on any node that answers.

use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header};
use neticket_testkit::domain::{Email, EventId, Nickname, Role};
use neticket_testkit::store::NewUser;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cluster::{Cluster, JWT_SECRET};

/// The number of administrators that act at the same time.
const ADMINISTRATORS: usize = 2;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The actions and reads of the inventory.
const ACTIONS: [(&str, &str); 10] = [
    ("POST", "inventory/{event}/load"),
    ("POST", "inventory/{event}/evict"),
    ("POST", "inventory/{event}/pause"),
    ("POST", "inventory/{event}/resume"),
    ("POST", "inventory/{event}/reconcile?dry_run=true"),
    ("POST", "inventory/{event}/reconcile"),
    ("GET", "inventory?drifted=true"),
    ("GET", "stats"),
    ("DELETE", "cache/events/{event}"),
    ("DELETE", "cache"),
];

struct Administrator {
    urls: Vec<String>,
    event: EventId,
    token: String,
    client: reqwest::Client,
    rng: StdRng,
}

/// Each administrator uses every action `rounds` times. At the end the sale is resumed.
pub(crate) async fn use_all_actions(cluster: &Cluster, event: EventId, rounds: u32, rng: &mut StdRng) {
    let mut administrators = Vec::new();
    for _ in 0..ADMINISTRATORS {
        administrators.push(Administrator::new(cluster, event, rng.random()).await);
    }
    let runs = administrators.iter_mut().map(|administrator| administrator.use_actions(rounds));
    futures::future::join_all(runs).await;
    let one = &mut administrators[0];
    while one.ask("POST", "inventory/{event}/resume").await.0 != 200 {}
}

impl Administrator {
    async fn new(cluster: &Cluster, event: EventId, seed: u64) -> Self {
        let name = format!("a{:08x}", seed >> 32);
        let email = Email::parse(&format!("{name}@example.com")).expect("an e-mail");
        let nickname = Nickname::parse(&name).expect("a nickname");
        let now = cluster.now().await;
        let new = NewUser { email: &email, nickname: &nickname, password_hash: "-", role: Role::Admin, now };
        let user = cluster.store.user_create(new).await.expect("a user").id;
        let iat = now.as_millis() / 1000;
        let claims =
            json!({"sub": user.0, "role": "admin", "sid": Uuid::nil(), "iat": iat, "exp": iat + 86_400});
        let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
        Self {
            urls: cluster.nodes.iter().map(|node| node.url.clone()).collect(),
            event,
            token: jsonwebtoken::encode(&Header::default(), &claims, &key).expect("a token"),
            client: reqwest::Client::builder().timeout(TIMEOUT).build().expect("a client"),
            rng: StdRng::seed_from_u64(seed),
        }
    }

    async fn use_actions(&mut self, rounds: u32) {
        for _ in 0..rounds {
            let mut actions = ACTIONS;
            actions.shuffle(&mut self.rng);
            for (method, action) in actions {
                let (status, body) = self.ask(method, action).await;
                // 409: the ledger is changing. 503: the node is overloaded.
                assert!(matches!(status, 200 | 204 | 409 | 503), "{action}: {status} {body}");
                if status == 200 {
                    let differs = |differs: &Value| differs.as_array().is_none_or(|list| !list.is_empty());
                    let alarm = differs(&body["changes"]) && action.contains("reconcile")
                        || differs(&body["items"]) && action.contains("drifted");
                    assert!(!alarm, "a false difference was reported: {action} {body}");
                }
            }
        }
    }

    async fn ask(&mut self, method: &str, action: &str) -> (u16, Value) {
        let url = &self.urls[self.rng.random_range(0..self.urls.len())];
        let path = action.replace("{event}", &self.event.to_string());
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.client.request(method, format!("{url}/api/v1/admin/{path}"));
        let response = request.bearer_auth(&self.token).send().await.expect("an answer");
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }
}
