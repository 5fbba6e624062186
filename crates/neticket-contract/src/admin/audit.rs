//! Who did what as an administrator.

use neticket_domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that was done. Entries are added and never changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AuditEntry {
    pub id: i64,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who did it; `null`: the command line.
    pub actor: Option<AuditActor>,
    /// What was done, like `event_update`.
    pub action: String,
    /// What it was done to, like `event/7`.
    pub target: String,
    /// For people: the event's title and the like.
    pub detail: String,
    /// What it changed, as it was; `null` where there was nothing.
    #[schema(value_type = Option<Object>)]
    pub before: Option<serde_json::Value>,
    /// What it changed, as it has become; `null` where nothing is any more.
    #[schema(value_type = Option<Object>)]
    pub after: Option<serde_json::Value>,
    /// The address it came from; `null`: the command line.
    pub ip: Option<String>,
}

/// An administrator.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AuditActor {
    pub id: i64,
    /// `null` if there is no such account any more.
    pub nickname: Option<String>,
}
