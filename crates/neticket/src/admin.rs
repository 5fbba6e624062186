//! `neticket admin`: administrators are made and unmade here and nowhere else.

use anyhow::{Context as _, anyhow};
use neticket_app::{App, AppError, Config};
use neticket_domain::{Email, FieldError, Nickname, Password};

/// Makes an administrator whose password is on the standard input.
pub(crate) async fn create(config: Config, email: &str, nickname: &str) -> anyhow::Result<()> {
    let named = |what: &'static str| move |error: FieldError| anyhow!("the {what} {}", error.message);
    let email = Email::parse(email).map_err(named("e-mail"))?;
    let nickname = Nickname::parse(nickname).map_err(named("nickname"))?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("the password cannot be read")?;
    let password = Password::parse(line.trim_end_matches(['\r', '\n'])).map_err(named("password"))?;

    let app = App::open(config).await?;
    let created = app.admin_create(email, password, nickname).await;
    app.shut_down().await;
    let account = created.map_err(|error| match error {
        AppError::EmailTaken => anyhow!("there is an account with this e-mail"),
        AppError::NicknameTaken => anyhow!("somebody has this nickname"),
        error => anyhow::Error::new(error),
    })?;
    println!("{} ({}) may administer now", account.email, account.nickname);
    Ok(())
}

/// Names everyone who may administer, one a line.
pub(crate) async fn list(config: Config) -> anyhow::Result<()> {
    let app = App::open(config).await?;
    let admins = app.admins().await;
    app.shut_down().await;
    for admin in admins? {
        println!("{} ({})", admin.email, admin.nickname);
    }
    Ok(())
}

/// Makes an administrator a plain user.
pub(crate) async fn revoke(config: Config, email: &str) -> anyhow::Result<()> {
    let email = Email::parse(email).map_err(|error| anyhow!("the e-mail {}", error.message))?;
    let app = App::open(config).await?;
    let revoked = app.admin_revoke(&email).await;
    app.shut_down().await;
    let account = revoked.map_err(|error| match error {
        AppError::NotFound => anyhow!("nobody of this e-mail may administer"),
        error => anyhow::Error::new(error),
    })?;
    println!("{} ({}) may not administer any more, within 15 minutes", account.email, account.nickname);
    Ok(())
}
