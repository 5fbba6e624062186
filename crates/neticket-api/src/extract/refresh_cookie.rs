//! The refresh cookie. Scripts cannot read it, and browsers send it only to the session endpoints.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

/// The name of the cookie.
pub(crate) const REFRESH_COOKIE: &str = "neticket_refresh";
const PATH: &str = "/api/v1/auth";

/// The refresh token that the browser sent.
pub(crate) fn token(req: &HttpRequest) -> Option<String> {
    req.cookie(REFRESH_COOKIE).map(|cookie| cookie.value().to_owned()).filter(|token| !token.is_empty())
}

/// A cookie that makes the browser keep `token` for `max_age_s` seconds.
pub(crate) fn set(token: &str, max_age_s: u64, secure: bool) -> Cookie<'static> {
    let seconds = i64::try_from(max_age_s).unwrap_or(i64::MAX);
    built(token.to_owned(), Duration::seconds(seconds), secure)
}

/// A cookie that makes the browser delete the token.
pub(crate) fn clear(secure: bool) -> Cookie<'static> {
    built(String::new(), Duration::ZERO, secure)
}

fn built(value: String, max_age: Duration, secure: bool) -> Cookie<'static> {
    Cookie::build(REFRESH_COOKIE, value)
        .path(PATH)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(secure)
        .max_age(max_age)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_hidden_from_scripts_other_sites_and_other_paths() {
        assert_eq!(
            set("secret", 1_209_600, true).to_string(),
            "neticket_refresh=secret; HttpOnly; SameSite=Strict; Secure; Path=/api/v1/auth; Max-Age=1209600"
        );
        assert!(!set("secret", 1, false).to_string().contains("Secure"));
    }

    #[test]
    fn a_cleared_cookie_expires_at_once() {
        let cleared = clear(false).to_string();
        assert!(cleared.starts_with("neticket_refresh=;") && cleared.contains("Max-Age=0"));
    }
}
