//! `neticket admin`: creates, lists, grants and revokes administrators. Nothing else makes administrators,
//! except the demo season.

use anyhow::anyhow;
use neticket_app::{App, AppError, Config};
use neticket_domain::Nickname;

use crate::account;

/// Creates an administrator, whose password is the first line of the standard input.
pub(crate) async fn create(config: Config, email: &str, nickname: &str) -> anyhow::Result<()> {
    let email = account::parse_email(email)?;
    let nickname = Nickname::parse(nickname).map_err(|error| anyhow!("the nickname {}", error.message))?;
    let password = account::read_password()?;

    let app = App::open(config).await?;
    let created = app.admin_create(email, password, nickname).await;
    app.shut_down().await;
    let account = created.map_err(|error| match error {
        AppError::EmailTaken => {
            anyhow!("an account has this e-mail address: `neticket admin grant` makes it an administrator")
        }
        AppError::NicknameTaken => anyhow!("another account has this nickname"),
        error => anyhow::Error::new(error),
    })?;
    println!("{} ({}) is now an administrator", account.email, account.nickname);
    Ok(())
}

/// Prints all administrators, one per line.
pub(crate) async fn list(config: Config) -> anyhow::Result<()> {
    let app = App::open(config).await?;
    let admins = app.admins().await;
    app.shut_down().await;
    for admin in admins? {
        println!("{} ({})", admin.email, admin.nickname);
    }
    Ok(())
}

/// Makes an existing account an administrator.
pub(crate) async fn grant(config: Config, email: &str) -> anyhow::Result<()> {
    let email = account::parse_email(email)?;
    let app = App::open(config).await?;
    let granted = app.admin_grant(&email).await;
    app.shut_down().await;
    let (account, is_new) = granted.map_err(account::named)?;
    if is_new {
        println!(
            "{} ({}) is now an administrator, after at most 15 minutes if signed in",
            account.email, account.nickname
        );
    } else {
        println!("{} ({}) is already an administrator", account.email, account.nickname);
    }
    Ok(())
}

/// Makes an administrator a plain user.
pub(crate) async fn revoke(config: Config, email: &str) -> anyhow::Result<()> {
    let email = account::parse_email(email)?;
    let app = App::open(config).await?;
    let revoked = app.admin_revoke(&email).await;
    let none_left = if revoked.is_ok() { app.has_no_admins().await } else { Ok(false) };
    app.shut_down().await;
    let account = revoked.map_err(|error| match error {
        AppError::NotFound => anyhow!("no administrator has this e-mail address"),
        error => anyhow::Error::new(error),
    })?;
    println!(
        "{} ({}) is no administrator any more, after at most 15 minutes",
        account.email, account.nickname
    );
    if matches!(none_left, Ok(true)) {
        eprintln!(
            "warning: no administrator is left. `neticket admin grant` or `neticket admin create` makes one"
        );
    }
    Ok(())
}
