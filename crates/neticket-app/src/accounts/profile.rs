//! Signing up, and changing an account.

use neticket_domain::{Email, Nickname, Password, Role, UserId};
use neticket_store::{AccountError, AdminGrant, AuditOrigin, NewUser};

use super::account;
use crate::App;
use crate::error::AppError;
use crate::views::{Account, Principal};

/// Most administrators that are listed.
const ADMINS_MAX: u64 = 1_000;

/// The origin of changes that only the command line can make.
fn command_line() -> AuditOrigin {
    AuditOrigin { actor: None, ip: String::new() }
}

impl App {
    /// Creates an account.
    ///
    /// # Errors
    /// `EmailTaken`, `NicknameTaken`, `Overloaded`: no account was created. `StoreUnavailable`: it may have
    /// been created.
    pub async fn signup(
        &self,
        email: Email,
        password: Password,
        nickname: Nickname,
    ) -> Result<Account, AppError> {
        self.account_create(email, password, nickname, Role::User).await
    }

    /// Creates an administrator's account, for the operator's command.
    ///
    /// # Errors
    /// As [`Self::signup`].
    pub async fn admin_create(
        &self,
        email: Email,
        password: Password,
        nickname: Nickname,
    ) -> Result<Account, AppError> {
        self.account_create(email, password, nickname, Role::Admin).await
    }

    /// The administrators, in the order in which they signed up.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn admins(&self) -> Result<Vec<Account>, AppError> {
        Ok(self.store.admins(ADMINS_MAX).await?.into_iter().map(account).collect())
    }

    /// Makes an administrator a plain user, for the operator's command, and ends their sessions. An access
    /// token stays valid until it expires, at most 15 minutes after it was issued, because no request asks
    /// the store who the user is.
    ///
    /// # Errors
    /// `NotFound` if no administrator has this e-mail; `StoreUnavailable`.
    pub async fn admin_revoke(&self, email: &Email) -> Result<Account, AppError> {
        let revoked = self.store.admin_revoke(email, &command_line(), self.now()).await?;
        revoked.map(account).ok_or(AppError::NotFound)
    }

    /// Whether there is no administrator.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn has_no_admins(&self) -> Result<bool, AppError> {
        Ok(self.store.admins(1).await?.is_empty())
    }

    /// Makes an existing account an administrator, for the operator's command. Returns whether it was not one
    /// before. Its sessions get the role with their next access token, within 15 minutes.
    ///
    /// # Errors
    /// `NotFound` if no account has this e-mail; `StoreUnavailable`.
    pub async fn admin_grant(&self, email: &Email) -> Result<(Account, bool), AppError> {
        match self.store.admin_grant(email, &command_line(), self.now()).await {
            Ok(AdminGrant::Granted(user)) => Ok((account(user), true)),
            Ok(AdminGrant::Unchanged(user)) => Ok((account(user), false)),
            Err(AccountError::NoSuchUser) => Err(AppError::NotFound),
            Err(error) => Err(account_error(error)),
        }
    }

    /// Sets an account's password without the old one, for the operator's command, and ends all sessions of
    /// the account. An access token stays valid until it expires, at most 15 minutes after it was issued.
    ///
    /// # Errors
    /// `NotFound` if no account has this e-mail, `Overloaded`: nothing has changed. `StoreUnavailable`: the
    /// password may have changed.
    pub async fn password_reset(&self, email: &Email, new: Password) -> Result<Account, AppError> {
        let hash = self.passwords.hash(new.as_str()).await?;
        let reset = self.store.password_reset(email, &hash, &command_line(), self.now()).await?;
        reset.map(account).ok_or(AppError::NotFound)
    }

    async fn account_create(
        &self,
        email: Email,
        password: Password,
        nickname: Nickname,
        role: Role,
    ) -> Result<Account, AppError> {
        let password_hash = self.passwords.hash(password.as_str()).await?;
        let user = NewUser {
            email: &email,
            nickname: &nickname,
            password_hash: &password_hash,
            role,
            now: self.now(),
        };
        let created = match role {
            Role::Admin => self.store.admin_create(user, &command_line()).await,
            Role::User => self.store.user_create(user).await,
        };
        Ok(account(created.map_err(account_error)?))
    }

    /// # Errors
    /// `Unauthenticated` if the account no longer exists; `StoreUnavailable`.
    pub async fn account(&self, user: UserId) -> Result<Account, AppError> {
        Ok(account(self.store.user_by_id(user).await?.ok_or(AppError::Unauthenticated)?))
    }

    /// # Errors
    /// `NicknameTaken`, `StoreUnavailable`; `Unauthenticated` if the account no longer exists.
    pub async fn nickname_change(&self, user: UserId, nickname: Nickname) -> Result<Account, AppError> {
        Ok(account(self.store.user_rename(user, &nickname).await.map_err(account_error)?))
    }

    /// Sets a new password and ends all other sessions of the account.
    ///
    /// # Errors
    /// `BadCredentials` if `current` is not the password; `Unauthenticated` if the account no longer exists;
    /// `Overloaded`, `StoreUnavailable`.
    pub async fn password_change(
        &self,
        who: Principal,
        current: &str,
        new: Password,
    ) -> Result<(), AppError> {
        let user = self.store.user_by_id(who.user).await?.ok_or(AppError::Unauthenticated)?;
        if !self.passwords.matches(current, Some(&user.password_hash)).await? {
            return Err(AppError::BadCredentials);
        }
        let hash = self.passwords.hash(new.as_str()).await?;
        let changed = self.store.user_password_change(who.user, &hash, Some(who.session)).await?;
        if changed { Ok(()) } else { Err(AppError::Unauthenticated) }
    }
}

fn account_error(error: AccountError) -> AppError {
    match error {
        AccountError::EmailTaken => AppError::EmailTaken,
        AccountError::NicknameTaken => AppError::NicknameTaken,
        AccountError::NoSuchUser => AppError::Unauthenticated,
        AccountError::Store(error) => error.into(),
    }
}
