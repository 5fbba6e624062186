//! Reservations, and the outbox of seats that cancelled reservations return to the ledger.

use sea_orm_migration::prelude::*;

use crate::columns::{bytes, drop_tables, foreign_key, index, number, number_null, table, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                table(manager, "reservations")
                    // Derived from user and idempotency key. The primary key makes a repeated booking one
                    // reservation.
                    .col(bytes("id", 16).primary_key())
                    .col(number("user_id"))
                    // The event of the ticket type, stored again so that a reservation can be shown without
                    // reading the ticket type. It has no foreign key: the guard has matched ticket type and
                    // event already, and a third parent would mean a third shared lock per row in the one
                    // transaction that must be short.
                    .col(number("event_id"))
                    .col(number("ticket_type_id"))
                    .col(number("quantity"))
                    // In won, the price at which it was admitted.
                    .col(number("unit_price"))
                    .col(text("status", 16))
                    .col(number("created_at"))
                    .col(number_null("cancelled_at"))
                    .foreign_key(&mut foreign_key("reservations", "user_id", "users"))
                    .foreign_key(&mut foreign_key("reservations", "ticket_type_id", "ticket_types"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("reservations_mine")
                    .table("reservations")
                    .col("user_id")
                    .col(("created_at", IndexOrder::Desc))
                    .col("id")
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("reservations_event", "reservations", &["event_id"])).await?;
        manager.create_index(index("reservations_ticket_type", "reservations", &["ticket_type_id"])).await?;

        manager
            .create_table(
                table(manager, "release_outbox")
                    .col(bytes("reservation_id", 16).primary_key())
                    .col(number("event_id"))
                    .col(number("ticket_type_id"))
                    .col(number("user_id"))
                    .col(number("quantity"))
                    // The epoch of the ticket type, as the cancelling transaction read it.
                    .col(number("epoch"))
                    .col(number("created_at"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("release_outbox_created", "release_outbox", &["created_at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["release_outbox", "reservations"]).await
    }
}
