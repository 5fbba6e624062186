//! Signing in and out. A sign-in starts a family of refresh tokens. Each token is used once and replaced by
//! the next.

use neticket_domain::{Email, Timestamp};
use neticket_store::{Rotation, UserRecord};
use uuid::Uuid;

use super::account;
use super::tokens::{ACCESS_TOKEN_S, REFRESH_TOKEN_S, refresh_token_hash, refresh_token_make};
use crate::App;
use crate::error::AppError;
use crate::views::{Principal, Session};

impl App {
    /// Signs in.
    ///
    /// # Errors
    /// `BadCredentials` for an unknown e-mail or a wrong password, after the same time for both;
    /// `Overloaded`, `StoreUnavailable`.
    pub async fn login(&self, email: &str, password: &str) -> Result<Session, AppError> {
        let user = match Email::parse(email) {
            Ok(email) => self.store.user_by_email(&email).await?,
            Err(_) => None,
        };
        let hash = user.as_ref().map(|user| user.password_hash.as_str());
        let matches = self.passwords.matches(password, hash).await?;
        let Some(user) = user.filter(|_| matches) else { return Err(AppError::BadCredentials) };
        let (family, refresh_token, now) = (Uuid::new_v4(), refresh_token_make(), self.now());
        let hash = refresh_token_hash(&refresh_token);
        self.store.session_start(user.id, family, hash, refresh_expiry(now), now).await?;
        // If the password or the role was changed while this password was being compared, the change has
        // ended all sessions but this new one.
        let is_current = |now: &UserRecord| now.password_hash == user.password_hash && now.role == user.role;
        if !self.store.user_by_id(user.id).await?.as_ref().is_some_and(is_current) {
            self.store.session_end(hash).await?;
            return Err(AppError::BadCredentials);
        }
        self.session(user, family, refresh_token, now)
    }

    /// Exchanges a refresh token for the next one and a new access token.
    ///
    /// # Errors
    /// `Unauthenticated` if the token is unknown or expired, or was used before. In the last case its whole
    /// family ends.
    pub async fn session_refresh(&self, refresh_token: &str) -> Result<Session, AppError> {
        let (next, now) = (refresh_token_make(), self.now());
        let old_hash = refresh_token_hash(refresh_token);
        let new_hash = refresh_token_hash(&next);
        match self.store.session_rotate(old_hash, new_hash, refresh_expiry(now), now).await? {
            Rotation::Rotated { user, family } => self.session(user, family, next, now),
            Rotation::Reused { family } => {
                tracing::warn!(%family, "refresh token reused, its token family was revoked");
                Err(AppError::Unauthenticated)
            }
            Rotation::Unknown => Err(AppError::Unauthenticated),
        }
    }

    /// Ends the family of the refresh token, if there is one.
    ///
    /// # Errors
    /// `StoreUnavailable`: the session may continue.
    pub async fn logout(&self, refresh_token: Option<&str>) -> Result<(), AppError> {
        if let Some(token) = refresh_token {
            self.store.session_end(refresh_token_hash(token)).await?;
        }
        Ok(())
    }

    /// The user who sent this access token. Needs no I/O.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub fn authenticate(&self, access_token: &str) -> Result<Principal, AppError> {
        self.tokens.read(access_token, self.now())
    }

    fn session(
        &self,
        user: UserRecord,
        family: Uuid,
        refresh_token: String,
        now: Timestamp,
    ) -> Result<Session, AppError> {
        let who = Principal { user: user.id, role: user.role, session: family };
        Ok(Session {
            access_token: self.tokens.issue(who, now)?,
            access_token_s: ACCESS_TOKEN_S,
            refresh_token,
            refresh_token_s: REFRESH_TOKEN_S,
            account: account(user),
        })
    }
}

fn refresh_expiry(now: Timestamp) -> Timestamp {
    now.plus_millis(i64::try_from(REFRESH_TOKEN_S).unwrap_or(i64::MAX / 1000) * 1000)
}
