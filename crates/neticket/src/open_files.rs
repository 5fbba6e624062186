//! How many files the process may have open: each connection is one.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Fewer than this are too few for a sale: 15,000 people, and what the node itself opens.
pub(crate) const ADVISED: u64 = 16_384;

/// Raises the limit as far as it may be raised, and answers it.
pub(crate) fn raise() -> nix::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(hard)
}
