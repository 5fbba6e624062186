//! A separate database for each test, which is dropped at its end.

use anyhow::Result;

use crate::shared::{mariadb_url, unique_name};
use crate::sql_client::execute;

/// A fresh, empty database with a unique name on the test run's MariaDB.
#[derive(Debug)]
pub struct TestDatabase {
    server_url: String,
    name: String,
}

impl TestDatabase {
    /// Creates a database on the server of [`mariadb_url`].
    ///
    /// # Errors
    /// No server can be reached or started.
    pub fn create() -> Result<Self> {
        Self::create_on(&mariadb_url()?)
    }

    /// Creates a database on the server at `server_url`, such as [`Server::url`](crate::Server::url).
    ///
    /// # Errors
    /// The server cannot be reached.
    pub fn create_on(server_url: &str) -> Result<Self> {
        let name = unique_name("neticket_test");
        execute(server_url, &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"))?;
        Ok(Self { server_url: server_url.to_owned(), name })
    }

    /// The database's address, such as `mysql://root@127.0.0.1:3310/neticket_test_…`.
    pub fn url(&self) -> String {
        format!("{}/{}", self.server_url, self.name)
    }

    /// The database's name on the server.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // This fails if the test has killed the server. Then the server's folder is deleted, with the
        // database in it.
        let _ = execute(&self.server_url, &format!("DROP DATABASE IF EXISTS {}", self.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_empty_separate_and_dropped_afterwards() {
        let (one, two) = (TestDatabase::create().unwrap(), TestDatabase::create().unwrap());
        assert_ne!(one.url(), two.url());
        execute(&one.server_url, &format!("CREATE TABLE {}.t (n INT)", one.name())).unwrap();
        let count = |name: &str| {
            format!("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{name}'")
        };
        assert_eq!(execute(&one.server_url, &count(one.name())).unwrap().trim(), "1");
        assert_eq!(execute(&two.server_url, &count(two.name())).unwrap().trim(), "0");

        let (server_url, name) = (one.server_url.clone(), one.name().to_owned());
        drop(one);
        let shown = execute(&server_url, &format!("SHOW DATABASES LIKE '{name}'")).unwrap();
        assert_eq!(shown, "");
    }

    #[test]
    fn the_server_uses_four_byte_utf8() {
        let database = TestDatabase::create().unwrap();
        let sql = "SELECT @@character_set_database";
        let answer = execute(&database.server_url, &format!("USE {}; {sql}", database.name())).unwrap();
        assert_eq!(answer.trim(), "utf8mb4");
    }
}
