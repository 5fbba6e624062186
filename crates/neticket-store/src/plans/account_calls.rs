//! The measured calls of accounts, sessions and the audit log.

use neticket_domain::{Email, Nickname, Role};
use uuid::Uuid;

use super::call::{Call, call};
use super::fixture::{AUDITED, Fixture, OWN_TOKENS, Round, TOKENS, admin, at, letters, token_hash};
use crate::{AdminGrant, NewUser, Rotation, Store};

/// More ids than one `IN (…)` holds.
const EXPIRED: usize = 600;

pub(super) fn account_calls<'a>(store: &'a Store, all: &'a Fixture, round: &'a Round) -> Vec<Call<'a>> {
    let mut calls = sessions(store, all, round);
    calls.append(&mut accounts(store, all));
    calls
}

fn sessions<'a>(store: &'a Store, all: &'a Fixture, round: &'a Round) -> Vec<Call<'a>> {
    // These tokens are far from the expired ones, and differ in each round.
    let last = i64::try_from(TOKENS).unwrap() - 10 * round.number;
    let (known, other) = (token_hash(last - 1), token_hash(last - 9));
    let late = at(i64::try_from(TOKENS).unwrap());
    vec![
        call("session_start", 0, async move {
            store.session_start(all.owner, Uuid::new_v4(), fresh_hash(), late, at(0)).await.unwrap();
        }),
        call("session_rotate", 0, async move {
            let rotation = store.session_rotate(known, fresh_hash(), late, at(0)).await.unwrap();
            assert!(matches!(rotation, Rotation::Rotated { .. }), "{rotation:?}");
        }),
        call("session_rotate", 0, async move {
            let rotation = store.session_rotate(known, fresh_hash(), late, at(0)).await.unwrap();
            assert!(matches!(rotation, Rotation::Reused { .. }), "{rotation:?}");
        }),
        call("session_end", 0, async move { store.session_end(other).await.unwrap() }),
        // The tokens are found first, and then deleted.
        call("sessions_expired_delete", 2 * EXPIRED, async move {
            let limit = u64::try_from(EXPIRED).unwrap();
            let now = at(i64::try_from(TOKENS).unwrap() / 2);
            assert_eq!(store.sessions_expired_delete(now, limit).await.unwrap(), limit);
        }),
    ]
}

fn accounts<'a>(store: &'a Store, all: &'a Fixture) -> Vec<Call<'a>> {
    let (user_name, admin_name) = (letters(), letters());
    let email = |name: &str| Email::parse(&format!("{name}@example.com")).unwrap();
    let (user_email, admin_email) = (email(&user_name), email(&admin_name));
    let revoked = admin_email.clone();
    let (granted, reset) = (user_email.clone(), user_email.clone());
    let create = async move |name: String, email: Email, role| {
        let nickname = Nickname::parse(&name).unwrap();
        let new = NewUser { email: &email, nickname: &nickname, password_hash: "-", role, now: at(0) };
        match role {
            Role::Admin => store.admin_create(new, &admin()).await.unwrap(),
            Role::User => store.user_create(new).await.unwrap(),
        };
    };
    vec![
        call("user_create", 0, create(user_name, user_email.clone(), Role::User)),
        call("admin_create", 0, create(admin_name, admin_email, Role::Admin)),
        call("user_by_email", 0, async move {
            assert!(store.user_by_email(&user_email).await.unwrap().is_some());
        }),
        call("admin_grant", 0, async move {
            let grant = store.admin_grant(&granted, &admin(), at(0)).await.unwrap();
            assert!(matches!(grant, AdminGrant::Granted(_)), "{grant:?}");
        }),
        call("password_reset", 0, async move {
            assert!(store.password_reset(&reset, "-", &admin(), at(0)).await.unwrap().is_some());
        }),
        call("user_by_id", 0, async { assert!(store.user_by_id(all.owner).await.unwrap().is_some()) }),
        call("user_rename", 0, async {
            store.user_rename(all.owner, &Nickname::parse(&letters()).unwrap()).await.unwrap();
        }),
        call("user_password_change", OWN_TOKENS, async {
            assert!(store.user_password_change(all.owner, "-", Some(Uuid::new_v4())).await.unwrap());
        }),
        call("admin_revoke", 0, async move {
            assert!(store.admin_revoke(&revoked, &admin(), at(0)).await.unwrap().is_some());
        }),
        call("audit_append", 0, async {
            store.audit_append(&admin().did("test", "nothing", "", at(0))).await.unwrap();
        }),
        // All entries are counted, and 20 are read.
        call("audit_page", AUDITED + 20, async {
            assert_eq!(store.audit_page(1, 20).await.unwrap().0.len(), 20);
        }),
    ]
}

/// The hash of a token that nobody has.
fn fresh_hash() -> [u8; 32] {
    let mut hash = [0; 32];
    hash[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    hash[16..].copy_from_slice(Uuid::new_v4().as_bytes());
    hash
}
