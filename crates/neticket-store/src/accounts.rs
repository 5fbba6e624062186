//! Accounts: who can sign in.

use std::ops::Range;

use neticket_domain::{Email, Nickname, Role, Timestamp, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde_json::json;
use uuid::Uuid;

use crate::entity::user;
use crate::error::{StoreError, is_duplicate};
use crate::user_record::UserRecord;
use crate::{AuditOrigin, NewAudit, Store, audit_log, convert, sessions};

/// The range from which the ids of new accounts are drawn at random. No id is ever given twice, not even
/// after a backup was restored, because an access token names its account by the id alone
/// (docs/decisions/0030). The range begins above every id that a database has counted up to, so counted and
/// drawn ids never collide. It ends far enough below 2^53, up to which JavaScript reads integers exactly: a
/// node of an older version still counts upwards from the highest existing id.
const IDS: Range<i64> = (1 << 32)..(1 << 52);
/// How many ids are tried for a new account.
const ID_ATTEMPTS_MAX: u32 = 8;

/// An account that is to be created.
#[derive(Clone, Copy)]
pub struct NewUser<'a> {
    pub email: &'a Email,
    pub nickname: &'a Nickname,
    /// The output of the password hasher, with salt and parameters.
    pub password_hash: &'a str,
    pub role: Role,
    pub now: Timestamp,
}

/// The result of granting the administrator role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminGrant {
    Granted(UserRecord),
    /// The account had the role already.
    Unchanged(UserRecord),
}

