//! Extractors for the caller: access token, role, idempotency key, network address.

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use neticket_app::Principal;
use neticket_contract::{FieldProblem, ProblemCode};
use neticket_domain::Role;
use tokio_util::sync::CancellationToken;

use crate::error::ApiError;
use crate::state::{State, state};

/// A user with a valid access token.
pub(crate) struct SignedIn(pub(crate) Principal);

impl FromRequest for SignedIn {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authenticate(state(req), req.headers()).map(Self))
    }
}

/// An administrator with a valid access token.
pub(crate) struct Admin(pub(crate) Principal);

impl FromRequest for Admin {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authenticate(state(req), req.headers()).and_then(|principal| match principal.role {
            Role::Admin => Ok(Self(principal)),
            Role::User => Err(ApiError::new(ProblemCode::Forbidden, "Only administrators may do this.")),
        }))
    }
}

fn authenticate(state: &State, headers: &HeaderMap) -> Result<Principal, ApiError> {
    let Some(token) = bearer_token(headers) else {
        return Err(ApiError::new(
            ProblemCode::Unauthenticated,
            "Send `Authorization: Bearer` with an access token.",
        ));
    };
    state.app.authenticate(token).map_err(|error| {
        ApiError::from(error).with_header(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"neticket\", error=\"invalid_token\""),
        )
    })
}

fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The header that makes it safe to repeat a booking.
pub(crate) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// The key that the caller has chosen for one booking, if there is one: 1 to 255 visible ASCII characters.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl FromRequest for IdempotencyKey {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(idempotency_key(req.headers()))
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<IdempotencyKey, ApiError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY);
    let key = match (values.next(), values.next()) {
        (None, _) => return Ok(IdempotencyKey(None)),
        (Some(value), None) => value
            .to_str()
            .ok()
            .filter(|key| (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())),
        (Some(_), Some(_)) => None,
    };
    match key {
        Some(key) => Ok(IdempotencyKey(Some(key.to_owned()))),
        None => Err(ApiError::invalid(vec![FieldProblem {
            field: IDEMPOTENCY_KEY.to_owned(),
            code: "invalid_value".to_owned(),
            message: "must be one value of 1 to 255 visible ASCII characters".to_owned(),
        }])),
    }
}

/// Its token is cancelled when the client disconnects before it has an answer. The middleware `envelope`
/// inserts it into the request.
#[derive(Clone)]
pub(crate) struct Disconnected(pub(crate) CancellationToken);

impl FromRequest for Disconnected {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = req.extensions().get::<Self>().cloned();
        ready(found.ok_or_else(|| {
            ApiError::new(
                ProblemCode::Internal,
                "the disconnect token is missing: the envelope middleware did not run",
            )
        }))
    }
}

/// The address that the request came from, as far as the proxies that report it are trusted.
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl FromRequest for ClientAddress {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(client_address(state(req), req.peer_addr().map(|peer| peer.ip()), req.headers()))))
    }
}

/// Like [`ClientAddress`], for code without extractors. If the peer is unknown (which never happens over
/// TCP), the address is `0.0.0.0`.
pub(crate) fn client_address(state: &State, peer: Option<IpAddr>, headers: &HeaderMap) -> IpAddr {
    let peer = peer.unwrap_or(IpAddr::from([0, 0, 0, 0])).to_canonical();
    let hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .collect();
    last_untrusted(peer, &hops, &state.app.config().trusted_proxies)
}

/// Walks from `peer` back along `hops` (ordered from the client to this server), as long as the address that
/// reported the hop is a trusted proxy.
fn last_untrusted(peer: IpAddr, hops: &[&str], trusted: &[IpAddr]) -> IpAddr {
    let mut address = peer;
    for hop in hops.iter().rev() {
        if !trusted.contains(&address) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(earlier) => address = earlier.to_canonical(),
            Err(_) => break,
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        map
    }

    #[test]
    fn the_bearer_scheme_is_case_insensitive() {
        for value in ["Bearer abc", "bearer abc", "BEARER  abc "] {
            assert_eq!(bearer_token(&headers(&[("authorization", value)])), Some("abc"));
        }
        for value in ["Basic abc", "abc", "Bearer", "\u{e9} x"] {
            assert_eq!(bearer_token(&headers(&[("authorization", value)])), None);
        }
    }

    #[test]
    fn an_idempotency_key_is_one_value_of_visible_ascii() {
        let long = "k".repeat(256);
        assert!(idempotency_key(&headers(&[])).unwrap().0.is_none());
        assert!(idempotency_key(&headers(&[("idempotency-key", &long[1..])])).unwrap().0.is_some());
        for value in ["", "a b", "키", "\t", &long] {
            let refused = idempotency_key(&headers(&[("idempotency-key", value)]));
            assert_eq!(refused.err().unwrap().code(), ProblemCode::ValidationFailed, "{value}");
        }
        assert!(idempotency_key(&headers(&[("idempotency-key", "a"), ("idempotency-key", "b")])).is_err());
    }

    #[test]
    fn only_trusted_proxies_can_set_the_client_address() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let trusted = [address("10.0.0.1"), address("10.0.0.2")];
        for (peer, hops, expected) in [
            ("203.0.113.9", &["1.1.1.1"][..], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["1.1.1.1"], "1.1.1.1"),
            ("10.0.0.1", &["6.6.6.6", " 1.1.1.1 "], "1.1.1.1"),
            ("10.0.0.1", &["6.6.6.6", "1.1.1.1", "10.0.0.2"], "1.1.1.1"),
            ("10.0.0.1", &["1.1.1.1", "unknown"], "10.0.0.1"),
            ("10.0.0.1", &["::ffff:1.1.1.1"], "1.1.1.1"),
        ] {
            assert_eq!(last_untrusted(address(peer), hops, &trusted), address(expected), "{peer} {hops:?}");
        }
    }
}
