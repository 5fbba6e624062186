//! Accounts and sessions.

mod passwords;
mod profile;
mod sessions;
pub(crate) mod token_secret;
mod tokens;

pub(crate) use passwords::Passwords;
pub(crate) use tokens::Tokens;

use neticket_store::UserRecord;

use crate::views::Account;

fn account(user: UserRecord) -> Account {
    Account { id: user.id, email: user.email, nickname: user.nickname, role: user.role }
}
