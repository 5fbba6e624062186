//! Accounts: who can sign in.

use std::fmt;

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
        let inserted = self
            .attempt("creating an account", || async move {
                let transaction = self.begin().await?;
                let row = user::ActiveModel {
                    id: ActiveValue::NotSet,
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
            })
            .await?;
        match inserted {
            Some(row) => Ok(row.try_into().map_err(StoreError::from)?),
            None if self.user_by_email(new.email).await?.is_some() => Err(AccountError::EmailTaken),
            None => Err(AccountError::NicknameTaken),
        }
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
            // The user first: a token that is being inserted refers to that row, so none can slip in behind the update.
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
                .order_by_asc(user::Column::Id)
                .limit(convert::limit(limit))
                .all(self.reader())
                .await?;
            rows.into_iter().map(UserRecord::try_from).collect()
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
        self.attempt("revoking an administrator", || async move {
            let transaction = self.begin().await?;
            // The row first, as in a change of password: no session can slip in behind the end of the others.
            let revoked = user::Entity::update_many()
                .col_expr(user::Column::Role, Expr::value(Role::User.as_str()))
                .filter(user::Column::Email.eq(email.as_str()))
                .filter(user::Column::Role.eq(Role::Admin.as_str()))
                .exec(&transaction)
                .await?;
            let found = user::Entity::find().filter(user::Column::Email.eq(email.as_str()));
            let Some(row) = found.one(&transaction).await?.filter(|_| revoked.rows_affected > 0) else {
                transaction.rollback().await?;
                return Ok(None);
            };
            sessions::end_families(&transaction, UserId(row.id), None).await?;
            let role = |role: Role| Some(json!({ "role": role.as_str() }));
            let entry = by.did("admin_revoke", target(row.id), row.nickname.clone(), now);
            let entry = NewAudit { before: role(Role::Admin), after: role(Role::User), ..entry };
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
