//! Who sees administration. The server authorizes every request. This file only decides what is shown.

use leptos::prelude::*;
use neticket_contract::User;
use neticket_domain::Role;

use crate::session::{Session, Viewer};

/// What the pages show to the present viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// The session is not known yet.
    Unknown,
    Granted,
    /// Access has ended, but a form with unsaved input is open. The form stays.
    Kept,
    /// The page says that there is no such page.
    Denied,
}

impl Access {
    pub(crate) fn of(viewer: &Viewer) -> Self {
        match viewer {
            Viewer::Unknown => Self::Unknown,
            Viewer::User(user) if user.role == Role::Admin => Self::Granted,
            Viewer::Visitor | Viewer::User(_) => Self::Denied,
        }
    }

    /// The same, but with unsaved input a page that was shown before stays.
    pub(crate) fn keeping(self, before: Option<Self>, unsaved: bool) -> Self {
        match before {
            Some(Self::Granted | Self::Kept) if unsaved && self != Self::Granted => Self::Kept,
            _ => self,
        }
    }

    pub(crate) fn shows_pages(self) -> bool {
        matches!(self, Self::Granted | Self::Kept)
    }
}

/// Whether the page has unsaved input that leaving would lose.
#[derive(Clone, Copy, Default)]
pub(crate) struct Unsaved(RwSignal<bool>);

impl Unsaved {
    /// Tracked.
    pub(crate) fn get(self) -> bool {
        self.0.get()
    }

    /// Follows `unsaved` for as long as the calling component lives.
    pub(crate) fn follow(self, unsaved: impl Fn() -> bool + 'static) {
        Effect::new(move |_| self.0.set(unsaved()));
        on_cleanup(move || {
            self.0.try_set(false);
        });
    }
}

/// Makes the signed-in administrator an ordinary user in the client, because the server answered `forbidden`.
pub(crate) fn withdraw(session: Session) {
    if let Viewer::User(user) = untrack(|| session.viewer())
        && user.role == Role::Admin
    {
        session.update_user(User { role: Role::User, ..user });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(role: Role) -> Viewer {
        Viewer::User(User { id: 1, email: String::new(), nickname: String::new(), role })
    }

    #[test]
    fn only_administrators_see_the_administration_pages() {
        assert_eq!(Access::of(&user(Role::Admin)), Access::Granted);
        assert_eq!(Access::of(&user(Role::User)), Access::Denied);
        assert_eq!(Access::of(&Viewer::Visitor), Access::Denied);
        assert_eq!(Access::of(&Viewer::Unknown), Access::Unknown);
    }

    #[test]
    fn unsaved_input_stays_visible_after_access_is_lost() {
        for gone in [Access::Denied, Access::Unknown] {
            assert_eq!(gone.keeping(Some(Access::Granted), true), Access::Kept);
            assert_eq!(gone.keeping(Some(Access::Kept), true), Access::Kept);
            assert_eq!(gone.keeping(Some(Access::Granted), false), gone);
            assert_eq!(gone.keeping(None, true), gone);
        }
        assert_eq!(Access::Granted.keeping(Some(Access::Kept), true), Access::Granted);
    }
}
