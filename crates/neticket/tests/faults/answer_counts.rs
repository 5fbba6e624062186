//! Counts the answers that people got before, during and after the fault.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// The phase of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Before,
    During,
    After,
}

#[derive(Debug)]
struct Counts {
    phase: Phase,
    answers: BTreeMap<(Phase, String), u64>,
    /// Answers that decide a request.
    definite: u64,
    /// Answers during the fault that left the outcome unknown.
    disturbed: u64,
}

/// The counts of all people together.
#[derive(Debug)]
pub(crate) struct AnswerCounts(Mutex<Counts>);

impl AnswerCounts {
    pub(crate) fn new() -> Self {
        let answers = BTreeMap::new();
        Self(Mutex::new(Counts { phase: Phase::Before, answers, definite: 0, disturbed: 0 }))
    }

    pub(crate) fn begin(&self, phase: Phase) {
        self.with(|counts| counts.phase = phase);
    }

    pub(crate) fn definite(&self, answer: &str) {
        self.with(|counts| {
            counts.definite += 1;
            counts.observed(answer);
        });
    }

    pub(crate) fn disturbed(&self, answer: &str) {
        self.with(|counts| {
            counts.disturbed += u64::from(counts.phase == Phase::During);
            counts.observed(answer);
        });
    }

    /// Counts an answer that does not decide the request yet.
    pub(crate) fn observed(&self, answer: &str) {
        self.with(|counts| counts.observed(answer));
    }

    pub(crate) fn definite_count(&self) -> u64 {
        self.with(|counts| counts.definite)
    }

    pub(crate) fn disturbed_count(&self) -> u64 {
        self.with(|counts| counts.disturbed)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Counts) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Counts {
    fn observed(&mut self, answer: &str) {
        *self.answers.entry((self.phase, answer.to_owned())).or_default() += 1;
    }
}

impl fmt::Display for AnswerCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.with(|counts| {
            [Phase::Before, Phase::During, Phase::After].map(|phase| {
                let answers = counts.answers.iter().filter(|((of, _), _)| *of == phase);
                let parts: Vec<String> =
                    answers.map(|((_, answer), count)| format!("{answer} ×{count}")).collect();
                format!("  {:<7} {}", format!("{phase:?}").to_lowercase(), parts.join(", "))
            })
        });
        write!(f, "{}", lines.join("\n"))
    }
}
