//! Runs SQL with MariaDB's own client.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

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
    let output = command.stdin(Stdio::null()).output().context("cannot run MariaDB's client, mariadb")?;
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
}
