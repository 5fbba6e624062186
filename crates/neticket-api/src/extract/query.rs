//! [`ValidQuery`] extracts and validates query parameters. If some are unknown or invalid, the answer is one
//! problem that names all of them.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use neticket_contract::FieldProblem;
use serde::de::DeserializeOwned;
use validator::Validate;

use crate::error::ApiError;
use crate::extract::fields::{self, FIELD_PROBLEMS_MAX, FieldErrorKind};

/// Query parameters, read and validated. Every parameter of `T` must be optional.
pub(crate) struct ValidQuery<T>(pub(crate) T);

impl<T: DeserializeOwned + Validate> FromRequest for ValidQuery<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(req.query_string()).map(Self))
    }
}

fn read<T: DeserializeOwned + Validate>(query: &str) -> Result<T, ApiError> {
    let mut problems = Vec::new();
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let mut right: Vec<(String, String)> = Vec::new();
    for (name, value) in pairs {
        match kind::<T>(&name, &value, right.iter().any(|(earlier, _)| *earlier == name)) {
            None => right.push((name, value)),
            Some(problem) if problems.len() < FIELD_PROBLEMS_MAX => problems.push(problem),
            Some(_) => break,
        }
    }
    let params: T =
        parse(&right).map_err(|message| ApiError::invalid(vec![FieldErrorKind::read(&message).at("")]))?;
    if let Err(errors) = params.validate() {
        problems.extend(fields::of_validator(&errors));
    }
    if problems.is_empty() { Ok(params) } else { Err(ApiError::invalid(problems)) }
}

/// What is wrong with this one parameter. Each parameter is parsed alone, because `serde_urlencoded` does not
/// say which one is wrong.
fn kind<T: DeserializeOwned>(name: &str, value: &str, repeated: bool) -> Option<FieldProblem> {
    if repeated {
        return Some(FieldErrorKind::Duplicate(name.to_owned()).at(""));
    }
    if value.contains('\0') {
        let message = "must not contain NUL".to_owned();
        return Some(FieldProblem { field: name.to_owned(), code: "invalid_character".to_owned(), message });
    }
    let message = parse::<T>(&[(name.to_owned(), value.to_owned())]).err()?;
    Some(match FieldErrorKind::read(&message) {
        kind @ FieldErrorKind::Value { .. } => kind.at(name),
        kind => kind.at(""),
    })
}

fn parse<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, String> {
    let query = serde_urlencoded::to_string(pairs).map_err(|error| error.to_string())?;
    serde_urlencoded::from_str(&query).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use neticket_contract::{EventListQuery, PageQuery};

    use super::*;

    fn refused(query: &str) -> Vec<(String, String)> {
        let problem = read::<EventListQuery>(query).map(drop).expect_err("must be refused").problem("0");
        problem.errors.into_iter().map(|error| (error.field, error.code)).collect()
    }

    #[test]
    fn valid_parameters_are_parsed_and_absent_ones_get_defaults() {
        let query =
            read::<EventListQuery>("q=%ED%95%9C+b&status=on_sale&include_past=true&page=2&size=100").unwrap();
        assert_eq!((query.q.as_deref(), query.page, query.size), (Some("한 b"), 2, 100));
        let page = read::<PageQuery>("").unwrap();
        assert_eq!((page.page, page.size), (1, 20));
    }

    #[test]
    fn all_invalid_parameters_are_reported_at_once() {
        let pair = |field: &str, code: &str| (field.to_owned(), code.to_owned());
        assert_eq!(
            refused("status=gone&page=x&size=101&siez=1&q=a%00&page=1&page=2&include_past=1"),
            [
                pair("status", "invalid_value"),
                pair("page", "invalid_type"),
                pair("siez", "unknown_field"),
                pair("q", "invalid_character"),
                pair("page", "duplicate_field"),
                pair("include_past", "invalid_type"),
                pair("size", "out_of_range"),
            ]
        );
        for query in ["page=0", "page=-1", "page=99999999999", "page=", "size=0", "=", "%FF"] {
            assert_eq!(refused(query).len(), 1, "{query}");
        }
    }
}
