//! Who may see administration. The server decides on every request; this decides only what is shown.

use leptos::prelude::*;
use neticket_contract::User;
use neticket_domain::Role;

use crate::session::{Session, Who};

/// What the pages show to whoever looks at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Not known yet.
    Unknown,
    Granted,
    /// There is no such page, as far as this person is told.
    Denied,
}

impl Access {
    pub(crate) fn of(who: &Who) -> Self {
        match who {
            Who::Unknown => Self::Unknown,
            Who::User(user) if user.role == Role::Admin => Self::Granted,
            Who::Visitor | Who::User(_) => Self::Denied,
        }
    }
}

/// The server said no to an administrator: they are one no more.
pub(crate) fn withdraw(session: Session) {
    if let Who::User(user) = untrack(|| session.who())
        && user.role == Role::Admin
    {
        session.update_user(User { role: Role::User, ..user });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(role: Role) -> Who {
        Who::User(User { id: 1, email: String::new(), nickname: String::new(), role })
    }

    #[test]
    fn only_administrators_see_administration() {
        assert_eq!(Access::of(&user(Role::Admin)), Access::Granted);
        assert_eq!(Access::of(&user(Role::User)), Access::Denied);
        assert_eq!(Access::of(&Who::Visitor), Access::Denied);
        assert_eq!(Access::of(&Who::Unknown), Access::Unknown);
    }
}
