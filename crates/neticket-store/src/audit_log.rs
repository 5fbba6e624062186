//! The audit log: which administrator did what, when, to what, from which address, and what it changed.
//! Entries are written and read, never changed. [`append`] is the only statement of the application that
//! writes the table (a test checks this).

use std::collections::{BTreeMap, BTreeSet};

use neticket_domain::{Timestamp, UserId};
use sea_orm::sea_query::extension::mysql::{IndexHintScope, MySqlSelectStatementExt as _};
use sea_orm::{ActiveValue, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryOrder, QuerySelect};
use serde_json::Value;

use crate::entity::audit_log;
use crate::indexed::USERS_BY_ID;
use crate::{Store, StoreError, convert};

/// An action of an administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAudit {
    pub at: Timestamp,
    /// `None` if the command line did it.
    pub actor: Option<UserId>,
    /// What was done, like `event_update`. At most 64 characters.
    pub action: String,
    /// What it was done to, like `event/7`. At most 200 characters.
    pub target: String,
    /// For people: for example the title of the event.
    pub detail: String,
    /// The address from which it was done, or empty.
    pub ip: String,
    /// The changed values before the action. `None` if there were none. As JSON at most 64 KiB, like `after`.
    pub before: Option<Value>,
    /// The changed values after the action. `None` if there are none.
    pub after: Option<Value>,
}

/// Who did something, and from where. The entry is written in the same transaction as the action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditOrigin {
    /// `None` if the command line did it.
    pub actor: Option<UserId>,
    /// The address from which it was done, or empty.
    pub ip: String,
}

impl AuditOrigin {
    /// An entry that says that this actor did `action` to `target`. Its `before` and `after` are empty.
    pub fn did(
        &self,
        action: &str,
        target: impl Into<String>,
        detail: impl Into<String>,
        at: Timestamp,
    ) -> NewAudit {
        NewAudit {
            at,
            actor: self.actor,
            action: action.to_owned(),
            target: target.into(),
            detail: detail.into(),
            ip: self.ip.clone(),
            before: None,
            after: None,
        }
    }
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    pub id: i64,
    pub entry: NewAudit,
    /// The current nickname of the actor. `None` without an actor, or if the account is deleted.
    pub actor_nickname: Option<String>,
}

impl Store {
    /// Writes one entry.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_append(&self, entry: &NewAudit) -> Result<(), StoreError> {
        self.with_retries("writing the audit log", || append(self.writer(), entry)).await
    }

    /// Page `page` (from 1) with `size` entries, newest first, and the number of all entries.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_page(&self, page: u32, size: u32) -> Result<(Vec<AuditRecord>, u64), StoreError> {
        self.with_retries("reading the audit log", || async move {
            let mut entries = audit_log::Entity::find();
            QuerySelect::query(&mut entries).force_index("audit_log_at", IndexHintScope::All);
            let rows = entries
                .order_by_desc(audit_log::Column::At)
                .order_by_desc(audit_log::Column::Id)
                .offset(convert::offset(page, size))
                .limit(u64::from(size))
                .all(self.reader())
                .await?;
            let total = audit_log::Entity::find().count(self.reader()).await?;
            let actors: BTreeSet<i64> = rows.iter().filter_map(|row| row.actor_id).collect();
            let nicknames = nicknames(self.reader(), actors).await?;
            let records = rows.into_iter().map(|row| record(row, &nicknames));
            Ok((records.collect::<Result<_, DbErr>>()?, total))
        })
        .await
    }
}

/// Writes one entry on `connection`. If that is a transaction, the entry is a part of it.
pub(crate) async fn append(connection: &impl ConnectionTrait, entry: &NewAudit) -> Result<(), DbErr> {
    let row = audit_log::ActiveModel {
        id: ActiveValue::NotSet,
        at: ActiveValue::Set(entry.at.as_millis()),
        actor_id: ActiveValue::Set(entry.actor.map(|actor| actor.0)),
        action: ActiveValue::Set(entry.action.clone()),
        target: ActiveValue::Set(entry.target.clone()),
        detail: ActiveValue::Set(entry.detail.clone()),
        ip: ActiveValue::Set(entry.ip.clone()),
        before: ActiveValue::Set(entry.before.as_ref().map(Value::to_string)),
        after: ActiveValue::Set(entry.after.as_ref().map(Value::to_string)),
    };
    audit_log::Entity::insert(row).exec_without_returning(connection).await.map(drop)
}

async fn nicknames(
    connection: &impl ConnectionTrait,
    ids: BTreeSet<i64>,
) -> Result<BTreeMap<i64, String>, DbErr> {
    let ids = ids.into_iter().map(Into::into).collect();
    let found = USERS_BY_ID.select_in(connection, "id, nickname", "id", ids).await?;
    found.iter().map(|row| Ok((row.try_get("", "id")?, row.try_get("", "nickname")?))).collect()
}

fn record(row: audit_log::Model, nicknames: &BTreeMap<i64, String>) -> Result<AuditRecord, DbErr> {
    let json = |text: Option<String>| {
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| DbErr::Type(format!("an entry of the audit log is not JSON: {error}")))
    };
    Ok(AuditRecord {
        id: row.id,
        actor_nickname: row.actor_id.and_then(|id| nicknames.get(&id).cloned()),
        entry: NewAudit {
            at: convert::moment(row.at),
            actor: row.actor_id.map(UserId),
            action: row.action,
            target: row.target,
            detail: row.detail,
            ip: row.ip,
            before: json(row.before)?,
            after: json(row.after)?,
        },
    })
}
