//! The claims on the server: one hash for all nodes. In Redis Cluster, the name of the key decides which
//! master has it.

use async_trait::async_trait;
use uuid::Uuid;

use super::RedisLedger;
use super::script::{self, Call, Key};
use crate::LedgerError;
use crate::claims::{CLAIMS_MAX, Claims, Difference, Fingerprint};

/// No node has this id.
const NOBODY: Uuid = Uuid::nil();

#[async_trait]
impl Claims for RedisLedger {
    async fn claim(
        &self,
        node: Uuid,
        fingerprint: Fingerprint,
        age_max_ms: u32,
    ) -> Result<Difference, LedgerError> {
        self.run_claim(node, fingerprint, age_max_ms, CLAIMS_MAX).await
    }

    async fn compare(&self, fingerprint: Fingerprint, age_max_ms: u32) -> Result<Difference, LedgerError> {
        self.run_claim(NOBODY, fingerprint, age_max_ms, 0).await
    }

    async fn withdraw(&self, node: Uuid) -> Result<(), LedgerError> {
        let mut delete = ::redis::cmd("HDEL");
        delete.arg(self.global_keys().name(Key::Claims)).arg(node.as_bytes());
        self.connections.query(&delete).await.map(drop)
    }
}

impl RedisLedger {
    async fn run_claim(
        &self,
        node: Uuid,
        fingerprint: Fingerprint,
        age_max_ms: u32,
        claims_max: usize,
    ) -> Result<Difference, LedgerError> {
        let call = Call::new(&script::CLAIM, &self.global_keys())
            .arg("node", node.as_bytes())
            .arg("database", &fingerprint.database)
            .arg("token_secret", &fingerprint.token_secret)
            .arg("age_max_ms", age_max_ms)
            .arg("claims_max", claims_max);
        let mut reply = self.run(call).await?;
        Ok(Difference { database: reply.flag()?, token_secret: reply.flag()? })
    }
}
