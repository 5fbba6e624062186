//! Starts Redis servers, and sends them commands.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process_guard;
use crate::server::{Program, Server};

const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// How long masters may take to find each other on a machine that is busy compiling.
const CLUSTER_DEADLINE: Duration = Duration::from_mins(1);
const CLUSTER_POLL: Duration = Duration::from_millis(20);

/// A Redis as in production: it evicts nothing, appends every second and saves no snapshots.
#[derive(Clone, Debug)]
pub struct Redis {
    /// Keep an append-only file, so that the data survives a restart.
    pub append_only: bool,
    /// More command line options (`--maxmemory-policy`, `allkeys-lru`), which override the ones here.
    pub extra_options: Vec<String>,
}

impl Default for Redis {
    fn default() -> Self {
        Self { append_only: true, extra_options: Vec::new() }
    }
}

impl Redis {
    /// Starts the server in a new folder on a free port and waits until it answers.
    ///
    /// # Errors
    /// `redis-server` is not installed or does not answer in time. Nothing is left running then.
    pub fn start(self) -> Result<Server> {
        Server::start(self)
    }
}

impl Program for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn prepare(&self, _folder: &Path) -> Result<()> {
        Ok(())
    }

    fn command(&self, folder: &Path, port: u16) -> Result<Command> {
        let mut command = process_guard::dying_with_parent("redis-server");
        command.current_dir(folder).args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
        command.arg("--dir").arg(folder).args(["--save", "", "--daemonize", "no"]);
        command.args(["--appendonly", if self.append_only { "yes" } else { "no" }]);
        command.args(["--maxmemory-policy", "noeviction", "--maxclients", "4000"]);
        command.args(&self.extra_options);
        Ok(command)
    }

    fn answers(&self, port: u16) -> bool {
        // While Redis loads its file, the answer is an error.
        ask(port, "PING").is_ok_and(|answer| answer == "+PONG")
    }

    fn url(&self, port: u16) -> String {
        format!("redis://127.0.0.1:{port}")
    }
}

/// Three masters of a Redis Cluster that share all slots, without replicas.
pub struct RedisCluster {
    /// In the order of their slots.
    pub masters: Vec<Server>,
}

impl RedisCluster {
    /// Starts the masters and waits until they have found each other.
    ///
    /// # Errors
    /// A master does not start, or they do not agree in time. Nothing is left running then.
    pub fn start() -> Result<Self> {
        let mut masters = Vec::new();
        // A third of the 16,384 slots each.
        for (first, last) in [(0, 5_460), (5_461, 10_922), (10_923, 16_383)] {
            // By default the masters use a port that is 10,000 higher for the cluster bus. It may not exist.
            let bus = process_guard::free_port()?;
            let options = ["--cluster-enabled", "yes", "--cluster-port", &bus.to_string()].map(str::to_owned);
            let master = Redis { extra_options: options.into(), ..Redis::default() }.start()?;
            run_command(&master, &format!("CLUSTER ADDSLOTSRANGE {first} {last}"))?;
            if let Some(known) = masters.first() {
                run_command(known, &format!("CLUSTER MEET 127.0.0.1 {} {bus}", master.port()))?;
            }
            masters.push(master);
        }
        let deadline = Instant::now() + CLUSTER_DEADLINE;
        while !masters.iter().all(|master| agrees(master).unwrap_or(false)) {
            if Instant::now() > deadline {
                bail!("the masters of the Redis cluster did not agree in time");
            }
            thread::sleep(CLUSTER_POLL);
        }
        Ok(Self { masters })
    }

    /// The addresses of all masters, separated by commas.
    pub fn url(&self) -> String {
        self.masters.iter().map(Server::url).collect::<Vec<_>>().join(",")
    }
}

fn run_command(master: &Server, command: &str) -> Result<()> {
    let answer = ask(master.port(), command)?;
    if answer != "+OK" {
        bail!("{command}: {answer}");
    }
    Ok(())
}

/// Whether this master sees that all three masters serve all slots.
fn agrees(master: &Server) -> Result<bool> {
    let state = exchange(master.port(), "CLUSTER INFO")?;
    Ok(["cluster_state:ok", "cluster_known_nodes:3", "cluster_size:3"]
        .iter()
        .all(|line| state.contains(line)))
}

/// Sends one inline command and returns the first line of the answer, as Redis wrote it.
pub(crate) fn ask(port: u16, command: &str) -> Result<String> {
    Ok(exchange(port, command)?.lines().next().unwrap_or_default().to_owned())
}

/// The present value of a setting.
#[cfg(test)]
pub(crate) fn config(port: u16, setting: &str) -> Result<String> {
    Ok(exchange(port, &format!("CONFIG GET {setting}"))?.lines().last().unwrap_or_default().to_owned())
}

fn exchange(port: u16, command: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.trim_end().trim_end_matches("+OK").trim_end().to_owned())
}
