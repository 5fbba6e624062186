//! Claims: each running node states which deployment it belongs to, so that a node of another deployment does
//! not start on the same ledger. No booking depends on them. A claim that is lost is made again a moment
//! later.

use async_trait::async_trait;
use uuid::Uuid;

use crate::LedgerError;

/// The maximum number of nodes whose claims are stored. Further nodes compare themselves with these, but
/// their own claims are not stored.
pub const CLAIMS_MAX: usize = 256;

/// What all nodes of a deployment have in common. The values are hashes, so that nobody can read a secret
/// from the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// A hash of the database's identity.
    pub database: [u8; 16],
    pub token_secret: [u8; 16],
}

/// Which parts of a fingerprint differ from those of the running nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub database: bool,
    pub token_secret: bool,
}

impl Difference {
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// The claims of the nodes that share a ledger. A claim ends `age_max_ms` after it was last made, by the
/// ledger's clock.
#[async_trait]
pub trait Claims: Send + Sync {
    /// Compares `fingerprint` with the claims of all other nodes and, if none differs, claims it for `node`,
    /// in one atomic step. A node that has a claim already keeps it, even if others differ.
    async fn claim(
        &self,
        node: Uuid,
        fingerprint: Fingerprint,
        age_max_ms: u32,
    ) -> Result<Difference, LedgerError>;

    /// Compares without claiming. Changes nothing.
    async fn compare(&self, fingerprint: Fingerprint, age_max_ms: u32) -> Result<Difference, LedgerError>;

    /// Ends the claim of a node that stops.
    async fn withdraw(&self, node: Uuid) -> Result<(), LedgerError>;
}
