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
pub const BOARD_NODES_MAX: usize = 256;
/// The maximum length of a status, in bytes.
pub const BOARD_NOTE_LEN_MAX: usize = 64 * 1024;

/// The latest status of every node, and its age.
#[async_trait]
pub trait Board: Send + Sync {
    /// Replaces the node's status.
    ///
    /// # Errors
    /// [`LedgerError::Protocol`] if the status is longer than [`BOARD_NOTE_LEN_MAX`]. That is a bug in the
    /// caller.
    async fn post(&self, node: Uuid, text: &[u8]) -> Result<(), LedgerError>;

    /// The statuses that are at most `age_ms` old, by the clock of the registry, with the node of each. In no
    /// order.
    async fn notes(&self, age_ms: u32) -> Result<Vec<(Uuid, Vec<u8>)>, LedgerError>;
}

pub(crate) fn check_len(text: &[u8]) -> Result<(), LedgerError> {
    if text.len() <= BOARD_NOTE_LEN_MAX {
        return Ok(());
    }
    Err(LedgerError::Protocol(format!("a note of {} bytes is longer than any may be", text.len())))
}

/// How long a status is stored.
pub(crate) const NOTE_EXPIRY: Duration = Duration::from_mins(1);

/// The registry of the nodes of this process.
#[derive(Default)]
pub(crate) struct MemoryBoard(Mutex<BTreeMap<Uuid, (Instant, Vec<u8>)>>);

#[async_trait]
impl Board for MemoryBoard {
    async fn post(&self, node: Uuid, text: &[u8]) -> Result<(), LedgerError> {
        check_len(text)?;
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.retain(|_, (posted, _)| posted.elapsed() < NOTE_EXPIRY);
        if notes.len() < BOARD_NODES_MAX || notes.contains_key(&node) {
            notes.insert(node, (Instant::now(), text.to_vec()));
        }
        Ok(())
    }

    async fn notes(&self, age_ms: u32) -> Result<Vec<(Uuid, Vec<u8>)>, LedgerError> {
        let age = Duration::from_millis(age_ms.into());
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let young = notes.iter().filter(|(_, (posted, _))| posted.elapsed() <= age);
        Ok(young.map(|(node, (_, text))| (*node, text.clone())).collect())
    }
}
