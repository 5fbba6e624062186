//! The database of the server under test. The load test inserts users, and reads the result for the audit.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use neticket_domain::Role;
use sqlx::mysql::{MySqlPool, MySqlPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{MySql, QueryBuilder, Row as _, Sqlite};
use uuid::Uuid;

use crate::token::now_ms;

/// Users that one statement inserts. Each needs five values, and SQLite accepts 32,766 values.
const PEOPLE_PER_INSERT: u32 = 1_000;
/// How long SQLite waits for writes of the server.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to the database of the server under test.
#[derive(Clone, Debug)]
pub enum Database {
    MySql(MySqlPool),
    Sqlite(SqlitePool),
}

/// Runs the same code for both kinds of database.
macro_rules! on_each {
    ($database:expr, $pool:ident => $body:expr) => {
        match $database {
            Database::MySql($pool) => $body,
            Database::Sqlite($pool) => $body,
        }
    };
}

/// A row of a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReservationRow {
    pub(crate) id: Uuid,
    pub(crate) user: i64,
    pub(crate) ticket_type: i64,
    pub(crate) quantity: i64,
    pub(crate) confirmed: bool,
}

/// A row of a ticket type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TicketTypeRow {
    pub(crate) id: i64,
    pub(crate) capacity: i64,
    pub(crate) left: i64,
}

impl Database {
    /// Connects to `mysql://…` or `sqlite:…`.
    ///
    /// # Errors
    /// The database does not answer, or is of another kind.
    pub async fn connect(url: &str) -> Result<Self> {
        let connected = if url.starts_with("mysql://") {
            MySqlPoolOptions::new().max_connections(2).connect(url).await.map(Self::MySql)
        } else if url.starts_with("sqlite:") {
            let options = url.parse::<SqliteConnectOptions>()?.busy_timeout(BUSY_TIMEOUT);
            SqlitePoolOptions::new().max_connections(1).connect_with(options).await.map(Self::Sqlite)
        } else {
            bail!("the database's address must start with mysql:// or sqlite:");
        };
        connected.context("the database does not answer")
    }

    /// The ids of `count` users. Missing ones are created. They have no password, so nobody can sign in as
    /// one of them.
    pub(crate) async fn people(&self, count: u32) -> Result<Vec<i64>> {
        let ids = self.ids("load-%@loadtest.invalid", count).await?;
        let there = u32::try_from(ids.len())?;
        if there >= count {
            return Ok(ids);
        }
        let missing: Vec<u32> = (there..count).collect();
        for numbers in missing.chunks(usize::try_from(PEOPLE_PER_INSERT)?) {
            self.insert_people(numbers, "load", Role::User).await?;
        }
        let ids = self.ids("load-%@loadtest.invalid", count).await?;
        if ids.len() < usize::try_from(count)? {
            bail!("{count} people are needed, but the database has only {}", ids.len());
        }
        Ok(ids)
    }

    /// The id of an administrator. It is created if it is missing.
    pub(crate) async fn admin(&self) -> Result<i64> {
        let pattern = "loadadmin-%@loadtest.invalid";
        if self.ids(pattern, 1).await?.is_empty() {
            self.insert_people(&[0], "loadadmin", Role::Admin).await?;
        }
        self.ids(pattern, 1).await?.first().copied().context("the database has no administrator")
    }

    async fn ids(&self, email_like: &str, count: u32) -> Result<Vec<i64>> {
        let query = "SELECT id FROM users WHERE email LIKE ? ORDER BY id LIMIT ?";
        Ok(on_each!(self, pool => {
            sqlx::query_scalar(query).bind(email_like.to_owned()).bind(count).fetch_all(pool).await?
        }))
    }

    async fn insert_people(&self, numbers: &[u32], name: &str, role: Role) -> Result<()> {
        const INSERT: &str =
            "INSERT INTO users (email, nickname, nickname_key, password_hash, role, created_at) ";
        let now = i64::try_from(now_ms())?;
        let rows = numbers.iter().map(|number| (format!("{name}-{number}"), role.as_str()));
        macro_rules! insert {
            ($kind:ty, $pool:ident) => {{
                let mut query = QueryBuilder::<$kind>::new(INSERT);
                query.push_values(rows, |mut row, (name, role)| {
                    row.push_bind(format!("{name}@loadtest.invalid"));
                    row.push_bind(name.clone()).push_bind(name);
                    row.push("'-'").push_bind(role).push_bind(now);
                });
                query.build().execute($pool).await.context("cannot create people")?;
            }};
        }
        match self {
            Self::MySql(pool) => insert!(MySql, pool),
            Self::Sqlite(pool) => insert!(Sqlite, pool),
        }
        Ok(())
    }

    /// All reservations of the event, including cancelled ones.
    pub(crate) async fn reservations(&self, event: i64) -> Result<Vec<ReservationRow>> {
        let query =
            "SELECT id, user_id, ticket_type_id, quantity, status FROM reservations WHERE event_id = ?";
        on_each!(self, pool => {
            let rows = sqlx::query(query).bind(event).fetch_all(pool).await?;
            rows.iter().map(|row| {
                Ok(ReservationRow {
                    id: Uuid::from_slice(&row.try_get::<Vec<u8>, _>("id")?)?,
                    user: row.try_get("user_id")?,
                    ticket_type: row.try_get("ticket_type_id")?,
                    quantity: row.try_get("quantity")?,
                    confirmed: row.try_get::<String, _>("status")? == "confirmed",
                })
            }).collect()
        })
    }

    /// The event's ticket types, ordered by id.
    pub(crate) async fn ticket_types(&self, event: i64) -> Result<Vec<TicketTypeRow>> {
        // `left` is a reserved word of MySQL. Both databases accept it in backticks.
        let query = "SELECT id, capacity, `left` FROM ticket_types WHERE event_id = ? ORDER BY id";
        on_each!(self, pool => {
            let rows = sqlx::query(query).bind(event).fetch_all(pool).await?;
            rows.iter().map(|row| {
                Ok(TicketTypeRow {
                    id: row.try_get("id")?,
                    capacity: row.try_get("capacity")?,
                    left: row.try_get("left")?,
                })
            }).collect()
        })
    }

    /// The settings that decide whether committed data survives a power cut, by name.
    pub(crate) async fn durability(&self) -> Result<BTreeMap<String, String>> {
        let mut settings = BTreeMap::new();
        match self {
            Self::MySql(pool) => {
                let query = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', \
                    'innodb_flush_log_at_trx_commit', 'sync_binlog', 'log_bin', 'innodb_doublewrite', \
                    'innodb_buffer_pool_size', 'innodb_flush_method')";
                for row in sqlx::query(query).fetch_all(pool).await? {
                    settings.insert(row.try_get(0)?, row.try_get(1)?);
                }
            }
            Self::Sqlite(pool) => {
                let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(pool).await?;
                settings.insert("version".to_owned(), version);
                let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(pool).await?;
                settings.insert("journal_mode".to_owned(), mode);
                // Each connection has its own setting, so a query here would say nothing about those of the
                // server.
                let synchronous = "FULL (NETicket sets it on each of its connections)".to_owned();
                settings.insert("synchronous".to_owned(), synchronous);
            }
        }
        Ok(settings)
    }
}
