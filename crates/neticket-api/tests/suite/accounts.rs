//! Accounts and sessions.

use insta::assert_json_snapshot;
use neticket_testkit::{Answer, PASSWORD, TestEnv, TestServer, on_both};
use reqwest::Method;
use serde_json::json;

use crate::snapshot::masked;

/// The refresh cookie that an answer sets, as `name=value`.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
}

async fn with_cookie(server: &TestServer, path: &str, cookie: &str) -> Answer {
    let request = server.request(Method::POST, path).header("cookie", cookie);
    Answer::read(request.send().await.unwrap()).await
}

on_both! {
    async fn a_user_signs_up_and_signs_in(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let account = json!({"email": "Hong@Example.com", "password": PASSWORD, "nickname": "홍길동"});
        let signup = server.post("/api/v1/auth/signup", None, account.clone()).await;
        assert_json_snapshot!("signup", masked(&signup, &["location"]));
        let again = server.post("/api/v1/auth/signup", None, account).await;
        assert_json_snapshot!("signup_email_taken", masked(&again, &[]));
        let login = server
            .post("/api/v1/auth/login", None, json!({"email": "hong@example.com", "password": PASSWORD}))
            .await;
        assert_json_snapshot!("login", masked(&login, &["cache-control"]));
        let set = login.header("set-cookie");
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/api/v1/auth", "Max-Age="] {
            assert!(set.contains(attribute), "{attribute} is missing in {set}");
        }
        env.finish().await;
    }

    async fn a_refresh_rotates_the_cookie_and_a_logout_ends_the_session(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let person = server.person(1).await;
        let body = json!({"email": person.email, "password": PASSWORD});
        let first = cookie(&server.post("/api/v1/auth/login", None, body).await);
        let refreshed = with_cookie(&server, "/api/v1/auth/refresh", &first).await;
        assert_json_snapshot!("refresh", masked(&refreshed, &[]));
        let second = cookie(&refreshed);
        assert_ne!(first, second, "the refresh token is rotated");
        let logout = with_cookie(&server, "/api/v1/auth/logout", &second).await;
        assert_eq!((logout.status, logout.text.as_str()), (204, ""));
        let ended = with_cookie(&server, "/api/v1/auth/refresh", &second).await;
        assert_json_snapshot!("refresh_ended", masked(&ended, &[]));
        assert!(ended.header("set-cookie").contains("Max-Age=0"), "the cookie is cleared");
        assert_eq!(server.post("/api/v1/auth/refresh", None, json!({})).await.code(), "unauthenticated");
        env.finish().await;
    }

    async fn a_wrong_password_and_an_unknown_email_get_the_same_answer(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let person = server.person(1).await;
        let wrong = server
            .post("/api/v1/auth/login", None, json!({"email": person.email, "password": "wrong"}))
            .await;
        let unknown = server
            .post("/api/v1/auth/login", None, json!({"email": "nobody@example.com", "password": PASSWORD}))
            .await;
        assert_json_snapshot!("bad_credentials", masked(&wrong, &["www-authenticate"]));
        assert_eq!(masked(&wrong, &[]), masked(&unknown, &[]));
        env.finish().await;
    }

    async fn users_read_and_change_their_own_account(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let (person, _other) = (server.person(1).await, server.person(2).await);
        let token = Some(person.token.as_str());
        assert_json_snapshot!("me", masked(&server.get("/api/v1/me", token).await, &["cache-control"]));
        let renamed =
            server.ask(Method::PATCH, "/api/v1/me", token, Some(json!({"nickname": "새이름"}))).await;
        assert_json_snapshot!("me_renamed", masked(&renamed, &[]));
        let taken =
            server.ask(Method::PATCH, "/api/v1/me", token, Some(json!({"nickname": "PERSON2"}))).await;
        assert_eq!(taken.code(), "nickname_taken");
        let unchanged = server.ask(Method::PATCH, "/api/v1/me", token, Some(json!({}))).await;
        assert_eq!((unchanged.status, unchanged.json()["nickname"].as_str()), (200, Some("새이름")));
        let change = |current: &str| json!({"current_password": current, "new_password": "ghijkl2?"});
        let wrong = server.post("/api/v1/me/password", token, change("wrong")).await;
        assert_eq!(wrong.code(), "bad_credentials");
        let changed = server.post("/api/v1/me/password", token, change(PASSWORD)).await;
        assert_eq!(changed.status, 204);
        env.finish().await;
    }

    async fn repeated_sign_ins_with_wrong_credentials_are_rate_limited(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        env.config.rate_limit = true;
        let server = env.server().await;
        for email in ["nobody@example.com", "nobody2@example.com"] {
            let guess = json!({"email": email, "password": "wrong"});
            let mut tries = 0;
            while server.post("/api/v1/auth/login", None, guess.clone()).await.code() != "rate_limited" {
                tries += 1;
                assert!(tries < 200, "password guessing was never rate-limited");
            }
        }
        env.finish().await;
    }

    async fn a_missing_or_invalid_token_gets_401_without_internal_details(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        for token in [None, Some("x"), Some("eyJhbGciOiJub25lIn0.e30."), Some("'; DROP TABLE users; --")] {
            for path in ["/api/v1/me", "/api/v1/reservations", "/api/v1/admin/events"] {
                let refused = server.get(path, token).await;
                assert_eq!((refused.status, refused.code().as_str()), (401, "unauthenticated"), "{path}");
                let text = refused.text.to_lowercase();
                for inside in ["panick", "jsonwebtoken", "select", ".rs:", "sqlx", "base64", "drop table"] {
                    assert!(!text.contains(inside), "the internal text {inside} is in {text}");
                }
            }
        }
        env.finish().await;
    }
}
