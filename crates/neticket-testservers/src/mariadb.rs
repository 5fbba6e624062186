//! Starts MariaDB servers, each on a copy of a data folder that is installed once and kept.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::{env, process};

use anyhow::{Context as _, Result, bail};

use crate::server::{Program, Server};
use crate::{SmallDisk, process_guard, sql_client};

/// Options for the installation. It takes seconds, and copying the result takes a fraction of one. Small
/// files make the copy quick.
const INSTALL_OPTIONS: [&str; 5] = [
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    "--innodb-log-file-size=16M",
    SYSTEM_FILE,
    "--innodb-autoextend-increment=1",
];
/// The server needs the same option with which the data folder was installed.
const SYSTEM_FILE: &str = "--innodb-data-file-path=ibdata1:4M:autoextend";

/// The settings of production. Benchmarks use them too.
const PRODUCTION: &str = include_str!("../../../infra/mysql.cnf");
/// The name of the data folder.
const DATA: &str = "data";
/// The file, inside the server's folder, to which [`PRODUCTION`] is written.
const PRODUCTION_FILE: &str = "production.cnf";

/// A MariaDB with a user `root` without a password, who can only connect from this machine.
#[derive(Clone, Debug, Default)]
pub struct MariaDb {
    /// Write every commit to disk before answering: run with `infra/mysql.cnf`. For benchmarks and fault
    /// tests. Other tests are quicker without it.
    pub durable: bool,
    /// More command line options (`--innodb-lock-wait-timeout=2`), which override the ones here.
    pub extra_options: Vec<String>,
    /// A disk for the data, instead of the server's folder. Nothing else may be on it.
    pub disk: Option<Arc<SmallDisk>>,
}

impl MariaDb {
    /// Starts the server in a new folder on a free port and waits until it answers.
    ///
    /// # Errors
    /// MariaDB is not installed or does not answer in time. Nothing is left running then.
    pub fn start(self) -> Result<Server> {
        Server::start(self)
    }
}

impl Program for MariaDb {
    fn name(&self) -> &'static str {
        "mariadb"
    }

    fn prepare(&self, folder: &Path) -> Result<()> {
        let template = template_folder()?;
        let data =
            self.disk.as_ref().map_or_else(|| folder.to_owned(), |disk| disk.from_outside()).join(DATA);
        let status = Command::new("cp").arg("-a").arg(&template).arg(data).status()?;
        if !status.success() {
            bail!("cannot copy {}", template.display());
        }
        Ok(fs::write(folder.join(PRODUCTION_FILE), PRODUCTION)?)
    }

    fn command(&self, folder: &Path, port: u16) -> Result<Command> {
        let mut command = match &self.disk {
            Some(disk) => disk.command(server_program()?),
            None => process_guard::dying_with_parent(server_program()?),
        };
        let data = self.disk.as_ref().map_or(folder, |disk| disk.folder()).join(DATA);
        if self.durable {
            command.arg(format!("--defaults-file={}", folder.join(PRODUCTION_FILE).display()));
        } else {
            command.arg("--no-defaults");
        }
        command.arg(format!("--datadir={}", data.display()));
        command.arg(format!("--socket={}", folder.join("server.sock").display()));
        command.arg(format!("--pid-file={}", folder.join("server.pid").display()));
        // In a shared folder, a server that starts would take another server's temporary tables for leftovers
        // and remove them.
        command.arg(format!("--tmpdir={}", folder.display()));
        command.arg(format!("--port={port}"));
        command.args(["--bind-address=127.0.0.1", "--skip-name-resolve", SYSTEM_FILE]);
        if !self.durable {
            command.args(["--max-connections=500", "--performance-schema=OFF", "--skip-log-bin"]);
            command.arg("--character-set-server=utf8mb4");
            command.args(["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M"]);
            command.args(["--innodb-log-file-size=16M", "--innodb-doublewrite=OFF"]);
        }
        // On a separate disk it runs as root of a namespace.
        if is_root()? || self.disk.is_some() {
            command.arg("--user=root");
        }
        command.args(&self.extra_options);
        Ok(command)
    }

    fn answers(&self, port: u16) -> bool {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
            && sql_client::execute(&self.url(port), "SELECT 1").is_ok()
    }

    fn url(&self, port: u16) -> String {
        format!("mysql://root@127.0.0.1:{port}")
    }
}

