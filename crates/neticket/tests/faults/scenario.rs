//! A rush, a fault during it, and the audit afterwards: every promise was kept, and every seat can still be
//! sold.

use std::sync::Arc;
use std::time::{Duration, Instant};

use neticket_testkit::servers::SmallDisk;
use neticket_testkit::store::EventRecord;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::answer_counts::Phase;
use crate::audit::{Audit, audit};
use crate::cluster::{Cluster, FAST_TIMEOUTS};
use crate::crowd::{Crowd, people};
use crate::fault::{ANSWERS, Fault};
use crate::options::Options;
use crate::person::{ANSWER_TIMEOUT, Outcome, Person, Sale};

const MAX_PER_USER: u32 = 4;
/// How long the nodes may take to finish what the fault has left behind: several times the grace period.
const TIMEOUT: Duration = Duration::from_secs(40);

/// A rush that is over. Its servers still run.
pub(crate) struct Rush {
    pub(crate) cluster: Cluster,
    pub(crate) event: EventRecord,
    pub(crate) people: Vec<Person>,
    pub(crate) sale: Arc<Sale>,
    options: Options,
}

/// Runs one rush with this fault. Fails if a promise was broken, or if nobody noticed the fault.
pub(crate) async fn run(name: &str, fault: Fault) {
    let start = Instant::now();
    let mut rush = Rush::hold(fault).await;
    let not_at_rest = rush.wait_until_at_rest().await;
    let audit = rush.audit().await;
    let mut findings = audit.findings.clone();
    findings.extend(not_at_rest);
    findings.extend(rush.sell_out(&audit.held).await);
    findings.extend(rush.wait_until_at_rest().await);
    findings.extend(rush.audit_sold_out().await);
    findings.sort();
    findings.dedup(); // both audits may report the same
    rush.report(name, start.elapsed(), &audit, &findings, fault).await;
}

impl Rush {
    /// Starts the crowd, causes the fault, repairs it, and waits until everyone has their answers.
    pub(crate) async fn hold(fault: Fault) -> Self {
        let options = Options::read();
        let mut rng = StdRng::seed_from_u64(options.seed);
        let disk = fault.disk_mb().map(|megabytes| SmallDisk::create(megabytes).expect("a small disk"));
        let mut cluster = Cluster::start_on(disk.map(Arc::new), fault.routing(), FAST_TIMEOUTS).await;
        // If everyone books four tickets, the event sells out in one case and not in the other.
        let share = u32::try_from(options.people()).expect("the number of people fits")
            / if rng.random() { 2 } else { 1 };
        let capacities = [share / 2, share, share, share * 2];
        let event = cluster.event_on_sale(&capacities, MAX_PER_USER).await;
        let urls = cluster.nodes.iter().map(|node| node.url.clone()).collect();
        let sale = Sale::new(
            urls,
            event.ticket_types.iter().map(|ticket_type| ticket_type.id.0).collect(),
            ANSWER_TIMEOUT,
        );
        let now = cluster.now().await;
        let people = people(&cluster.store, &sale, now, (0, options.people()), options.seed).await;
        let crowd = Crowd::start(people);
        sale.answered(ANSWERS).await;
        sale.answer_counts.begin(Phase::During);
        fault.inject(&mut cluster, (&sale, event.id), options, &mut rng).await;
        sale.answer_counts.begin(Phase::After);
        sale.answered(2 * ANSWERS).await;
        let people = crowd.stop().await;
        Self { cluster, event, people, sale, options }
    }

    pub(crate) async fn wait_until_at_rest(&self) -> Option<String> {
        self.cluster.wait_until_at_rest(self.event.id, TIMEOUT).await.err()
    }

    pub(crate) async fn audit(&self) -> Audit {
        let Cluster { store, ledger, .. } = &self.cluster;
        audit(store, &**ledger, self.event.id, MAX_PER_USER, &self.people).await
    }

