//! The S3 bucket for images, if they are not kept in the data folder. The AWS SDK finds the credentials
//! itself.

use neticket_media::S3Options;

use super::error::{ConfigError, bad};

const BUCKET: &str = "NETICKET_S3_BUCKET";
const ENDPOINT: &str = "NETICKET_S3_ENDPOINT";
const PUBLIC_URL: &str = "NETICKET_S3_PUBLIC_URL";

pub(super) fn read(get: &impl Fn(&str) -> Option<String>) -> Result<Option<S3Options>, ConfigError> {
    let (endpoint, public_url) = (url(get, ENDPOINT)?, url(get, PUBLIC_URL)?);
    let Some(bucket) = get(BUCKET) else {
        return match (endpoint, public_url) {
            (None, None) => Ok(None),
            (Some(_), _) => Err(bad(ENDPOINT, "has no effect without NETICKET_S3_BUCKET")),
            (None, Some(_)) => Err(bad(PUBLIC_URL, "has no effect without NETICKET_S3_BUCKET")),
        };
    };
    if !is_bucket(&bucket) {
        return Err(bad(BUCKET, "must be 3 to 63 lower-case letters, digits, dots and hyphens"));
    }
    Ok(Some(S3Options { bucket, endpoint, public_url, credentials: None }))
}

/// In production, browsers must load images over `https`, because anyone on the way can change a response
/// over `http`.
pub(super) fn production_fault(s3: &S3Options) -> Option<String> {
    let is_plain = s3.public_url.as_deref().is_some_and(|url| !url.starts_with("https://"));
    is_plain.then(|| format!("{PUBLIC_URL} must be an https:// address in production."))
}

/// Whether `name` can be the name of a bucket. The rules:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn is_bucket(name: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
    let is_outer = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    (3..=63).contains(&name.len())
        && name.bytes().all(is_inner)
        && is_outer(name.bytes().next())
        && is_outer(name.bytes().last())
}

/// Reads an address, and removes slashes at its end. The address becomes a source in the client's
/// Content-Security-Policy, so characters that would end a source there are refused.
fn url(get: &impl Fn(&str) -> Option<String>, variable: &'static str) -> Result<Option<String>, ConfigError> {
    let Some(text) = get(variable) else { return Ok(None) };
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&b);
    let fits =
        rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(is_plain));
    if !fits {
        return Err(bad(variable, "must be an http:// or https:// address without query"));
    }
    Ok(Some(text.trim_end_matches('/').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(pairs: &[(&str, &str)]) -> Result<Option<S3Options>, ConfigError> {
        read(&|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_bucket_name_enables_s3() {
        assert_eq!(read_of(&[]).unwrap(), None);
        let s3 = read_of(&[
            (BUCKET, "tickets"),
            (ENDPOINT, "http://s3:9000/"),
            (PUBLIC_URL, "https://img.example/x/"),
        ]);
        let s3 = s3.unwrap().unwrap();
        assert_eq!((s3.bucket.as_str(), s3.endpoint.as_deref()), ("tickets", Some("http://s3:9000")));
        assert_eq!((s3.public_url.as_deref(), s3.credentials), (Some("https://img.example/x"), None));
    }

    #[test]
    fn an_error_names_the_invalid_bucket_or_address() {
        for (variable, value) in [
            (BUCKET, "ab"),
            (BUCKET, "-tickets"),
            (BUCKET, "tickets/images"),
            (ENDPOINT, "s3.example"),
            (ENDPOINT, "https://"),
            (PUBLIC_URL, "https://img.example; script-src *"),
            (PUBLIC_URL, "https://img.example?x"),
            (PUBLIC_URL, "javascript:alert(1)"),
        ] {
            let refused = read_of(&[(BUCKET, "tickets"), (variable, value)].map(|pair| pair)).map(|_| ());
            let refused =
                if variable == BUCKET { read_of(&[(variable, value)]).map(|_| ()) } else { refused };
            assert_eq!(refused.unwrap_err().variable, variable, "{value}");
        }
    }

    #[test]
    fn production_requires_https_for_images() {
        let fault = |url: &str| {
            let s3 = read_of(&[(BUCKET, "tickets"), (PUBLIC_URL, url)]).unwrap().unwrap();
            production_fault(&s3)
        };
        assert!(fault("http://img.example").is_some_and(|fault| fault.contains(PUBLIC_URL)));
        assert_eq!(fault("https://img.example"), None);
    }
}
