//! How long and by which dice a run goes: told by the environment, as `cargo xtask faults` does.

use std::env;
use std::time::Duration;

/// What makes one run differ from another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) seed: u64,
    long: bool,
}

impl Options {
    /// The long form if `NETICKET_FAULTS_LONG` is set; dice thrown by `NETICKET_FAULTS_SEED`.
    pub(crate) fn read() -> Self {
        let seed = env::var("NETICKET_FAULTS_SEED").ok().map(|seed| seed.parse().expect("a number"));
        Self { seed: seed.unwrap_or_else(rand::random), long: env::var_os("NETICKET_FAULTS_LONG").is_some() }
    }

    /// How many people come.
    pub(crate) fn people(&self) -> usize {
        if self.long { 300 } else { 100 }
    }

    /// How long something stands still.
    pub(crate) fn standstill(&self) -> Duration {
        Duration::from_secs(if self.long { 10 } else { 3 })
    }

    /// How often something that is over in a moment is done in a row.
    pub(crate) fn blows(&self) -> u32 {
        if self.long { 5 } else { 2 }
    }
}
