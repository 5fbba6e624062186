//! A server that this program started. It waits until the server is ready, reports its death, and ends it
//! when dropped.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use anyhow::{Result, bail, ensure};

use crate::{http, shell};

const READY_DEADLINE: Duration = Duration::from_secs(30);
/// Longer than a node may take to finish requests in flight.
const STOP_DEADLINE: Duration = Duration::from_secs(40);
/// Short, because connecting to a closed port costs almost nothing, and the benchmark measures a start with
/// it.
const POLL_INTERVAL: Duration = Duration::from_millis(1);
/// Runs a command with the highest limit of open files that this user may set. Each connection needs a file
/// handle.
const ALL_HANDLES: &str = r#"ulimit -n "$(ulimit -H -n)" && exec "$0" "$@""#;

/// A running server. Dropping it sends SIGTERM, and SIGKILL if that is not enough.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, whose output goes to `log`, and waits until it answers `path` at `address` with 200.
    ///
    /// # Errors
    /// The server ended, or did not answer in time. It does not run then. The error contains the end of its
    /// log.
    pub(crate) fn start(mut command: Command, address: SocketAddr, path: &str, log: PathBuf) -> Result<Self> {
        let output = fs::File::options().create(true).append(true).open(&log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let mut process = Self { child: neticket_testservers::spawn(command)?, address, log };
        let deadline = Instant::now() + READY_DEADLINE;
        while !http::get(address, path).is_ok_and(|answer| answer.status == 200) {
            process.ensure_alive()?;
            ensure!(Instant::now() < deadline, "the server was not ready in time:\n{}", tail(&process.log));
            thread::sleep(POLL_INTERVAL);
        }
        process.ensure_alive()?;
        Ok(process)
    }

    /// The address on which it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Fails if the server has died.
    pub(crate) fn ensure_alive(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server ended with {status}:\n{}", tail(&self.log));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.child.id())).status();
        let deadline = Instant::now() + STOP_DEADLINE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(POLL_INTERVAL);
        }
        // Has no effect on a process that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command for `program`. It dies with this process, may open as many files as this user can, and does not
/// see the variables that the developer has set for other servers.
pub(crate) fn command(program: &Path) -> Command {
    prepare(neticket_testservers::dying_with_parent("sh"), program)
}

/// As [`command`], for a program with worker processes. When this process ends, the program gets SIGTERM and
/// ends its workers. After a SIGKILL, the workers would be left behind.
pub(crate) fn command_with_workers(program: &Path) -> Command {
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--pdeathsig", "TERM", "--", "sh"]);
    prepare(if shell::find("setpriv").is_some() { setpriv } else { Command::new("sh") }, program)
}

fn prepare(mut command: Command, program: &Path) -> Command {
    command.args(["-c", ALL_HANDLES]).arg(program);
    for (variable, _) in env::vars().filter(|(variable, _)| variable.starts_with("NETICKET_")) {
        command.env_remove(variable);
    }
    command
}

/// A free port of 127.0.0.1.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(SocketAddr::from(([127, 0, 0, 1], neticket_testservers::free_port()?)))
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_exits_at_once_is_reported_with_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = command(Path::new("sh"));
        command.args(["-c", "echo no space is left; exit 3"]);
        let address = free_address().unwrap();
        let error = Process::start(command, address, "/", folder.path().join("log")).err().unwrap();
        assert!(error.to_string().contains("no space is left"), "{error}");
    }
}