/// Why an account could not be created or changed. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("the e-mail address is taken")]
    EmailTaken,
    #[error("the nickname is taken")]
    NicknameTaken,
    #[error("there is no such user")]
    NoSuchUser,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Creates an account.
    ///
    /// # Errors
    /// [`AccountError::EmailTaken`] (also if both the address and the nickname are taken),
    /// [`AccountError::NicknameTaken`] or [`AccountError::Store`].
    pub async fn user_create(&self, new: NewUser<'_>) -> Result<UserRecord, AccountError> {
        self.user_insert(new, None).await
    }

    /// Creates an account with the role in `new`, usually an administrator, and its entry in the audit log,
    /// in one transaction.
    ///
    /// # Errors
    /// As [`Self::user_create`].
    pub async fn admin_create(&self, new: NewUser<'_>, by: &AuditOrigin) -> Result<UserRecord, AccountError> {
        self.user_insert(new, Some(by)).await
    }

    async fn user_insert(
        &self,
        new: NewUser<'_>,
        by: Option<&AuditOrigin>,
    ) -> Result<UserRecord, AccountError> {
        self.user_insert_as(new, by, || rand::random_range(IDS)).await
    }

    /// Takes the id from `make_id`, and calls it again while another account has that id.
    async fn user_insert_as(
        &self,
        new: NewUser<'_>,
        by: Option<&AuditOrigin>,
        mut make_id: impl FnMut() -> i64 + Send,
    ) -> Result<UserRecord, AccountError> {
        for _ in 0..ID_ATTEMPTS_MAX {
            let id = make_id();
            let inserted = self.with_retries("creating an account", || self.insert_user(id, new, by)).await?;
            if let Some(row) = inserted {
                return Ok(row.try_into().map_err(StoreError::from)?);
            }
            if self.user_by_email(new.email).await?.is_some() {
                return Err(AccountError::EmailTaken);
            }
            if self.nickname_is_taken(new.nickname).await? {
                return Err(AccountError::NicknameTaken);
            }
        }
        let error = DbErr::Custom(format!("{ID_ATTEMPTS_MAX} random account ids were already taken"));
        Err(StoreError::Unavailable(Box::new(error)).into())
    }

    /// Returns `None` and changes nothing if another account has the id, the e-mail address or the nickname.
    async fn insert_user(
        &self,
        id: i64,
        new: NewUser<'_>,
        by: Option<&AuditOrigin>,
    ) -> Result<Option<user::Model>, DbErr> {
        let transaction = self.begin().await?;
        let row = user::ActiveModel {
            id: ActiveValue::Set(id),
            email: ActiveValue::Set(new.email.as_str().to_owned()),
            nickname: ActiveValue::Set(new.nickname.as_str().to_owned()),
            nickname_key: ActiveValue::Set(new.nickname.key()),
            password_hash: ActiveValue::Set(new.password_hash.to_owned()),
            role: ActiveValue::Set(new.role.as_str().to_owned()),
            created_at: ActiveValue::Set(new.now.as_millis()),
        };
        let Some(row) = unless_taken(row.insert(&transaction).await)? else {
            transaction.rollback().await?;
            return Ok(None);
        };
        if let Some(by) = by {
            let after = Some(json!({ "email": row.email, "role": row.role }));
            let entry = by.did("admin_create", target(row.id), row.nickname.clone(), new.now);
            audit_log::append(&transaction, &NewAudit { after, ..entry }).await?;
        }
        transaction.commit().await?;
        Ok(Some(row))
    }

    async fn nickname_is_taken(&self, nickname: &Nickname) -> Result<bool, StoreError> {
        self.with_retries("looking for a nickname", || async {
            let found = user::Entity::find().filter(user::Column::NicknameKey.eq(nickname.key()));
            Ok(found.one(self.reader()).await?.is_some())
        })
        .await
    }

    /// The account with this e-mail address.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user_by_email(&self, email: &Email) -> Result<Option<UserRecord>, StoreError> {
        self.with_retries("reading an account", || async {
            let found = user::Entity::find().filter(user::Column::Email.eq(email.as_str()));
            found.one(self.reader()).await?.map(UserRecord::try_from).transpose()
        })
        .await
    }

    /// The account with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user_by_id(&self, id: UserId) -> Result<Option<UserRecord>, StoreError> {
        self.with_retries("reading an account", || async {
            user::Entity::find_by_id(id.0).one(self.reader()).await?.map(UserRecord::try_from).transpose()
        })
        .await
    }

    /// Changes a user's nickname.
    ///
    /// # Errors
    /// [`AccountError::NicknameTaken`], [`AccountError::NoSuchUser`] or [`AccountError::Store`].
    pub async fn user_rename(&self, id: UserId, nickname: &Nickname) -> Result<UserRecord, AccountError> {
        let renamed = self
            .with_retries("renaming a user", || async {
                let update = user::Entity::update_many()
                    .col_expr(user::Column::Nickname, Expr::value(nickname.as_str()))
                    .col_expr(user::Column::NicknameKey, Expr::value(nickname.key()))
                    .filter(user::Column::Id.eq(id.0));
                unless_taken(update.exec(self.writer()).await)
            })
            .await?;
        if renamed.is_none() {
            return Err(AccountError::NicknameTaken);
        }
        self.user_by_id(id).await?.ok_or(AccountError::NoSuchUser)
    }

    /// Replaces a user's password hash and ends all sessions of the user except `keep_family`, in one
    /// transaction. Returns `false` if there is no such user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user_password_change(
        &self,
        id: UserId,
        password_hash: &str,
        keep_family: Option<Uuid>,
    ) -> Result<bool, StoreError> {
        self.with_retries("changing a password", || async move {
            let transaction = self.begin().await?;
            // The user's row is locked first. A concurrent `INSERT` of a refresh token refers to that row. If
            // it runs before this update, the token is ended below. If it runs after it, its caller finds the
            // new password.
            let changed = set(&transaction, id, user::Column::PasswordHash, password_hash).await?;
            sessions::end_families(&transaction, id, keep_family).await?;
            transaction.commit().await?;
            Ok(changed)
        })
        .await
    }

    /// At most `limit` administrators, in the order in which they signed up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn admins(&self, limit: u64) -> Result<Vec<UserRecord>, StoreError> {
        self.with_retries("listing administrators", || async {
            let rows = user::Entity::find()
                .filter(user::Column::Role.eq(Role::Admin.as_str()))
                .order_by_asc(user::Column::CreatedAt)
                .order_by_asc(user::Column::Id)
                .limit(convert::limit(limit))
                .all(self.reader())
                .await?;
            rows.into_iter().map(UserRecord::try_from).collect()
        })
        .await
    }

    /// Makes an existing account an administrator and writes the entry in the audit log, in one transaction.
    /// If the account is an administrator already, nothing is written. Its sessions continue, and have the
    /// new role from their next access token on.
    ///
    /// # Errors
    /// [`AccountError::NoSuchUser`] or [`AccountError::Store`].
    pub async fn admin_grant(
        &self,
        email: &Email,
        by: &AuditOrigin,
        now: Timestamp,
    ) -> Result<AdminGrant, AccountError> {
        let granted = self.change_role(email, [Role::User, Role::Admin], "admin_grant", by, now).await?;
        if let Some(user) = granted {
            return Ok(AdminGrant::Granted(user));
        }
        let user = self.user_by_email(email).await?.ok_or(AccountError::NoSuchUser)?;
        Ok(AdminGrant::Unchanged(user))
    }

    /// Replaces the password hash of the account with this e-mail address, ends all its sessions and writes
    /// the entry in the audit log, in one transaction. Returns `None` if there is no such account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn password_reset(
        &self,
        email: &Email,
        password_hash: &str,
        by: &AuditOrigin,
        now: Timestamp,
    ) -> Result<Option<UserRecord>, StoreError> {
        self.with_retries("resetting a password", || async move {
            let transaction = self.begin().await?;
            let found = user::Entity::find().filter(user::Column::Email.eq(email.as_str()));
            let Some(row) = found.one(&transaction).await? else {
                transaction.rollback().await?;
                return Ok(None);
            };
            // The user's row is locked first, as in `user_password_change`.
            set(&transaction, UserId(row.id), user::Column::PasswordHash, password_hash).await?;
            sessions::end_families(&transaction, UserId(row.id), None).await?;
            let entry = by.did("account_password_reset", target(row.id), row.nickname.clone(), now);
            audit_log::append(&transaction, &entry).await?;
            transaction.commit().await?;
            UserRecord::try_from(row).map(Some)
        })
        .await
    }

    /// Makes an administrator a plain user, ends all their sessions and writes the entry in the audit log, in
    /// one transaction. Returns `None` if no administrator has this e-mail address.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn admin_revoke(
        &self,
        email: &Email,
        by: &AuditOrigin,
        now: Timestamp,
    ) -> Result<Option<UserRecord>, StoreError> {
        self.change_role(email, [Role::Admin, Role::User], "admin_revoke", by, now).await
    }

    /// Gives the account with this e-mail address the role `after` and writes the entry in the audit log, in
    /// one transaction. If `before` is the role of an administrator, all sessions of the account end. Returns
    /// `None` and changes nothing if no account with this address has the role `before`.
    async fn change_role(
        &self,
        email: &Email,
        [before, after]: [Role; 2],
        action: &str,
        by: &AuditOrigin,
        now: Timestamp,
    ) -> Result<Option<UserRecord>, StoreError> {
        self.with_retries("changing a role", || async move {
            let transaction = self.begin().await?;
            // The user's row is locked first, as in `user_password_change`.
            let changed = user::Entity::update_many()
                .col_expr(user::Column::Role, Expr::value(after.as_str()))
                .filter(user::Column::Email.eq(email.as_str()))
                .filter(user::Column::Role.eq(before.as_str()))
                .exec(&transaction)
                .await?;
            let found = user::Entity::find().filter(user::Column::Email.eq(email.as_str()));
            let Some(row) = found.one(&transaction).await?.filter(|_| changed.rows_affected > 0) else {
                transaction.rollback().await?;
                return Ok(None);
            };
            if before == Role::Admin {
                sessions::end_families(&transaction, UserId(row.id), None).await?;
            }
            let role = |role: Role| Some(json!({ "role": role.as_str() }));
            let entry = by.did(action, target(row.id), row.nickname.clone(), now);
            let entry = NewAudit { before: role(before), after: role(after), ..entry };
            audit_log::append(&transaction, &entry).await?;
            transaction.commit().await?;
            UserRecord::try_from(row).map(Some)
        })
        .await
    }
}

