//! Generates histories from a seed, plays them, and reports the shortest one that fails.

use std::env;
use std::time::{Duration, Instant};

use neticket_testkit::Backends as Kind;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::fixture::Fixture;
use crate::history::{History, a_history};
use crate::machine;
use crate::shared::Variant;

/// The seed to play, from the report of a failure.
const SEED_VARIABLE: &str = "NETICKET_MODEL_SEED";
/// For how many minutes new histories are generated. `cargo xtask soak` sets it.
const MINUTES_VARIABLE: &str = "NETICKET_MODEL_MINUTES";
/// How many histories come from one seed. After a failure, this many are played again.
const HISTORIES_PER_SEED: u32 = 50;
/// How many shorter histories are tried after a failure, and for how long, to report a short one.
const SHRINKS_MAX: u32 = 20_000;
const SHRINKING_MAX_MS: u32 = 30_000;

/// The protocol that is played, and the fixture on which it is played.
pub(crate) struct Runner {
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) fixture: Fixture,
    pub(crate) variant: Variant,
}

impl Runner {
    pub(crate) fn on(kind: Kind) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let fixture = runtime.block_on(Fixture::new(kind));
        Self { runtime, fixture, variant: Variant::Product }
    }

    pub(crate) fn of(variant: Variant) -> Self {
        Self { variant, ..Self::on(Kind::Embedded) }
    }

    pub(crate) fn plays(&self, history: &History) -> Result<u64, String> {
        self.runtime.block_on(machine::play(&self.fixture, history, self.variant)).map(|played| played.steps)
    }

    /// Plays the histories of one seed. Returns how many steps they had, or the shortest history that fails.
    fn play_seed(&self, seed: u64, shrinks_max: u32) -> Result<u64, Box<(String, History)>> {
        let config = Config {
            cases: HISTORIES_PER_SEED,
            failure_persistence: None,
            max_shrink_iters: shrinks_max,
            max_shrink_time: SHRINKING_MAX_MS,
            ..Config::default()
        };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut steps = 0;
        let counted = std::cell::Cell::new(0);
        let played = TestRunner::new_with_rng(config, rng).run(&a_history(), |history| {
            let played = self.plays(&history).map_err(TestCaseError::fail)?;
            counted.set(counted.get() + played);
            Ok(())
        });
        steps += counted.get();
        match played {
            Ok(()) => Ok(steps),
            Err(TestError::Fail(why, history)) => Err(Box::new((why.to_string(), history))),
            Err(TestError::Abort(why)) => panic!("{why}"),
        }
    }

    /// Plays `histories` new histories, or for as long as the environment variable says. Prints how many.
    pub(crate) fn keeps_every_promise(&self, histories: u32) {
        let begin = Instant::now();
        let minutes = number(MINUTES_VARIABLE).map(Duration::from_mins);
        let given = number(SEED_VARIABLE);
        let first = given.unwrap_or_else(rand::random);
        let (mut seeds, mut steps, mut reported_at) = (0_u32, 0, Instant::now());
        loop {
            let seed = first.wrapping_add(u64::from(seeds));
            match self.play_seed(seed, SHRINKS_MAX) {
                Ok(played) => steps += played,
                Err(failure) => panic!("{}", tell(seed, &failure.0, &failure.1)),
            }
            seeds += 1;
            let over = match minutes {
                Some(minutes) => begin.elapsed() >= minutes,
                None => given.is_some() || seeds * HISTORIES_PER_SEED >= histories,
            };
            if over || reported_at.elapsed() > Duration::from_mins(1) {
                reported_at = Instant::now();
                let (played, seconds) = (seeds * HISTORIES_PER_SEED, begin.elapsed().as_secs());
                println!("{played} histories, {steps} steps in {seconds} s, seeds {first} to {seed}");
            }
            if over {
                return;
            }
        }
    }

    /// For negative controls: plays until a failure occurs whose text contains `words`.
    pub(crate) fn is_caught(&self, histories: u32, words: &str) {
        let first = number(SEED_VARIABLE).unwrap_or_else(rand::random);
        let mut said = Vec::new();
        for seeds in 0..histories / HISTORIES_PER_SEED {
            if let Err(failure) = self.play_seed(first.wrapping_add(u64::from(seeds)), 0) {
                if failure.0.contains(words) {
                    println!("noticed after {} histories: {}", seeds * HISTORIES_PER_SEED, failure.0);
                    return;
                }
                said.push(failure.0);
            }
        }
        panic!(
            "the fault was not noticed in {histories} histories from seed {first}. These other failures occurred: {said:#?}"
        );
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

fn tell(seed: u64, why: &str, history: &History) -> String {
    let steps: Vec<String> =
        history.steps.iter().enumerate().map(|(number, step)| format!("  {number:>3}  {step:?}")).collect();
    format!(
        "{why}\nRepeat it with {SEED_VARIABLE}={seed}. The shortest history that fails:\n  capacities {:?}, at most {} \
         per person, {:?}\n{}",
        history.capacities,
        history.max_per_user,
        history.ending,
        steps.join("\n"),
    )
}
