//! Runs the binary as a process, with its own settings and nothing else from the environment.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use neticket_testkit::servers::{dying_with_parent, spawn};

/// A command of the binary, with exactly these variables set.
pub(crate) fn neticket(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = dying_with_parent(env!("CARGO_BIN_EXE_neticket"));
    command.args(arguments).env_clear().envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command until it ends.
pub(crate) fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    neticket(arguments, variables).output().expect("the process runs")
}

/// Runs a command with `input` on its standard input until it ends.
pub(crate) fn run_with_input(arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Output {
    let mut child = spawn_piped(neticket(arguments, variables).stdin(Stdio::piped()));
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("the process reads its input");
    child.wait_with_output().expect("the process ends")
}

fn spawn_piped(command: &mut Command) -> Child {
    command.spawn().expect("the process starts")
}

/// Starts a server that must refuse to serve, waits until it ends, and returns all that it printed on both
/// streams.
pub(crate) fn refused_to_serve(variables: &[(&str, &str)]) -> String {
    let mut child = spawn_piped(&mut neticket(&["serve"], variables));
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut printed = String::new();
    for line in lines {
        let line = line.expect("text");
        if line.contains("NETicket is ready at ") {
            child.kill().expect("the process runs");
            child.wait().expect("the process ends");
            panic!("the server started although it must refuse: {printed}{line}");
        }
        printed.push_str(&line);
        printed.push('\n');
    }
    let rest = child.wait_with_output().expect("the process ends");
    assert_eq!(rest.status.code(), Some(1), "{printed}{}", String::from_utf8_lossy(&rest.stderr));
    printed + &String::from_utf8_lossy(&rest.stderr)
}

/// All that the process printed, on both streams.
pub(crate) fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A server in its own process.
pub(crate) struct Serving {
    pub(crate) child: Child,
    /// Without a slash at the end.
    pub(crate) url: String,
    log: std::thread::JoinHandle<String>,
    errors: std::thread::JoinHandle<String>,
}

impl Serving {
    /// Starts `command`, which serves on a free port, and waits until it prints its address.
    pub(crate) fn start(command: Command) -> Self {
        let mut child = spawn(command).expect("the process starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut errors = child.stderr.take().expect("a pipe");
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        let mut log = String::new();
        let url = loop {
            let Some(line) = lines.next() else {
                panic!(
                    "the server ended before it was ready: {log}{}",
                    errors.join().expect("the reader thread does not panic")
                )
            };
            let line = line.expect("text");
            if let Some((_, url)) = line.split_once("NETicket is ready at ") {
                break url.to_owned();
            }
            log.push_str(&line);
            log.push('\n');
        };
        let log =
            std::thread::spawn(move || lines.map_while(Result::ok).fold(log, |log, line| log + &line + "\n"));
        Self { child, url, log, errors }
    }

    /// Sends SIGTERM, waits until the process ends, and returns its exit code and its log.
    pub(crate) fn terminate(self) -> (Option<i32>, String) {
        self.ask_to_end();
        self.wait()
    }

    pub(crate) fn ask_to_end(&self) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(status.success(), "the process is not running");
    }

    /// Waits until the process ends, and returns its exit code and its log.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().expect("the process ends");
        let log = self.log.join().expect("the reader thread does not panic")
            + &self.errors.join().expect("the reader thread does not panic");
        (status.code(), log)
    }
}

/// The settings of an embedded server in `folder`, on a free port.
pub(crate) fn embedded(folder: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("NETICKET_DATA_DIR", folder.display().to_string()),
        ("NETICKET_LISTEN", "127.0.0.1:0".to_owned()),
        ("NETICKET_RATE_LIMIT", "off".to_owned()),
    ]
}

/// The settings in the form that [`neticket`] takes.
pub(crate) fn borrowed<'a>(variables: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
}
