//! Accounts.

use neticket_domain::{Email, Nickname, Role, UserId};
use neticket_store::{AccountError, AuditOrigin, NewUser, Store, UserRecord};

use crate::support::{TestStore, at, on_both};

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
    async fn administrators_are_made_listed_and_revoked_and_it_is_told(store: &TestStore) {
        let (email, nickname) = (Email::parse("boss@example.com").unwrap(), Nickname::parse("boss").unwrap());
        let new = NewUser { email: &email, nickname: &nickname, password_hash: "-", role: Role::Admin, now: at(1) };
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
        assert_eq!(rotated, neticket_store::Rotation::Unknown, "the session has ended");
        let (log, _) = store.audit_page(1, 10).await.unwrap();
        let actions: Vec<_> = log.iter().map(|record| record.entry.action.as_str()).collect();
        assert_eq!(actions, ["admin_revoke", "admin_create"]);
    }

    async fn an_account_is_found_by_email_and_by_number(store: &TestStore) {
        let user = create(store, "Ann@Example.com", "홍길동").await.unwrap();
        assert_eq!((user.email.as_str(), user.nickname.as_str(), user.role), ("ann@example.com", "홍길동", Role::User));
        assert_eq!(user.created_at, at(7));
        let email = Email::parse("ANN@example.com").unwrap();
        assert_eq!(store.user_by_email(&email).await.unwrap(), Some(user.clone()));
        assert_eq!(store.user_by_id(user.id).await.unwrap(), Some(user));
        assert_eq!(store.user_by_id(UserId(99)).await.unwrap(), None);
        let nobody = Email::parse("nobody@example.com").unwrap();
        assert_eq!(store.user_by_email(&nobody).await.unwrap(), None);
    }

    async fn ids_are_drawn_and_not_counted_and_every_client_reads_them_exactly(store: &TestStore) {
        let mut ids = Vec::new();
        for n in 0..20 {
            ids.push(create(store, &format!("u{n}@example.com"), &format!("u{n}")).await.unwrap().id.0);
        }
        assert!(ids.iter().all(|id| (1_i64 << 32..1 << 52).contains(id)), "{ids:?}");
        assert!(!ids.is_sorted(), "{ids:?}");
        assert!(ids.windows(2).all(|pair| pair[1] != pair[0] + 1), "{ids:?}");
    }

    async fn a_node_that_counts_ids_works_beside_one_that_draws_them(store: &TestStore) {
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
            assert_eq!(id, highest + 1, "it counts on from the highest one");
            assert!(id < 1 << 53, "{id}");
            highest = id;
        }
    }

    async fn administrators_are_listed_in_the_order_in_which_they_signed_up(store: &TestStore) {
        let by = AuditOrigin { actor: None, ip: String::new() };
        let mut names = Vec::new();
        for n in 0..8 {
            let name = format!("boss{n}");
            let (email, nickname) = (Email::parse(&format!("{name}@example.com")).unwrap(), Nickname::parse(&name).unwrap());
            let new = NewUser { email: &email, nickname: &nickname, password_hash: "-", role: Role::Admin, now: at(n) };
            store.admin_create(new, &by).await.unwrap();
            names.push(name);
        }
        let listed: Vec<_> = store.admins(10).await.unwrap().into_iter().map(|admin| admin.nickname).collect();
        assert_eq!(listed, names);
    }

    async fn an_email_and_a_nickname_are_somebodys_only_once(store: &TestStore) {
        create(store, "ann@example.com", "Ann").await.unwrap();
        assert!(matches!(create(store, "ann@example.com", "Other").await, Err(AccountError::EmailTaken)));
        assert!(matches!(create(store, "bob@example.com", "aNN").await, Err(AccountError::NicknameTaken)));
        assert!(matches!(create(store, "ann@example.com", "Ann").await, Err(AccountError::EmailTaken)));
        create(store, "bob@example.com", "Bob").await.unwrap();
    }

    async fn letters_that_only_look_alike_are_different(store: &TestStore) {
        // What MariaDB's usual collation takes for the same.
        create(store, "cafe@example.com", "Ann").await.unwrap();
        create(store, "café@example.com", "Bob").await.unwrap();
    }

    async fn of_many_who_want_a_nickname_at_once_one_gets_it(store: &TestStore) {
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
