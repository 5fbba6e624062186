//! The disk becomes full during a rush, and then has space again. Tested below MariaDB and below the embedded
//! SQLite.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use neticket_testkit::domain::{Email, Timestamp};
use neticket_testkit::servers::SmallDisk;
use neticket_testkit::store::{EventRecord, Store, StoreOptions};
use serde_json::json;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep};

use crate::answer_counts::Phase;
use crate::audit::audit_people;
use crate::cluster::{Cluster, FAST_TIMEOUTS, JWT_SECRET, event_on_sale};
use crate::crowd::{Crowd, people};
use crate::fault::ANSWERS;
use crate::options::Options;
use crate::person::{ANSWER_TIMEOUT, Person, Sale};
use crate::process::Serving;

/// The size of the embedded server's disk, in megabytes.
const EMBEDDED_DISK_MB: u32 = 12;
const FILE: &str = "neticket.db";
/// The limit of tickets per person. It is so high that nobody reaches it here.
const MAX_PER_USER: u32 = 10_000;
/// How long a node may take to notice that the disk is full, or that it has space again.
const TIMEOUT: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Signs up people one after another, each under a different name.
struct SignUps {
    client: reqwest::Client,
    count: usize,
    /// The names of the people whose sign-up was answered with 201.
    taken: Vec<String>,
}

impl SignUps {
    fn new() -> Self {
        let client = reqwest::Client::builder().timeout(TIMEOUT).build().expect("a client");
        Self { client, count: 0, taken: Vec::new() }
    }

    /// Signs one person up and returns the status of the answer.
    async fn one(&mut self, url: &str) -> u16 {
        self.count += 1;
        let name = format!("signup{}", self.count);
        let body = json!({"email": email(&name), "nickname": name, "password": "hong-gil-dong-1"});
        let request = self.client.post(format!("{url}/api/v1/auth/signup")).json(&body);
        let status = request.send().await.expect("an answer").status().as_u16();
        if status == 201 {
            self.taken.push(name);
        }
        status
    }

    /// Signs people up until an answer has `status`.
    async fn until(&mut self, url: &str, status: u16) {
        let deadline = Instant::now() + TIMEOUT;
        while self.one(url).await != status {
            assert!(Instant::now() < deadline, "no sign-up at {url} got status {status}");
            sleep(POLL_INTERVAL).await;
        }
    }

    /// The names of people whose sign-up was answered with 201, but who are not in the store.
    async fn lost(&self, store: &Store) -> Vec<String> {
        let mut lost = Vec::new();
        for name in &self.taken {
            let email = Email::parse(&email(name)).expect("an e-mail");
            if store.user_by_email(&email).await.expect("the store answers").is_none() {
                lost.push(name.clone());
            }
        }
        lost
    }
}

fn email(name: &str) -> String {
    format!("{name}@example.com")
}

/// Waits until `/readyz` answers with `status`. Calls `meanwhile` between attempts.
async fn until_ready_is(url: &str, status: u16, mut meanwhile: impl FnMut()) {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let answer = reqwest::get(format!("{url}/readyz")).await.expect("an answer").status();
        if answer == status {
            return;
        }
        assert!(Instant::now() < deadline, "{url} answered {answer} instead of {status}");
        meanwhile();
        sleep(POLL_INTERVAL).await;
    }
}

/// Fills the disk, checks that every node notices and reports it, and frees the space again. Then calls
/// `mend` until all nodes are ready. Returns the people who have signed up.
async fn fill_and_free(
    disk: &SmallDisk,
    urls: &[String],
    outage: Duration,
    mut mend: impl FnMut(),
) -> SignUps {
    let mut sign_ups = SignUps::new();
    for url in urls {
        sign_ups.until(url, 201).await;
    }
    block_in_place(|| disk.fill()).expect("the disk can be filled");
    for url in urls {
        sign_ups.until(url, 503).await;
        until_ready_is(url, 503, || ()).await;
    }
    sleep(outage).await;
    block_in_place(|| disk.free()).expect("the disk was filled");
    for url in urls {
        until_ready_is(url, 200, &mut mend).await;
        sign_ups.until(url, 201).await;
    }
    sign_ups
}

/// The fault of a rush on MariaDB. A MariaDB that has no space for a rollback exits, and its supervisor
/// starts it again.
pub(crate) async fn fill_mariadbs(cluster: &mut Cluster, outage: Duration) {
    let disk = Arc::clone(cluster.disk.as_ref().expect("MariaDB has its own disk"));
    let urls: Vec<String> = cluster.nodes.iter().map(|node| node.url.clone()).collect();
    let mariadb = &mut cluster.mariadb;
    let restart = || {
        block_in_place(|| {
            if mariadb.has_ended().expect("the state of the server can be read") {
                mariadb.restart().expect("the server restarts");
            }
        });
    };
    let sign_ups = fill_and_free(&disk, &urls, outage, restart).await;
    assert_eq!(
        sign_ups.lost(&cluster.store).await,
        [""; 0],
        "a booking that was answered with 201 is not in the store"
    );
}

