//! The clocks of nodes are wrong by an hour. Sales still open by the ledger's clock.

use std::fs;
use std::path::PathBuf;

use neticket_testkit::domain::Timestamp;
use neticket_testkit::{Backends, TestEnv};
use serde_json::{Value, json};

use crate::process::{Serving, neticket};

/// The library of Debian's `faketime`, in the folder of any architecture.
fn libfaketime() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().map(|folder| folder.unwrap().path());
    folders
        .map(|folder| folder.join("faketime/libfaketime.so.1"))
        .find(|library| library.exists())
        .expect("`cargo xtask setup` installs faketime")
}

/// A node of `env` whose clock is wrong by `offset`, for example `-1h`.
fn node(env: &TestEnv, offset: &str) -> Serving {
    let library = libfaketime().display().to_string();
    let redis_url = env.config.redis_url.clone().expect("a Redis");
    let folder = env.config.data_dir.display().to_string();
    let command = neticket(
        &["serve"],
        &[
            ("NETICKET_DATA_DIR", folder.as_str()),
            ("NETICKET_LISTEN", "127.0.0.1:0"),
            ("NETICKET_DATABASE_URL", env.config.database_url.as_str()),
            ("NETICKET_REDIS_URL", redis_url.as_str()),
            ("NETICKET_REDIS_PREFIX", env.config.redis_prefix.as_str()),
            ("NETICKET_RATE_LIMIT", "off"),
            ("LD_PRELOAD", library.as_str()),
            ("FAKETIME", offset),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ],
    );
    Serving::start(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_whose_clocks_are_an_hour_wrong_open_the_sale_on_time() {
    let env = TestEnv::new(Backends::Shared).await;
    let client = reqwest::Client::new();
    for offset in ["-1h", "+1h"] {
        let serving = node(&env, offset);
        let name = if offset == "-1h" { "slow" } else { "fast" };
        let account =
            json!({"email": format!("{name}@example.com"), "password": "Abcdef1!", "nickname": name});
        let signup =
            client.post(format!("{}/api/v1/auth/signup", serving.url)).json(&account).send().await.unwrap();
        assert_eq!(signup.status(), 201);
        let credentials = json!({"email": format!("{name}@example.com"), "password": "Abcdef1!"});
        let login = client
            .post(format!("{}/api/v1/auth/login", serving.url))
            .json(&credentials)
            .send()
            .await
            .unwrap();
        let session: Value = login.json().await.unwrap();
        let token = session["access_token"].as_str().unwrap().to_owned();

        let opens_at = env.now().await.plus_millis(2_000);
        let event = env.event(opens_at, opens_at.plus_millis(86_400_000), &[10_000], 100).await;
        let mut was_refused = false;
        loop {
            let asked = env.now().await;
            let booking = json!({"ticket_type_id": event.ticket_types[0].id, "quantity": 1});
            let book = client
                .post(format!("{}/api/v1/reservations", serving.url))
                .bearer_auth(&token)
                .json(&booking);
            let answer = book.send().await.unwrap();
            let answered = env.now().await;
            if answer.status() == 201 {
                assert!(answered >= opens_at, "{offset}: booked at {answered}, before {opens_at}");
                break;
            }
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["code"], "sale_not_open", "{offset}: {problem}");
            assert!(asked < opens_at, "{offset}: refused at {asked}, after {opens_at}");
            let said = Timestamp::parse(problem["server_time"].as_str().unwrap()).unwrap();
            assert!(
                said.millis_since(asked).abs() < 5_000,
                "{offset}: the answer says that it is {said}, but it is {asked}"
            );
            was_refused = true;
        }
        assert!(was_refused, "no booking was tried before the opening");
        let (code, log) = tokio::task::spawn_blocking(|| serving.terminate()).await.unwrap();
        assert_eq!(code, Some(0), "{log}");
    }
    env.finish().await;
}
