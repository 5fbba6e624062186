//! What operators do for administrators and for other accounts.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::process::{Serving, borrowed, embedded, neticket, printed, run, run_with_input};

fn command(folder: &Path, arguments: &[&str]) -> Output {
    run(arguments, &borrowed(&embedded(folder)))
}

fn with_password(folder: &Path, arguments: &[&str], password: &str) -> Output {
    run_with_input(arguments, &borrowed(&embedded(folder)), &format!("{password}\n"))
}

/// Asserts that the command succeeded, and returns all that it printed.
fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", printed(output));
    printed(output)
}

/// Asserts that the command was refused, and returns all that it printed.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", printed(output));
    printed(output)
}

const CREATE: [&str; 7] =
    ["admin", "create", "--email", "boss@example.com", "--nickname", "사장님", "--password-stdin"];
const GRANT: [&str; 4] = ["admin", "grant", "--email", "Boss@example.com"];
const REVOKE: [&str; 4] = ["admin", "revoke", "--email", "Boss@example.com"];
const RESET: [&str; 5] = ["account", "reset-password", "--email", "Ann@example.com", "--password-stdin"];

#[test]
fn an_administrator_is_created_with_a_password_from_standard_input_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let settings = embedded(folder.path());
    let weak = run_with_input(&CREATE, &borrowed(&settings), "short\n");
    assert_eq!(weak.status.code(), Some(1), "{}", printed(&weak));
    let made = run_with_input(&CREATE, &borrowed(&settings), "Abcdef1!\n");
    assert!(made.status.success(), "{}", printed(&made));
    assert!(!printed(&made).contains("Abcdef1!"));
    let again = run_with_input(&CREATE, &borrowed(&settings), "Abcdef1!\n");
    assert_eq!(again.status.code(), Some(1), "{}", printed(&again));

    let listed = run(&["admin", "list"], &borrowed(&settings));
    assert!(listed.status.success() && printed(&listed).contains("boss@example.com"), "{}", printed(&listed));
    let revoked = run(&REVOKE, &borrowed(&settings));
    assert!(revoked.status.success(), "{}", printed(&revoked));
    let nobody = run(&REVOKE, &borrowed(&settings));
    assert_eq!(
        nobody.status.code(),
        Some(1),
        "the command did not report that it did nothing: {}",
        printed(&nobody)
    );
    let listed = run(&["admin", "list"], &borrowed(&settings));
    assert!(!printed(&listed).contains("boss@example.com"), "{}", printed(&listed));
}

#[test]
fn a_revoked_administrator_can_be_granted_the_role_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(refused(&command(folder, &GRANT)).contains("no account has this e-mail address"));
    done(&with_password(folder, &CREATE, "Abcdef1!"));
    assert!(done(&command(folder, &GRANT)).contains("is already an administrator"));
    done(&command(folder, &REVOKE));
    assert!(!done(&command(folder, &["admin", "list"])).contains("boss@example.com"));
    let again = refused(&with_password(folder, &CREATE, "Abcdef1!"));
    assert!(again.contains("neticket admin grant"), "the refusal does not name the command: {again}");
    assert!(done(&command(folder, &GRANT)).contains("boss@example.com (사장님) is now an administrator"));
    assert!(done(&command(folder, &["admin", "list"])).contains("boss@example.com"));
    assert!(refused(&command(folder, &["admin", "grant", "--email", "boss"])).contains("the e-mail "));
}

#[test]
fn revoking_the_last_administrator_prints_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(&with_password(folder, &CREATE, "Abcdef1!"));
    let second = ["admin", "create", "--email", "two@example.com", "--nickname", "two", "--password-stdin"];
    done(&with_password(folder, &second, "Abcdef1!"));
    assert!(!done(&command(folder, &REVOKE)).contains("warning"));
    let last = done(&command(folder, &["admin", "revoke", "--email", "two@example.com"]));
    assert!(
        last.contains("is no administrator any more") && last.contains("warning: no administrator is left"),
        "{last}"
    );
    assert_eq!(done(&command(folder, &["admin", "list"])), "");
}

/// Signs in and returns the status and the refresh cookie.
async fn sign_in(url: &str, password: &str) -> (u16, String) {
    let credentials = json!({"email": "ann@example.com", "password": password});
    let login = reqwest::Client::new().post(format!("{url}/api/v1/auth/login")).json(&credentials);
    let answer = login.send().await.unwrap();
    let cookie = answer.headers().get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
    (answer.status().as_u16(), cookie.unwrap_or_default().split(';').next().unwrap_or_default().to_owned())
}

async fn refresh(url: &str, cookie: &str) -> u16 {
    let refresh = reqwest::Client::new().post(format!("{url}/api/v1/auth/refresh")).header("cookie", cookie);
    refresh.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_password_replaces_the_old_one_and_ends_all_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let serving = Serving::start(neticket(&["serve"], &borrowed(&embedded(folder))));
    let url = serving.url.clone();
    assert!(
        refused(&with_password(folder, &RESET, "Ghijkl2?")).contains("no account has this e-mail address")
    );
    let account = json!({"email": "ann@example.com", "password": "Abcdef1!", "nickname": "ann"});
    let signup = reqwest::Client::new().post(format!("{url}/api/v1/auth/signup")).json(&account);
    assert_eq!(signup.send().await.unwrap().status(), 201);
    let (_, first) = sign_in(&url, "Abcdef1!").await;
    let (_, second) = sign_in(&url, "Abcdef1!").await;

    for weak in ["short", "", "onlyletters"] {
        assert!(
            refused(&with_password(folder, &RESET, weak)).contains("the password "),
            "the password must be checked as at sign-up"
        );
    }
    assert_eq!(sign_in(&url, "Abcdef1!").await.0, 200, "nothing has changed");
    let reset = done(&with_password(folder, &RESET, "Ghijkl2?"));
    assert!(
        reset.contains("ann@example.com (ann) has a new password") && !reset.contains("Ghijkl2?"),
        "{reset}"
    );
    assert_eq!(sign_in(&url, "Abcdef1!").await.0, 401);
    for ended in [first, second] {
        assert_eq!(refresh(&url, &ended).await, 401);
    }
    let (status, cookie) = sign_in(&url, "Ghijkl2?").await;
    assert_eq!((status, refresh(&url, &cookie).await), (200, 200));

    done(&with_password(folder, &CREATE, "Abcdef1!"));
    let credentials = json!({"email": "boss@example.com", "password": "Abcdef1!"});
    let login = reqwest::Client::new().post(format!("{url}/api/v1/auth/login")).json(&credentials);
    let session: Value = login.send().await.unwrap().json().await.unwrap();
    let audit = reqwest::Client::new()
        .get(format!("{url}/api/v1/admin/audit"))
        .bearer_auth(session["access_token"].as_str().unwrap());
    let log: Value = audit.send().await.unwrap().json().await.unwrap();
    let actions: Vec<_> = log["items"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["admin_create", "account_password_reset"]);
    assert!(!log.to_string().contains("argon2"), "{log}");
    let (code, log) = tokio::task::spawn_blocking(|| serving.terminate()).await.unwrap();
    assert_eq!(code, Some(0), "{log}");
}
