//! Who did what as an administrator, when, to what, from where. Written and read, never changed.

use neticket_domain::{Timestamp, UserId};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryOrder,
    QuerySelect,
};

use crate::entity::audit_log;
use crate::{Store, StoreError, convert};

/// Something an administrator did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAudit {
    pub at: Timestamp,
    /// `None` where the command line did it.
    pub actor: Option<UserId>,
    /// What was done, like `event_update`; at most 64 characters.
    pub action: String,
    /// What it was done to, like `event/7`; at most 200 characters.
    pub target: String,
    pub detail: String,
    /// The address it came from, or empty.
    pub ip: String,
}

/// Who did something, and from where, for the entry that is written in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditOrigin {
    /// `None` where the command line did it.
    pub actor: Option<UserId>,
    /// The address it came from, or empty.
    pub ip: String,
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    pub id: i64,
    pub entry: NewAudit,
}

impl Store {
    /// Writes one entry.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_append(&self, entry: &NewAudit) -> Result<(), StoreError> {
        self.attempt("writing the audit log", || append(self.writer(), entry)).await
    }

    /// Page `page` (from 1) of `size` entries, newest first, and how many there are in all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_page(&self, page: u32, size: u32) -> Result<(Vec<AuditRecord>, u64), StoreError> {
        self.attempt("reading the audit log", || async move {
            let rows = audit_log::Entity::find()
                .order_by_desc(audit_log::Column::At)
                .order_by_desc(audit_log::Column::Id)
                .offset(convert::offset(page, size))
                .limit(u64::from(size))
                .all(self.reader())
                .await?;
            let total = audit_log::Entity::find().count(self.reader()).await?;
            Ok((rows.into_iter().map(AuditRecord::from).collect(), total))
        })
        .await
    }
}

/// Writes one entry as part of whatever `connection` is in.
pub(crate) async fn append(connection: &impl ConnectionTrait, entry: &NewAudit) -> Result<(), DbErr> {
    let row = audit_log::ActiveModel {
        id: ActiveValue::NotSet,
        at: ActiveValue::Set(entry.at.as_millis()),
        actor_id: ActiveValue::Set(entry.actor.map(|actor| actor.0)),
        action: ActiveValue::Set(entry.action.clone()),
        target: ActiveValue::Set(entry.target.clone()),
        detail: ActiveValue::Set(entry.detail.clone()),
        ip: ActiveValue::Set(entry.ip.clone()),
    };
    row.insert(connection).await?;
    Ok(())
}

impl From<audit_log::Model> for AuditRecord {
    fn from(row: audit_log::Model) -> Self {
        Self {
            id: row.id,
            entry: NewAudit {
                at: convert::moment(row.at),
                actor: row.actor_id.map(UserId),
                action: row.action,
                target: row.target,
                detail: row.detail,
                ip: row.ip,
            },
        }
    }
}
