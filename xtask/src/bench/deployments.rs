//! The running parts of a benchmark: MariaDB and Redis with the settings of production, nodes as separate
//! processes, and nginx.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use anyhow::{Context as _, Result, ensure};
use neticket_testservers::{MariaDb, Redis, Server, TestDatabase, unique_name};

use super::proxy;
use crate::process::{self, Process};
use crate::workspace::Workspace;

/// The secret with which tokens are signed. It is worthless outside the run.
pub(super) const JWT_SECRET: &str = "benchmarks-sign-their-tokens-with-this";
/// Settings of `infra/redis.conf` about the network and passwords. They do not apply on this machine.
const OF_THE_NETWORK: [&str; 3] = ["bind", "protected-mode", "requirepass"];
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// The servers that all scenarios share, and the folders.
pub(super) struct Deployments<'a> {
    workspace: &'a Workspace,
    /// The folder of the binaries.
    binaries: PathBuf,
    /// The folder for results and logs.
    pub(super) results: PathBuf,
    mariadb: Server,
    redis: Server,
    /// The durability settings that were taken from `infra`.
    pub(super) durability: Vec<String>,
}

impl<'a> Deployments<'a> {
    /// Starts MariaDB and Redis with the settings of `infra`.
    pub(super) fn start(workspace: &'a Workspace, binaries: PathBuf, results: PathBuf) -> Result<Self> {
        let infra = workspace.root().join("infra");
        let mysql = mysql_settings(&fs::read_to_string(infra.join("mysql.cnf"))?);
        let redis = redis_settings(&fs::read_to_string(infra.join("redis.conf"))?);
        ensure!(
            !mysql.is_empty() && !redis.is_empty(),
            "the configuration files in infra/ have no settings for MariaDB or Redis"
        );
        let mut durability: Vec<String> = mysql
            .iter()
            .filter(|(name, _)| name.contains("flush") || name.contains("sync"))
            .map(|(name, value)| format!("MariaDB: `{name} = {value}`"))
            .collect();
        durability.extend(
            redis
                .iter()
                .filter(|(name, _)| name.starts_with("append"))
                .map(|(name, value)| format!("Redis: `{name} {value}`")),
        );
        durability.push("SQLite: `journal_mode = WAL`, `synchronous = FULL`".to_owned());
        durability.push(
            "201 only after COMMIT. Idempotency, limit per person, opening time and journal are on"
                .to_owned(),
        );
        let options = mysql.iter().map(|(name, value)| format!("--{}={value}", name.replace('_', "-")));
        let extra_options = options.collect();
        let mariadb = MariaDb { durable: true, extra_options, ..MariaDb::default() }.start()?;
        let options = redis.iter().flat_map(|(name, value)| [format!("--{name}"), value.clone()]);
        let redis = Redis { append_only: true, extra_options: options.collect() }.start()?;
        Ok(Self { workspace, binaries, results, mariadb, redis, durability })
    }

    /// The folder in which the servers and nodes keep their files. It is deleted after the run.
    pub(super) fn folder(&self) -> &Path {
        self.mariadb.folder()
    }

    pub(super) fn redis_url(&self) -> String {
        self.redis.url()
    }

    /// The path of a binary that was built.
    pub(super) fn binary(&self, name: &str) -> PathBuf {
        self.binaries.join(name)
    }

    /// Creates a new database with the schema, and empties Redis.
    pub(super) fn database(&self) -> Result<TestDatabase> {
        flush(&self.redis)?;
        let database = TestDatabase::create_on(&self.mariadb.url())?;
        let mut command = process::command(&self.binary("neticket"));
        command.arg("migrate").current_dir(self.folder()).env("NETICKET_DATABASE_URL", database.url());
        command.env("NETICKET_DATA_DIR", self.new_folder()?);
        run(command, &self.results.join("migrate.log"))?;
        Ok(database)
    }

    /// Starts `count` nodes on a new database, behind nginx if `behind_proxy`.
    pub(super) fn deployment(&self, count: usize, behind_proxy: bool) -> Result<Deployment> {
        let database = self.database()?;
        let prefix = unique_name("bench");
        let node = |number| {
            let mut command = self.serve()?;
            command.env("NETICKET_DATABASE_URL", database.url());
            command.env("NETICKET_REDIS_URL", self.redis.url()).env("NETICKET_REDIS_PREFIX", &prefix);
            if behind_proxy {
                command.env("NETICKET_TRUSTED_PROXIES", "127.0.0.1");
            }
            self.node(command, number)
        };
        let nodes = (1..=count).map(node).collect::<Result<Vec<_>>>()?;
        let proxy = if behind_proxy {
            let addresses: Vec<_> = nodes.iter().map(Process::address).collect();
            Some(proxy::start(self.workspace, &addresses, &self.new_folder()?)?)
        } else {
            None
        };
        Ok(Deployment { proxy, nodes, database_url: database.url(), _database: Some(database) })
    }

