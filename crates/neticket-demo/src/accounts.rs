//! The accounts of the demo: two people to sign in as, and an audience that only books.

use anyhow::Context;
use neticket_app::{App, Config};
use neticket_domain::{Email, FieldError, Nickname, Password, Role, Timestamp, UserId};
use neticket_store::{AccountError, NewUser, Store};

/// The number of people in the audience: enough to sell out the largest sold-out show within its limit per
/// person.
pub(super) const AUDIENCE_LEN: usize = 200;
/// This is not a hash, so no password matches it, and nobody can sign in as a member of the audience.
const NO_PASSWORD: &str = "!";

/// An account whose password is published.
#[derive(Clone, Copy, Debug)]
pub(super) struct Login {
    pub(super) email: &'static str,
    pub(super) password: &'static str,
    nickname: &'static str,
}

pub(super) const PERSON: Login =
    Login { email: "demo@neticket.example", password: "Demo-pass1!", nickname: "데모관객" };
pub(super) const ADMIN: Login =
    Login { email: "admin@neticket.example", password: "Admin-pass1!", nickname: "데모관리자" };

/// Creates the accounts of [`PERSON`] and [`ADMIN`] if they do not exist. Returns the id of the person, and
/// the current time of the ledger's clock.
pub(super) async fn logins(config: &Config, store: &Store) -> anyhow::Result<(UserId, Timestamp)> {
    let app = App::open(config.clone()).await?;
    let made = logins_by(&app, store).await;
    let now = app.now();
    app.shut_down().await;
    Ok((made?, now))
}

async fn logins_by(app: &App, store: &Store) -> anyhow::Result<UserId> {
    let (email, password, nickname) = ADMIN.parse()?;
    if store.user_by_email(&email).await?.is_none() {
        app.admin_create(email, password, nickname).await.context("cannot create the demo administrator")?;
    }
    let (email, password, nickname) = PERSON.parse()?;
    match store.user_by_email(&email).await? {
        Some(person) => Ok(person.id),
        None => Ok(app.signup(email, password, nickname).await.context("cannot create the demo person")?.id),
    }
}

/// Creates the members of the audience that do not exist yet, and returns the ids of all members.
pub(super) async fn audience(store: &Store, now: Timestamp) -> anyhow::Result<Vec<UserId>> {
    let mut audience = Vec::with_capacity(AUDIENCE_LEN);
    for place in 1..=AUDIENCE_LEN {
        let email = Email::parse(&format!("audience{place}@demo.neticket.example")).map_err(refused)?;
        let nickname = Nickname::parse(&format!("데모관객{place}")).map_err(refused)?;
        let new =
            NewUser { email: &email, nickname: &nickname, password_hash: NO_PASSWORD, role: Role::User, now };
        let person = match store.user_create(new).await {
            Err(AccountError::EmailTaken) => store.user_by_email(&email).await?,
            made => Some(made.context("cannot create the demo audience")?),
        };
        audience.push(person.context("a member of the demo audience does not exist any more")?.id);
    }
    Ok(audience)
}

impl Login {
    fn parse(&self) -> anyhow::Result<(Email, Password, Nickname)> {
        let email = Email::parse(self.email).map_err(refused)?;
        let password = Password::parse(self.password).map_err(refused)?;
        Ok((email, password, Nickname::parse(self.nickname).map_err(refused)?))
    }
}

fn refused(error: FieldError) -> anyhow::Error {
    anyhow::anyhow!("a field of a demo account {}", error.message)
}
