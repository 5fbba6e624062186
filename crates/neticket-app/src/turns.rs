//! Who may have a transaction under way in the store that waits for the rows of its event.
//!
//! The connections are shared by all events. An event whose rows somebody else has locked keeps what it has asked for waiting
//! until the store's time-out, a connection each. So each kind of such work has a number of turns, and all of them together
//! leave connections for reads and for background tasks. In the queues an event has at most a few turns at once (see
//! [`crate::batcher`]), so that those of the others go on: docs/decisions/0019 says for how many stuck events that holds.

use tokio::sync::Semaphore;

use crate::store_calls::StoreCalls;

/// Whoever waits for a turn gets it in order; whoever has one gives it back after the store's time-out at the latest.
pub(crate) struct Turns {
    /// Of bookings that somebody waits for.
    pub(crate) commit: Semaphore,
    pub(crate) cancel: Semaphore,
    pub(crate) load: Semaphore,
    /// Commits of what was left in journals, and notes of what was rejected: nobody's answer waits for a turn of theirs, and
    /// those of stuck events take none from bookings.
    pub(crate) recovery: Semaphore,
    /// The loads and commits under way, with their waiting for a turn.
    pub(crate) calls: StoreCalls,
}

impl Turns {
    /// Of `connections_max`, thirteen sixteenths may wait for rows.
    pub(crate) fn new(connections_max: u32) -> Self {
        let [commit, cancel, load, recovery] = Self::shares(connections_max).map(Semaphore::new);
        Self { commit, cancel, load, recovery, calls: StoreCalls::default() }
    }

    /// How many commits should be under way in the commit queue together: one turn is left to an event that comes anew.
    pub(crate) fn commits_shared(connections_max: u32) -> usize {
        let [commit, ..] = Self::shares(connections_max);
        (commit - 1).max(1)
    }

    fn shares(connections_max: u32) -> [usize; 4] {
        let connections_max = usize::try_from(connections_max).unwrap_or(usize::MAX / 16);
        let of = |sixteenths: usize| (connections_max * sixteenths / 16).max(1);
        [of(6), of(2), of(3), of(2)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_rows_leaves_connections_for_others() {
        assert_eq!(Turns::shares(16), [6, 2, 3, 2]);
        for connections_max in 5..=1_000 {
            let taken: usize = Turns::shares(connections_max).iter().sum();
            assert!(taken < usize::try_from(connections_max).unwrap(), "{taken} of {connections_max}");
        }
        for connections_max in 1..5 {
            assert_eq!(Turns::shares(connections_max), [1, 1, 1, 1], "there is no way to leave any");
        }
    }
}
