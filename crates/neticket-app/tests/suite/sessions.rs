//! Accounts and sessions.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use neticket_app::AppError;
use neticket_domain::{Email, Nickname, Password, Role};
use neticket_testkit::{TestEnv, on_both};

fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

fn nickname(text: &str) -> Nickname {
    Nickname::parse(text).unwrap()
}

fn password(text: &str) -> Password {
    Password::parse(text).unwrap()
}

on_both! {
    async fn emails_and_nicknames_are_unique_regardless_of_case(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        app.signup(email("ann@example.com"), password("abcdef1!"), nickname("Ann")).await.unwrap();
        let again = app.signup(email("ANN@example.com"), password("abcdef1!"), nickname("bob")).await;
        assert!(matches!(again, Err(AppError::EmailTaken)), "{again:?}");
        let again = app.signup(email("bob@example.com"), password("abcdef1!"), nickname("aNN")).await;
        assert!(matches!(again, Err(AppError::NicknameTaken)), "{again:?}");
        env.finish().await;
    }

    async fn signing_in_does_not_reveal_whether_an_account_exists(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        app.signup(email("ann@example.com"), password("abcdef1!"), nickname("ann")).await.unwrap();
        for (email, password) in [("ann@example.com", "wrong"), ("bob@example.com", "abcdef1!"), ("", "")] {
            let outcome = app.login(email, password).await.map(drop);
            assert!(matches!(outcome, Err(AppError::BadCredentials)), "{email}: {outcome:?}");
        }
        let session = app.login("Ann@Example.com", "abcdef1!").await.unwrap();
        let who = app.authenticate(&session.access_token).unwrap();
        assert_eq!((who.user, who.role), (session.account.id, Role::User));
        env.finish().await;
    }

    async fn the_reuse_of_a_refresh_token_revokes_its_family(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        app.signup(email("ann@example.com"), password("abcdef1!"), nickname("ann")).await.unwrap();
        let first = app.login("ann@example.com", "abcdef1!").await.unwrap();
        let second = app.session_refresh(&first.refresh_token).await.unwrap();
        let reused = app.session_refresh(&first.refresh_token).await.map(drop);
        assert!(matches!(reused, Err(AppError::Unauthenticated)));
        let ended = app.session_refresh(&second.refresh_token).await.map(drop);
        assert!(matches!(ended, Err(AppError::Unauthenticated)), "both tokens of the family are revoked");
        env.finish().await;
    }

    async fn one_of_many_concurrent_refreshes_of_a_token_succeeds(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        app.signup(email("ann@example.com"), password("abcdef1!"), nickname("ann")).await.unwrap();
        let session = app.login("ann@example.com", "abcdef1!").await.unwrap();
        let refreshes = join_all((0..10).map(|_| app.session_refresh(&session.refresh_token))).await;
        assert_eq!(refreshes.iter().filter(|refresh| refresh.is_ok()).count(), 1);
        env.finish().await;
    }

    async fn signing_out_revokes_the_token_family(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        app.signup(email("ann@example.com"), password("abcdef1!"), nickname("ann")).await.unwrap();
        let session = app.login("ann@example.com", "abcdef1!").await.unwrap();
        app.logout(Some(&session.refresh_token)).await.unwrap();
        assert!(app.session_refresh(&session.refresh_token).await.is_err());
        env.finish().await;
    }

    async fn a_sign_in_that_races_with_a_password_change_leaves_no_session(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        app.signup(email("ann@example.com"), password("abcdef1!"), nickname("ann")).await.unwrap();
        let before = env.store.user_by_email(&email("ann@example.com")).await.unwrap().unwrap();
        // The comparison takes some dozens of milliseconds, so some of the changes come in the middle of it.
        for delay_ms in (0..60).step_by(3) {
            let signing_in = {
                let app = Arc::clone(&app);
                tokio::spawn(async move { app.login("ann@example.com", "abcdef1!").await })
            };
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            env.store.user_password_change(before.id, "of another password", None).await.unwrap();
            match signing_in.await.unwrap() {
                Ok(session) => {
                    let refreshed = app.session_refresh(&session.refresh_token).await.map(drop);
                    assert!(
                        matches!(refreshed, Err(AppError::Unauthenticated)),
                        "{delay_ms} ms: {refreshed:?}"
                    );
                }
                Err(error) => assert!(matches!(error, AppError::BadCredentials), "{error:?}"),
            }
            env.store.user_password_change(before.id, &before.password_hash, None).await.unwrap();
        }
        env.finish().await;
    }

    async fn a_password_change_ends_all_sessions_but_the_current_one(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let app = env.node().await;
        app.signup(email("ann@example.com"), password("abcdef1!"), nickname("ann")).await.unwrap();
        let other = app.login("ann@example.com", "abcdef1!").await.unwrap();
        let own = app.login("ann@example.com", "abcdef1!").await.unwrap();
        let who = app.authenticate(&own.access_token).unwrap();
        let wrong = app.password_change(who, "wrong", password("ghijkl2?")).await;
        assert!(matches!(wrong, Err(AppError::BadCredentials)));
        app.password_change(who, "abcdef1!", password("ghijkl2?")).await.unwrap();
        assert!(app.session_refresh(&other.refresh_token).await.is_err());
        app.session_refresh(&own.refresh_token).await.unwrap();
        assert!(app.login("ann@example.com", "abcdef1!").await.is_err());
        app.login("ann@example.com", "ghijkl2?").await.unwrap();
        env.finish().await;
    }
}
