//! A call that is measured.

use futures::FutureExt as _;
use futures::future::BoxFuture;

/// Allows for the few rows of events, ticket types and people that any call reads.
const FEW_MORE: usize = 100;

/// One call of one function of the store.
pub(super) struct Call<'a> {
    pub(super) name: &'static str,
    /// The maximum number of rows that it may read, of all tables together.
    pub(super) rows_max: usize,
    pub(super) run: BoxFuture<'a, ()>,
}

pub(super) fn call<'a>(
    name: &'static str,
    rows_max: usize,
    run: impl Future<Output = ()> + Send + 'a,
) -> Call<'a> {
    Call { name, rows_max: rows_max + FEW_MORE, run: run.boxed() }
}
