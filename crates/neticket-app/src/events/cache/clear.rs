//! What administrators can do with the read cache: invalidate it. This changes neither the ledger nor any
//! other key in Redis.

use neticket_domain::EventId;

use crate::App;
use crate::audit;
use crate::error::AppError;
use crate::views::Principal;

impl App {
    /// Invalidates all cached events, on all nodes. The audit entry is written first.
    ///
    /// # Errors
    /// `StoreUnavailable`: nothing was invalidated. `LedgerUnavailable`: Redis did not answer. The cache of
    /// this node was invalidated, and the shared cache will be when Redis answers again.
    pub async fn cache_clear(&self, by: Principal, from_ip: Option<String>) -> Result<(), AppError> {
        self.audit_cache(by, from_ip, "cache_clear", "cache".to_owned()).await?;
        if self.event_cache.invalidate_all().await { Ok(()) } else { Err(AppError::LedgerUnavailable(None)) }
    }

    /// Invalidates one cached event, on all nodes. The event need not exist.
    ///
    /// # Errors
    /// As [`Self::cache_clear`].
    pub async fn cache_clear_event(
        &self,
        by: Principal,
        from_ip: Option<String>,
        event: EventId,
    ) -> Result<(), AppError> {
        self.audit_cache(by, from_ip, "cache_clear_event", format!("event/{event}")).await?;
        if self.event_cache.invalidate(event).await { Ok(()) } else { Err(AppError::LedgerUnavailable(None)) }
    }

    async fn audit_cache(
        &self,
        by: Principal,
        from_ip: Option<String>,
        action: &str,
        target: String,
    ) -> Result<(), AppError> {
        let entry = audit::origin(by, from_ip).did(action, target, "", self.now());
        Ok(self.store.audit_append(&entry).await?)
    }
}
