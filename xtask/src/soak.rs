//! `cargo xtask soak`: runs the model test of booking for a given time, with new histories all the time.

use anyhow::Result;
use neticket_testservers::{MARIADB_URL_VARIABLE, MariaDb, REDIS_URL_VARIABLE, Redis};

use crate::setup::{self, Part};
use crate::shell;
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// For how many minutes. Histories that have begun are played to their end
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_080))]
    minutes: u32,
    /// The first seed, for example one that a failure has printed. Random by default
    #[arg(long)]
    seed: Option<u64>,
}

/// Plays on both pairs of store and ledger at once. Fails with the seed and the shortest history that breaks
/// a promise.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    setup::ensure(workspace, &[Part::Servers])?;
    let mariadb = MariaDb::default().start()?;
    let redis = Redis::default().start()?;
    let mut command = shell::cargo(workspace.root());
    // Not nextest, which ends slow tests and shows their output only at the end.
    command.args([
        "test",
        "--package",
        "neticket-testkit",
        "--test",
        "model",
        "--",
        "--nocapture",
        "every_history",
    ]);
    command.env(MARIADB_URL_VARIABLE, mariadb.url()).env(REDIS_URL_VARIABLE, redis.url());
    command.env("NETICKET_MODEL_MINUTES", options.minutes.to_string());
    if let Some(seed) = options.seed {
        command.env("NETICKET_MODEL_SEED", seed.to_string());
    }
    shell::run(&mut command)
}
