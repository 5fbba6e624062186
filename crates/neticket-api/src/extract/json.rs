//! [`ValidJson`] extracts a JSON body of a known type and validates its values. If the body is wrong, the
//! answer is one problem that names every mistake in it.

use std::future::Future;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::rt::time::timeout;
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpRequest};
use futures::StreamExt as _;
use futures::future::LocalBoxFuture;
use neticket_app::InvalidField;
use neticket_contract::{FieldProblem, ProblemCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};
use validator::Validate;

use crate::error::ApiError;
use crate::extract::fields::{self, FIELD_PROBLEMS_MAX, FieldErrorKind};

/// The largest JSON body, in bytes. The largest valid body (an event of 20 ticket types) has a quarter of
/// this size.
pub(crate) const JSON_LEN_MAX: usize = 64 * 1024;

/// How long a body may take to arrive. A client that sends byte by byte cannot occupy a connection for
/// longer.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(10);

/// A JSON body, read and validated.
pub(crate) struct ValidJson<T>(pub(crate) T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for ValidJson<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let text = arrive(req, payload);
        Box::pin(async move { read(&text.await?).map(Self) })
    }
}

/// A JSON body whose invalid fields were replaced by placeholders. The use case can therefore check it
/// against the store and the clock too, and a person who fills in a form gets all mistakes at once.
pub(crate) struct FormJson<T> {
    pub(crate) value: T,
    /// If this is not empty, `value` contains placeholders: use it only to find more mistakes.
    pub(crate) mistakes: Vec<FieldProblem>,
}

impl<T: DeserializeOwned + Validate + 'static> FromRequest for FormJson<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let text = arrive(req, payload);
        Box::pin(async move {
            let (value, mistakes) = read_form(&text.await?)?;
            Ok(Self { value, mistakes })
        })
    }
}

/// Builds the refusal of a form from its `mistakes` and from the mistakes that the application found
/// (`extra`). It leaves out those of `extra` that only follow from one of the `mistakes`.
pub(crate) fn refused(mistakes: Vec<FieldProblem>, extra: Vec<InvalidField>) -> ApiError {
    let mut found = Findings(mistakes);
    let broken: Vec<String> = found.0.iter().map(|problem| problem.field.clone()).collect();
    for fault in extra {
        if !fault.because_of.iter().any(|field| broken.iter().any(|broken| broken == field)) {
            found.add(fields::of_application(fault));
        }
    }
    found.into_error()
}

