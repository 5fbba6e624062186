//! The audit log of what administrators did. The actor has no foreign key, because entries outlive accounts.

use sea_orm_migration::prelude::*;

use crate::columns::{drop_tables, id, index, number, number_null, table, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                table(manager, "audit_log")
                    .col(id())
                    .col(number("at"))
                    // Null if the command line did it.
                    .col(number_null("actor_id"))
                    .col(text("action", 64))
                    .col(text("target", 200))
                    .col(ColumnDef::new("detail").text().not_null())
                    .col(text("ip", 45))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("audit_log_at", "audit_log", &["at", "id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["audit_log"]).await
    }
}
