//! `neticket account`: what operators do for the account of any person, and what all commands about accounts
//! share.

use anyhow::{Context as _, anyhow};
use neticket_app::{App, AppError, Config};
use neticket_domain::{Email, Password};

/// Sets the password of an existing account to the first line of the standard input, and ends the sessions of
/// the account.
pub(crate) async fn reset_password(config: Config, email: &str) -> anyhow::Result<()> {
    let email = parse_email(email)?;
    let password = read_password()?;
    let app = App::open(config).await?;
    let reset = app.password_reset(&email, password).await;
    app.shut_down().await;
    let account = reset.map_err(named)?;
    println!(
        "{} ({}) has a new password. Its sessions end within 15 minutes",
        account.email, account.nickname
    );
    Ok(())
}

pub(crate) fn parse_email(email: &str) -> anyhow::Result<Email> {
    Email::parse(email).map_err(|error| anyhow!("the e-mail {}", error.message))
}

/// The first line of the standard input, if it follows the rules for passwords.
pub(crate) fn read_password() -> anyhow::Result<Password> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read the password")?;
    let password = Password::parse(line.trim_end_matches(['\r', '\n']));
    password.map_err(|error| anyhow!("the password {}", error.message))
}

/// Translates an error for an operator who named an account by its e-mail address.
pub(crate) fn named(error: AppError) -> anyhow::Error {
    match error {
        AppError::NotFound => anyhow!("no account has this e-mail address"),
        error => anyhow::Error::new(error),
    }
}
