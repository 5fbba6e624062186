//! Accounts and sessions.

use neticket_domain::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::rules;

/// A new account.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SignupRequest {
    /// At most 254 characters; compared case-insensitively.
    #[validate(custom(function = rules::email))]
    #[schema(example = "hong@example.com", max_length = 254)]
    pub email: String,
    /// 8 to 64 characters with a letter, a digit and a special character.
    #[validate(custom(function = rules::password))]
    #[schema(format = Password, example = "hong-gil-dong-1", min_length = 8, max_length = 64)]
    pub password: String,
    /// 2 to 10 of Hangul, Latin letters and digits.
    #[validate(custom(function = rules::nickname))]
    #[schema(example = "홍길동", min_length = 2, max_length = 10, pattern = "^[0-9A-Za-z가-힣]+$")]
    pub nickname: String,
}

/// Who wants to sign in. Nothing is checked here but size: a wrong form is a wrong credential.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    #[validate(length(max = 1000, code = "too_long", message = "must be at most 1000 characters"))]
    #[schema(max_length = 1000)]
    pub email: String,
    #[validate(length(max = 1000, code = "too_long", message = "must be at most 1000 characters"))]
    #[schema(format = Password, max_length = 1000)]
    pub password: String,
}

/// What of the own profile changes; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ProfileUpdateRequest {
    /// 2 to 10 of Hangul, Latin letters and digits.
    #[validate(custom(function = rules::nickname))]
    #[schema(min_length = 2, max_length = 10, pattern = "^[0-9A-Za-z가-힣]+$")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
}

/// A new password; the current one proves who asks.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PasswordChangeRequest {
    #[validate(length(max = 1000, code = "too_long", message = "must be at most 1000 characters"))]
    #[schema(format = Password, max_length = 1000)]
    pub current_password: String,
    /// 8 to 64 characters with a letter, a digit and a special character.
    #[validate(custom(function = rules::password))]
    #[schema(format = Password, example = "hong-gil-dong-2", min_length = 8, max_length = 64)]
    pub new_password: String,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct User {
    pub id: i64,
    pub email: String,
    pub nickname: String,
    /// `user` or `admin`.
    #[schema(value_type = String, example = "user")]
    pub role: Role,
}

/// An access token; the refresh token travels in a cookie that scripts cannot read.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Token {
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: String,
    /// Seconds until the access token ends.
    pub expires_in: u64,
    pub user: User,
}