/// A freshly installed data folder. It is kept beside the build's results until the server's version or the
/// options change.
fn template_folder() -> Result<PathBuf> {
    let version = Command::new(server_program()?).arg("--version").output()?.stdout;
    let mut hasher = DefaultHasher::new();
    (version, INSTALL_OPTIONS).hash(&mut hasher);
    let cache = cache_folder();
    let template = cache.join(format!("neticket-mariadb-template-{:016x}", hasher.finish()));
    if template.exists() {
        return Ok(template);
    }
    // Tests that start at the same time each install one. The first to finish is kept.
    let fresh = cache.join(format!("neticket-mariadb-install-{}", process::id()));
    let _ = fs::remove_dir_all(&fresh);
    let mut command = Command::new("mariadb-install-db");
    command.arg("--no-defaults").arg(format!("--datadir={}", fresh.display())).args(INSTALL_OPTIONS);
    if is_root()? {
        command.arg("--user=root");
    }
    let temporary = tempfile::tempdir()?;
    command.env("TMPDIR", temporary.path());
    let output = command.stdin(Stdio::null()).output().context("cannot run mariadb-install-db")?;
    if !output.status.success() {
        let _ = fs::remove_dir_all(&fresh);
        bail!("mariadb-install-db failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    if fs::rename(&fresh, &template).is_err() {
        let _ = fs::remove_dir_all(&fresh);
    }
    if !template.exists() {
        bail!("cannot store the installed data folder in {}", cache.display());
    }
    Ok(template)
}

/// Cargo's target folder in which this program was built, or else the folder for temporary files.
fn cache_folder() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    target.map_or_else(env::temp_dir, Path::to_owned)
}

/// Debian installs the server outside an ordinary user's PATH.
fn server_program() -> Result<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.map(|folder| folder.join("mariadbd")).find(|program| program.exists());
    let program = found.context("mariadbd is not installed: run `cargo xtask setup`")?;
    Ok(program.display().to_string())
}

/// MariaDB refuses to run as root without an option.
fn is_root() -> Result<bool> {
    let metadata = fs::metadata("/proc/self").or_else(|_| tempfile::tempfile()?.metadata());
    Ok(metadata.context("cannot find the user of this process")?.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value as the server shows it: sizes in bytes, switches as 0 and 1.
    fn shown(value: &str) -> String {
        let (number, unit) = value.split_at(value.len() - 1);
        let shift = match (number.parse::<u64>(), unit) {
            (Ok(_), "K") => 10,
            (Ok(_), "M") => 20,
            (Ok(_), "G") => 30,
            _ if value == "OFF" => return "0".to_owned(),
            _ if value == "ON" => return "1".to_owned(),
            _ => return value.to_owned(),
        };
        (number.parse::<u64>().unwrap() << shift).to_string()
    }

    #[test]
    fn a_durable_server_runs_with_the_production_settings() {
        let server = MariaDb { durable: true, ..MariaDb::default() }.start().unwrap();
        let lines = PRODUCTION.lines().filter(|line| !line.starts_with(['#', '[']) && !line.is_empty());
        let mut settings = 0;
        for line in lines {
            let (name, value) = line.split_once('=').unwrap();
            let (name, value) = (name.trim(), value.trim());
            let answer = sql_client::execute(&server.url(), &format!("SELECT @@GLOBAL.{name}")).unwrap();
            assert_eq!(answer.trim(), shown(value), "{name}");
            settings += 1;
        }
        assert!(settings > 5, "{settings} settings");
    }
}
