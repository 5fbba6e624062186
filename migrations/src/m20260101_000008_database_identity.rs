//! The identity of the database: a random id that is created once and that every dump and replica contains.
//! Nodes compare it before they share a ledger (docs/decisions/0029). Nodes of older versions do not read it.

use sea_orm_migration::prelude::*;
use uuid::Uuid;

use crate::columns::{bytes, drop_tables, number, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "database_identity";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Safe to run twice: MySQL keeps the table if a later statement fails, and another node may migrate
        // at the same time.
        let identity = table(manager, TABLE)
            .if_not_exists()
            .col(number("id").primary_key())
            .col(bytes("uuid", 16))
            // There is only one row.
            .check(Expr::col("id").eq(1))
            .to_owned();
        manager.create_table(identity).await?;
        // Generated here and not by the database, because a function of the database may return another value
        // on a replica.
        let row = Query::insert()
            .into_table(TABLE)
            .columns(["id", "uuid"])
            .values_panic([1.into(), Uuid::new_v4().as_bytes().to_vec().into()])
            .on_conflict(OnConflict::column("id").do_nothing_on(["id"]).to_owned())
            .to_owned();
        manager.execute(row).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &[TABLE]).await
    }
}
