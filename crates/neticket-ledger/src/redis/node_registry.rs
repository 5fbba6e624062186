//! The node registry on the server: one hash for all nodes. In Redis Cluster, the name of the key decides
//! which master has it.

use async_trait::async_trait;
use uuid::Uuid;

use super::RedisLedger;
use super::script::{self, Call};
use crate::LedgerError;
use crate::node_registry::{NODE_STATUS_EXPIRY, NodeRegistry, REGISTRY_NODES_MAX, check_len};

#[async_trait]
impl NodeRegistry for RedisLedger {
    async fn publish(&self, node: Uuid, text: &[u8]) -> Result<(), LedgerError> {
        check_len(text)?;
        let expiry_ms = u64::try_from(NODE_STATUS_EXPIRY.as_millis()).unwrap_or(u64::MAX);
        let call = Call::new(&script::PUBLISH_STATUS, &self.global_keys())
            .arg("node", node.as_bytes())
            .arg("status", text)
            .arg("expiry_ms", expiry_ms)
            .arg("nodes_max", REGISTRY_NODES_MAX);
        self.run(call).await.map(drop)
    }

    async fn statuses(&self, age_ms: u32) -> Result<Vec<(Uuid, Vec<u8>)>, LedgerError> {
        let call = Call::new(&script::STATUSES, &self.global_keys()).arg("age_ms", age_ms);
        self.run(call).await?.statuses()
    }
}
