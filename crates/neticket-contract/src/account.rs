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
    /// At most 254 characters. Compared case-insensitively.
    #[validate(custom(function = rules::email))]
    #[schema(example = "hong@example.com", max_length = 254)]
    pub email: String,
    /// 8 to 64 characters, with at least one letter, one digit and one special character.
    #[validate(custom(function = rules::password))]
    #[schema(format = Password, example = "hong-gil-dong-1", min_length = 8, max_length = 64)]
    pub password: String,
    /// 2 to 10 characters: Hangul syllables, Latin letters and digits.
    #[validate(custom(function = rules::nickname))]
    #[schema(example = "홍길동", min_length = 2, max_length = 10, pattern = "^[0-9A-Za-z가-힣]+$")]
    pub nickname: String,
}

/// The credentials of a sign-in. Only their length is validated. Malformed values are answered like a wrong
/// password.
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

/// A change of your profile. Fields that are absent keep their values.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ProfileUpdateRequest {
    /// 2 to 10 characters: Hangul syllables, Latin letters and digits.
    #[validate(custom(function = rules::nickname))]
    #[schema(min_length = 2, max_length = 10, pattern = "^[0-9A-Za-z가-힣]+$")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
}

/// A new password. The current one proves that the account is yours.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PasswordChangeRequest {
    #[validate(length(max = 1000, code = "too_long", message = "must be at most 1000 characters"))]
    #[schema(format = Password, max_length = 1000)]
    pub current_password: String,
    /// 8 to 64 characters, with at least one letter, one digit and one special character.
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

/// An access token. The refresh token is sent in a cookie that scripts cannot read.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Token {
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: String,
    /// The lifetime of the access token, in seconds.
    pub expires_in: u64,
    pub user: User,
}
