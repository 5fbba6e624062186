//! The kinds of run. Each prepares users and an event, lets the workers run, audits and reports.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use neticket_domain::Role;
use uuid::Uuid;

use crate::api_client::{self, ApiClient};
use crate::audit::{ClientReport, audit};
use crate::cli::{BookArgs, CommonArgs, Connect, HoldArgs, ReadArgs, RushArgs};
use crate::database::Database;
use crate::machine::redis_durability;
use crate::report;
use crate::result::{Kind, Run, RunConfig, float};
use crate::stats::Stats;
use crate::token::Signer;
use crate::worker_config::{CONNECTIONS_MAX, Load, Rush, Span, Target, TicketType, WorkerConfig};
use crate::workers::Workers;

/// How long the audit repeats its inspection while there are faults. Bookings in flight settle within the
/// first time. Recovery commits bookings with a lost answer within the second.
const AUDIT_TIMEOUT: Duration = Duration::from_secs(10);
const AUDIT_TIMEOUT_LOST: Duration = Duration::from_secs(90);
/// The most tickets per person in a closed loop: the highest limit that events allow, so that few users
/// suffice.
pub(crate) const LOOP_MAX_PER_USER: u32 = 100;
const RUSH_MAX_PER_USER: u32 = 4;
/// The most seats of a ticket type.
const CAPACITY_MAX: u32 = 1_000_000;

/// What exists before the load begins.
pub(crate) struct RunSetup {
    pub(crate) run: Uuid,
    pub(crate) targets: Vec<Target>,
    database: Option<Database>,
    pub(crate) config: RunConfig,
    pub(crate) ticket_types: Vec<TicketType>,
    pub(crate) people: Vec<i64>,
    before: BTreeSet<Uuid>,
}

pub(crate) async fn rush(args: &RushArgs) -> Result<bool> {
    let setup = RunSetup::set(&args.common, args.people, args.seats, RUSH_MAX_PER_USER).await?;
    let connect = if args.connect == Connect::Before { "before" } else { "during" };
    let ramp_us = float(args.ramp_ms) * 1e3;
    let step_us = ramp_us / f64::from(args.people);
    let worker_configs =
        setup.worker_configs(&args.common.jwt_secret, args.people, args.processes, |n, processes| {
            Load::Rush(Rush {
                // The people of all workers come in turn.
                first_us: step_us * f64::from(n),
                step_us: step_us * f64::from(processes),
                connect_before: args.connect == Connect::Before,
                give_up_after_ms: args.give_up_after_s * 1000,
                other_ticket_types: args.other_ticket_types,
            })
        });
    let processes = u32::try_from(worker_configs.len())?;
    let workers = ready(worker_configs, args.people).await?;
    let stats = workers.play(Some(u64::from(args.people)), Duration::ZERO).await?;
    let config = RunConfig {
        people: args.people,
        connections: args.people,
        processes,
        ramp_ms: args.ramp_ms,
        connect: connect.to_owned(),
        ..setup.config.clone()
    };
    let run = Run::new(Kind::Rush, command_line(), config, &stats, None);
    setup.conclude(&args.common, run, stats, !args.no_audit).await
}

pub(crate) async fn book(args: &BookArgs) -> Result<bool> {
    let people = args.people.max(args.connections);
    let capacity = CAPACITY_MAX * args.common.ticket_types;
    let setup = RunSetup::set(&args.common, people, capacity, LOOP_MAX_PER_USER).await?;
    let span = Span { warmup_ms: args.warmup_s * 1000, measured_ms: args.seconds * 1000 };
    let secret = &args.common.jwt_secret;
    let worker_configs =
        setup.worker_configs(secret, args.connections, args.processes, |_, _| Load::Book(span));
    let processes = u32::try_from(worker_configs.len())?;
    let workers = ready(worker_configs, args.connections).await?;
    let stats = workers.play(None, Duration::from_secs(args.warmup_s + args.seconds)).await?;
    let config = RunConfig {
        people,
        connections: args.connections,
        processes,
        warmup_s: args.warmup_s,
        seconds: args.seconds,
        ..setup.config.clone()
    };
    let run = Run::new(Kind::Book, command_line(), config, &stats, Some(span.measured_ms));
    setup.conclude(&args.common, run, stats, !args.no_audit).await
}

