//! `cargo xtask run`: the whole product on this machine, with demo data.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::Workspace;
use crate::{client, shell};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Build the server optimised, as for production: slower to build, faster to run
    #[arg(long)]
    release: bool,
    /// The address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// The folder for the store, the images and the token secret
    #[arg(long, default_value = "./data")]
    data_dir: PathBuf,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    client::build(workspace)?;
    let mut build = shell::cargo(workspace.root());
    build.args(["build", "--package", "neticket"]);
    if options.release {
        build.arg("--release");
    }
    shell::run(&mut build)?;

    shell::run(server(workspace, options).args(["seed", "--demo"]))?;
    // The server replaces this process, so that Ctrl-C and SIGTERM reach it directly.
    let mut serve = server(workspace, options);
    Err(serve.arg("serve").exec()).context("cannot start the server")
}

fn server(workspace: &Workspace, options: &Options) -> Command {
    let mut command = Command::new(workspace.server(options.release));
    command.env("NETICKET_WEB_DIR", workspace.dist()).env("NETICKET_DATA_DIR", &options.data_dir);
    if let Some(listen) = options.listen {
        command.env("NETICKET_LISTEN", listen.to_string());
    }
    command
}