/// Reads the body's text, after a check of its headers.
fn arrive(
    req: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<String, ApiError>> + use<> {
    let acceptable = check_headers(req);
    let payload = payload.take();
    async move {
        acceptable?;
        let body = timeout(ARRIVAL_TIMEOUT, collect(payload)).await.map_err(|_| too_slow())??;
        String::from_utf8(body.to_vec())
            .map_err(|_| ApiError::new(ProblemCode::MalformedRequest, "The body is not UTF-8."))
    }
}

fn check_headers(req: &HttpRequest) -> Result<(), ApiError> {
    let media_type =
        req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let encoded = req
        .headers()
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if !essence.eq_ignore_ascii_case("application/json") || encoded {
        return Err(ApiError::new(
            ProblemCode::UnsupportedMediaType,
            "The body must be application/json, not compressed.",
        ));
    }
    let declared_len =
        req.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared_len.is_some_and(|len| len > JSON_LEN_MAX) { Err(too_large()) } else { Ok(()) }
}

async fn collect(mut payload: Payload) -> Result<BytesMut, ApiError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|_| ApiError::new(ProblemCode::MalformedRequest, "The body is incomplete."))?;
        if body.len() + chunk.len() > JSON_LEN_MAX {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn too_slow() -> ApiError {
    ApiError::new(ProblemCode::MalformedRequest, "The body did not arrive in time.")
}

fn too_large() -> ApiError {
    ApiError::new(ProblemCode::PayloadTooLarge, format!("The body may have at most {JSON_LEN_MAX} bytes."))
}

/// Reads `text` as a valid `T`, or returns everything that is wrong with it.
fn read<T: DeserializeOwned + Validate>(text: &str) -> Result<T, ApiError> {
    let (value, mistakes) = read_form(text)?;
    if mistakes.is_empty() { Ok(value) } else { Err(ApiError::invalid(mistakes)) }
}

/// Reads `text` as a `T`, and returns everything that is wrong with it. If the text cannot be repaired into a
/// `T`, it returns the mistakes as an error.
fn read_form<T: DeserializeOwned + Validate>(text: &str) -> Result<(T, Vec<FieldProblem>), ApiError> {
    let typed = serde_json::from_str::<T>(text);
    if let Ok(value) = &typed
        && !needs_sanitizing(text)
        && value.validate().is_ok()
    {
        return typed.map(|value| (value, Vec::new())).map_err(|error| malformed(&error));
    }
    let mut tree: Value = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    let mut found = Findings::default();
    if tree.is_object() {
        sanitize(&mut tree, "", &mut found);
    } else {
        found.add(FieldErrorKind::read("invalid type: x, expected struct x").at(""));
        tree = Value::Object(serde_json::Map::new());
    }
    if let Err(error) = &typed {
        // A tree has each key once, so only the typed reading finds a duplicate key.
        let message = error.to_string();
        if let duplicate @ FieldErrorKind::Duplicate(_) = FieldErrorKind::read(before_position(&message)) {
            found.add(duplicate.at(""));
        }
    }
    match repair::<T>(&mut tree, &mut found) {
        Some(value) => {
            if let Err(errors) = value.validate() {
                for problem in fields::of_validator(&errors) {
                    found.add(problem);
                }
            }
            Ok((value, found.0))
        }
        None => Err(found.into_error()),
    }
}

/// Serde accepts an array as a struct, and databases treat NUL differently. Both are refused, and both are
/// rare, so only texts that may contain one take the slow path.
fn needs_sanitizing(text: &str) -> bool {
    text.contains('[') || text.contains("\\u0000")
}

fn malformed(error: &serde_json::Error) -> ApiError {
    let (line, column) = (error.line(), error.column());
    ApiError::new(
        ProblemCode::MalformedRequest,
        format!("The body is not JSON, at line {line}, column {column}."),
    )
}

fn before_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(before, _)| before)
}

/// The problems that were found so far.
#[derive(Default)]
struct Findings(Vec<FieldProblem>);

impl Findings {
    /// Adds `problem`, unless a problem of the same field, or of an object or array around it, was found
    /// already: it then only follows from the earlier one. Adds nothing beyond [`FIELD_PROBLEMS_MAX`].
    fn add(&mut self, problem: FieldProblem) {
        let follows = |earlier: &FieldProblem| {
            problem.field.strip_prefix(&earlier.field).is_some_and(|rest| {
                earlier.field.is_empty() || rest.is_empty() || rest.starts_with('.') || rest.starts_with('[')
            })
        };
        if self.0.len() < FIELD_PROBLEMS_MAX && !self.0.iter().any(follows) {
            self.0.push(problem);
        }
    }

    fn into_error(self) -> ApiError {
        ApiError::invalid(self.0)
    }
}

/// Finds NUL in texts, and arrays directly inside arrays. It adds them to `found` and removes them from the
/// value. A whole number that is written as `2.0` becomes `2`, because they are the same number in JSON.
fn sanitize(value: &mut Value, path: &str, found: &mut Findings) {
    match value {
        Value::String(text) if text.contains('\0') => {
            found.add(FieldProblem {
                field: path.to_owned(),
                code: "invalid_character".to_owned(),
                message: "must not contain NUL".to_owned(),
            });
            text.clear();
        }
        Value::Number(number) => {
            if let Some(integer) = as_integer(number) {
                *value = Value::from(integer);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let path = format!("{path}[{index}]");
                if item.is_array() {
                    found.add(FieldErrorKind::read("invalid type: x, expected struct x").at(&path));
                    *item = Value::Object(serde_json::Map::new());
                } else {
                    sanitize(item, &path, found);
                }
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                sanitize(member, &fields::join(path, name), found);
            }
        }
        _ => {}
    }
}

