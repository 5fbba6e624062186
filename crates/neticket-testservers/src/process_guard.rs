//! Keeps test servers from being left over: processes that die with their owner, and a sweep of folders whose
//! owner is gone.
//!
//! Under nextest, every test is a separate process, statics are never dropped, and a test that hangs is
//! killed. `Drop` alone would therefore leave servers behind.

use std::ffi::OsStr;
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::process::{self, Child, Command};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{LazyLock, Once};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs, thread};

use anyhow::{Context as _, Result, bail};

const FOLDER_PREFIX: &str = "neticket-server-";
/// Ports below the range that Linux uses for outgoing connections (from 32768), so that a port is still free
/// when a server restarts on it.
const PORT_FIRST: u16 = 20_000;
const PORT_COUNT: u16 = 12_000;

type Spawned = io::Result<Child>;

/// The kernel ties a child's life to the *thread* that spawned it. This thread lives as long as the process.
static SPAWNER: LazyLock<Sender<(Command, Sender<Spawned>)>> = LazyLock::new(|| {
    let (sender, receiver) = mpsc::channel::<(Command, Sender<Spawned>)>();
    thread::spawn(move || {
        for (mut command, answer) in receiver {
            // An error means that nobody waits for the answer any more. The child then dies with this
            // process.
            let _ = answer.send(command.spawn());
        }
    });
    sender
});

/// Starts a command of [`dying_with_parent`] from a thread that lives as long as this process. The end of the
/// calling thread then does not kill the child.
///
/// # Errors
/// The program cannot be started.
pub fn spawn(command: Command) -> Result<Child> {
    let (sender, receiver) = mpsc::channel();
    let program = command.get_program().to_owned();
    SPAWNER.send((command, sender)).context("the thread that starts servers has ended")?;
    let spawned = receiver.recv().context("the thread that starts servers has ended")?;
    spawned.with_context(|| format!("cannot start {}", program.display()))
}

/// A command that runs `program`. With util-linux, the kernel kills the program when the process that spawned
/// it ends in any way. Without it, only dropping the server ends the program. The pid is that of the program
/// itself.
pub fn dying_with_parent(program: impl AsRef<OsStr>) -> Command {
    let setpriv_exists = ["/usr/bin/setpriv", "/bin/setpriv"].iter().any(|path| Path::new(path).exists());
    if !setpriv_exists {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// The prefix of the names of this process's server folders.
pub(crate) fn folder_prefix(name: &str) -> String {
    format!("{FOLDER_PREFIX}{}-{name}-", process::id())
}

/// Deletes the server folders of processes that no longer exist. Runs once per process.
pub(crate) fn sweep_leftovers() {
    static SWEPT: Once = Once::new();
    SWEPT.call_once(|| {
        if !Path::new("/proc/self").exists() {
            return;
        }
        for entry in fs::read_dir(env::temp_dir()).into_iter().flatten().flatten() {
            if entry.file_name().to_str().and_then(owner).is_some_and(is_gone) {
                // An error is fine: another process may be deleting the same folder.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    });
}

/// The process to which a server folder of this name belongs.
fn owner(folder_name: &str) -> Option<u32> {
    folder_name.strip_prefix(FOLDER_PREFIX)?.split('-').next()?.parse().ok()
}

fn is_gone(pid: u32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

/// A port of 127.0.0.1 on which nothing listens, outside the range for outgoing connections.
///
/// # Errors
/// All of the 12,000 ports are taken.
pub fn free_port() -> Result<u16> {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| {
        // Different processes begin at different ports.
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
        let start = (nanos / 1000 + process::id().wrapping_mul(7919)) % u32::from(PORT_COUNT);
        AtomicU16::new(u16::try_from(start).unwrap_or(0))
    });
    for _ in 0..PORT_COUNT {
        let port = PORT_FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % PORT_COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port on 127.0.0.1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_name_their_owner() {
        let prefix = folder_prefix("redis");
        assert_eq!(owner(&format!("{prefix}aB3")), Some(process::id()));
        assert_eq!(owner("neticket-other-1-x"), None);
        assert!(!is_gone(process::id()));
    }

    #[test]
    fn free_ports_can_be_bound_and_differ() {
        let (one, two) = (free_port().unwrap(), free_port().unwrap());
        assert_ne!(one, two);
        assert!(TcpListener::bind(("127.0.0.1", one)).is_ok());
    }

    #[test]
    fn a_server_dies_when_its_owner_is_killed() {
        // The owner is a shell that starts a sleeper and then waits. Killing the shell must end the sleeper.
        let mut owner = Command::new("sh")
            .args(["-c", "setpriv --pdeathsig KILL -- sleep 300 & echo $!; wait"])
            .stdout(process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = owner.stdout.take().unwrap();
        io::BufRead::read_line(&mut io::BufReader::new(output), &mut line).unwrap();
        let sleeper: u32 = line.trim().parse().unwrap();
        assert!(!is_gone(sleeper));
        // Until `setpriv` has executed `sleep`, the sleeper's life is not yet tied to the shell's.
        while fs::read_to_string(format!("/proc/{sleeper}/comm")).unwrap().trim() != "sleep" {
            thread::yield_now();
        }
        owner.kill().unwrap();
        owner.wait().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let ended = || {
            let status = fs::read_to_string(format!("/proc/{sleeper}/status")).unwrap_or_default();
            status.is_empty() || status.contains("State:\tZ")
        };
        while !ended() {
            assert!(std::time::Instant::now() < deadline, "the sleeper outlived its owner");
            thread::yield_now();
        }
    }
}
