//! Access tokens (JWT with HS256, with all that a request needs to know about its sender) and refresh tokens
//! (random, used once).

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use neticket_domain::{Role, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::AppError;
use crate::views::Principal;

/// Lifetime of an access token, in seconds.
pub(crate) const ACCESS_TOKEN_S: u64 = 15 * 60;
/// Lifetime of a refresh token, in seconds: a session ends after two weeks without a refresh.
pub(crate) const REFRESH_TOKEN_S: u64 = 14 * 24 * 3600;

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: i64,
    role: Role,
    sid: Uuid,
    /// Seconds since 1970.
    iat: i64,
    exp: i64,
}

/// Issues and checks access tokens.
pub(crate) struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Tokens {
    pub(crate) fn new(secret: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false; // `read` checks it, by the ledger's clock
        Self {
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: DecodingKey::from_secret(secret.as_bytes()),
            validation,
        }
    }

    pub(crate) fn issue(&self, who: Principal, now: Timestamp) -> Result<String, AppError> {
        let iat = now.as_millis().div_euclid(1000);
        let exp = iat.saturating_add_unsigned(ACCESS_TOKEN_S);
        let claims = Claims { sub: who.user.0, role: who.role, sid: who.session, iat, exp };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|error| AppError::Internal(format!("cannot sign a token: {error}")))
    }

    /// # Errors
    /// `Unauthenticated` unless the token was signed with this secret and is still valid at `now`.
    pub(crate) fn read(&self, token: &str, now: Timestamp) -> Result<Principal, AppError> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| AppError::Unauthenticated)?
            .claims;
        if now.as_millis().div_euclid(1000) >= claims.exp {
            return Err(AppError::Unauthenticated);
        }
        Ok(Principal { user: UserId(claims.sub), role: claims.role, session: claims.sid })
    }
}

/// A new refresh token: 256 random bits, in hexadecimal.
pub(crate) fn refresh_token_make() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}

/// The form in which the store keeps a refresh token. The token is random, so a fast hash is enough.
pub(crate) fn refresh_token_hash(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn who() -> Principal {
        Principal { user: UserId(7), role: Role::Admin, session: Uuid::from_u128(9) }
    }

    #[test]
    fn a_token_identifies_its_user_until_it_expires() {
        let (tokens, now) = (Tokens::new(SECRET), Timestamp::from_millis(1_000_000_000));
        let token = tokens.issue(who(), now).unwrap();
        assert_eq!(tokens.read(&token, now).unwrap(), who());
        let end = now.plus_millis(i64::try_from(ACCESS_TOKEN_S).unwrap() * 1000);
        assert_eq!(tokens.read(&token, end.plus_millis(-1)).unwrap(), who());
        assert!(matches!(tokens.read(&token, end), Err(AppError::Unauthenticated)));
    }

    #[test]
    fn a_token_of_another_secret_algorithm_or_content_is_refused() {
        let (tokens, now) = (Tokens::new(SECRET), Timestamp::from_millis(1_000_000_000));
        let other = Tokens::new("another secret of at least 32 bytes").issue(who(), now).unwrap();
        let token = tokens.issue(who(), now).unwrap();
        let mut parts: Vec<&str> = token.split('.').collect();
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"; // {"alg":"none","typ":"JWT"}
        let unsigned = format!("{none}.{}.", parts[1]);
        parts[1] = "eyJzdWIiOjF9";
        for bad in [other, unsigned, parts.join("."), String::new(), "a.b.c".to_owned(), format!("{token}x")]
        {
            assert!(matches!(tokens.read(&bad, now), Err(AppError::Unauthenticated)), "{bad}");
        }
    }

    #[test]
    fn each_refresh_token_is_different() {
        assert_ne!(refresh_token_make(), refresh_token_make());
    }
}
