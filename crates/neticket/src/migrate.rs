//! `neticket migrate`: applies pending migrations and prints which.

use anyhow::Context as _;
use neticket_app::{App, Config};
use neticket_store::Store;

pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    let store = Store::connect(&App::store_options(config)).await.context("cannot open the database")?;
    let pending = store.migrations_pending().await.context("cannot read the migrations of the database")?;
    if pending.is_empty() {
        println!("the database is up to date");
        return Ok(());
    }
    store.migrate().await.context("cannot migrate the database")?;
    println!("applied {} migrations: {}", pending.len(), pending.join(", "));
    Ok(())
}