/// An embedded server on a small disk.
struct Embedded {
    disk: SmallDisk,
    event: EventRecord,
    sale: Arc<Sale>,
    people: Vec<Person>,
    serving: Serving,
}

impl Embedded {
    /// Creates the database on a disk with enough space, copies it to the small disk, and starts the server.
    async fn start(options: Options) -> Self {
        let disk = SmallDisk::create(EMBEDDED_DISK_MB).expect("a small disk");
        let made = tempfile::tempdir().expect("a folder");
        let store = open(made.path()).await;
        store.migrate().await.expect("a schema");
        let now = now();
        let event = store
            .event_create(&event_on_sale(now, &[1_000_000], MAX_PER_USER), None, now)
            .await
            .expect("an event");
        let sale = Sale::new(Vec::new(), vec![event.ticket_types[0].id.0], ANSWER_TIMEOUT);
        let count = (0, options.people() / 2);
        let users = people(&store, &sale, now, count, options.seed).await;
        let users: Vec<_> = users.into_iter().map(|person| person.user).collect();
        copy_database(made.path(), &disk.from_outside());
        let serving = block_in_place(|| Serving::start(command(&disk)));
        let sale = Sale::new(vec![serving.url.clone()], sale.ticket_types.clone(), ANSWER_TIMEOUT);
        let people = users.into_iter().map(|user| Person::new(&sale, user, now, options.seed)).collect();
        Self { disk, event, sale, people, serving }
    }
}

/// The command that starts the server with its data on the small disk.
fn command(disk: &SmallDisk) -> Command {
    let mut command = disk.command(env!("CARGO_BIN_EXE_neticket"));
    command.arg("serve").env_clear().envs(FAST_TIMEOUTS);
    command.env("NETICKET_DATA_DIR", disk.folder()).env("NETICKET_LISTEN", "127.0.0.1:0");
    command.env("NETICKET_RATE_LIMIT", "off").env("NETICKET_JWT_SECRET", JWT_SECRET);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Copies a database that nobody writes to: the file, and its write-ahead log if there is one.
fn copy_database(from: &Path, to: &Path) {
    std::fs::copy(from.join(FILE), to.join(FILE)).expect("the file can be copied");
    let log = format!("{FILE}-wal");
    if from.join(&log).exists() {
        std::fs::copy(from.join(&log), to.join(&log)).expect("the file can be copied");
    }
}

async fn open(folder: &Path) -> Store {
    let url = format!("sqlite:{}", folder.join(FILE).display());
    Store::connect(&StoreOptions::new(url)).await.expect("a store")
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    Timestamp::from_millis(i64::try_from(since.as_millis()).expect("before the year 292,000,000"))
}

/// After the disk was full, every booking that was answered with 201 is in the file, also those that were
/// answered long afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_sqlite_during_a_rush_breaks_no_promise() {
    let options = Options::read();
    let Embedded { disk, event, sale, people, serving } = Embedded::start(options).await;
    let crowd = Crowd::start(people);
    sale.answered(ANSWERS).await;
    sale.answer_counts.begin(Phase::During);
    let sign_ups = fill_and_free(&disk, &sale.urls, options.outage(), || ()).await;
    sale.answer_counts.begin(Phase::After);
    sale.answered(2 * ANSWERS).await;
    let people = crowd.stop().await;
    let (code, log) = block_in_place(|| serving.terminate());
    assert_eq!(code, Some(0), "the node did not exit cleanly: {log}");

    let kept = tempfile::tempdir().expect("a folder");
    copy_database(&disk.from_outside(), kept.path());
    let store = open(kept.path()).await;
    let mut findings = audit_people(&store, MAX_PER_USER, &people).await.findings;
    for row in store.inventory_audit(Some(event.id)).await.expect("the store answers") {
        if row.capacity != row.left + row.confirmed {
            findings.push(format!("capacity is not left + confirmed: {row:?}"));
        }
    }
    findings.extend(sign_ups.lost(&store).await.iter().map(|name| format!("{name} has not signed up")));
    println!("seed {}\n{}", options.seed, sale.answer_counts);
    assert_eq!(findings, [""; 0], "seed {}\n{log}", options.seed);
    assert!(
        sale.answer_counts.disturbed_count() > 0,
        "the fault disturbed no request, so this run proves nothing\n{}",
        sale.answer_counts
    );
}
