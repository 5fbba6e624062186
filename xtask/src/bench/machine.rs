//! The machine on which the figures were measured. Without it, they mean nothing.

use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::Result;
use serde::Serialize;

use crate::shell;
use crate::workspace::Workspace;

/// Hardware, versions and durability, as text.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Machine {
    pub(super) processor: String,
    pub(super) cores: usize,
    pub(super) memory: String,
    pub(super) system: String,
    /// The file system of the folder in which the servers keep their files.
    pub(super) file_system: String,
    pub(super) versions: Vec<String>,
    pub(super) durability: Vec<String>,
}

impl Machine {
    /// Describes this machine. `folder` is the folder in which the servers keep their files.
    pub(super) fn look(workspace: &Workspace, folder: &Path, durability: Vec<String>) -> Result<Self> {
        let first_line = |program: &str, argument: &str| -> Result<String> {
            let path = shell::find(program).unwrap_or_else(|| program.into());
            // nginx prints its version to standard error.
            let output = Command::new(path).arg(argument).output()?;
            let said = [output.stdout, output.stderr].concat();
            Ok(String::from_utf8_lossy(&said).lines().next().unwrap_or_default().trim().to_owned())
        };
        let commit = shell::read(
            Command::new("git").current_dir(workspace.root()).args(["describe", "--always", "--dirty"]),
        );
        Ok(Self {
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: thread::available_parallelism().map_or(1, NonZero::get),
            memory: field("/proc/meminfo", "MemTotal")
                .map_or_else(|| "unknown".to_owned(), |kib| in_gib(&kib)),
            system: shell::read(Command::new("uname").arg("-sr"))?.trim().to_owned(),
            file_system: last_line(&shell::read(Command::new("df").arg("--output=fstype").arg(folder))?),
            versions: vec![
                format!("NETicket {}", commit.unwrap_or_default().trim()),
                first_line("rustc", "--version")?,
                short(&first_line("mariadbd", "--version")?),
                first_line("redis-server", "--version")?
                    .split_whitespace()
                    .take(3)
                    .collect::<Vec<_>>()
                    .join(" "),
                first_line("nginx", "-v")?,
            ],
            durability,
        })
    }
}

/// The value of the first line of `file` that begins with `name`.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn last_line(text: &str) -> String {
    text.trim_end().lines().last().unwrap_or_default().trim().to_owned()
}

fn in_gib(kib: &str) -> String {
    let number = kib.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
    number.map_or_else(|| kib.to_owned(), |kib| format!("{} GiB", kib.div_ceil(1024 * 1024)))
}

/// The version number alone, from the output of `mariadbd --version`.
fn short(version: &str) -> String {
    let name = version.rsplit_once("  Ver ").map_or(version, |(_, rest)| rest);
    format!("MariaDB {}", name.split_whitespace().next().unwrap_or_default())
}
