//! SQL that tests run directly in the database, without the application.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};

use neticket_domain::EventId;

use crate::TestEnv;

/// The MariaDB client, which will run `sql` in the database of this test environment.
fn client(env: &TestEnv, sql: &str) -> Command {
    let address = env.config.database_url.strip_prefix("mysql://root@").expect("the test's MariaDB");
    let (host_port, name) = address.split_once('/').expect("a database");
    let (host, port) = host_port.split_once(':').expect("a port");
    let mut client = Command::new("mariadb");
    client.args(["--no-defaults", "--protocol=tcp", "--user=root", "--host", host, "--port", port]);
    client.args(["--batch", "--unbuffered", "--skip-column-names", "--delimiter=//", name, "-e", sql]);
    client
}

/// Runs SQL and returns what the client prints. Statements end with `//`, not with `;`.
pub fn sql(env: &TestEnv, sql: &str) -> String {
    let output = client(env, sql).output().expect("the mariadb client");
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Row locks on ticket types. A connection of its own holds them until [`Locks::release`].
pub struct Locks {
    client: Child,
    connection: String,
}

impl Locks {
    /// Locks the ticket types of the event.
    pub fn of(env: &TestEnv, event: EventId) -> Self {
        let lock = format!("SELECT COUNT(*) FROM ticket_types WHERE event_id = {event} FOR UPDATE");
        let mut client = client(env, &format!("BEGIN// {lock}// SELECT CONNECTION_ID()// SELECT SLEEP(600)"));
        let mut client =
            client.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the client starts");
        let (mut output, mut byte) = (String::new(), [0]);
        while output.lines().count() < 2 || !output.ends_with('\n') {
            client.stdout.as_mut().expect("a pipe").read_exact(&mut byte).expect("it has the locks");
            output.push(char::from(byte[0]));
        }
        Self {
            client,
            connection: output.lines().nth(1).expect("the client prints its connection id").to_owned(),
        }
    }

    pub fn release(mut self, env: &TestEnv) {
        sql(env, &format!("KILL {}", self.connection));
        self.client.wait().expect("the client ends");
    }
}
