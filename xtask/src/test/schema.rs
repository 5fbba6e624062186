//! Sends valid and invalid requests to the API by its schema, and checks the answers with the schema.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::demo::{self, DemoServer};
use crate::openapi;
use crate::workspace::Workspace;
use crate::{setup, shell};

/// The schema must describe every answer, and no answer may be an internal error. Two checks are left out:
/// - `positive_data_acceptance`: a schema cannot say "in the future" or "a letter, a digit and a special
///   character", so the server may refuse a request that matches the schema.
/// - `negative_data_rejection`: a schema cannot say everything that the server accepts, either.
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// Its answer does not end. `tests/suite/streams.rs` of `neticket-api` tests it.
const ENDLESS: &str = "event_availability_stream";
/// Requests per operation. Limits the time to about a minute for each of the two accounts.
const EXAMPLES_PER_OPERATION: &str = "15";
/// The token is in the environment, so that no command line and no log contains it.
const CONFIG: &str = "headers = { Authorization = \"Bearer ${NETICKET_TOKEN}\" }\n";

pub(super) fn run(workspace: &Workspace) -> Result<()> {
    let folder = workspace.target().join("schemathesis");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("schemathesis.toml"), CONFIG)?;
    for login in [demo::USER, demo::ADMIN] {
        // Each account gets fresh data, because an administrator's requests delete and change all of it.
        let mut server = DemoServer::start(workspace, "schema-server")?;
        println!("\nfuzzing the API as {}", login.email);
        let mut command = Command::new(setup::schemathesis(workspace));
        command.arg("run").arg(workspace.root().join(openapi::DOCUMENT)).current_dir(&folder);
        command.args(["--origin", &server.url()]).env("NETICKET_TOKEN", server.token(&login)?);
        command.args(["--exclude-operation-id", ENDLESS]);
        command.args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"]);
        command.args(["--max-examples", EXAMPLES_PER_OPERATION]);
        // One worker, because Python before 3.11.8 and 3.12.2 has a parser that sometimes fails with two
        // threads.
        command.args(["--request-timeout", "10", "--workers", "1", "--generation-database", "none"]);
        command.args(["--suppress-health-check", "all", "--warnings", "off", "--no-color"]);
        let outcome = shell::run(&mut command);
        server.ensure_alive()?;
        outcome.with_context(|| format!("the API differs from {}", openapi::DOCUMENT))?;
    }
    Ok(())
}