fn target(user: i64) -> String {
    format!("user/{user}")
}

/// Sets `column` of the user to `value`. Returns whether there is such a user.
async fn set(
    connection: &impl ConnectionTrait,
    id: UserId,
    column: user::Column,
    value: &str,
) -> Result<bool, DbErr> {
    let updated = user::Entity::update_many()
        .col_expr(column, Expr::value(value))
        .filter(user::Column::Id.eq(id.0))
        .exec(connection)
        .await?;
    Ok(updated.rows_affected > 0)
}

/// Returns `None` if a unique index refused the write.
fn unless_taken<T>(written: Result<T, DbErr>) -> Result<Option<T>, DbErr> {
    match written {
        Ok(row) => Ok(Some(row)),
        Err(error) if is_duplicate(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreOptions;

    async fn insert(store: &Store, name: &str, ids: &[i64]) -> Result<UserRecord, AccountError> {
        let email = Email::parse(&format!("{name}@example.com")).unwrap();
        let new = NewUser {
            email: &email,
            nickname: &Nickname::parse(name).unwrap(),
            password_hash: "-",
            role: Role::User,
            now: Timestamp::from_millis(1),
        };
        let mut ids = ids.iter().copied();
        store.user_insert_as(new, None, || ids.next().unwrap()).await
    }

    #[tokio::test]
    async fn an_account_id_that_is_taken_is_replaced_by_another() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        let store = Store::connect(&StoreOptions::new(url)).await.unwrap();
        store.migrate().await.unwrap();
        assert_eq!(insert(&store, "ann", &[7]).await.unwrap().id, UserId(7));
        assert_eq!(insert(&store, "bob", &[7, 7, 8]).await.unwrap().id, UserId(8));
        assert!(matches!(insert(&store, "ann", &[9]).await, Err(AccountError::EmailTaken)));
        let never = insert(&store, "cat", &[7; 8]).await;
        assert!(matches!(never, Err(AccountError::Store(StoreError::Unavailable(_)))), "{never:?}");
        assert_eq!(insert(&store, "cat", &[9]).await.unwrap().id, UserId(9));
    }
}
