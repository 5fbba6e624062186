//! Which bodies are refused, and with which problems.

use neticket_contract::{
    EventCreateRequest, LoginRequest, ProblemCode, ReservationCreateRequest, SignupRequest,
};

use super::*;

fn refusal<T: DeserializeOwned + Validate>(text: &str) -> (ProblemCode, Vec<(String, String)>) {
    let error = read::<T>(text).map(drop).expect_err("must be refused");
    let errors = error.problem("0").errors;
    (error.code(), errors.into_iter().map(|problem| (problem.field, problem.code)).collect())
}

fn invalid<T: DeserializeOwned + Validate>(text: &str) -> Vec<(String, String)> {
    let (code, errors) = refusal::<T>(text);
    assert_eq!(code, ProblemCode::ValidationFailed, "{text}");
    errors
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
}

const SIGNUP: &str = r#"{"email":"a@b.kr","password":"passw0rd!","nickname":"길동"}"#;

#[test]
fn a_valid_body_is_parsed() {
    assert_eq!(read::<SignupRequest>(SIGNUP).unwrap().nickname, "길동");
}

#[test]
fn a_body_that_is_not_json_is_malformed() {
    let deep = "[".repeat(60_000);
    for text in ["", "{", "{]", "nul", "{\"a\":1,}", "\"\\ud800\"", "1e999", "{\"a\":\"\u{0}\"}", &deep] {
        assert_eq!(refusal::<SignupRequest>(text).0, ProblemCode::MalformedRequest, "{text:.20}");
    }
}

#[test]
fn a_json_body_that_is_not_an_object_gets_one_error() {
    for text in ["null", "1", "\"x\"", "[]", r#"["a@b.kr","passw0rd!","gildong"]"#] {
        assert_eq!(invalid::<SignupRequest>(text), pairs(&[("", "invalid_type")]), "{text}");
    }
}

#[test]
fn all_invalid_fields_are_reported_at_once() {
    assert_eq!(
        invalid::<SignupRequest>(r#"{"email":"nobody","password":7,"nick":"x"}"#),
        pairs(&[
            ("nick", "unknown_field"),
            ("password", "invalid_type"),
            ("nickname", "required"),
            ("email", "invalid_email"),
        ])
    );
}

#[test]
fn nested_errors_are_reported_with_their_path() {
    let text = r#"{"title":" ","place":"x","description":"","starts_at":"soon","opens_at":1,
        "ticket_types":[{"name":"R","price":-1,"capacity":0},{"nam":"S","price":1,"capacity":1},5,["VIP",1,1]]}"#;
    let mut errors = invalid::<EventCreateRequest>(text);
    errors.sort();
    assert_eq!(
        errors,
        pairs(&[
            ("opens_at", "invalid_type"),
            ("starts_at", "invalid_value"),
            ("ticket_types[0].capacity", "out_of_range"),
            ("ticket_types[0].price", "out_of_range"),
            ("ticket_types[1].nam", "unknown_field"),
            ("ticket_types[1].name", "required"),
            ("ticket_types[2]", "invalid_type"),
            ("ticket_types[3]", "invalid_type"),
            ("title", "required"),
        ])
    );
}

#[test]
fn a_duplicate_key_is_refused() {
    assert_eq!(
        invalid::<ReservationCreateRequest>(r#"{"ticket_type_id":1,"quantity":1,"quantity":2}"#),
        pairs(&[("quantity", "duplicate_field")])
    );
}

#[test]
fn a_nul_in_a_text_is_refused_and_the_literal_text_of_its_escape_is_accepted() {
    assert_eq!(
        invalid::<LoginRequest>(r#"{"email":"a\u0000b","password":"x"}"#),
        pairs(&[("email", "invalid_character")])
    );
    assert!(read::<LoginRequest>(r#"{"email":"a\\u0000b","password":"x[1]"}"#).is_ok());
}

#[test]
fn numbers_that_do_not_fit_are_out_of_range_or_have_the_wrong_type() {
    for (quantity, code) in [
        ("0", "out_of_range"),
        ("101", "out_of_range"),
        ("-1", "out_of_range"),
        ("4294967296", "out_of_range"),
        ("1.5", "invalid_type"),
        ("\"1\"", "invalid_type"),
        ("null", "invalid_type"),
        ("123456789012345678901234567890", "invalid_type"),
    ] {
        let text = format!(r#"{{"ticket_type_id":1,"quantity":{quantity}}}"#);
        assert_eq!(invalid::<ReservationCreateRequest>(&text), pairs(&[("quantity", code)]), "{quantity}");
    }
}

#[test]
fn an_integer_is_accepted_in_every_json_notation() {
    let request = read::<ReservationCreateRequest>(r#"{"ticket_type_id":3e2,"quantity":2.0}"#).unwrap();
    assert_eq!((request.ticket_type_id, request.quantity), (300, 2));
}

#[test]
fn the_list_of_errors_is_truncated() {
    let members: Vec<String> = (0..4000).map(|n| format!("\"k{n}\":1")).collect();
    let errors = invalid::<SignupRequest>(&format!("{{{}}}", members.join(",")));
    assert_eq!(errors.len(), FIELD_PROBLEMS_MAX);
}

#[test]
fn an_error_does_not_repeat_the_password() {
    let error = read::<LoginRequest>(r#"{"email":"a","password":123456789}"#).err().unwrap();
    assert!(!serde_json::to_string(&error.problem("0")).unwrap().contains("123456789"));
}
