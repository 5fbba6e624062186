//! A slow event stops no other sale: while one event waits for its rows, the other events go on selling.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use neticket_testkit::store::EventRecord;
use tokio::time::Instant;

use crate::answer_counts::Phase;
use crate::cluster::{Cluster, Routing, SLOW_TIMEOUTS};
use crate::crowd::{Crowd, people};
use crate::options::Options;
use crate::person::Sale;

/// The number of people for each of the two events.
const PEOPLE: usize = 20;
/// The number of answers that the other event must give while the slow one waits.
const ANSWERS: u64 = 60;
/// How long the rows of the slow event stay locked. It is longer than the timeout of a store call, so that
/// such calls fail.
const LOCKED: Duration = Duration::from_secs(10);

/// Two events on the same servers: one whose rows in the store are locked, and one that should not be
/// affected.
struct Pair {
    cluster: Cluster,
    slow: EventRecord,
    sales: [Arc<Sale>; 2],
}

/// The locks of all ticket types of an event.
struct Lock {
    client: Child,
    connection: String,
}

impl Pair {
    async fn open() -> Self {
        let cluster = Cluster::start(Routing::Direct, SLOW_TIMEOUTS).await;
        let slow = cluster.event_on_sale(&[10_000], 100).await;
        let other = cluster.event_on_sale(&[10_000], 100).await;
        let urls: Vec<String> = cluster.nodes.iter().map(|node| node.url.clone()).collect();
        let sales = [&slow, &other]
            .map(|event| Sale::new(urls.clone(), vec![event.ticket_types[0].id.0], Duration::from_secs(40)));
        Self { cluster, slow, sales }
    }

    /// Locks the rows of the slow event on a separate connection.
    fn lock(&self) -> Lock {
        let lock = format!("SELECT id FROM ticket_types WHERE event_id = {} FOR UPDATE", self.slow.id);
        let sql = format!("BEGIN; {lock}; SELECT CONNECTION_ID(); SELECT SLEEP(600)");
        let mut client = self.cluster.client(&sql);
        client.args(["--unbuffered", "--skip-column-names"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut client = client.spawn().expect("the process starts");
        let mut lines = BufReader::new(client.stdout.take().expect("a pipe")).lines();
        let connection = lines.nth(1).expect("the client has taken the locks").expect("text");
        Lock { client, connection }
    }

    async fn crowds(&self) -> [Crowd; 2] {
        let (now, seed) = (self.cluster.now().await, Options::read().seed);
        let mut crowds = Vec::new();
        for (index, sale) in self.sales.iter().enumerate() {
            let people = people(&self.cluster.store, sale, now, (index * PEOPLE, PEOPLE), seed).await;
            crowds.push(Crowd::start(people));
        }
        crowds.try_into().ok().expect("there are two crowds")
    }

    /// While the slow event waits, the other event must continue to sell without disturbance.
    async fn judge(self, mut lock: Lock, crowds: [Crowd; 2]) {
        let [slow, other] = &self.sales;
        let (locked, answered) = (Instant::now(), slow.answer_counts.definite_count());
        slow.answer_counts.begin(Phase::During);
        other.answer_counts.begin(Phase::During);
        while locked.elapsed() < LOCKED {
            other.answered(ANSWERS).await;
        }
        let (stuck, disturbed) =
            (slow.answer_counts.definite_count() - answered, other.answer_counts.disturbed_count());
        let counts = format!("slow:\n{}\nother:\n{}", slow.answer_counts, other.answer_counts);
        self.cluster.sql(&format!("KILL {}", lock.connection));
        lock.client.wait().expect("the process ends");
        for crowd in crowds {
            for person in crowd.stop().await {
                assert_eq!(person.violations, [""; 0]);
            }
        }
        let log = self.cluster.close();
        assert!(stuck < ANSWERS, "the slowed event was not slow\n{counts}\n{log}");
        assert_eq!(disturbed, 0, "the slowed event delayed the other event\n{counts}\n{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_with_a_slow_load_stops_no_other_sale() {
    let mut pair = Pair::open().await;
    let lock = pair.lock();
    pair.cluster.kill_redis();
    pair.cluster.replace_aof(None);
    pair.cluster.start_redis();
    let crowds = pair.crowds().await;
    pair.judge(lock, crowds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_with_slow_commits_stops_no_other_sale() {
    let pair = Pair::open().await;
    let crowds = pair.crowds().await;
    for sale in &pair.sales {
        sale.answered(ANSWERS).await;
    }
    let lock = pair.lock();
    pair.judge(lock, crowds).await;
}