    /// Starts a node that needs no other server, in a new folder.
    pub(super) fn embedded(&self) -> Result<Deployment> {
        let folder = self.new_folder()?;
        let mut command = self.serve()?;
        command.env("NETICKET_DATA_DIR", &folder);
        let node = self.node(command, 1)?;
        let database_url = format!("sqlite:{}", folder.join("neticket.db").display());
        Ok(Deployment { proxy: None, nodes: vec![node], database_url, _database: None })
    }

    /// Starts a baseline server, with the database if it needs one.
    pub(super) fn baseline(
        &self,
        name: &str,
        database: Option<TestDatabase>,
        words: &[&str],
    ) -> Result<Deployment> {
        let address = process::free_address()?;
        let mut command = process::command(&self.binary("neticket-loadtest"));
        command
            .args([name, "--listen", &address.to_string()])
            .args(words)
            .env("NETICKET_JWT_SECRET", JWT_SECRET);
        let database_url = database.as_ref().map(TestDatabase::url).unwrap_or_default();
        if database.is_some() {
            command.env("NETICKET_DATABASE_URL", &database_url);
        }
        let log = self.results.join(format!("{name}.log"));
        let node = Process::start(command, address, "/healthz", log)?;
        Ok(Deployment { proxy: None, nodes: vec![node], database_url, _database: database })
    }

    fn node(&self, mut command: Command, number: usize) -> Result<Process> {
        let address = process::free_address()?;
        // The log has a line per request, so only that of the last scenario is kept.
        let log = self.results.join(format!("node-{number}.log"));
        let _ = fs::remove_file(&log);
        command.env("NETICKET_LISTEN", address.to_string());
        Process::start(command, address, "/readyz", log)
    }

    /// A command that starts a node. Settings that are not set here have their defaults, including the log.
    fn serve(&self) -> Result<Command> {
        let mut command = process::command(&self.binary("neticket"));
        let folder = self.new_folder()?;
        command.arg("serve").current_dir(&folder).env("NETICKET_DATA_DIR", &folder);
        // All requests come from one address, so the rate limit would refuse them.
        command.env("NETICKET_RATE_LIMIT", "off").env("NETICKET_JWT_SECRET", JWT_SECRET);
        command.env_remove("RUST_LOG");
        Ok(command)
    }

    /// A new folder on the same disk as MariaDB's files.
    fn new_folder(&self) -> Result<PathBuf> {
        let folder = self.folder().join(unique_name("node"));
        fs::create_dir(&folder)?;
        Ok(folder)
    }
}

/// Servers that answer, with their database. Dropping it ends them, the proxy first.
pub(super) struct Deployment {
    proxy: Option<Process>,
    pub(super) nodes: Vec<Process>,
    pub(super) database_url: String,
    _database: Option<TestDatabase>,
}

impl Deployment {
    /// The addresses to which clients send requests.
    pub(super) fn targets(&self) -> Vec<String> {
        let servers = self.proxy.as_ref().map_or(self.nodes.as_slice(), std::slice::from_ref);
        servers.iter().map(|server| format!("http://{}", server.address())).collect()
    }

    /// Fails if one of the servers has died.
    pub(super) fn ensure_alive(&mut self) -> Result<()> {
        self.proxy.iter_mut().chain(&mut self.nodes).try_for_each(Process::ensure_alive)
    }
}

/// Runs a command and appends its output to `log`.
pub(super) fn run(mut command: Command, log: &Path) -> Result<()> {
    let output = fs::File::options().create(true).append(true).open(log)?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let status = command.status().context("cannot start a program of the benchmark")?;
    ensure!(status.success(), "a program of the benchmark failed: {status}\n{}", process::tail(log));
    Ok(())
}

/// Empties Redis. Thousands of reservations per second in every round would fill the memory that
/// `infra/redis.conf` allows.
fn flush(redis: &Server) -> Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", redis.port()))?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.write_all(b"FLUSHALL\r\nQUIT\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("+OK"), "Redis refused to delete its data: {answer}");
    // Writes pending data of the last run to disk, so that it does not slow down the next run.
    let _ = Command::new("sync").status();
    thread::sleep(Duration::from_millis(200));
    Ok(())
}

/// The `name = value` pairs of the section `[mysqld]`.
fn mysql_settings(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().map(str::trim).skip_while(|line| *line != "[mysqld]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

/// The `name value` pairs, except for those about the network.
fn redis_settings(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once(' '));
    pairs
        .filter(|(name, _)| !OF_THE_NETWORK.contains(name))
        .map(|(name, value)| (name.to_owned(), value.trim().trim_matches('"').to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_have_the_durability_settings_of_infra() {
        let mysql = mysql_settings(include_str!("../../../infra/mysql.cnf"));
        assert!(mysql.contains(&("innodb_flush_log_at_trx_commit".to_owned(), "1".to_owned())), "{mysql:?}");
        let redis = redis_settings(include_str!("../../../infra/redis.conf"));
        for (name, value) in [("appendonly", "yes"), ("appendfsync", "everysec"), ("save", "")] {
            assert!(redis.contains(&(name.to_owned(), value.to_owned())), "{name}: {redis:?}");
        }
        assert!(redis.iter().all(|(name, _)| name != "bind"), "{redis:?}");
    }
}
