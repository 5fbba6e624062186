//! What administrators may do to the read cache: forget copies. The ledger, and every other key of its Redis, is not touched.

use neticket_domain::EventId;

use crate::App;
use crate::audit;
use crate::error::AppError;
use crate::views::Principal;

impl App {
    /// Forgets all copies of events, on all nodes. It is in the audit log, before it is done.
    ///
    /// # Errors
    /// `StoreUnavailable`: nothing was forgotten. `LedgerUnavailable`: Redis did not answer; this node has forgotten, and others will.
    pub async fn cache_clear(&self, by: Principal, from_ip: Option<String>) -> Result<(), AppError> {
        self.audit_cache(by, from_ip, "cache_clear", "cache".to_owned()).await?;
        if self.catalog.forget_all().await { Ok(()) } else { Err(AppError::LedgerUnavailable(None)) }
    }

    /// The same of one event, whether or not there is such a one.
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
        if self.catalog.forget(event).await { Ok(()) } else { Err(AppError::LedgerUnavailable(None)) }
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
