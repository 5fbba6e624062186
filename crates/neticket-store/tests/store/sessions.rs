//! Refresh tokens.

use neticket_domain::UserId;
use neticket_store::Rotation;
use uuid::Uuid;

use crate::support::{TestStore, at, on_both};

const EXPIRY: i64 = 1_000;

fn family(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

async fn start(store: &TestStore, user: UserId, of: Uuid, hash: u8) {
    store.session_start(user, of, [hash; 32], at(EXPIRY), at(1)).await.unwrap();
}

async fn rotate(store: &TestStore, old: u8, new: u8) -> Rotation {
    store.session_rotate([old; 32], [new; 32], at(EXPIRY), at(2)).await.unwrap()
}

fn rotated(rotation: &Rotation) -> bool {
    matches!(rotation, Rotation::Rotated { .. })
}

on_both! {
    async fn a_refresh_replaces_the_token(store: &TestStore) {
        let ann = store.user_named("Ann").await;
        start(store, ann.id, family(1), 1).await;
        assert_eq!(rotate(store, 1, 2).await, Rotation::Rotated { user: ann, family: family(1) });
        assert!(rotated(&rotate(store, 2, 3).await));
        assert_eq!(rotate(store, 99, 4).await, Rotation::Unknown);
    }

    async fn a_reused_token_revokes_only_its_own_family(store: &TestStore) {
        let user = store.user().await;
        start(store, user, family(1), 1).await;
        start(store, user, family(2), 11).await;
        assert!(rotated(&rotate(store, 1, 2).await));
        assert_eq!(rotate(store, 1, 3).await, Rotation::Reused { family: family(1) });
        assert_eq!(rotate(store, 2, 4).await, Rotation::Unknown);
        assert_eq!(rotate(store, 1, 5).await, Rotation::Reused { family: family(1) });
        assert!(rotated(&rotate(store, 11, 12).await));
    }

    async fn one_of_many_concurrent_uses_of_a_token_succeeds(store: &TestStore) {
        let user = store.user().await;
        start(store, user, family(1), 1).await;
        let tries = (0..20_u8).map(|n| {
            let store = (**store).clone();
            tokio::spawn(async move {
                store.session_rotate([1; 32], [100 + n; 32], at(EXPIRY), at(2)).await.unwrap()
            })
        });
        let tries = futures::future::join_all(tries).await;
        let (won, lost): (Vec<_>, Vec<_>) = tries.into_iter().map(Result::unwrap).partition(rotated);
        assert_eq!(won.len(), 1);
        assert!(lost.iter().all(|lost| *lost == Rotation::Reused { family: family(1) }), "{lost:?}");
        for n in 0..20 {
            assert_eq!(
                rotate(store, 100 + n, 200).await,
                Rotation::Unknown,
                "all tokens of the family are revoked"
            );
        }
    }

    async fn an_expired_token_is_unknown(store: &TestStore) {
        let user = store.user().await;
        start(store, user, family(1), 1).await;
        let late = store.session_rotate([1; 32], [2; 32], at(2 * EXPIRY), at(EXPIRY)).await.unwrap();
        assert_eq!(late, Rotation::Unknown);
    }

    async fn signing_out_revokes_the_token_family(store: &TestStore) {
        let user = store.user().await;
        start(store, user, family(1), 1).await;
        start(store, user, family(2), 11).await;
        rotate(store, 1, 2).await;
        store.session_end([1; 32]).await.unwrap();
        store.session_end([1; 32]).await.unwrap();
        store.session_end([99; 32]).await.unwrap();
        assert_eq!(rotate(store, 2, 3).await, Rotation::Unknown);
        assert!(rotated(&rotate(store, 11, 12).await));
    }

    async fn a_password_change_revokes_all_other_families_of_the_user(store: &TestStore) {
        let (ann, bob) = (store.user().await, store.user().await);
        start(store, ann, family(1), 1).await;
        start(store, ann, family(2), 11).await;
        start(store, bob, family(3), 21).await;
        assert!(store.user_password_change(ann, "new", Some(family(1))).await.unwrap());
        assert_eq!(rotate(store, 11, 12).await, Rotation::Unknown);
        assert!(rotated(&rotate(store, 1, 2).await));
        assert!(rotated(&rotate(store, 21, 22).await));
        assert!(store.user_password_change(ann, "newer", None).await.unwrap());
        assert_eq!(rotate(store, 2, 3).await, Rotation::Unknown);
        assert!(rotated(&rotate(store, 22, 23).await));
    }

    async fn a_password_change_that_cannot_end_sessions_changes_nothing(store: &TestStore) {
        let ann = store.user_named("Ann").await;
        store.sql("DROP TABLE refresh_tokens").await.unwrap();
        assert!(store.user_password_change(ann.id, "new", None).await.is_err());
        assert_eq!(store.user_by_id(ann.id).await.unwrap().unwrap(), ann);
    }

    async fn no_session_survives_a_concurrent_password_change(store: &TestStore) {
        let user = store.user().await;
        for round in 0..10_u8 {
            let hash = |family: u8, place: u8| [round, family, place].repeat(11)[..32].try_into().unwrap();
            let mut rotating = tokio::task::JoinSet::new();
            for n in 0..6_u8 {
                let family = family(u128::from(round) << 8 | u128::from(n));
                store.session_start(user, family, hash(n, 0), at(EXPIRY), at(1)).await.unwrap();
                let (store, old, new) = ((**store).clone(), hash(n, 0), hash(n, 1));
                rotating
                    .spawn(async move { store.session_rotate(old, new, at(EXPIRY), at(2)).await.unwrap() });
            }
            assert!(store.user_password_change(user, "new", None).await.unwrap());
            rotating.join_all().await;
            for n in 0..6 {
                let after = store.session_rotate(hash(n, 1), hash(n, 2), at(EXPIRY), at(3)).await.unwrap();
                assert_eq!(after, Rotation::Unknown, "family {n} of round {round}");
            }
        }
    }

    async fn expired_tokens_are_deleted_a_few_at_a_time(store: &TestStore) {
        let user = store.user().await;
        for n in 1..=5 {
            start(store, user, family(n.into()), n).await;
        }
        assert_eq!(store.sessions_expired_delete(at(EXPIRY - 1), 10).await.unwrap(), 0);
        assert_eq!(store.sessions_expired_delete(at(EXPIRY), 3).await.unwrap(), 3);
        assert_eq!(store.sessions_expired_delete(at(EXPIRY), 3).await.unwrap(), 2);
        assert_eq!(store.sessions_expired_delete(at(EXPIRY), u64::MAX).await.unwrap(), 0);
    }

    async fn a_session_needs_an_existing_user(store: &TestStore) {
        let nobody = store.session_start(UserId(99), family(1), [1; 32], at(EXPIRY), at(1)).await;
        assert!(nobody.is_err());
        assert_eq!(rotate(store, 1, 2).await, Rotation::Unknown);
    }
}