pub(crate) async fn read(args: &ReadArgs) -> Result<bool> {
    let setup = RunSetup::set(&args.common, 0, 1_000, LOOP_MAX_PER_USER).await?;
    let span = Span { warmup_ms: args.warmup_s * 1000, measured_ms: args.seconds * 1000 };
    let secret = &args.common.jwt_secret;
    let worker_configs =
        setup.worker_configs(secret, args.connections, args.processes, |_, _| Load::Read(span));
    let processes = u32::try_from(worker_configs.len())?;
    let workers = ready(worker_configs, args.connections).await?;
    let stats = workers.play(None, Duration::from_secs(args.warmup_s + args.seconds)).await?;
    let config = RunConfig {
        connections: args.connections,
        processes,
        warmup_s: args.warmup_s,
        seconds: args.seconds,
        ..setup.config.clone()
    };
    let run = Run::new(Kind::Read, command_line(), config, &stats, Some(span.measured_ms));
    setup.conclude(&args.common, run, stats, false).await
}

pub(crate) async fn hold(args: &HoldArgs) -> Result<bool> {
    let setup = RunSetup {
        run: Uuid::new_v4(),
        targets: targets(&args.targets).await?,
        database: None,
        config: RunConfig::default(),
        ticket_types: Vec::new(),
        people: Vec::new(),
        before: BTreeSet::new(),
    };
    let load = Load::Hold { path: args.path.clone(), hold_ms: args.seconds * 1000 };
    let worker_configs = setup.worker_configs("", args.connections, args.processes, |_, _| load.clone());
    let workers = Workers::prepare(worker_configs).await?;
    println!("holding {} of {} connections for {} s", workers.open, args.connections, args.seconds);
    let stats = workers.play(None, Duration::from_secs(args.seconds)).await?;
    println!("{} of {} connections were open at the end", stats.counts.confirmed, args.connections);
    Ok(stats.counts.confirmed == u64::from(args.connections))
}

/// Prepares workers and checks that all connections are open. A rush with fewer connections would measure
/// something else.
async fn ready(worker_configs: Vec<WorkerConfig>, connections: u32) -> Result<Workers> {
    let workers = Workers::prepare(worker_configs).await?;
    if workers.open < u64::from(connections) {
        bail!("only {} of {connections} connections could be opened", workers.open);
    }
    Ok(workers)
}

async fn targets(urls: &[String]) -> Result<Vec<Target>> {
    let mut targets = Vec::with_capacity(urls.len());
    for url in urls {
        targets.push(api_client::resolve(url).await?);
    }
    Ok(targets)
}

impl RunSetup {
    /// Prepares the users and an event on sale. Users are inserted only if there is a database.
    pub(crate) async fn set(common: &CommonArgs, people: u32, seats: u32, max_per_user: u32) -> Result<Self> {
        let targets = targets(&common.targets).await?;
        let database = match &common.database_url {
            Some(url) => Some(Database::connect(url).await?),
            None => None,
        };
        let (admin, people) = match &database {
            Some(database) => (database.admin().await?, database.people(people).await?),
            None => (i64::from(people) + 1, (1..=i64::from(people)).collect()),
        };
        let mut api_client = ApiClient::new(targets.first().context("a target is missing")?.clone());
        let event = if let Some(event) = common.event {
            event
        } else {
            let admin = Signer::new(&common.jwt_secret).authorization(admin, Role::Admin)?;
            api_client.event_create(admin, seats, common.ticket_types, max_per_user).await?
        };
        for target in &targets {
            ApiClient::new(target.clone()).event_on_sale(event).await?;
        }
        let detail = api_client.event_on_sale(event).await?;
        let before = match (&database, common.event) {
            (Some(database), Some(event)) => database.reservations(event).await?,
            _ => Vec::new(),
        };
        let config = RunConfig {
            targets: common.targets.clone(),
            event,
            seats: detail.ticket_types.iter().map(|ticket_type| u64::from(ticket_type.left)).sum(),
            ticket_types: u64::try_from(detail.ticket_types.len())?,
            max_per_user: detail.max_per_user,
            ..RunConfig::default()
        };
        Ok(Self {
            run: Uuid::new_v4(),
            targets,
            database,
            config,
            ticket_types: detail
                .ticket_types
                .iter()
                .map(|ticket_type| TicketType { id: ticket_type.id, unit_price: ticket_type.price })
                .collect(),
            people,
            before: before.iter().map(|row| row.id).collect(),
        })
    }

