//! The connection budget: how many transactions that may wait for row locks can run at once, per kind of
//! work.
//!
//! All events share the connections to the store. If the rows of an event are locked by another transaction,
//! each transaction of that event occupies a connection until the store's timeout. Each kind of such work
//! therefore has a limited number of permits. All permits together leave connections for reads and background
//! tasks. The queues limit an event to a few permits at once (see [`super::batcher`]), so that the other
//! events go on. docs/decisions/0019 says for how many stuck events this holds.

use tokio::sync::Semaphore;

use super::store_calls::StoreCalls;

/// The connection budget. Permits are given in the order in which they are asked for. A permit is held while
/// its work runs: mostly one call to the store, which ends at its timeout. A commit that needs the slow path
/// makes more than one call, and a load also calls the ledger once.
pub(crate) struct ConnectionBudget {
    /// Permits for commits of bookings for which a client may wait.
    pub(crate) commit: Semaphore,
    pub(crate) cancel: Semaphore,
    pub(crate) load: Semaphore,
    /// Permits for commits of recovered journal entries and for records of rejections. They are separate, so
    /// that this work for stuck events takes no permits from bookings.
    pub(crate) recovery: Semaphore,
    /// The running calls to the store for which bookings wait, including the time in which they wait for a
    /// permit.
    pub(crate) calls: StoreCalls,
}

impl ConnectionBudget {
    /// A budget in which at most thirteen sixteenths of `connections_max`, but at least one connection for
    /// each kind of work, can wait for row locks.
    pub(crate) fn new(connections_max: u32) -> Self {
        let [commit, cancel, load, recovery] = Self::shares(connections_max).map(Semaphore::new);
        Self { commit, cancel, load, recovery, calls: StoreCalls::default() }
    }

    /// Target for the number of commits in flight of all events together. It leaves one permit for an event
    /// that has no commit in flight yet.
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
    fn calls_that_wait_for_row_locks_leave_connections_for_others() {
        assert_eq!(ConnectionBudget::shares(16), [6, 2, 3, 2]);
        for connections_max in 5..=1_000 {
            let taken: usize = ConnectionBudget::shares(connections_max).iter().sum();
            assert!(taken < usize::try_from(connections_max).unwrap(), "{taken} of {connections_max}");
        }
        for connections_max in 1..5 {
            assert_eq!(
                ConnectionBudget::shares(connections_max),
                [1, 1, 1, 1],
                "too few connections leave none for other calls"
            );
        }
    }
}
