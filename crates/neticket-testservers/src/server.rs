//! One running server: start, stop, kill, pause, restart on the same port and folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::keeper;

/// How long a server may take to answer after its start, on a machine that is busy compiling.
const READY_DEADLINE: Duration = Duration::from_mins(1);
/// How long a server may take to end after SIGTERM before it is killed.
const STOP_DEADLINE: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// A port found free can be taken before the server binds it: then another one is tried.
const START_ATTEMPTS: u32 = 3;
/// Servers write what they have to say here, inside their folder.
const LOG_FILE: &str = "server.log";

/// What differs between the kinds of server.
pub(crate) trait Program: Send + Sync {
    /// A word for folder names and messages.
    fn name(&self) -> &'static str;
    /// Fills a new folder with what the server needs to find there.
    fn prepare(&self, folder: &Path) -> Result<()>;
    /// The server in the foreground, on 127.0.0.1.
    fn command(&self, folder: &Path, port: u16) -> Result<Command>;
    /// Whether it answers, found out by really asking it.
    fn answers(&self, port: u16) -> bool;
    /// Where clients find it, without a slash at the end.
    fn url(&self, port: u16) -> String;
}

/// A server process and its folder. Dropping it kills the process and deletes the folder: nothing that it
/// keeps outlives it, so a clean end would only cost time.
pub struct Server {
    program: Box<dyn Program>,
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Server {
    /// Starts `program` in a new temporary folder and waits until it answers.
    pub(crate) fn start(program: impl Program + 'static) -> Result<Self> {
        keeper::sweep_leftovers();
        let folder = tempfile::Builder::new()
            .prefix(&keeper::folder_prefix(program.name()))
            .tempdir()
            .context("cannot create the server's folder")?;
        program.prepare(folder.path())?;
        let mut server = Self { program: Box::new(program), folder, port: 0, child: None };
        let mut attempt = 1;
        loop {
            server.port = keeper::free_port()?;
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

    /// The TCP port on 127.0.0.1; the same after every [`restart`](Self::restart).
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where the server keeps its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process, unless stopped or killed.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Whether it has ended by itself, such as by a crash. Then [`restart`](Self::restart) starts it again.
    ///
    /// # Errors
    /// When its state cannot be found out.
    pub fn has_ended(&mut self) -> Result<bool> {
        if self.wait_for_end(Duration::ZERO)?.is_some() {
            self.child = None;
        }
        Ok(self.child.is_none())
    }

    /// Ends the server cleanly: SIGTERM, and SIGKILL if it has not ended within half a minute.
    ///
    /// # Errors
    /// When the process could not be told; it may then still run.
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

    /// Ends the server at once, as a power cut would: SIGKILL. What was not on disk is lost.
    ///
    /// # Errors
    /// When the process could not be killed.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().with_context(|| format!("cannot kill {}", self.program.name()))?;
            child.wait().with_context(|| format!("cannot wait for {}", self.program.name()))?;
        }
        Ok(())
    }

    /// Freezes the server: its connections stay open and nothing answers (SIGSTOP).
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&self) -> Result<()> {
        self.signal("STOP")
    }

    /// Thaws a server frozen by [`pause`](Self::pause) (SIGCONT).
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> Result<()> {
        self.signal("CONT")
    }

    /// Starts the server again on the same port and folder, after stopping it if it runs, and waits until
    /// it answers.
    ///
    /// # Errors
    /// When it does not answer in time; it is then not running.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.launch()
    }

    fn launch(&mut self) -> Result<()> {
        let log = fs::File::options().create(true).append(true).open(self.log_path())?;
        let mut command = self.program.command(self.folder.path(), self.port)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.child = Some(keeper::spawn(command)?);
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
        // Whoever answered might have been another server that took the port first.
        if let Some(status) = self.wait_for_end(Duration::ZERO)? {
            self.child = None;
            bail!("{} ended with {status}: port {} was taken", self.program.name(), self.port);
        }
        Ok(())
    }

    fn wait_for_end(&mut self, patience: Duration) -> Result<Option<ExitStatus>> {
        let Some(child) = self.child.as_mut() else { return Ok(None) };
        let deadline = Instant::now() + patience;
        loop {
            let status = child.try_wait().context("cannot ask for the server's state")?;
            if status.is_some() || Instant::now() >= deadline {
                return Ok(status);
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let name = self.program.name();
        let pid = self.pid().with_context(|| format!("{name} does not run"))?;
        // The shell's own `kill`: slim images have no program of that name.
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
        // An error leaves the process to `keeper`, which ties its life to this one's.
        let _ = self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MariaDb, Redis, database, redis};

    fn is_alive(pid: u32) -> bool {
        Path::new(&format!("/proc/{pid}")).exists()
    }

    #[test]
    fn a_redis_keeps_its_port_and_its_appended_data_over_a_restart() {
        let mut redis = Redis::default().start().unwrap();
        let port = redis.port();
        assert_eq!(redis::ask(port, "SET seats 7").unwrap(), "+OK");
        redis.restart().unwrap();
        assert_eq!(redis.port(), port);
        assert_eq!(redis::ask(port, "GET seats").unwrap(), "$1");
    }

    #[test]
    fn a_redis_without_append_only_file_forgets_when_killed() {
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
    fn options_override_what_a_redis_starts_with() {
        let options = vec!["--maxmemory-policy".into(), "allkeys-lru".into()];
        let redis = Redis { extra_options: options, ..Redis::default() }.start().unwrap();
        assert!(redis::ask(redis.port(), "INFO memory").unwrap().starts_with('$'));
        assert_eq!(redis::config(redis.port(), "maxmemory-policy").unwrap(), "allkeys-lru");
    }

    #[test]
    fn a_dropped_server_is_dead_and_its_folder_gone() {
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
    fn a_mariadb_keeps_what_was_committed_over_kill_and_restart() {
        let mut mariadb = MariaDb { durable: true, ..MariaDb::default() }.start().unwrap();
        let url = mariadb.url();
        let sql =
            "CREATE DATABASE kept; CREATE TABLE kept.t (n INT) ENGINE=InnoDB; INSERT INTO kept.t VALUES (7)";
        database::execute(&url, sql).unwrap();
        mariadb.kill().unwrap();
        assert!(database::execute(&url, "SELECT 1").is_err());
        mariadb.restart().unwrap();
        assert_eq!(mariadb.url(), url);
        assert_eq!(database::execute(&url, "SELECT n FROM kept.t").unwrap().trim(), "7");
        mariadb.stop().unwrap();
        assert!(mariadb.pid().is_none());
    }

    #[test]
    fn a_redis_that_has_ended_by_itself_is_noticed_and_starts_again() {
        let mut redis = Redis::default().start().unwrap();
        assert!(!redis.has_ended().unwrap());
        redis.signal("KILL").unwrap();
        let deadline = Instant::now() + READY_DEADLINE;
        while !redis.has_ended().unwrap() {
            assert!(Instant::now() < deadline, "it was killed");
            thread::sleep(POLL_INTERVAL);
        }
        redis.restart().unwrap();
        assert_eq!(redis::ask(redis.port(), "PING").unwrap(), "+PONG");
    }
}
