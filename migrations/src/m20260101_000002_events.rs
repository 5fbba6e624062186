//! Events and their ticket types, with the seats left.

use sea_orm_migration::prelude::*;

use crate::columns::{
    drop_tables, flag, foreign_key, id, index, number, number_null, table, text, text_null,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                table(manager, "events")
                    .col(id())
                    .col(text("title", 200))
                    .col(text("place", 200))
                    .col(ColumnDef::new("description").text().not_null())
                    // Title and place in lower case, for searches.
                    .col(text("search_text", 1000))
                    .col(number("starts_at"))
                    .col(number("opens_at"))
                    .col(number("closes_at"))
                    .col(number("max_per_user"))
                    .col(flag("paused"))
                    .col(number_null("cancelled_at"))
                    .col(text_null("image_key", 100))
                    // Grows by one with every edit, and with the cancel of the event.
                    .col(number("version"))
                    .col(number("created_at"))
                    .col(number("updated_at"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("events_starts", "events", &["starts_at", "id"])).await?;
        manager.create_index(index("events_opens", "events", &["opens_at"])).await?;

        manager
            .create_table(
                table(manager, "ticket_types")
                    .col(id())
                    .col(number("event_id"))
                    .col(number("position"))
                    .col(text("name", 50))
                    .col(number("price"))
                    .col(number("capacity"))
                    .col(number("left"))
                    // A load raises it, and so do edits, pauses and cancels of the event. The guard refuses
                    // what was admitted under another epoch.
                    .col(number("epoch").default(0))
                    // A last safeguard that no code can bypass: `left` is never below 0 and never above
                    // `capacity`.
                    .check(Expr::col("left").gte(0).and(Expr::col("left").lte(Expr::col("capacity"))))
                    .foreign_key(&mut foreign_key("ticket_types", "event_id", "events"))
                    .to_owned(),
            )
            .await?;
        // The index is not by position: a load locks an event's rows in the order of this index, and every
        // other lock of ticket types is taken in the order of their ids too.
        manager.create_index(index("ticket_types_event", "ticket_types", &["event_id", "id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["ticket_types", "events"]).await
    }
}
