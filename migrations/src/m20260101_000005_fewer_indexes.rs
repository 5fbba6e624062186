//! Drops the index of reservations by event: the one by ticket type finds an event's reservations as well, and every index
//! less makes the one transaction that must be short shorter.

use sea_orm_migration::prelude::*;

use crate::columns::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("reservations_event").table("reservations").to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_index(index("reservations_event", "reservations", &["event_id"])).await
    }
}
