//! Who may have a transaction under way in the store that waits for the rows of its event.
//!
//! The connections are shared by all events. An event whose rows somebody else has locked keeps what it has asked for waiting
//! until the store's time-out, a connection each. So each kind of such work has a number of turns, and all of them together
//! leave connections for reads and for background tasks. In the queues an event has at most a few turns at once (see
//! [`crate::batcher`]), so that those of the others go on: docs/decisions/0019 says for how many stuck events that holds.

use tokio::sync::Semaphore;

/// Whoever waits for a turn gets it in order; whoever has one gives it back after the store's time-out at the latest.
pub(crate) struct Turns {
    pub(crate) commit: Semaphore,
    pub(crate) cancel: Semaphore,
    pub(crate) load: Semaphore,
}

impl Turns {
    /// Of `connections_max`, three quarters may wait for rows.
    pub(crate) fn new(connections_max: u32) -> Self {
        let [commit, cancel, load] = Self::shares(connections_max).map(Semaphore::new);
        Self { commit, cancel, load }
    }

    /// How many commits should be under way in the commit queue together: one turn is left to recovery, and to an event that
    /// comes anew.
    pub(crate) fn commits_shared(connections_max: u32) -> usize {
        let [commit, ..] = Self::shares(connections_max);
        (commit - 1).max(1)
    }

    fn shares(connections_max: u32) -> [usize; 3] {
        let connections_max = usize::try_from(connections_max).unwrap_or(usize::MAX / 8);
        let of = |eighths: usize| (connections_max * eighths / 8).max(1);
        [of(3), of(1), of(2)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_rows_leaves_connections_for_others() {
        assert_eq!(Turns::shares(16), [6, 2, 4]);
        for connections_max in 4..=1_000 {
            let taken: usize = Turns::shares(connections_max).iter().sum();
            assert!(taken < usize::try_from(connections_max).unwrap(), "{taken} of {connections_max}");
        }
        for connections_max in 1..4 {
            assert_eq!(Turns::shares(connections_max), [1, 1, 1], "there is no way to leave any");
        }
    }
}
