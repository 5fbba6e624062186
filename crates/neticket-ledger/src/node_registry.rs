//! The node registry: each node publishes its status for the other nodes. No sale depends on it. A status
//! that is lost is published again a moment later.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use uuid::Uuid;

use crate::LedgerError;

/// The maximum number of nodes in the registry. The status of a further node is not stored, so other nodes do
/// not see it.
pub const REGISTRY_NODES_MAX: usize = 256;
/// The maximum length of a status, in bytes.
pub const NODE_STATUS_LEN_MAX: usize = 64 * 1024;

/// The latest status of every node, and its age.
#[async_trait]
pub trait NodeRegistry: Send + Sync {
    /// Replaces the node's status.
    ///
    /// # Errors
    /// [`LedgerError::Protocol`] if the status is longer than [`NODE_STATUS_LEN_MAX`]. That is a bug in the
    /// caller.
    async fn publish(&self, node: Uuid, text: &[u8]) -> Result<(), LedgerError>;

    /// The statuses that are at most `age_ms` old, by the clock of the registry, with the node of each. In no
    /// order.
    async fn statuses(&self, age_ms: u32) -> Result<Vec<(Uuid, Vec<u8>)>, LedgerError>;
}

pub(crate) fn check_len(text: &[u8]) -> Result<(), LedgerError> {
    if text.len() <= NODE_STATUS_LEN_MAX {
        return Ok(());
    }
    Err(LedgerError::Protocol(format!("a node status of {} bytes is too long", text.len())))
}

/// How long a status is stored.
pub(crate) const NODE_STATUS_EXPIRY: Duration = Duration::from_mins(1);

/// The registry of the nodes of this process.
#[derive(Default)]
pub(crate) struct MemoryNodeRegistry(Mutex<BTreeMap<Uuid, (Instant, Vec<u8>)>>);

#[async_trait]
impl NodeRegistry for MemoryNodeRegistry {
    async fn publish(&self, node: Uuid, text: &[u8]) -> Result<(), LedgerError> {
        check_len(text)?;
        let mut statuses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        statuses.retain(|_, (published, _)| published.elapsed() < NODE_STATUS_EXPIRY);
        if statuses.len() < REGISTRY_NODES_MAX || statuses.contains_key(&node) {
            statuses.insert(node, (Instant::now(), text.to_vec()));
        }
        Ok(())
    }

    async fn statuses(&self, age_ms: u32) -> Result<Vec<(Uuid, Vec<u8>)>, LedgerError> {
        let age = Duration::from_millis(age_ms.into());
        let statuses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let young = statuses.iter().filter(|(_, (published, _))| published.elapsed() <= age);
        Ok(young.map(|(node, (_, text))| (*node, text.clone())).collect())
    }
}
