//! The limit of open files of the process. Each connection needs one.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The lowest limit that suffices for a sale: 15,000 people, and the files that the node itself opens.
pub(crate) const ADVISED: u64 = 16_384;

/// Raises the soft limit to the hard limit, and returns it.
pub(crate) fn raise() -> nix::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(hard)
}
