//! The audit log.

use neticket_domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One action of an administrator. Entries are added and never changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AuditEntry {
    pub id: i64,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The administrator who did it. `null` if it was done on the command line.
    pub actor: Option<AuditActor>,
    /// The action, for example `event_update`.
    pub action: String,
    /// The object of the action, for example `event/7`.
    pub target: String,
    /// Text for people, for example the title of the event.
    pub detail: String,
    /// The changed values before the action. `null` if there were none.
    #[schema(value_type = Option<Object>)]
    pub before: Option<serde_json::Value>,
    /// The changed values after the action. `null` if there are none any more.
    #[schema(value_type = Option<Object>)]
    pub after: Option<serde_json::Value>,
    /// The network address of the request. `null` if it was done on the command line.
    pub ip: Option<String>,
}

/// An administrator.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AuditActor {
    pub id: i64,
    /// `null` if the account does not exist any more.
    pub nickname: Option<String>,
}
