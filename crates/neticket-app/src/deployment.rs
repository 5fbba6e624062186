//! One deployment per ledger. Nodes that share a ledger must also share the database and the token secret.
//! Otherwise each node would sell the seats of its own database, or refuse the tokens of the other nodes.
//! Every running node claims the ledger with a fingerprint of both. A node with another fingerprint does not
//! start (docs/decisions/0029).

use std::time::Duration;

use neticket_ledger::{Claims, Difference, Fingerprint, Ledger, LedgerError};
use neticket_store::Store;
use uuid::Uuid;

use crate::error::AppError;
use crate::start_error::StartError;

/// How long a claim is valid after it was last renewed, in milliseconds.
const CLAIM_AGE_MAX_MS: u32 = 30_000;
/// Pause between two renewals of a node's claim. At the default timeout of calls to Redis, two renewals in a
/// row may fail before the claim ends.
pub(crate) const CLAIM_PAUSE: Duration = Duration::from_secs(8);

/// Context strings that make these hashes differ from any other BLAKE3 hash of the same input.
const DATABASE_CONTEXT: &str = "NETicket 2026-01-01 deployment fingerprint: database";
const TOKEN_SECRET_CONTEXT: &str = "NETicket 2026-01-01 deployment fingerprint: token secret";

/// This node's claim of the ledger.
pub(crate) struct Deployment {
    node: Uuid,
    fingerprint: Fingerprint,
}

impl Deployment {
    /// Claims the ledger for this node. `None` if the ledger lives in this process. If the ledger does not
    /// answer now, the background task claims it later.
    ///
    /// # Errors
    /// [`StartError::OtherDeployment`] if a node of another deployment uses the ledger.
    /// [`StartError::Store`].
    pub(crate) async fn join(
        store: &Store,
        ledger: &dyn Ledger,
        token_secret: &str,
    ) -> Result<Option<Self>, StartError> {
        let Some(claims) = ledger.claims() else { return Ok(None) };
        let database = store.database_id().await.map_err(StartError::Store)?;
        let deployment = Self { node: Uuid::new_v4(), fingerprint: fingerprint(database, token_secret) };
        match deployment.claim(claims).await {
            Ok(difference) if difference.is_none() => {}
            Ok(difference) => return Err(StartError::OtherDeployment(difference)),
            Err(error) => {
                tracing::warn!(%error, "cannot compare this node with others: the ledger does not answer");
            }
        }
        Ok(Some(deployment))
    }

    /// Whether this database and token secret differ from those of the running nodes. A token secret of
    /// `None` counts as not different. The result is `None` if the ledger lives in this process. Changes
    /// nothing.
    ///
    /// # Errors
    /// [`StartError::Store`], [`StartError::Ledger`].
    pub(crate) async fn difference(
        store: &Store,
        ledger: &dyn Ledger,
        token_secret: Option<&str>,
    ) -> Result<Option<Difference>, StartError> {
        let Some(claims) = ledger.claims() else { return Ok(None) };
        let database = store.database_id().await.map_err(StartError::Store)?;
        let fingerprint = fingerprint(database, token_secret.unwrap_or_default());
        let found = claims.compare(fingerprint, CLAIM_AGE_MAX_MS).await.map_err(StartError::Ledger)?;
        Ok(Some(Difference { token_secret: found.token_secret && token_secret.is_some(), ..found }))
    }

    /// Renews the claim.
    ///
    /// # Errors
    /// `Internal` if a node of another deployment also uses the ledger: an operator has to stop one of the
    /// two. `LedgerUnavailable`.
    pub(crate) async fn renew(&self, ledger: &dyn Ledger) -> Result<(), AppError> {
        let Some(claims) = ledger.claims() else { return Ok(()) };
        let difference = self.claim(claims).await?;
        if difference.is_none() {
            return Ok(());
        }
        Err(AppError::Internal(StartError::OtherDeployment(difference).to_string()))
    }

    /// Withdraws the claim, so that a node with other settings can start at once. If this fails, the claim
    /// expires.
    pub(crate) async fn leave(&self, ledger: &dyn Ledger) {
        let Some(claims) = ledger.claims() else { return };
        if let Err(error) = claims.withdraw(self.node).await {
            tracing::debug!(%error, "cannot withdraw this node's claim, it will expire");
        }
    }

    async fn claim(&self, claims: &dyn Claims) -> Result<Difference, LedgerError> {
        claims.claim(self.node, self.fingerprint, CLAIM_AGE_MAX_MS).await
    }
}

fn fingerprint(database: Uuid, token_secret: &str) -> Fingerprint {
    Fingerprint {
        database: hash(DATABASE_CONTEXT, database.as_bytes()),
        token_secret: hash(TOKEN_SECRET_CONTEXT, token_secret.as_bytes()),
    }
}

/// The first half of a BLAKE3 hash of `material` under `context`.
fn hash(context: &str, material: &[u8]) -> [u8; 16] {
    let hash = blake3::derive_key(context, material);
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_half_of_a_fingerprint_depends_only_on_its_own_input_and_hides_it() {
        let secret = "a secret of at least 32 bytes, for tests";
        let one = fingerprint(Uuid::from_u128(1), secret);
        assert_eq!(one, fingerprint(Uuid::from_u128(1), secret));
        let (moved, rotated) =
            (fingerprint(Uuid::from_u128(2), secret), fingerprint(Uuid::from_u128(1), "b"));
        assert!(moved.database != one.database && moved.token_secret == one.token_secret);
        assert!(rotated.database == one.database && rotated.token_secret != one.token_secret);
        assert_ne!(one.database, *Uuid::from_u128(1).as_bytes());
    }
}
