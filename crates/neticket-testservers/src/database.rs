//! A separate database for each test, which is dropped at its end.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::shared::{mariadb_url, unique_name};

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

/// Runs SQL with MariaDB's own client and returns its output: a line per row, with tabs between columns.
pub(crate) fn execute(server_url: &str, sql: &str) -> Result<String> {
    let address =
        Address::parse(server_url).with_context(|| format!("invalid server address: {server_url}"))?;
    let mut command = Command::new("mariadb");
    command.args([
        "--no-defaults",
        "--protocol=tcp",
        "--connect-timeout=5",
        "--batch",
        "--skip-column-names",
    ]);
    command.args(["--host", address.host, "--port", address.port, "--user", address.user, "--execute", sql]);
    if !address.password.is_empty() {
        command.env("MYSQL_PWD", address.password);
    }
    let output =
        command.stdin(Stdio::null()).output().context("cannot run mariadb, the client of MariaDB")?;
    if !output.status.success() {
        bail!("MariaDB refused the statement: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[derive(Debug, PartialEq)]
struct Address<'url> {
    user: &'url str,
    password: &'url str,
    host: &'url str,
    port: &'url str,
}

impl<'url> Address<'url> {
    fn parse(url: &'url str) -> Option<Self> {
        let rest = url.strip_prefix("mysql://")?.split(['/', '?']).next()?;
        let (credentials, place) = rest.rsplit_once('@').unwrap_or(("root", rest));
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let (host, port) = place.split_once(':').unwrap_or((place, "3306"));
        Some(Self { user, password, host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_addresses_are_parsed() {
        let full = Address::parse("mysql://me:secret@db.example:3310/name?x=1").unwrap();
        assert_eq!(full, Address { user: "me", password: "secret", host: "db.example", port: "3310" });
        let bare = Address::parse("mysql://127.0.0.1").unwrap();
        assert_eq!(bare, Address { user: "root", password: "", host: "127.0.0.1", port: "3306" });
        assert_eq!(Address::parse("redis://127.0.0.1"), None);
    }

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