    /// The configurations of `processes` workers, or of more if the connections need more. People are
    /// distributed in turn.
    fn worker_configs(
        &self,
        secret: &str,
        connections: u32,
        processes: u32,
        load: impl Fn(u32, u32) -> Load,
    ) -> Vec<WorkerConfig> {
        let processes = processes.max(connections.div_ceil(CONNECTIONS_MAX)).min(connections);
        let [first, second, ..] = *self.run.as_bytes();
        let worker_config = |n: u32| WorkerConfig {
            targets: self.targets.clone(),
            source: api_client::source(&self.targets, [first, second], u8::try_from(n).unwrap_or(u8::MAX)),
            connections: connections / processes + u32::from(n < connections % processes),
            run: self.run,
            secret: secret.to_owned(),
            people: every(&self.people, n, processes),
            event: self.config.event,
            ticket_types: self.ticket_types.clone(),
            load: load(n, processes),
        };
        (0..processes).map(worker_config).collect()
    }

    /// Audits if wanted and possible, then prints and writes the result. Returns `false` if the audit found a
    /// fault.
    async fn conclude(self, common: &CommonArgs, mut run: Run, stats: Stats, wanted: bool) -> Result<bool> {
        if let Some(database) = &self.database {
            if wanted {
                let timeout = if stats.unknown_users.is_empty() { AUDIT_TIMEOUT } else { AUDIT_TIMEOUT_LOST };
                let report = ClientReport {
                    event: self.config.event,
                    max_per_user: self.config.max_per_user,
                    confirmed: stats.confirmed,
                    unknown_users: stats.unknown_users,
                    wrong_answers: stats.counts.wrong_answers,
                    before: self.before,
                };
                run.audit = Some(audit(database, &common.targets, &report, timeout).await?);
            }
            run.durability.database = database.durability().await?;
        }
        if let Some(url) = &common.redis_url {
            run.durability.redis = redis_durability(url).await?;
        }
        println!("{}", report::table(&run));
        if let Some(path) = &common.json {
            write(path, &serde_json::to_string(&run)?)?;
        }
        if let Some(path) = &common.html {
            write(path, &report::page(std::slice::from_ref(&run))?)?;
        }
        Ok(run.audit.is_none_or(|audit| audit.passed))
    }
}

/// Every `step`-th element, beginning with number `first`.
fn every(all: &[i64], first: u32, step: u32) -> Vec<i64> {
    let place = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    all.iter().skip(place(first)).step_by(place(step)).copied().collect()
}

pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The command line without secrets.
fn command_line() -> String {
    hide_secrets(std::env::args().skip(1))
}

fn hide_secrets(args: impl Iterator<Item = String>) -> String {
    const SECRET: [&str; 3] = ["--jwt-secret", "--database-url", "--redis-url"];
    let mut shown = vec!["neticket-loadtest".to_owned()];
    let mut hide_next = false;
    for arg in args {
        let name = arg.split('=').next().unwrap_or_default().to_owned();
        let secret = SECRET.contains(&name.as_str());
        shown.push(match (hide_next, secret && arg != name) {
            (true, _) => "…".to_owned(),
            (false, true) => format!("{name}=…"),
            (false, false) => arg,
        });
        hide_next = !hide_next && secret && shown.last() == Some(&name);
    }
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden() {
        let args = "rush --jwt-secret geheim --database-url=mysql://a:geheim@b --people 5";
        let shown = hide_secrets(args.split(' ').map(str::to_owned));
        assert_eq!(shown, "neticket-loadtest rush --jwt-secret … --database-url=… --people 5");
    }

    #[test]
    fn every_person_is_assigned_once() {
        let people: Vec<i64> = (0..10).collect();
        let mut dealt: Vec<i64> = (0..3).flat_map(|n| every(&people, n, 3)).collect();
        dealt.sort_unstable();
        assert_eq!(dealt, people);
    }
}
