//! When the pause of a sale began. A booking that was admitted after that, by a ledger that did not know of
//! the pause, is not confirmed.

use sea_orm_migration::prelude::*;

use crate::columns::number_null;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let add = Table::alter().table("events").add_column(number_null("paused_at")).to_owned();
        manager.alter_table(add).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("events").drop_column("paused_at").to_owned()).await
    }
}
