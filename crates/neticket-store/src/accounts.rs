//! Accounts: who can sign in.

use std::fmt;
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
use crate::{AuditOrigin, NewAudit, Store, audit_log, convert, sessions};

/// What ids of new accounts are drawn from. No id is ever given twice, also not after a restored backup: an
/// access token names its account by the id alone (docs/decisions/0030). Above every number that a database
/// has counted up to, so that counted and drawn ids never meet. Far enough below 2^53, up to which JavaScript
/// reads numbers exactly: a node of an older version still counts, from the highest id there is.
const IDS: Range<i64> = (1 << 32)..(1 << 52);
/// How many ids are tried for a new account.
const ID_ATTEMPTS_MAX: u32 = 8;

/// An account to be.
#[derive(Clone, Copy)]
pub struct NewUser<'a> {
    pub email: &'a Email,
    pub nickname: &'a Nickname,
    /// As the password hasher writes it, salt and parameters included.
    pub password_hash: &'a str,
    pub role: Role,
    pub now: Timestamp,
}

/// An account. The password's hash is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRecord {
    pub id: UserId,
    pub email: String,
    pub nickname: String,
    pub role: Role,
    pub password_hash: String,
    pub created_at: Timestamp,
}

impl fmt::Debug for UserRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRecord").field("id", &self.id).field("role", &self.role).finish_non_exhaustive()
    }
}

/// The result of granting the administrator role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminGrant {
    Granted(UserRecord),
    /// It was one already.
    Unchanged(UserRecord),
}

/// Why an account could not be made or changed. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("somebody has this e-mail address")]
    EmailTaken,
    #[error("somebody has this nickname")]
    NicknameTaken,
    #[error("there is no such user")]
    NoSuchUser,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TryFrom<user::Model> for UserRecord {
    type Error = DbErr;

    fn try_from(row: user::Model) -> Result<Self, DbErr> {
        let role = Role::parse(&row.role).ok_or_else(|| DbErr::Type(format!("unknown role {}", row.role)))?;
        Ok(Self {
            id: UserId(row.id),
            email: row.email,
            nickname: row.nickname,
            role,
            password_hash: row.password_hash,
            created_at: convert::moment(row.created_at),
        })
    }
}

impl Store {
    /// Makes an account.
    ///
    /// # Errors
    /// [`AccountError::EmailTaken`] (also if both are), [`AccountError::NicknameTaken`] or [`AccountError::Store`].
    pub async fn user_create(&self, new: NewUser<'_>) -> Result<UserRecord, AccountError> {
        self.user_insert(new, None).await
    }

    /// Makes an account that may administer, or whatever its role says, with its entry in the audit log: all or nothing.
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

    /// Takes its id from `make_id`, which is asked again as long as another account has the id.
    async fn user_insert_as(
        &self,
        new: NewUser<'_>,
        by: Option<&AuditOrigin>,
        mut make_id: impl FnMut() -> i64 + Send,
    ) -> Result<UserRecord, AccountError> {
        for _ in 0..ID_ATTEMPTS_MAX {
            let id = make_id();
            let inserted = self.attempt("creating an account", || self.insert_user(id, new, by)).await?;
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
        let error = DbErr::Custom(format!("{ID_ATTEMPTS_MAX} ids of accounts were taken"));
        Err(StoreError::Unavailable(Box::new(error)).into())
    }

    /// `None`, and nothing has changed, if the id, the e-mail address or the nickname is somebody's.
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
        self.attempt("looking for a nickname", || async {
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
        self.attempt("reading an account", || async {
            let found = user::Entity::find().filter(user::Column::Email.eq(email.as_str()));
            found.one(self.reader()).await?.map(UserRecord::try_from).transpose()
        })
        .await
    }

    /// The account with this number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user_by_id(&self, id: UserId) -> Result<Option<UserRecord>, StoreError> {
        self.attempt("reading an account", || async {
            user::Entity::find_by_id(id.0).one(self.reader()).await?.map(UserRecord::try_from).transpose()
        })
        .await
    }

    /// Gives a user another nickname.
    ///
    /// # Errors
    /// [`AccountError::NicknameTaken`], [`AccountError::NoSuchUser`] or [`AccountError::Store`].
    pub async fn user_rename(&self, id: UserId, nickname: &Nickname) -> Result<UserRecord, AccountError> {
        let renamed = self
            .attempt("renaming a user", || async {
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

    /// Replaces a user's password hash and ends all the user's sessions except `keep_family`, all or nothing; `false` if
    /// there is no such user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user_password_change(
        &self,
        id: UserId,
        password_hash: &str,
        keep_family: Option<Uuid>,
    ) -> Result<bool, StoreError> {
        self.attempt("changing a password", || async move {
            let transaction = self.begin().await?;
            // The user first. A token that is being inserted refers to that row: it is inserted before, and
            // ended here, or afterwards, and then whoever inserts it finds the new password.
            let changed = set(&transaction, id, user::Column::PasswordHash, password_hash).await?;
            sessions::end_families(&transaction, id, keep_family).await?;
            transaction.commit().await?;
            Ok(changed)
        })
        .await
    }

    /// Who may administer, at most `limit`, in the order in which they signed up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn admins(&self, limit: u64) -> Result<Vec<UserRecord>, StoreError> {
        self.attempt("listing administrators", || async {
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

    /// Makes an existing account an administrator, with its entry in the audit log: all or nothing. If it is
    /// one already, nothing is written. Its sessions go on and have the new role from their next access token
    /// on.
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

    /// Replaces the password hash of the account with this e-mail address and ends all its sessions, with its
    /// entry in the audit log: all or nothing. `None` if there is no such account.
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
        self.attempt("resetting a password", || async move {
            let transaction = self.begin().await?;
            let found = user::Entity::find().filter(user::Column::Email.eq(email.as_str()));
            let Some(row) = found.one(&transaction).await? else {
                transaction.rollback().await?;
                return Ok(None);
            };
            // The row first, as in a change of password.
            set(&transaction, UserId(row.id), user::Column::PasswordHash, password_hash).await?;
            sessions::end_families(&transaction, UserId(row.id), None).await?;
            let entry = by.did("account_password_reset", target(row.id), row.nickname.clone(), now);
            audit_log::append(&transaction, &entry).await?;
            transaction.commit().await?;
            UserRecord::try_from(row).map(Some)
        })
        .await
    }

    /// Makes an administrator a plain user and ends all their sessions, with its entry in the audit log: all or nothing. `None`
    /// if nobody of that e-mail may administer.
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

    /// Gives the account with this e-mail address the role `after`, with its entry in the audit log: all or
    /// nothing. Sessions end with the role of an administrator. `None`, and nothing has changed, if no such
    /// account has the role `before`.
    async fn change_role(
        &self,
        email: &Email,
        [before, after]: [Role; 2],
        action: &str,
        by: &AuditOrigin,
        now: Timestamp,
    ) -> Result<Option<UserRecord>, StoreError> {
        self.attempt("changing a role", || async move {
            let transaction = self.begin().await?;
            // The row first, as in a change of password.
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

/// Whether there is such a user, whose `column` is now `value`.
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

/// `None` where a unique index refused the write.
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
    async fn an_id_that_somebody_has_is_not_given_again_but_another_one() {
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
