//! Tests the client in a browser, against a server with demo data.

use std::process::Command;

use anyhow::Result;

use crate::demo::DemoServer;
use crate::workspace::Workspace;
use crate::{setup, shell};

pub(super) fn run(workspace: &Workspace) -> Result<()> {
    let mut server = DemoServer::start(workspace, "e2e-server")?;
    let mut command = Command::new("npx");
    command.args(["--no-install", "playwright", "test"]).current_dir(workspace.e2e());
    command.env("NETICKET_URL", server.url()).env("NETICKET_TARGET_DIR", workspace.target());
    if let Some(chromium) = setup::chromium() {
        command.env("NETICKET_CHROMIUM", chromium);
    }
    let outcome = shell::run(&mut command);
    server.ensure_alive()?;
    outcome
}
