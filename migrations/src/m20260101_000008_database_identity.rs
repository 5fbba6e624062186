//! Who the database is: a random id that is made once and goes with every dump and replica. Nodes compare it
//! before they share a ledger (docs/decisions/0029). Nodes of older versions do not look at it.

use sea_orm_migration::prelude::*;
use uuid::Uuid;

use crate::columns::{bytes, drop_tables, number, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "database_identity";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Twice does no harm: MySQL keeps the table if what follows fails, and somebody else may migrate as
        // well.
        let identity = table(manager, TABLE)
            .if_not_exists()
            .col(number("id").primary_key())
            .col(bytes("uuid", 16))
            // There is one row.
            .check(Expr::col("id").eq(1))
            .to_owned();
        manager.create_table(identity).await?;
        // Made here and not by the database: its own functions may answer something else on a replica.
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