/// The integer that a float without a fraction stands for, up to 2⁵³, where floats are still exact.
fn as_integer(number: &serde_json::Number) -> Option<i64> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    (float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0)
        .then(|| format!("{float:.0}").parse().ok())?
}

/// Reads `tree` as `T`. At each mistake it adds a problem to `found` and repairs the place with a
/// placeholder, so that the next mistake is found too. `None` if it has found [`FIELD_PROBLEMS_MAX`]
/// mistakes, or if a place cannot be repaired.
fn repair<T: DeserializeOwned>(tree: &mut Value, found: &mut Findings) -> Option<T> {
    for _ in 0..FIELD_PROBLEMS_MAX {
        let (path, kind) = match attempt::<T>(tree) {
            Ok(value) => return Some(value),
            Err(failure) => failure,
        };
        let segments: Vec<Segment> = path.iter().cloned().collect();
        let (around, own) = match (&kind, segments.split_last()) {
            // Serde reports an unknown name either at the path of the name or at the path of its object. That
            // depends on how the struct is deserialized.
            (FieldErrorKind::Unknown(name), Some((Segment::Map { key }, around))) if key == name => {
                (around, Some(name))
            }
            (
                FieldErrorKind::Missing(name)
                | FieldErrorKind::Unknown(name)
                | FieldErrorKind::Duplicate(name),
                _,
            ) => (segments.as_slice(), Some(name)),
            (FieldErrorKind::Value { .. }, _) => (segments.as_slice(), None),
        };
        found.add(kind.at(&in_words(around)));
        let place = descend(tree, around)?;
        match (&kind, own) {
            (FieldErrorKind::Unknown(name), _) => {
                place.as_object_mut()?.remove(name)?;
            }
            (_, Some(name)) => {
                place.as_object_mut()?.insert(name.clone(), Value::Null);
                let mut at = around.to_vec();
                at.push(Segment::Map { key: name.clone() });
                set_placeholder::<T>(tree, &at)?;
            }
            (_, None) => set_placeholder::<T>(tree, around)?,
        }
    }
    None
}

fn attempt<T: DeserializeOwned>(tree: &Value) -> Result<T, (Path, FieldErrorKind)> {
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let kind = FieldErrorKind::read(&error.inner().to_string());
        (error.path().clone(), kind)
    })
}

/// Puts the first placeholder at `at` that serde accepts there.
fn set_placeholder<T: DeserializeOwned>(tree: &mut Value, at: &[Segment]) -> Option<()> {
    let candidates = [
        Value::from("1970-01-01T00:00:00Z"),
        Value::from(1),
        Value::from(true),
        Value::Object(serde_json::Map::new()),
        Value::Array(Vec::new()),
    ];
    let place_in_words = in_words(at);
    candidates.into_iter().find_map(|candidate| {
        descend(tree, at).map(|place| *place = candidate)?;
        match attempt::<T>(tree) {
            Err((path, FieldErrorKind::Value { .. }))
                if in_words(&path.iter().cloned().collect::<Vec<_>>()) == place_in_words =>
            {
                None
            }
            _ => Some(()),
        }
    })
}

fn descend<'a>(tree: &'a mut Value, path: &[Segment]) -> Option<&'a mut Value> {
    path.iter().try_fold(tree, |value, segment| match segment {
        Segment::Seq { index } => value.get_mut(*index),
        Segment::Map { key } => value.get_mut(key.as_str()),
        Segment::Enum { .. } | Segment::Unknown => None,
    })
}

/// Formats a path, for example `ticket_types[0].price`.
fn in_words(path: &[Segment]) -> String {
    path.iter().fold(String::new(), |words, segment| match segment {
        Segment::Seq { index } => format!("{words}[{index}]"),
        Segment::Map { key } => fields::join(&words, key),
        Segment::Enum { .. } | Segment::Unknown => words,
    })
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
