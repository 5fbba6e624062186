//! How long a run takes, and its random seed. Both come from the environment, which `cargo xtask faults`
//! sets.

use std::env;
use std::time::Duration;

/// The parameters of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) seed: u64,
    long: bool,
}

impl Options {
    /// Long if `NETICKET_FAULTS_LONG` is set. The seed is `NETICKET_FAULTS_SEED`, or random.
    pub(crate) fn read() -> Self {
        let seed = env::var("NETICKET_FAULTS_SEED").ok().map(|seed| seed.parse().expect("a number"));
        Self { seed: seed.unwrap_or_else(rand::random), long: env::var_os("NETICKET_FAULTS_LONG").is_some() }
    }

    /// The number of people.
    pub(crate) fn people(&self) -> usize {
        if self.long { 300 } else { 100 }
    }

    /// How long a fault that stops something lasts.
    pub(crate) fn outage(&self) -> Duration {
        Duration::from_secs(if self.long { 10 } else { 3 })
    }

    /// How often a fault that takes only a moment is repeated.
    pub(crate) fn repetitions(&self) -> u32 {
        if self.long { 5 } else { 2 }
    }
}