    /// Sells all remaining tickets at once: first to people who may hold more, then to newcomers. Each must
    /// get the tickets that the store has left for them.
    async fn sell_out(&mut self, held: &[u32]) -> Vec<String> {
        let left = self.cluster.store.inventory_audit(Some(self.event.id)).await.expect("the store answers");
        let mut left: Vec<(i64, u32)> = left
            .iter()
            .map(|row| (row.ticket_type.0, u32::try_from(row.left).expect("the number of seats fits")))
            .collect();
        let allowances: Vec<u32> = held.iter().map(|held| MAX_PER_USER.saturating_sub(*held)).collect();
        let newcomers: u32 = left.iter().map(|(_, left)| left.div_ceil(MAX_PER_USER) + 1).sum();
        let count = (self.people.len(), usize::try_from(newcomers).expect("the number of people fits"));
        let now = self.cluster.now().await;
        let newcomers = people(&self.cluster.store, &self.sale, now, count, self.options.seed).await;
        self.people.extend(newcomers);
        let mut bookings = Vec::new();
        let allowances = allowances.into_iter().chain(std::iter::repeat(MAX_PER_USER));
        for (person, allowance) in
            self.people.iter_mut().zip(allowances).filter(|(_, allowance)| *allowance > 0)
        {
            let Some((ticket_type, left)) = left.iter_mut().find(|(_, left)| *left > 0) else { break };
            let (ticket_type, quantity) = (*ticket_type, allowance.min(*left));
            *left -= quantity;
            bookings.push(async move { (quantity, person.book(ticket_type, quantity).await, person.user) });
        }
        let outcomes = futures::future::join_all(bookings).await;
        let denied = outcomes.into_iter().filter(|(_, outcome, _)| !matches!(outcome, Outcome::Booked(_)));
        let mut findings: Vec<String> = denied
            .map(|(quantity, outcome, user)| {
                format!("user {user} should book the {quantity} seats that are left: {outcome:?}")
            })
            .collect();
        let last = self.people.last_mut().expect("a person has joined");
        for ticket_type in self.sale.ticket_types.clone() {
            let outcome = last.book(ticket_type, 1).await;
            if outcome != Outcome::Refused("sold_out".to_owned()) {
                findings.push(format!(
                    "a booking of sold-out ticket type {ticket_type} was not refused: {outcome:?}"
                ));
            }
        }
        findings
    }

    async fn audit_sold_out(&self) -> Vec<String> {
        let mut findings = self.audit().await.findings;
        let rows = self.cluster.store.inventory_audit(Some(self.event.id)).await.expect("the store answers");
        findings.extend(rows.iter().filter(|row| row.left > 0).map(|row| format!("not sold out: {row:?}")));
        findings
    }

    /// Prints what happened, stops the servers, and fails if there are findings.
    async fn report(self, name: &str, took: Duration, audit: &Audit, findings: &[String], fault: Fault) {
        let view = self.cluster.ledger.view(self.event.id).await.expect("the ledger answers");
        let epoch = view.map_or(0, |view| view.epoch.0);
        let (answer_counts, seed) = (&self.sale.answer_counts, self.options.seed);
        let (answers, disturbed) = (answer_counts.definite_count(), answer_counts.disturbed_count());
        let (counts, log) = (answer_counts.to_string(), self.cluster.close());
        let recoveries = log.matches("recovering journal entries").count();
        println!("{name}, seed {seed}, {} people\n{counts}", self.people.len());
        println!("  ledger loaded ×{epoch}, journal recovered ×{recoveries}, late bookings ×{}", audit.late);
        let well = if findings.is_empty() { "kept" } else { "BROKEN" };
        let seconds = took.as_secs();
        println!(
            "| {name} | {seed} | {seconds} | {answers} | {disturbed} | {epoch} | {recoveries} | {} | {well} |",
            audit.late
        );
        if !findings.is_empty() {
            let relevant = log.lines().filter(|line| !line.contains("request answered"));
            relevant.for_each(|line| println!("{line}"));
        }
        assert!(findings.is_empty(), "seed {seed}: {}", findings.join("\n"));
        // Inventory actions do not disturb anyone, except that the sale is paused for a moment.
        let is_felt = match fault {
            Fault::InventoryActions => counts.contains("409 sale_paused"),
            _ => disturbed > 0,
        };
        assert!(is_felt, "seed {seed}: the fault disturbed no request, so this run proves nothing");
    }
}
