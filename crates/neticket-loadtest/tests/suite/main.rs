//! The load test against real nodes (SQLite with the ledger in the process, and MariaDB with Redis), and
//! against servers that misbehave on purpose.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests fail loudly")]

mod audit;
mod rush;
mod stalling;
mod streams;

use std::path::Path;
use std::process::Output;

use neticket_loadtest::Run;

/// Runs the binary. Returns its output, and its result if it wrote one.
async fn loadtest(folder: &Path, args: &[&str]) -> (Output, Option<Run>) {
    let json = folder.join("run.json");
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_neticket-loadtest"))
        .args(args)
        .arg("--json")
        .arg(&json)
        .output()
        .await
        .unwrap();
    let run = std::fs::read_to_string(&json).ok().map(|text| serde_json::from_str(&text).unwrap());
    (output, run)
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
