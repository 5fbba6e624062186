//! The node registry on the server: one hash for all nodes. In Redis Cluster, the name of the key decides
//! which master has it.

use async_trait::async_trait;
use uuid::Uuid;

use super::RedisLedger;
use super::script::{self, Call};
use crate::LedgerError;
use crate::board::{BOARD_NODES_MAX, Board, NOTE_EXPIRY, check_len};

#[async_trait]
impl Board for RedisLedger {
    async fn post(&self, node: Uuid, text: &[u8]) -> Result<(), LedgerError> {
        check_len(text)?;
        let expiry_ms = u64::try_from(NOTE_EXPIRY.as_millis()).unwrap_or(u64::MAX);
        let call = Call::new(&script::POST, &self.global_keys())
            .arg("node", node.as_bytes())
            .arg("note", text)
            .arg("expiry_ms", expiry_ms)
            .arg("nodes_max", BOARD_NODES_MAX);
        self.run(call).await.map(drop)
    }

    async fn notes(&self, age_ms: u32) -> Result<Vec<(Uuid, Vec<u8>)>, LedgerError> {
        let call = Call::new(&script::NOTES, &self.global_keys()).arg("age_ms", age_ms);
        self.run(call).await?.notes()
    }
}
