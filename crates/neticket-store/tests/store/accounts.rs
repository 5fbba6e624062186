//! Accounts.

use neticket_domain::{Email, Nickname, Role, UserId};
use neticket_store::{AccountError, AdminGrant, AuditOrigin, NewUser, Rotation, Store, UserRecord};

use crate::support::{TestStore, at, on_both};

fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

/// The origin of an action on the command line.
fn command_line() -> AuditOrigin {
    AuditOrigin { actor: None, ip: String::new() }
}

async fn create(store: &Store, email: &str, nickname: &str) -> Result<UserRecord, AccountError> {
    let new = NewUser {
        email: &Email::parse(email).unwrap(),
        nickname: &Nickname::parse(nickname).unwrap(),
        password_hash: "$argon2id$…",
        role: Role::User,
        now: at(7),
    };
    store.user_create(new).await
}

on_both! {
    async fn creating_and_revoking_administrators_is_audited(store: &TestStore) {
        let (email, nickname) = (Email::parse("boss@example.com").unwrap(), Nickname::parse("boss").unwrap());
        let new =
            NewUser { email: &email, nickname: &nickname, password_hash: "-", role: Role::Admin, now: at(1) };
        let by = AuditOrigin { actor: None, ip: String::new() };
        let boss = store.admin_create(new, &by).await.unwrap();
        assert!(store.admin_create(new, &by).await.is_err());
        store.user().await;
        assert_eq!(store.admins(10).await.unwrap(), std::slice::from_ref(&boss));
        let family = uuid::Uuid::new_v4();
        store.session_start(boss.id, family, [1; 32], at(9_000), at(1)).await.unwrap();
        let revoked = store.admin_revoke(&email, &by, at(2)).await.unwrap().unwrap();
        assert_eq!((revoked.id, revoked.role), (boss.id, Role::User));
        assert_eq!(store.admin_revoke(&email, &by, at(3)).await.unwrap(), None);
        assert_eq!(store.admins(10).await.unwrap(), []);
        let rotated = store.session_rotate([1; 32], [2; 32], at(9_000), at(3)).await.unwrap();
        assert_eq!(rotated, Rotation::Unknown, "the session has ended");
        let (log, _) = store.audit_page(1, 10).await.unwrap();
        let actions: Vec<_> = log.iter().map(|record| record.entry.action.as_str()).collect();
        assert_eq!(actions, ["admin_revoke", "admin_create"]);
    }

    async fn a_revoked_administrator_can_be_granted_again_and_each_change_is_audited(store: &TestStore) {
        let ann = create(store, "ann@example.com", "ann").await.unwrap();
        let (email, by) = (email("ann@example.com"), command_line());
        let family = uuid::Uuid::new_v4();
        store.session_start(ann.id, family, [1; 32], at(9_000), at(1)).await.unwrap();
        let admin = UserRecord { role: Role::Admin, ..ann.clone() };
        for round in 0..2 {
            let granted = store.admin_grant(&email, &by, at(2 + round)).await.unwrap();
            assert_eq!(granted, AdminGrant::Granted(admin.clone()));
            let again = store.admin_grant(&email, &by, at(3 + round)).await.unwrap();
            assert_eq!(again, AdminGrant::Unchanged(admin.clone()));
            assert_eq!(store.admins(10).await.unwrap(), std::slice::from_ref(&admin));
            if round == 0 {
                let rotated = store.session_rotate([1; 32], [2; 32], at(9_000), at(3)).await.unwrap();
                assert_eq!(
                    rotated,
                    Rotation::Rotated { user: admin.clone(), family },
                    "the rotated session has the role"
                );
                store.admin_revoke(&email, &by, at(4)).await.unwrap().unwrap();
            }
        }
        let nobody = Email::parse("nobody@example.com").unwrap();
        assert!(matches!(store.admin_grant(&nobody, &by, at(9)).await, Err(AccountError::NoSuchUser)));
        let (log, _) = store.audit_page(1, 10).await.unwrap();
        let mut actions: Vec<_> = log.iter().map(|record| record.entry.action.as_str()).collect();
        actions.sort_unstable();
        assert_eq!(
            actions,
            ["admin_grant", "admin_grant", "admin_revoke"],
            "calls that change nothing are not audited"
        );
        let granted = &log.iter().find(|record| record.entry.action == "admin_grant").unwrap().entry;
        assert_eq!(granted.target, format!("user/{}", ann.id));
        assert_eq!(granted.before, Some(serde_json::json!({ "role": "user" })));
        assert_eq!(granted.after, Some(serde_json::json!({ "role": "admin" })));
    }

    async fn a_password_reset_ends_all_sessions_and_is_audited(store: &TestStore) {
        let ann = create(store, "ann@example.com", "ann").await.unwrap();
        let bob = create(store, "bob@example.com", "bob").await.unwrap();
        for (hash, user) in [(1, ann.id), (2, ann.id), (3, bob.id)] {
            store.session_start(user, uuid::Uuid::new_v4(), [hash; 32], at(9_000), at(1)).await.unwrap();
        }
        let (email, by) = (email("ann@example.com"), command_line());
        assert_eq!(store.password_reset(&email, "new", &by, at(2)).await.unwrap().unwrap().id, ann.id);
        assert_eq!(store.user_by_id(ann.id).await.unwrap().unwrap().password_hash, "new");
        assert_eq!(store.user_by_id(bob.id).await.unwrap().unwrap(), bob);
        for hash in [1, 2] {
            let rotated = store.session_rotate([hash; 32], [hash + 10; 32], at(9_000), at(3)).await.unwrap();
            assert_eq!(rotated, Rotation::Unknown);
        }
        let others = store.session_rotate([3; 32], [13; 32], at(9_000), at(3)).await.unwrap();
        assert!(matches!(others, Rotation::Rotated { .. }));
        let nobody = Email::parse("nobody@example.com").unwrap();
        assert_eq!(store.password_reset(&nobody, "new", &by, at(2)).await.unwrap(), None);
        let (log, total) = store.audit_page(1, 10).await.unwrap();
        let entry = &log[0].entry;
        assert_eq!((total, entry.action.as_str()), (1, "account_password_reset"));
        assert_eq!((&entry.target, &entry.before, &entry.after), (&format!("user/{}", ann.id), &None, &None));
    }

    async fn a_reset_or_grant_without_its_audit_entry_changes_nothing(store: &TestStore) {
        let ann = create(store, "ann@example.com", "ann").await.unwrap();
        let (email, by) = (email("ann@example.com"), command_line());
        store.sql("DROP TABLE audit_log").await.unwrap();
        assert!(store.password_reset(&email, "new", &by, at(2)).await.is_err());
        assert!(store.admin_grant(&email, &by, at(2)).await.is_err());
        assert_eq!(store.user_by_id(ann.id).await.unwrap().unwrap(), ann);
    }

    async fn an_account_is_found_by_email_and_by_id(store: &TestStore) {
        let user = create(store, "Ann@Example.com", "홍길동").await.unwrap();
        assert_eq!(
            (user.email.as_str(), user.nickname.as_str(), user.role),
            ("ann@example.com", "홍길동", Role::User)
        );
        assert_eq!(user.created_at, at(7));
        let email = Email::parse("ANN@example.com").unwrap();
        assert_eq!(store.user_by_email(&email).await.unwrap(), Some(user.clone()));
        assert_eq!(store.user_by_id(user.id).await.unwrap(), Some(user));
        assert_eq!(store.user_by_id(UserId(99)).await.unwrap(), None);
        let nobody = Email::parse("nobody@example.com").unwrap();
        assert_eq!(store.user_by_email(&nobody).await.unwrap(), None);
    }

    async fn account_ids_are_random_and_exact_in_every_client(store: &TestStore) {
        let mut ids = Vec::new();
        for n in 0..20 {
            ids.push(create(store, &format!("u{n}@example.com"), &format!("u{n}")).await.unwrap().id.0);
        }
        assert!(ids.iter().all(|id| (1_i64 << 32..1 << 52).contains(id)), "{ids:?}");
        assert!(!ids.is_sorted(), "{ids:?}");
        assert!(ids.windows(2).all(|pair| pair[1] != pair[0] + 1), "{ids:?}");
    }

    async fn a_node_with_sequential_ids_works_beside_one_with_random_ids(store: &TestStore) {
        let insert = |name: &str| {
            format!(
                "INSERT INTO users (email, nickname, nickname_key, password_hash, role, created_at) \
                 VALUES ('{name}@example.com', '{name}', '{name}', '-', 'user', 1)"
            )
        };
        let id_of = async |name: &str| {
            let email = Email::parse(&format!("{name}@example.com")).unwrap();
            store.user_by_email(&email).await.unwrap().unwrap().id.0
        };
        store.sql(&insert("old1")).await.unwrap();
        assert_eq!(id_of("old1").await, 1);
        let mut highest = 1;
        for n in 0..10 {
            let (drawn, counted) = (format!("new{n}"), format!("counted{n}"));
            highest = create(store, &format!("{drawn}@example.com"), &drawn).await.unwrap().id.0.max(highest);
            store.sql(&insert(&counted)).await.unwrap();
            let id = id_of(&counted).await;
            assert_eq!(id, highest + 1, "sequential ids continue from the highest id");
            assert!(id < 1 << 53, "{id}");
            highest = id;
        }
    }

    async fn administrators_are_listed_in_the_order_in_which_they_signed_up(store: &TestStore) {
        let by = command_line();
        let mut names = Vec::new();
        for n in 0..8 {
            let name = format!("boss{n}");
            let new = NewUser {
                email: &email(&format!("{name}@example.com")),
                nickname: &Nickname::parse(&name).unwrap(),
                password_hash: "-",
                role: Role::Admin,
                now: at(n),
            };
            store.admin_create(new, &by).await.unwrap();
            names.push(name);
        }
        let listed = store.admins(10).await.unwrap().into_iter().map(|admin| admin.nickname);
        assert_eq!(listed.collect::<Vec<_>>(), names);
    }

    async fn emails_and_nicknames_are_unique(store: &TestStore) {
        create(store, "ann@example.com", "Ann").await.unwrap();
        assert!(matches!(create(store, "ann@example.com", "Other").await, Err(AccountError::EmailTaken)));
        assert!(matches!(create(store, "bob@example.com", "aNN").await, Err(AccountError::NicknameTaken)));
        assert!(matches!(create(store, "ann@example.com", "Ann").await, Err(AccountError::EmailTaken)));
        create(store, "bob@example.com", "Bob").await.unwrap();
    }

    async fn letters_that_only_look_alike_are_different(store: &TestStore) {
        // MariaDB's default collation treats these as equal.
        create(store, "cafe@example.com", "Ann").await.unwrap();
        create(store, "café@example.com", "Bob").await.unwrap();
    }

    async fn one_of_many_concurrent_accounts_gets_the_nickname(store: &TestStore) {
        let tries = (0..20).map(|n| {
            let store = (**store).clone();
            tokio::spawn(async move { create(&store, &format!("u{n}@example.com"), "Same").await })
        });
        let made = futures::future::join_all(tries).await;
        let made = made.into_iter().map(Result::unwrap);
        let (good, bad): (Vec<_>, Vec<_>) = made.partition(Result::is_ok);
        assert_eq!(good.len(), 1);
        assert!(bad.iter().all(|tried| matches!(tried, Err(AccountError::NicknameTaken))));
    }

    async fn a_user_can_be_renamed_unless_the_nickname_is_taken(store: &TestStore) {
        let ann = create(store, "ann@example.com", "Ann").await.unwrap();
        create(store, "bob@example.com", "Bob").await.unwrap();
        let to = |nickname: &str| Nickname::parse(nickname).unwrap();
        assert!(matches!(store.user_rename(ann.id, &to("bob")).await, Err(AccountError::NicknameTaken)));
        assert_eq!(store.user_by_id(ann.id).await.unwrap().unwrap().nickname, "Ann");
        assert_eq!(store.user_rename(ann.id, &to("ANN")).await.unwrap().nickname, "ANN");
        assert_eq!(store.user_rename(ann.id, &to("ANN")).await.unwrap().nickname, "ANN");
        assert!(matches!(store.user_rename(UserId(99), &to("Cat")).await, Err(AccountError::NoSuchUser)));
    }

    async fn a_password_can_be_set(store: &TestStore) {
        let ann = create(store, "ann@example.com", "Ann").await.unwrap();
        assert!(store.user_password_change(ann.id, "new", None).await.unwrap());
        assert_eq!(store.user_by_id(ann.id).await.unwrap().unwrap().password_hash, "new");
        assert!(!store.user_password_change(UserId(99), "new", None).await.unwrap());
    }

    async fn a_password_hash_is_never_printed(store: &TestStore) {
        let ann = create(store, "ann@example.com", "Ann").await.unwrap();
        assert!(!format!("{ann:?}").contains("argon2"));
    }
}
