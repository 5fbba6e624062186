//! For administration: an audit log with the values before and after, and cancelled events whose cancellation
//! can finish.

use sea_orm_migration::prelude::*;

use crate::columns::{index, number_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const CANCELLED: &str = "events_cancelled";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // JSON as text, because it is shown and never searched. One statement per column, because SQLite adds
        // one column at a time.
        for name in ["before", "after"] {
            add(manager, "audit_log", ColumnDef::new(name).text().null().take()).await?;
        }
        // Null until all reservations of a cancelled event are cancelled too.
        add(manager, "events", number_null("cancellation_finished_at")).await?;
        // When the sale window was last changed or the event was cancelled. It tells which bookings were
        // admitted since then by a ledger that did not know of the change.
        add(manager, "events", number_null("window_since")).await?;
        // There are few cancelled events. This index finds the unfinished ones among them without reading the
        // table.
        let columns = ["cancelled_at", "cancellation_finished_at"];
        manager.create_index(index(CANCELLED, "events", &columns)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name(CANCELLED).table("events").to_owned()).await?;
        remove(manager, "events", "window_since").await?;
        remove(manager, "events", "cancellation_finished_at").await?;
        for name in ["after", "before"] {
            remove(manager, "audit_log", name).await?;
        }
        Ok(())
    }
}

async fn add(manager: &SchemaManager<'_>, table: &'static str, column: ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await
}

async fn remove(manager: &SchemaManager<'_>, table: &'static str, column: &'static str) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).drop_column(column).to_owned()).await
}
