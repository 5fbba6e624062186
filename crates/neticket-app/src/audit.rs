//! The audit log: what administrators did. The store writes the entries about events and their inventory, in
//! the same transaction as the change.

use neticket_store::{AuditOrigin, AuditRecord};

use crate::App;
use crate::error::AppError;
use crate::views::{AuditActorView, AuditView, PageView, Principal};

impl App {
    /// A page of the audit log, newest entry first.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn audit_page(&self, page: u32, size: u32) -> Result<PageView<AuditView>, AppError> {
        let (records, total_items) = self.store.audit_page(page, size).await?;
        Ok(PageView { items: records.into_iter().map(view).collect(), total_items })
    }
}

/// The actor and the client address of an audit entry.
pub(crate) fn origin(by: Principal, from_ip: Option<String>) -> AuditOrigin {
    AuditOrigin { actor: Some(by.user), ip: from_ip.unwrap_or_default() }
}

fn view(record: AuditRecord) -> AuditView {
    let AuditRecord { id, entry, actor_nickname: nickname } = record;
    AuditView {
        id,
        at: entry.at,
        actor: entry.actor.map(|id| AuditActorView { id, nickname }),
        action: entry.action,
        target: entry.target,
        detail: entry.detail,
        before: entry.before,
        after: entry.after,
        ip: Some(entry.ip).filter(|ip| !ip.is_empty()),
    }
}
