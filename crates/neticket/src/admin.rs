//! `neticket admin`: administrators are made here and nowhere else.

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
