//! Endpoints for accounts and sessions.

use actix_web::http::header::{HeaderValue, LOCATION, SET_COOKIE};
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use neticket_app::{AppError, Session};
use neticket_contract::{
    LoginRequest, PasswordChangeRequest, ProfileUpdateRequest, SignupRequest, Token, User,
};
use neticket_domain::{Email, Nickname, Password};

use crate::error::ApiError;
use crate::extract::caller::{ClientAddress, SignedIn};
use crate::extract::json::ValidJson;
use crate::extract::refresh_cookie;
use crate::state::State;
use crate::wire;

/// Create an account
#[utoipa::path(post, path = "/api/v1/auth/signup", tag = "Accounts", request_body = SignupRequest, responses(
    (status = 201, description = "The account is created.", body = User,
        headers(("Location" = String, description = "`/api/v1/me`"))),
))]
pub(crate) async fn account_signup(
    state: Data<State>,
    client_ip: ClientAddress,
    body: ValidJson<SignupRequest>,
) -> Result<HttpResponse, ApiError> {
    state.limits.signup(client_ip.0)?;
    let SignupRequest { email, password, nickname } = body.0;
    let email = Email::parse(&email).map_err(|error| ApiError::field("email", error))?;
    let password = Password::parse(&password).map_err(|error| ApiError::field("password", error))?;
    let nickname = Nickname::parse(&nickname).map_err(|error| ApiError::field("nickname", error))?;
    let account = state.app.signup(email, password, nickname).await?;
    Ok(HttpResponse::Created().insert_header((LOCATION, "/api/v1/me")).json(wire::user(account)))
}

/// Sign in
///
/// Starts a session. The answer contains an access token, and sets a refresh token in a cookie.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "Accounts", request_body = LoginRequest, responses(
    (status = 200, description = "You are signed in.", body = Token,
        headers(("Set-Cookie" = String, description = "`neticket_refresh`, for `/api/v1/auth` only"))),
))]
pub(crate) async fn session_login(
    state: Data<State>,
    client_ip: ClientAddress,
    body: ValidJson<LoginRequest>,
) -> Result<HttpResponse, ApiError> {
    let LoginRequest { email, password } = body.0;
    state.limits.login(client_ip.0, &email)?;
    let session = state.app.login(&email, &password).await?;
    Ok(session_answer(session, &state))
}

/// Refresh the session
///
/// Continues the session of the refresh cookie and replaces the cookie. If a client uses a cookie that was
/// replaced before, the session ends.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "Accounts", security(("refresh" = [])), responses(
    (status = 200, description = "A new access token.", body = Token,
        headers(("Set-Cookie" = String, description = "`neticket_refresh`, for `/api/v1/auth` only"))),
))]
pub(crate) async fn session_refresh(
    state: Data<State>,
    client_ip: ClientAddress,
    req: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    state.limits.refresh(client_ip.0)?;
    let refreshed = match refresh_cookie::token(&req) {
        Some(token) => state.app.session_refresh(&token).await,
        None => Err(AppError::Unauthenticated),
    };
    match refreshed {
        Ok(session) => Ok(session_answer(session, &state)),
        Err(error @ AppError::Unauthenticated) => Err(with_cleared_cookie(ApiError::from(error), &state)),
        Err(error) => Err(error.into()),
    }
}

/// Sign out
///
/// Ends the session of the refresh cookie, if there is one. Access tokens of the session remain valid until
/// they expire, at most 15 minutes.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "Accounts", security((), ("refresh" = [])), responses(
    (status = 204, description = "You are signed out, and the cookie is cleared.",
        headers(("Set-Cookie" = String, description = "`neticket_refresh`, empty"))),
))]
pub(crate) async fn session_logout(state: Data<State>, req: HttpRequest) -> Result<HttpResponse, ApiError> {
    // If this fails, the cookie stays. Without the cookie nobody could end the session any more.
    state.app.logout(refresh_cookie::token(&req).as_deref()).await?;
    Ok(HttpResponse::NoContent().cookie(refresh_cookie::clear(state.https)).finish())
}

/// Get your account
#[utoipa::path(get, path = "/api/v1/me", tag = "Accounts", security(("access" = [])), responses(
    (status = 200, description = "Your account.", body = User),
))]
pub(crate) async fn account_view(state: Data<State>, user: SignedIn) -> Result<Json<User>, ApiError> {
    let account = state.app.account(user.0.user).await?;
    Ok(Json(wire::user(account)))
}

/// Change your profile
///
/// Fields that are absent keep their values.
#[utoipa::path(patch, path = "/api/v1/me", tag = "Accounts", security(("access" = [])),
    request_body = ProfileUpdateRequest, responses(
    (status = 200, description = "The changed account.", body = User),
))]
pub(crate) async fn account_update(
    state: Data<State>,
    user: SignedIn,
    body: ValidJson<ProfileUpdateRequest>,
) -> Result<Json<User>, ApiError> {
    let account = match body.0.nickname {
        Some(nickname) => {
            let nickname = Nickname::parse(&nickname).map_err(|error| ApiError::field("nickname", error))?;
            state.app.nickname_change(user.0.user, nickname).await?
        }
        None => state.app.account(user.0.user).await?,
    };
    Ok(Json(wire::user(account)))
}

/// Change your password
///
/// Needs the current password. All other sessions of the account end.
#[utoipa::path(post, path = "/api/v1/me/password", tag = "Accounts", security(("access" = [])),
    request_body = PasswordChangeRequest, responses(
    (status = 204, description = "The password is changed, and your other sessions have ended."),
))]
pub(crate) async fn password_change(
    state: Data<State>,
    user: SignedIn,
    body: ValidJson<PasswordChangeRequest>,
) -> Result<HttpResponse, ApiError> {
    state.limits.password_change(user.0.user)?;
    let new =
        Password::parse(&body.0.new_password).map_err(|error| ApiError::field("new_password", error))?;
    state.app.password_change(user.0, &body.0.current_password, new).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn session_answer(session: Session, state: &State) -> HttpResponse {
    let cookie = refresh_cookie::set(&session.refresh_token, session.refresh_token_s, state.https);
    HttpResponse::Ok().cookie(cookie).json(wire::token(session))
}

/// Adds a header to `error` that makes the browser delete the refresh token.
fn with_cleared_cookie(error: ApiError, state: &State) -> ApiError {
    match HeaderValue::from_str(&refresh_cookie::clear(state.https).to_string()) {
        Ok(cleared) => error.with_header(SET_COOKIE, cleared),
        Err(_) => error,
    }
}
