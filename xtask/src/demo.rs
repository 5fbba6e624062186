//! A temporary server with demo data, for tests that use the server from outside.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http;
use crate::process::{self, Process};
use crate::workspace::Workspace;

/// The accounts that `neticket seed --demo` creates.
pub(crate) const USER: Login = Login { email: "demo@neticket.example", password: "Demo-pass1!" };
pub(crate) const ADMIN: Login = Login { email: "admin@neticket.example", password: "Admin-pass1!" };

pub(crate) struct Login {
    pub(crate) email: &'static str,
    password: &'static str,
}

/// A running server with the embedded store and ledger, in its own folder. Dropping it ends it.
pub(crate) struct DemoServer {
    process: Process,
    _folder: TempDir,
}

impl DemoServer {
    /// Seeds and starts the server that was built last, and waits until it is ready. Its output goes to
    /// `<name>.log` beside the build's results.
    pub(crate) fn start(workspace: &Workspace, name: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("neticket-demo-").tempdir()?;
        let address = process::free_address()?;
        let log = workspace.target().join(format!("{name}.log"));
        let output = fs::File::create(&log)?;
        let command = |word: &str| -> Command {
            let mut command = process::command(&workspace.server(false));
            command.arg(word).current_dir(folder.path());
            command.env("NETICKET_DATA_DIR", folder.path()).env("NETICKET_WEB_DIR", workspace.dist());
            command.env("NETICKET_LISTEN", address.to_string()).env("NETICKET_RATE_LIMIT", "off");
            command
        };
        let mut seed = command("seed");
        seed.arg("--demo").stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let seeded = seed.status().context("cannot run the server; is it built?")?;
        ensure!(seeded.success(), "`neticket seed --demo` failed: {seeded}\n{}", process::tail(&log));
        let process = Process::start(command("serve"), address, "/readyz", log)?;
        Ok(Self { process, _folder: folder })
    }

    /// The beginning of its addresses.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.process.address())
    }

    /// Signs in and returns the access token.
    pub(crate) fn token(&self, login: &Login) -> Result<String> {
        let body = json!({ "email": login.email, "password": login.password }).to_string();
        let answer = http::post(self.process.address(), "/api/v1/auth/login", &body)?;
        ensure!(answer.status == 200, "{} cannot sign in: {} {}", login.email, answer.status, answer.body);
        let answer: Value = serde_json::from_str(&answer.body)?;
        Ok(answer["access_token"].as_str().context("the answer to the sign-in contains no token")?.to_owned())
    }

    /// Fails if the server has died.
    pub(crate) fn ensure_alive(&mut self) -> Result<()> {
        self.process.ensure_alive()
    }
}
