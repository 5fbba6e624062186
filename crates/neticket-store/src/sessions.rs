//! Refresh tokens, in families: one family per sign-in. A token is used once and is replaced by the next one
//! of its family. A token that is used a second time was stolen or has leaked, and this ends the family. Rows
//! stay until they expire, so that a second use is recognised for as long as the token could have been valid.

use neticket_domain::{Timestamp, UserId};
use sea_orm::{ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Statement, Value};
use uuid::Uuid;

use crate::entity::{refresh_token as token, user};
use crate::indexed::{
    IDS_MAX, TOKENS_BY_EXPIRY, TOKENS_BY_FAMILY, TOKENS_BY_HASH, TOKENS_BY_ID, TOKENS_BY_USER, marks,
};
use crate::user_record::UserRecord;
use crate::{Store, StoreError, convert};

/// The result of using a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The token was valid. The new token has replaced it.
    Rotated { user: UserRecord, family: Uuid },
    /// The token had been used before. The family has ended.
    Reused { family: Uuid },
    /// The token was never issued, has expired, or its session has ended.
    Unknown,
}

impl Store {
    /// Starts a family with its first token.
    ///
    /// # Errors
    /// [`StoreError`], also if there is no such user.
    pub async fn session_start(
        &self,
        user: UserId,
        family: Uuid,
        token_hash: [u8; 32],
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.with_retries("starting a session", || async move {
            insert(self.writer(), user.0, family, token_hash, expires_at, now).await
        })
        .await
    }

    /// Uses the token with `old_hash` and replaces it with one with `new_hash`. If several calls use the same
    /// token at once, exactly one of them is [`Rotation::Rotated`]. The others end the family.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session_rotate(
        &self,
        old_hash: [u8; 32],
        new_hash: [u8; 32],
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Rotation, StoreError> {
        self.with_retries("rotating a session", || self.rotate(old_hash, new_hash, expires_at, now)).await
    }

    async fn rotate(
        &self,
        old_hash: [u8; 32],
        new_hash: [u8; 32],
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Rotation, DbErr> {
        let transaction = self.begin().await?;
        // The row lock of this statement lets only one caller through. The index is named so that no other
        // row is locked: if MariaDB read by the index of the expiry, it would lock all tokens that have not
        // expired.
        let backend = transaction.get_database_backend();
        let table = TOKENS_BY_HASH.table(backend);
        let sql = format!(
            "UPDATE {table} SET used_at = ? \
             WHERE token_hash = ? AND used_at IS NULL AND ended = ? AND expires_at > ?"
        );
        let (now_ms, hash) = (now.as_millis(), old_hash.to_vec());
        let values: [Value; 4] = [now_ms.into(), hash.into(), false.into(), now_ms.into()];
        let won = transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
        let found = token::Entity::find()
            .filter(token::Column::TokenHash.eq(old_hash.to_vec()))
            .one(&transaction)
            .await?;
        let rotation = match found {
            Some(old) if won.rows_affected() == 1 => {
                insert(&transaction, old.user_id, old.family, new_hash, expires_at, now).await?;
                let user = user::Entity::find_by_id(old.user_id)
                    .one(&transaction)
                    .await?
                    .ok_or_else(|| DbErr::RecordNotFound("the user of a session".to_owned()))?;
                Rotation::Rotated { user: user.try_into()?, family: old.family }
            }
            Some(old) if old.used_at.is_some() && old.expires_at > now.as_millis() => {
                end_family(&transaction, old.family).await?;
                Rotation::Reused { family: old.family }
            }
            _ => Rotation::Unknown,
        };
        transaction.commit().await?;
        Ok(rotation)
    }

    /// Ends the whole family of a token. An unknown token ends nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session_end(&self, token_hash: [u8; 32]) -> Result<(), StoreError> {
        self.with_retries("ending a session", || async move {
            let found = token::Entity::find()
                .filter(token::Column::TokenHash.eq(token_hash.to_vec()))
                .one(self.reader())
                .await?;
            match found {
                Some(found) => end_family(self.writer(), found.family).await,
                None => Ok(()),
            }
        })
        .await
    }

    /// Deletes at most `limit` tokens that have expired at `now`. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sessions_expired_delete(&self, now: Timestamp, limit: u64) -> Result<u64, StoreError> {
        self.with_retries("deleting expired sessions", || async move {
            let expired = expired(self.reader(), now, limit).await?;
            let backend = self.writer().get_database_backend();
            let delete = TOKENS_BY_ID.delete(backend);
            let mut deleted = 0;
            for ids in expired.chunks(IDS_MAX) {
                let sql = format!("{delete} WHERE id IN ({}) AND expires_at <= ?", marks(ids.len()));
                let values = ids.iter().copied().chain([now.as_millis()]).map(Value::from);
                let statement = Statement::from_sql_and_values(backend, sql, values);
                deleted += self.writer().execute_raw(statement).await?.rows_affected();
            }
            Ok(deleted)
        })
        .await
    }
}

/// The ids of at most `limit` tokens that have expired at `now`.
async fn expired(connection: &impl ConnectionTrait, now: Timestamp, limit: u64) -> Result<Vec<i64>, DbErr> {
    let backend = connection.get_database_backend();
    // The index does not contain `ended`. It is selected for that reason alone (`indexed.rs`).
    let sql = format!(
        "SELECT id, ended FROM {} WHERE expires_at <= ? ORDER BY expires_at LIMIT ?",
        TOKENS_BY_EXPIRY.table(backend)
    );
    let values: [Value; 2] = [now.as_millis().into(), convert::to_column(convert::limit(limit))?.into()];
    let rows = connection.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    rows.iter().map(|row| row.try_get("", "id")).collect()
}

async fn insert(
    connection: &impl ConnectionTrait,
    user: i64,
    family: Uuid,
    token_hash: [u8; 32],
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), DbErr> {
    let row = token::ActiveModel {
        id: ActiveValue::NotSet,
        token_hash: ActiveValue::Set(token_hash.to_vec()),
        family: ActiveValue::Set(family),
        user_id: ActiveValue::Set(user),
        used_at: ActiveValue::Set(None),
        ended: ActiveValue::Set(false),
        expires_at: ActiveValue::Set(expires_at.as_millis()),
        created_at: ActiveValue::Set(now.as_millis()),
    };
    token::Entity::insert(row).exec_without_returning(connection).await.map(drop)
}

/// Ends all families of a user, except `keep`.
pub(crate) async fn end_families(
    connection: &impl ConnectionTrait,
    user: UserId,
    keep: Option<Uuid>,
) -> Result<(), DbErr> {
    let backend = connection.get_database_backend();
    let mut sql = format!("UPDATE {} SET ended = ? WHERE user_id = ?", TOKENS_BY_USER.table(backend));
    let mut values: Vec<Value> = vec![true.into(), user.0.into()];
    if let Some(family) = keep {
        sql.push_str(" AND family <> ?");
        values.push(family.into());
    }
    connection.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(())
}

async fn end_family(connection: &impl ConnectionTrait, family: Uuid) -> Result<(), DbErr> {
    let backend = connection.get_database_backend();
    let sql = format!("UPDATE {} SET ended = ? WHERE family = ?", TOKENS_BY_FAMILY.table(backend));
    let values: [Value; 2] = [true.into(), family.into()];
    connection.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(())
}
