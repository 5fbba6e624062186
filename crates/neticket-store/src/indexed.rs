//! Tables that grow by hundreds of thousands of rows during one sale, and the indexes by which statements
//! read them.
//!
//! The optimiser's statistics about such a table are from before the sale, or from before the server's last
//! start. So no statement on these tables depends on statistics for its plan (docs/decisions/0031):
//!
//! - It reads one table. Names of events, ticket types and people are read afterwards, by id.
//! - It names its index, as an [`Indexed`]. A statement that locks rows then locks only the rows that it
//!   finds by that index.
//! - It selects or compares a column that the index does not contain, unless it compares the first column of
//!   the index with a single value. Without such a column MariaDB may read the whole index: `FORCE INDEX`
//!   allows it.
//! - It has at most [`IDS_MAX`] values in an `IN (…)`.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};

/// The maximum number of values in one `IN (…)`. MariaDB turns a list of 1,000 values
/// (`in_predicate_conversion_threshold`) into a join, and chooses the order of that join by statistics.
pub(crate) const IDS_MAX: usize = 500;

/// A table and the only index by which a statement may read it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Indexed {
    table: &'static str,
    /// The index hint after the table's name on MySQL and MariaDB.
    mysql: &'static str,
    /// The same on SQLite. There the primary key of a table with a numeric id is not an index and cannot be
    /// named.
    sqlite: &'static str,
}

pub(crate) const RESERVATIONS_BY_ID: Indexed = Indexed {
    table: "reservations",
    mysql: "FORCE INDEX (PRIMARY)",
    sqlite: "INDEXED BY sqlite_autoindex_reservations_1",
};

/// In the order in which people see their reservations: newest first, then by id.
pub(crate) const RESERVATIONS_BY_USER: Indexed = Indexed {
    table: "reservations",
    mysql: "FORCE INDEX (reservations_mine)",
    sqlite: "INDEXED BY reservations_mine",
};

pub(crate) const RESERVATIONS_BY_TICKET_TYPE: Indexed = Indexed {
    table: "reservations",
    mysql: "FORCE INDEX (reservations_ticket_type_created)",
    sqlite: "INDEXED BY reservations_ticket_type_created",
};

pub(crate) const RELEASES_BY_ID: Indexed = Indexed {
    table: "release_outbox",
    mysql: "FORCE INDEX (PRIMARY)",
    sqlite: "INDEXED BY sqlite_autoindex_release_outbox_1",
};

pub(crate) const RELEASES_BY_AGE: Indexed = Indexed {
    table: "release_outbox",
    mysql: "FORCE INDEX (release_outbox_created)",
    sqlite: "INDEXED BY release_outbox_created",
};

pub(crate) const TOKENS_BY_ID: Indexed =
    Indexed { table: "refresh_tokens", mysql: "FORCE INDEX (PRIMARY)", sqlite: "NOT INDEXED" };

pub(crate) const TOKENS_BY_HASH: Indexed = Indexed {
    table: "refresh_tokens",
    mysql: "FORCE INDEX (refresh_tokens_hash)",
    sqlite: "INDEXED BY refresh_tokens_hash",
};

pub(crate) const TOKENS_BY_EXPIRY: Indexed = Indexed {
    table: "refresh_tokens",
    mysql: "FORCE INDEX (refresh_tokens_expiry)",
    sqlite: "INDEXED BY refresh_tokens_expiry",
};

pub(crate) const TOKENS_BY_FAMILY: Indexed = Indexed {
    table: "refresh_tokens",
    mysql: "FORCE INDEX (refresh_tokens_family)",
    sqlite: "INDEXED BY refresh_tokens_family",
};

pub(crate) const TOKENS_BY_USER: Indexed = Indexed {
    table: "refresh_tokens",
    mysql: "FORCE INDEX (refresh_tokens_user)",
    sqlite: "INDEXED BY refresh_tokens_user",
};

pub(crate) const USERS_BY_ID: Indexed =
    Indexed { table: "users", mysql: "FORCE INDEX (PRIMARY)", sqlite: "NOT INDEXED" };

pub(crate) const EVENTS_BY_ID: Indexed =
    Indexed { table: "events", mysql: "FORCE INDEX (PRIMARY)", sqlite: "NOT INDEXED" };

pub(crate) const TICKET_TYPES_BY_ID: Indexed =
    Indexed { table: "ticket_types", mysql: "FORCE INDEX (PRIMARY)", sqlite: "NOT INDEXED" };

pub(crate) const TICKET_TYPES_BY_EVENT: Indexed = Indexed {
    table: "ticket_types",
    mysql: "FORCE INDEX (ticket_types_event)",
    sqlite: "INDEXED BY ticket_types_event",
};

impl Indexed {
    /// The table and its index hint, for a `SELECT` or an `UPDATE`.
    pub(crate) fn table(self, backend: DbBackend) -> String {
        let hint = if backend == DbBackend::MySql { self.mysql } else { self.sqlite };
        format!("{} {hint}", self.table)
    }

    /// The beginning of a `DELETE` from the table, up to `WHERE`. MySQL accepts an index hint only in the
    /// form of `DELETE` that is for joins.
    pub(crate) fn delete(self, backend: DbBackend) -> String {
        let table = self.table(backend);
        if backend == DbBackend::MySql {
            format!("DELETE {} FROM {table}", self.table)
        } else {
            format!("DELETE FROM {table}")
        }
    }

    /// `columns` of the rows whose `column` is one of `values`, in no particular order. A value that occurs
    /// twice may return its rows twice.
    pub(crate) async fn select_in(
        self,
        connection: &impl ConnectionTrait,
        columns: &str,
        column: &str,
        values: Vec<Value>,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let backend = connection.get_database_backend();
        let table = self.table(backend);
        let mut rows = Vec::new();
        for values in values.chunks(IDS_MAX) {
            let marks = marks(values.len());
            let sql = format!("SELECT {columns} FROM {table} WHERE {column} IN ({marks})");
            let statement = Statement::from_sql_and_values(backend, sql, values.iter().cloned());
            rows.append(&mut connection.query_all_raw(statement).await?);
        }
        Ok(rows)
    }
}

/// `len` placeholders with commas between them.
pub(crate) fn marks(len: usize) -> String {
    vec!["?"; len].join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_gets_its_own_hint() {
        let of = |backend| (RELEASES_BY_ID.table(backend), RELEASES_BY_ID.delete(backend));
        let (table, delete) = of(DbBackend::MySql);
        assert_eq!(table, "release_outbox FORCE INDEX (PRIMARY)");
        assert_eq!(delete, "DELETE release_outbox FROM release_outbox FORCE INDEX (PRIMARY)");
        let (table, delete) = of(DbBackend::Sqlite);
        assert_eq!(table, "release_outbox INDEXED BY sqlite_autoindex_release_outbox_1");
        assert_eq!(delete, format!("DELETE FROM {table}"));
    }

    #[test]
    fn there_are_as_many_placeholders_as_values() {
        assert_eq!((marks(0), marks(1), marks(3)), (String::new(), "?".into(), "?,?,?".into()));
    }
}
