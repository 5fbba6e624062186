//! An account, as the store has it.

use std::fmt;

use neticket_domain::{Role, Timestamp, UserId};
use sea_orm::DbErr;

use crate::convert;
use crate::entity::user;

/// An account. `Debug` does not print the password hash.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRecord {
    pub id: UserId,
    pub email: String,
    pub nickname: String,
    pub role: Role,
    pub password_hash: String,
    pub created_at: Timestamp,
}

impl fmt::Debug for UserRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRecord").field("id", &self.id).field("role", &self.role).finish_non_exhaustive()
    }
}

impl TryFrom<user::Model> for UserRecord {
    type Error = DbErr;

    fn try_from(row: user::Model) -> Result<Self, DbErr> {
        let role = Role::parse(&row.role).ok_or_else(|| DbErr::Type(format!("unknown role {}", row.role)))?;
        Ok(Self {
            id: UserId(row.id),
            email: row.email,
            nickname: row.nickname,
            role,
            password_hash: row.password_hash,
            created_at: convert::moment(row.created_at),
        })
    }
}
