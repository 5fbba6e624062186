//! Counts the rows that the store's functions read while the statistics of the database are wrong.
//!
//! Both databases choose plans by statistics that are from before a sale, or from before the server's last
//! start. A function whose cost depends on them is fast in every other test, and slow in a sale. Here the
//! tables are filled after their statistics were taken. Then each function is called, and the rows that it
//! reads are counted. This is not an integration test, because SQLite's steps are counted on the store's own
//! connections.

mod account_calls;
mod call;
mod calls;
mod fixture;
mod meter;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sea_orm::ConnectionTrait as _;

use calls::{UNMEASURED, calls};
use fixture::{Fixture, SOLD};
use meter::{CountingDatabase, Statistics};

/// Makes all calls under each kind of statistics. Returns those that read too many rows.
async fn too_costly(mut database: CountingDatabase) -> Vec<String> {
    let fixture = Fixture::fill(&database).await;
    let mut too_costly = Vec::new();
    let mut called: BTreeSet<_> = UNMEASURED.iter().map(|(name, _)| (*name).to_owned()).collect();
    for statistics in Statistics::ALL {
        database.set_statistics(statistics).await;
        let (store, meter) = database.open().await;
        let round = fixture.round(&store, statistics).await;
        for call in calls(&store, &fixture, &round) {
            let before = meter.rows().await;
            call.run.await;
            let rows = meter.rows().await - before;
            let line = format!("{statistics:?}: {} read {rows} rows, at most {}", call.name, call.rows_max);
            println!("{line}");
            if rows > u64::try_from(call.rows_max).unwrap() {
                too_costly.push(line);
            }
            called.insert(call.name.to_owned());
        }
        // Negative control: on each connection, the meter notices a statement that reads a whole table and
        // finds nothing.
        let whole = "SELECT COUNT(*) FROM reservations WHERE quantity = 99";
        for writes in [false, true] {
            let before = meter.rows().await;
            if writes {
                store.writer().execute_unprepared(whole).await.unwrap();
            } else {
                store.reader().execute_unprepared(whole).await.unwrap();
            }
            let rows = meter.rows().await - before;
            assert!(rows > u64::try_from(SOLD / 15).unwrap(), "{statistics:?}: {rows} rows of a whole table");
        }
    }
    let missing: Vec<_> = public_functions().difference(&called).cloned().collect();
    assert_eq!(missing, Vec::<String>::new(), "functions that are not measured");
    too_costly
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_query_plan_depends_on_statistics_on_sqlite() {
    assert_eq!(too_costly(CountingDatabase::sqlite()).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_query_plan_depends_on_statistics_on_mariadb() {
    assert_eq!(too_costly(CountingDatabase::mariadb()).await, Vec::<String>::new());
}

/// Statements on these tables are SQL text that takes the table from `indexed.rs`, so that each names an
/// index.
#[test]
fn every_statement_on_reservations_and_the_outbox_names_its_index() {
    let may_name = ["indexed.rs", "reservations/insert.rs", "reservations/outbox.rs"];
    let source = source();
    let mut named = Vec::new();
    for file in files_under(&source) {
        let name = file.strip_prefix(&source).unwrap().display().to_string();
        if name.starts_with("plans") || may_name.contains(&name.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let is_sql = ["FROM", "JOIN", "INTO", "UPDATE"].iter().any(|word| {
                ["reservations", "release_outbox"]
                    .iter()
                    .any(|table| line.contains(&format!("{word} {table}")))
            });
            if is_sql || line.contains("\"reservations\"") || line.contains("\"release_outbox\"") {
                named.push(format!("{name}: {}", line.trim()));
            }
        }
    }
    assert_eq!(named, Vec::<String>::new());
}

/// The functions of the store that may read a table that grows during a sale.
fn public_functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    // These read events and ticket types alone, which do not grow during a sale.
    let of_events_alone = ["events/images.rs", "events/list.rs"].map(|name| source().join(name));
    let others =
        ["accounts.rs", "audit_log.rs", "reservations.rs", "sessions.rs"].map(|name| source().join(name));
    let files = ["reservations", "events"].into_iter().flat_map(|name| files_under(&source().join(name)));
    for file in files.filter(|file| !of_events_alone.contains(file)).chain(others) {
        let text = fs::read_to_string(file).unwrap();
        let declared = text.lines().filter_map(|line| line.trim_start().strip_prefix("pub async fn "));
        names.extend(declared.map(|rest| rest.split(['(', '<']).next().unwrap().to_owned()));
    }
    assert!(names.contains("reservations_of"), "{names:?}");
    names
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.append(&mut files_under(&path));
        } else {
            files.push(path);
        }
    }
    files
}
