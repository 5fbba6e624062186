//! The answer to every path that no other route has: a file or a page of the client.

use actix_web::http::Method;
use actix_web::http::header::ContentType;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::error::ApiError;
use crate::state::State;

const ALONE: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>NETicket</title>\n\
    <p>The API of NETicket is running, without the client. <a href=\"/docs\">Browse the API</a>.\n";

/// Answers GET and HEAD with the client. Answers 404 to other methods, and to every path but `/` if there is
/// no client.
pub(crate) async fn client_or_nothing(
    state: Data<State>,
    req: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let path = req.path().trim_start_matches('/');
    let readable = matches!(*req.method(), Method::GET | Method::HEAD);
    let answer = match &state.client {
        Some(client) if readable => client.answer(path, &req),
        None if readable && path.is_empty() => {
            Some(HttpResponse::Ok().insert_header(ContentType::html()).body(ALONE))
        }
        _ => None,
    };
    answer.ok_or_else(|| ApiError::not_found("There is nothing at this address."))
}
