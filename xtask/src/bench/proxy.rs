//! nginx in front of several nodes, with the settings of `infra/nginx.conf`, so that the benchmark measures
//! what operators are told to run. It replaces only what is impossible on one machine: the nodes' addresses,
//! TLS, and the path of the log.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::process::{self, Process};
use crate::shell;
use crate::workspace::Workspace;

/// The most connections of one worker process. A proxied request needs two.
const CONNECTIONS_MAX: u32 = 16_384;
/// The folders that nginx creates at its start, whether it needs them or not.
const FOLDERS: [&str; 5] = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

/// Starts nginx in front of `nodes`, with its files in `folder`.
pub(super) fn start(workspace: &Workspace, nodes: &[SocketAddr], folder: &Path) -> Result<Process> {
    let program = shell::find("nginx").context("nginx is not installed")?;
    fs::create_dir_all(folder)?;
    let address = process::free_address()?;
    let template = fs::read_to_string(workspace.root().join("infra/nginx.conf"))?;
    let configuration = folder.join("nginx.conf");
    fs::write(&configuration, main(&deployment(&template, address, nodes, folder), folder))?;
    let mut command = process::command_with_workers(&program);
    command.arg("-p").arg(folder).arg("-c").arg(&configuration);
    Process::start(command, address, "/healthz", folder.join("nginx.log"))
}

/// The main configuration around the site. Where it matters, it is the same as Debian's.
fn main(deployment: &str, folder: &Path) -> String {
    let folder = folder.display();
    let mut text = format!(
        "daemon off;\nworker_processes auto;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n\
         events {{ worker_connections {CONNECTIONS_MAX}; }}\nhttp {{\nsendfile on;\ntcp_nopush on;\n"
    );
    for kind in FOLDERS {
        let _ = writeln!(text, "{kind}_temp_path {folder}/{kind};");
    }
    let _ = writeln!(text, "{deployment}}}");
    text
}

/// `infra/nginx.conf` for these nodes, with plain HTTP at `address`.
fn deployment(template: &str, address: SocketAddr, nodes: &[SocketAddr], folder: &Path) -> String {
    let lines = blocks(template).into_iter().filter(|block| !is_redirect(block)).flatten();
    let mut nodes = nodes.iter();
    let mut deployment = String::new();
    for line in lines {
        let words: Vec<&str> = line.trim().trim_end_matches(';').split_whitespace().collect();
        let _ = match words.as_slice() {
            ["server_name" | "ssl_certificate" | "ssl_certificate_key", ..] => Ok(()),
            // The first node of the example is replaced by all nodes. Its other nodes are omitted.
            ["server", example, options @ ..] if *example != "{" => nodes
                .by_ref()
                .try_for_each(|node| writeln!(deployment, "    server {node} {};", options.join(" "))),
            ["listen", _, options @ ..] => {
                let options: Vec<&str> =
                    options.iter().copied().filter(|option| option.contains('=')).collect();
                writeln!(deployment, "    listen {address} {};", options.join(" "))
            }
            ["access_log", _, options @ ..] => {
                let log = folder.join("access.log");
                writeln!(deployment, "    access_log {} {};", log.display(), options.join(" "))
            }
            _ => writeln!(deployment, "{line}"),
        };
    }
    deployment
}

/// The blocks at the outermost level, each as a list of its lines, without comments.
fn blocks(text: &str) -> Vec<Vec<&str>> {
    let mut blocks = vec![Vec::new()];
    let mut depth = 0;
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        depth = depth + line.matches('{').count() - line.matches('}').count();
        blocks.last_mut().into_iter().for_each(|block| block.push(line));
        if depth == 0 {
            blocks.push(Vec::new());
        }
    }
    blocks
}

fn is_redirect(block: &[&str]) -> bool {
    block.iter().any(|line| line.trim_start().starts_with("return 301"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_keeps_the_settings_of_infra_except_names_and_certificates() {
        let template = include_str!("../../../infra/nginx.conf");
        let nodes = ["127.0.0.1:9001".parse().unwrap(), "127.0.0.1:9002".parse().unwrap()];
        let deployment =
            deployment(template, "127.0.0.1:9000".parse().unwrap(), &nodes, Path::new("/somewhere"));
        for kept in [
            "least_conn;",
            "keepalive 256;",
            "server 127.0.0.1:9001 max_fails=2 fail_timeout=5s;",
            "server 127.0.0.1:9002 max_fails=2 fail_timeout=5s;",
            "listen 127.0.0.1:9000 backlog=4096;",
            "access_log /somewhere/access.log combined buffer=64k flush=5s;",
            "proxy_set_header Connection \"\";",
            "proxy_next_upstream_tries 2;",
            "proxy_pass http://neticket;",
        ] {
            assert!(deployment.contains(kept), "{kept} is missing:\n{deployment}");
        }
        for gone in ["10.0.0.", "ssl", "301", "server_name"] {
            assert!(!deployment.contains(gone), "{gone} must be removed:\n{deployment}");
        }
        assert_eq!(deployment.matches('{').count(), deployment.matches('}').count());
    }
}
