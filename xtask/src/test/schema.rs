//! Sends the API what its schema allows, and what it does not, and checks the answers by the schema.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::demo::{self, DemoServer};
use crate::openapi;
use crate::workspace::Workspace;
use crate::{setup, shell};

/// Every answer must be foreseen by the schema, and none may be a fault of the server. Not among them:
/// - `positive_data_acceptance`: a schema cannot say "in the future" or "a letter, a digit and a special character",
///   so a request that keeps to the schema may still be refused;
/// - `negative_data_rejection`: it cannot say everything that the server forgives either.
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// Its answer has no end. `tests/suite/streams.rs` of `neticket-api` is about it.
const ENDLESS: &str = "event_availability_stream";
/// Requests per operation: bounds the whole to a minute or so for each of the two accounts.
const EXAMPLES_PER_OPERATION: &str = "15";
/// The token comes through the environment, so that it is in no command line and no log.
const CONFIG: &str = "headers = { Authorization = \"Bearer ${NETICKET_TOKEN}\" }\n";

pub(super) fn run(workspace: &Workspace) -> Result<()> {
    let folder = workspace.target().join("schemathesis");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("schemathesis.toml"), CONFIG)?;
    for login in [demo::USER, demo::ADMIN] {
        // Each account meets fresh data: an administrator's requests delete and change all of it.
        let mut server = DemoServer::start(workspace, "schema-server")?;
        println!("\nfuzzing the API as {}", login.email);
        let mut command = Command::new(setup::schemathesis(workspace));
        command.arg("run").arg(workspace.root().join(openapi::DOCUMENT)).current_dir(&folder);
        command.args(["--origin", &server.url()]).env("NETICKET_TOKEN", server.token(&login)?);
        command.args(["--exclude-operation-id", ENDLESS]);
        command.args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"]);
        command.args(["--max-examples", EXAMPLES_PER_OPERATION]);
        // One worker: before 3.11.8 and 3.12.2 Python's own parser fails now and then when two threads use it.
        command.args(["--request-timeout", "10", "--workers", "1", "--generation-database", "none"]);
        command.args(["--suppress-health-check", "all", "--warnings", "off", "--no-color"]);
        let outcome = shell::run(&mut command);
        server.ensure_alive()?;
        outcome.with_context(|| format!("the API does not keep to {}", openapi::DOCUMENT))?;
    }
    Ok(())
}
