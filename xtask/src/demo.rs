//! A throw-away server with demo data, for the tests that come from outside.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http;
use crate::workspace::Workspace;

/// The accounts that `neticket seed --demo` makes.
pub(crate) const USER: Login = Login { email: "demo@neticket.example", password: "Demo-pass1!" };
pub(crate) const ADMIN: Login = Login { email: "admin@neticket.example", password: "Admin-pass1!" };

const READY_DEADLINE: Duration = Duration::from_secs(30);
const STOP_DEADLINE: Duration = Duration::from_secs(10);

pub(crate) struct Login {
    pub(crate) email: &'static str,
    password: &'static str,
}

/// A running server on the embedded default, in a folder of its own. Ends when dropped.
pub(crate) struct DemoServer {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
    _folder: TempDir,
}

impl DemoServer {
    /// Seeds and starts the server that was built last, and waits until it is ready. What it says goes to
    /// `<name>.log` beside the build's results.
    pub(crate) fn start(workspace: &Workspace, name: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("neticket-demo-").tempdir()?;
        let address = SocketAddr::from(([127, 0, 0, 1], neticket_testservers::free_port()?));
        let log = workspace.target().join(format!("{name}.log"));
        let output = fs::File::create(&log)?;
        let command = |word: &str| -> Result<Command> {
            let mut command = neticket_testservers::dying_with_parent(workspace.server(false));
            command.arg(word).current_dir(folder.path());
            // What the developer has set for other servers is not meant for this one.
            for (variable, _) in std::env::vars().filter(|(variable, _)| variable.starts_with("NETICKET_")) {
                command.env_remove(variable);
            }
            command.env("NETICKET_DATA_DIR", folder.path()).env("NETICKET_WEB_DIR", workspace.dist());
            command.env("NETICKET_LISTEN", address.to_string()).env("NETICKET_RATE_LIMIT", "off");
            command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output.try_clone()?);
            Ok(command)
        };
        let seeded =
            command("seed")?.arg("--demo").status().context("cannot run the server; is it built?")?;
        ensure!(seeded.success(), "`neticket seed --demo` failed: {seeded}\n{}", tail(&log));
        let child = command("serve")?.spawn().context("cannot start the server")?;
        let mut server = Self { child, address, log, _folder: folder };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Where it listens, as the beginning of its addresses.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Signs in and returns the access token.
    pub(crate) fn token(&self, login: &Login) -> Result<String> {
        let body = json!({ "email": login.email, "password": login.password }).to_string();
        let answer = http::post(self.address, "/api/v1/auth/login", &body)?;
        ensure!(answer.status == 200, "{} cannot sign in: {} {}", login.email, answer.status, answer.body);
        let answer: Value = serde_json::from_str(&answer.body)?;
        Ok(answer["access_token"].as_str().context("the answer to a login has no token")?.to_owned())
    }

    /// Fails if the server has died meanwhile.
    pub(crate) fn ensure_alive(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server ended during the test with {status}:\n{}", tail(&self.log));
        }
        Ok(())
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + READY_DEADLINE;
        while !http::get(self.address, "/readyz").is_ok_and(|answer| answer.status == 200) {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status} instead of starting:\n{}", tail(&self.log));
            }
            ensure!(Instant::now() < deadline, "the server was not ready in time:\n{}", tail(&self.log));
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        let _ = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.child.id())).status();
        let deadline = Instant::now() + STOP_DEADLINE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(50));
        }
        // Does nothing to a process that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
