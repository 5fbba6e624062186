//! `ETag` and `If-Match`: a client cannot overwrite a version that it has not seen (RFC 9110, section
//! 13.1.1).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{EntityTag, Header as _, IF_MATCH, IfMatch};
use actix_web::{FromRequest, HttpRequest};
use neticket_app::Expected;

use crate::error::ApiError;

/// The strong entity tags of `If-Match`. `None` means any version: the header is `*` or missing.
pub(crate) struct StrongTags(pub(crate) Option<Vec<String>>);

impl FromRequest for StrongTags {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(tags(req))))
    }
}

fn tags(req: &HttpRequest) -> Option<Vec<String>> {
    if !req.headers().contains_key(IF_MATCH) {
        return None;
    }
    match IfMatch::parse(req) {
        Ok(IfMatch::Any) => None,
        // A weak tag never matches in `If-Match`.
        Ok(IfMatch::Items(tags)) => {
            Some(tags.into_iter().filter(|tag| !tag.weak).map(|tag| tag.tag().to_owned()).collect())
        }
        Err(_) => Some(Vec::new()),
    }
}

/// The entity tag of this version.
pub(crate) fn version_tag(version: i64) -> EntityTag {
    EntityTag::new_strong(version.to_string())
}

/// The versions that these tags stand for.
pub(crate) fn versions(tags: StrongTags) -> Expected {
    let version = |tag: String| tag.parse::<i64>().ok().filter(|version| version.to_string() == tag);
    match tags.0 {
        None => Expected::Any,
        Some(tags) => Expected::OneOf(tags.into_iter().filter_map(version).collect()),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn expected(if_match: &[&str]) -> Expected {
        let mut request = TestRequest::default();
        for value in if_match {
            request = request.append_header((IF_MATCH, *value));
        }
        versions(StrongTags(tags(&request.to_http_request())))
    }

    #[test]
    fn if_match_accepts_only_strong_version_tags() {
        let one_of = |versions: &[i64]| Expected::OneOf(versions.to_vec());
        assert_eq!(expected(&[]), Expected::Any);
        assert_eq!(expected(&["*"]), Expected::Any);
        assert_eq!(expected(&["\"3\""]), one_of(&[3]));
        assert_eq!(expected(&["\"3\", \"4\""]), one_of(&[3, 4]));
        assert_eq!(expected(&["\"3\"", "\"4\""]), one_of(&[3, 4]));
        for of_none in ["W/\"3\"", "\"03\"", "\"x\"", "3", "", "\"3"] {
            assert_eq!(expected(&[of_none]), one_of(&[]), "{of_none}");
        }
    }
}
