//! Measures the store's part of a booking: the transaction that NETicket commits for a batch of one, repeated
//! on one connection without pauses. The rest of a booking's time belongs to HTTP and the engine.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use neticket_contract::EventDetail;
use sqlx::mysql::{MySqlConnectOptions, MySqlPool};
use sqlx::{Executor as _, MySqlConnection};
use uuid::Uuid;

use super::args::CommitArgs;
use super::tables::{self, Row};

/// Transactions before the measurement. After them, statements are prepared and pages are in memory.
const WARM_UP: u32 = 200;
const LONGEST_US: u64 = 60_000_000;

pub(super) fn measure(args: &CommitArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let latencies = runtime.block_on(run(&args.database_url, Duration::from_secs(args.seconds)))?;
    let at = |quantile: f64| latencies.value_at_quantile(quantile);
    let result = serde_json::json!({
        "commits": latencies.len(),
        "p50_us": at(0.5),
        "p90_us": at(0.9),
        "p99_us": at(0.99),
        "max_us": latencies.max(),
    });
    println!("{result}");
    if let Some(file) = &args.json {
        std::fs::write(file, format!("{result}\n"))?;
    }
    Ok(())
}

async fn run(database_url: &str, duration: Duration) -> anyhow::Result<Histogram<u64>> {
    let options: MySqlConnectOptions = database_url.parse()?;
    let pool = MySqlPool::connect_with(options).await.context("cannot connect to the database")?;
    let event = tables::make_event(&pool, 1)
        .await
        .context("cannot create the event, perhaps because the schema is missing")?;
    let user = make_person(&pool).await?;
    let mut connection = pool.acquire().await?;
    connection.execute(tables::READ_COMMITTED).await?;
    for _ in 0..WARM_UP {
        commit(&mut connection, &event, user).await?;
    }
    let mut latencies = Histogram::new_with_bounds(1, LONGEST_US, 3)?;
    let end = Instant::now() + duration;
    while Instant::now() < end {
        let start = Instant::now();
        commit(&mut connection, &event, user).await?;
        latencies.saturating_record(u64::try_from(start.elapsed().as_micros()).unwrap_or(LONGEST_US));
    }
    Ok(latencies)
}

async fn make_person(pool: &MySqlPool) -> anyhow::Result<i64> {
    let name = Uuid::new_v4().simple().to_string();
    let made = sqlx::query(
        "INSERT INTO users (email, nickname, nickname_key, password_hash, role, created_at) \
         VALUES (?, ?, ?, '-', 'user', 0)",
    )
    .bind(format!("{name}@baseline.example"))
    .bind(&name)
    .bind(&name)
    .execute(pool)
    .await?;
    Ok(i64::try_from(made.last_insert_id())?)
}

/// The fast path of the store: the guard, the row, COMMIT.
async fn commit(connection: &mut MySqlConnection, event: &EventDetail, user: i64) -> anyhow::Result<()> {
    let ticket_type = event.ticket_types.first().context("the event has no ticket type")?;
    let (event, ticket_type, unit_price) = (event.summary.id, ticket_type.id, ticket_type.price);
    connection.execute("BEGIN").await?;
    let guarded = sqlx::query(
        "UPDATE ticket_types SET `left` = `left` - 1 WHERE id = ? AND event_id = ? AND epoch = 1 AND `left` >= 1",
    )
    .bind(ticket_type)
    .bind(event)
    .execute(&mut *connection)
    .await?;
    ensure!(guarded.rows_affected() == 1, "the baseline event is sold out");
    let row = Row { id: Uuid::new_v4(), user, event, ticket_type, quantity: 1, unit_price };
    tables::insert(connection, &row).await?;
    connection.execute("COMMIT").await?;
    Ok(())
}
