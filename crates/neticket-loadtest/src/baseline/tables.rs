//! Rows in NETicket's own tables, so that the baselines pay for the same indexes and foreign keys.

use neticket_contract::EventDetail;
use sqlx::mysql::{MySqlConnection, MySqlPool};
use uuid::Uuid;

use super::http::{self, CAPACITY};

/// The isolation level of the session, as NETicket sets it.
pub(super) const READ_COMMITTED: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// A reservation to insert.
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) user: i64,
    pub(super) event: i64,
    pub(super) ticket_type: i64,
    pub(super) quantity: u32,
    pub(super) unit_price: u64,
}

/// Creates the event that is sold, with `ticket_types` ticket types, at most [`http::TICKET_TYPES`].
pub(super) async fn make_event(pool: &MySqlPool, ticket_types: u32) -> anyhow::Result<EventDetail> {
    let mut event = http::event(0, 0);
    event.ticket_types.truncate(usize::try_from(ticket_types)?);
    let summary = &event.summary;
    let now = event.server_time.as_millis();
    let made = sqlx::query(
        "INSERT INTO events (title, place, description, search_text, starts_at, opens_at, closes_at, max_per_user, \
         paused, version, created_at, updated_at) VALUES (?, ?, ?, '', ?, ?, ?, ?, FALSE, 1, ?, ?)",
    )
    .bind(&summary.title)
    .bind(&summary.place)
    .bind(&event.description)
    .bind(summary.starts_at.as_millis())
    .bind(summary.opens_at.as_millis())
    .bind(summary.closes_at.as_millis())
    .bind(event.max_per_user)
    .bind(now)
    .bind(now)
    .execute(pool)
    .await?;
    event.summary.id = i64::try_from(made.last_insert_id())?;
    for (position, ticket_type) in (0..ticket_types).zip(&mut event.ticket_types) {
        let made = sqlx::query(
            "INSERT INTO ticket_types (event_id, position, name, price, capacity, `left`, epoch) \
             VALUES (?, ?, ?, ?, ?, ?, 1)",
        )
        .bind(event.summary.id)
        .bind(position)
        .bind(&ticket_type.name)
        .bind(ticket_type.price)
        .bind(CAPACITY)
        .bind(CAPACITY)
        .execute(pool)
        .await?;
        ticket_type.id = i64::try_from(made.last_insert_id())?;
    }
    Ok(event)
}

/// Inserts a confirmed reservation within the open transaction.
pub(super) async fn insert(connection: &mut MySqlConnection, row: &Row) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO reservations (id, user_id, event_id, ticket_type_id, quantity, unit_price, status, created_at) \
         VALUES (?, ?, ?, ?, ?, ?, 'confirmed', ?)",
    )
    .bind(row.id.as_bytes().as_slice())
    .bind(row.user)
    .bind(row.event)
    .bind(row.ticket_type)
    .bind(row.quantity)
    .bind(row.unit_price)
    .bind(http::now().as_millis())
    .execute(connection)
    .await
    .map(|_| ())
}
