//! Access tokens, signed here with the server's secret. Signing in 50,000 people would measure password
//! hashing.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use hyper::header::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use neticket_domain::{Role, UserId};
use serde::Serialize;
use uuid::Uuid;

/// Longer than any run.
const GOOD_FOR_S: u64 = 24 * 3600;

/// The claims that the server expects in a token (`accounts/tokens.rs` of `neticket-app`).
#[derive(Serialize)]
struct Claims {
    sub: UserId,
    role: Role,
    sid: Uuid,
    iat: u64,
    exp: u64,
}

/// Signs tokens.
pub(crate) struct Signer {
    key: EncodingKey,
    now_s: u64,
}

impl Signer {
    pub(crate) fn new(secret: &str) -> Self {
        Self { key: EncodingKey::from_secret(secret.as_bytes()), now_s: now_ms() / 1000 }
    }

    /// The value of an `Authorization` header.
    pub(crate) fn authorization(&self, user: i64, role: Role) -> anyhow::Result<HeaderValue> {
        let claims = Claims {
            sub: UserId(user),
            role,
            sid: Uuid::nil(),
            iat: self.now_s,
            exp: self.now_s + GOOD_FOR_S,
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.key)
            .context("cannot sign a token")?;
        Ok(HeaderValue::try_from(format!("Bearer {token}"))?)
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
