//! One running server: start, stop, kill, pause, restart on the same port and folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::process_guard;

/// How long a server may take to answer after its start on a machine that is busy compiling.
const READY_DEADLINE: Duration = Duration::from_mins(1);
/// How long a server may take to end after SIGTERM before it is killed.
const STOP_DEADLINE: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Another process can take a free port before the server binds it. Then another port is tried.
const START_ATTEMPTS: u32 = 3;
/// The log of the server, inside its folder.
const LOG_FILE: &str = "server.log";

/// What differs between the kinds of server.
pub(crate) trait Program: Send + Sync {
    /// A word for folder names and messages.
    fn name(&self) -> &'static str;
    /// Puts into a new folder what the server needs.
    fn prepare(&self, folder: &Path) -> Result<()>;
    /// The command that runs the server in the foreground, on 127.0.0.1.
    fn command(&self, folder: &Path, port: u16) -> Result<Command>;
    /// Whether the server answers a real request.
    fn answers(&self, port: u16) -> bool;
    /// The address for clients, without a slash at the end.
    fn url(&self, port: u16) -> String;
}

/// A server process and its folder. Dropping it kills the process and deletes the folder. The server keeps
/// nothing that outlives it, so a clean end would only cost time.
pub struct Server {
    program: Box<dyn Program>,
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Server {
    /// Starts `program` in a new temporary folder and waits until it answers.
    pub(crate) fn start(program: impl Program + 'static) -> Result<Self> {
        process_guard::sweep_leftovers();
        let folder = tempfile::Builder::new()
            .prefix(&process_guard::folder_prefix(program.name()))
            .tempdir()
            .context("cannot create the server's folder")?;
        program.prepare(folder.path())?;
        let mut server = Self { program: Box::new(program), folder, port: 0, child: None };
        let mut attempt = 1;
        loop {
            server.port = process_guard::free_port()?;
            match server.launch() {
                Ok(()) => return Ok(server),
                Err(error) if attempt == START_ATTEMPTS => return Err(error),
                Err(_) => attempt += 1,
            }
        }
    }

    /// The address for clients, such as `mysql://root@127.0.0.1:3310` or `redis://127.0.0.1:3311`.
    pub fn url(&self) -> String {
        self.program.url(self.port)
    }

    /// The TCP port on 127.0.0.1. It stays the same after every [`restart`](Self::restart).
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder in which the server keeps its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The id of the process, unless it is stopped or killed.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Whether the server has ended by itself, for example by a crash. [`restart`](Self::restart) starts it
    /// again.
    ///
    /// # Errors
    /// The state of the process cannot be read.
    pub fn has_ended(&mut self) -> Result<bool> {
        if self.wait_for_end(Duration::ZERO)?.is_some() {
            self.child = None;
        }
        Ok(self.child.is_none())
    }

    /// Ends the server cleanly: SIGTERM, then SIGKILL if it has not ended within 30 seconds.
    ///
    /// # Errors
    /// The signal could not be sent. The process may still run then.
    pub fn stop(&mut self) -> Result<()> {
        if self.child.is_none() {
            return Ok(());
        }
        self.signal("TERM")?;
        if self.wait_for_end(STOP_DEADLINE)?.is_some() {
            self.child = None;
            return Ok(());
        }
        self.kill()
    }

    /// Ends the server at once with SIGKILL, like a power cut. Data that was not on disk is lost.
    ///
    /// # Errors
    /// The process could not be killed.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().with_context(|| format!("cannot kill {}", self.program.name()))?;
            child.wait().with_context(|| format!("cannot wait for {}", self.program.name()))?;
        }
        Ok(())
    }

    /// Freezes the server with SIGSTOP. Its connections stay open, and it answers nothing.
    ///
    /// # Errors
    /// The server does not run.
    pub fn pause(&self) -> Result<()> {
        self.signal("STOP")
    }

    /// Continues a server frozen by [`pause`](Self::pause), with SIGCONT.
    ///
    /// # Errors
    /// The server does not run.
    pub fn resume(&self) -> Result<()> {
        self.signal("CONT")
    }

    /// Starts the server again on the same port and folder, and waits until it answers. If it runs, it is
    /// stopped first.
    ///
    /// # Errors
    /// The server does not answer in time. It is not running then.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.launch()
    }

    fn launch(&mut self) -> Result<()> {
        let log = fs::File::options().create(true).append(true).open(self.log_path())?;
        let mut command = self.program.command(self.folder.path(), self.port)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.child = Some(process_guard::spawn(command)?);
        let deadline = Instant::now() + READY_DEADLINE;
        while !self.program.answers(self.port) {
            if let Some(status) = self.wait_for_end(Duration::ZERO)? {
                self.child = None;
                bail!(
                    "{} ended with {status} instead of starting:\n{}",
                    self.program.name(),
                    self.log_tail()
                );
            }
            if Instant::now() > deadline {
                self.kill()?;
                bail!("{} did not answer in {READY_DEADLINE:?}:\n{}", self.program.name(), self.log_tail());
            }
            thread::sleep(POLL_INTERVAL);
        }
        // The answer might have come from another server that took the port first.
        if let Some(status) = self.wait_for_end(Duration::ZERO)? {
            self.child = None;
            bail!("{} ended with {status}, because port {} is in use", self.program.name(), self.port);
        }
        Ok(())
    }

    fn wait_for_end(&mut self, timeout: Duration) -> Result<Option<ExitStatus>> {
        let Some(child) = self.child.as_mut() else { return Ok(None) };
        let deadline = Instant::now() + timeout;
        loop {
            let status = child.try_wait().context("cannot read the state of the server")?;
            if status.is_some() || Instant::now() >= deadline {
                return Ok(status);
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let name = self.program.name();
        let pid = self.pid().with_context(|| format!("{name} is not running"))?;
        // The shell's own `kill`, because slim images have no program of that name.
        let status = Command::new("sh").arg("-c").arg(format!("kill -{signal} {pid}")).status()?;
        if !status.success() {
            bail!("cannot send SIG{signal} to {name}");
        }
        Ok(())
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join(LOG_FILE)
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After an error, the kernel still kills the process when this one ends, see `process_guard`.
        let _ = self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MariaDb, Redis, redis, sql_client};

    fn is_alive(pid: u32) -> bool {
        Path::new(&format!("/proc/{pid}")).exists()
    }

    #[test]
    fn a_restarted_redis_keeps_its_port_and_its_persisted_data() {
        let mut redis = Redis::default().start().unwrap();
        let port = redis.port();
        assert_eq!(redis::ask(port, "SET seats 7").unwrap(), "+OK");
        redis.restart().unwrap();
        assert_eq!(redis.port(), port);
        assert_eq!(redis::ask(port, "GET seats").unwrap(), "$1");
    }

    #[test]
    fn a_killed_redis_without_an_append_only_file_loses_its_data() {
        let mut redis = Redis { append_only: false, ..Redis::default() }.start().unwrap();
        assert_eq!(redis::ask(redis.port(), "SET seats 7").unwrap(), "+OK");
        redis.kill().unwrap();
        assert!(redis.pid().is_none());
        assert!(redis::ask(redis.port(), "PING").is_err());
        redis.restart().unwrap();
        assert_eq!(redis::ask(redis.port(), "GET seats").unwrap(), "$-1");
    }

    #[test]
    fn a_paused_redis_answers_nobody_until_it_is_resumed() {
        let redis = Redis::default().start().unwrap();
        redis.pause().unwrap();
        assert!(redis::ask(redis.port(), "PING").is_err());
        redis.resume().unwrap();
        assert_eq!(redis::ask(redis.port(), "PING").unwrap(), "+PONG");
    }

    #[test]
    fn options_override_the_default_settings_of_a_redis() {
        let options = vec!["--maxmemory-policy".into(), "allkeys-lru".into()];
        let redis = Redis { extra_options: options, ..Redis::default() }.start().unwrap();
        assert!(redis::ask(redis.port(), "INFO memory").unwrap().starts_with('$'));
        assert_eq!(redis::config(redis.port(), "maxmemory-policy").unwrap(), "allkeys-lru");
    }

    #[test]
    fn a_dropped_server_is_stopped_and_its_folder_removed() {
        let redis = Redis::default().start().unwrap();
        let (pid, folder) = (redis.pid().unwrap(), redis.folder().to_owned());
        assert!(is_alive(pid) && folder.exists());
        drop(redis);
        assert!(!is_alive(pid) && !folder.exists());
    }

    #[test]
    fn a_server_outlives_the_thread_that_started_it() {
        let redis = thread::spawn(|| Redis::default().start().unwrap()).join().unwrap();
        assert_eq!(redis::ask(redis.port(), "PING").unwrap(), "+PONG");
    }

    #[test]
    fn a_mariadb_keeps_committed_data_after_a_kill_and_a_restart() {
        let mut mariadb = MariaDb { durable: true, ..MariaDb::default() }.start().unwrap();
        let url = mariadb.url();
        let sql =
            "CREATE DATABASE kept; CREATE TABLE kept.t (n INT) ENGINE=InnoDB; INSERT INTO kept.t VALUES (7)";
        sql_client::execute(&url, sql).unwrap();
        mariadb.kill().unwrap();
        assert!(sql_client::execute(&url, "SELECT 1").is_err());
        mariadb.restart().unwrap();
        assert_eq!(mariadb.url(), url);
        assert_eq!(sql_client::execute(&url, "SELECT n FROM kept.t").unwrap().trim(), "7");
        mariadb.stop().unwrap();
        assert!(mariadb.pid().is_none());
    }

    #[test]
    fn a_redis_that_exits_is_noticed_and_can_be_restarted() {
        let mut redis = Redis::default().start().unwrap();
        assert!(!redis.has_ended().unwrap());
        redis.signal("KILL").unwrap();
        let deadline = Instant::now() + READY_DEADLINE;
        while !redis.has_ended().unwrap() {
            assert!(Instant::now() < deadline, "the end of the killed server was not noticed in time");
            thread::sleep(POLL_INTERVAL);
        }
        redis.restart().unwrap();
        assert_eq!(redis::ask(redis.port(), "PING").unwrap(), "+PONG");
    }
}
