//! Accounts and their refresh tokens.

use sea_orm_migration::prelude::*;

use crate::columns::{bytes, drop_tables, flag, foreign_key, id, index, number, number_null, table, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                table(manager, "users")
                    .col(id())
                    .col(text("email", 254))
                    .col(text("nickname", 40))
                    // The form in which nicknames are compared: two that differ only in case are the same.
                    .col(text("nickname_key", 40))
                    .col(text("password_hash", 255))
                    .col(text("role", 16))
                    .col(number("created_at"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("users_email", "users", &["email"]).unique().to_owned()).await?;
        manager.create_index(index("users_nickname", "users", &["nickname_key"]).unique().to_owned()).await?;

        manager
            .create_table(
                table(manager, "refresh_tokens")
                    .col(id())
                    // Only the hash is stored, so that nobody can sign in with what the table contains.
                    .col(bytes("token_hash", 32))
                    .col(bytes("family", 16))
                    .col(number("user_id"))
                    .col(number_null("used_at"))
                    // The family has ended: by a sign-out, by a second use of a token, or by a change of the
                    // password or the role.
                    .col(flag("ended"))
                    .col(number("expires_at"))
                    .col(number("created_at"))
                    .foreign_key(&mut foreign_key("refresh_tokens", "user_id", "users"))
                    .to_owned(),
            )
            .await?;
        let tokens = "refresh_tokens";
        manager
            .create_index(index("refresh_tokens_hash", tokens, &["token_hash"]).unique().to_owned())
            .await?;
        manager.create_index(index("refresh_tokens_family", tokens, &["family"])).await?;
        manager.create_index(index("refresh_tokens_user", tokens, &["user_id"])).await?;
        manager.create_index(index("refresh_tokens_expiry", tokens, &["expires_at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["refresh_tokens", "users"]).await
    }
}
