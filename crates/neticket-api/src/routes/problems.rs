//! A page for each problem code, in Korean and English. A person who follows the `type` of a problem sees it.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::web::Path;
use neticket_contract::ProblemCode;

use crate::csp;
use crate::error::ApiError;

const STYLE: &str = ":root{color-scheme:light dark}\
    body{font:1.1rem/1.6 system-ui,sans-serif;max-width:40rem;margin:10vh auto;padding:0 1rem}\
    code{color:#e15561}";

static POLICY: LazyLock<String> = LazyLock::new(|| csp::of_styled_page(STYLE));

pub(crate) async fn problem_page(code: Path<String>) -> Result<HttpResponse, ApiError> {
    let code = ProblemCode::ALL
        .iter()
        .find(|known| known.as_str() == code.as_str())
        .ok_or_else(|| ApiError::not_found("No problem has this code."))?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .body(page(*code)))
}

fn page(code: ProblemCode) -> String {
    let (title, status) = (code.title(), code.status());
    let (korean, english) = explanation(code);
    format!(
        "<!doctype html>\n<html lang=\"ko\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <title>{title} · NETicket</title>\n<style>{STYLE}</style>\n\
         <h1>{title}</h1>\n<p><code>{code}</code> · HTTP {status}</p>\n\
         <p>{korean}</p>\n<p lang=\"en\">{english}</p>\n<p><a href=\"/\">NETicket</a></p>\n</html>\n"
    )
}

/// What happened and what to do about it, in Korean and in English.
#[allow(clippy::too_many_lines, reason = "one table, with a row for each code")]
fn explanation(code: ProblemCode) -> (&'static str, &'static str) {
    use ProblemCode as Code;
    match code {
        Code::MalformedRequest => (
            "요청을 읽을 수 없습니다. 본문이 올바른 JSON인지 확인하세요.",
            "The request cannot be read. Check that its body is well-formed JSON.",
        ),
        Code::Unauthenticated => (
            "로그인이 필요하거나 로그인이 만료되었습니다. 다시 로그인하세요.",
            "You are not signed in, or your session has expired. Sign in again.",
        ),
        Code::BadCredentials => (
            "이메일 또는 비밀번호가 맞지 않습니다.",
            "The e-mail address is unknown, or the password is wrong. For safety the server does not say which.",
        ),
        Code::Forbidden => ("이 작업을 할 권한이 없습니다.", "Your account may not do this."),
        Code::NotFound => {
            ("찾는 것이 없거나 다른 사람의 것입니다.", "It does not exist, or it belongs to somebody else.")
        }
        Code::MethodNotAllowed => (
            "이 주소에서는 이 메서드를 쓸 수 없습니다. Allow 헤더를 보세요.",
            "This address does not allow this method. The Allow header lists the allowed ones.",
        ),
        Code::NotAcceptable => (
            "요청한 형식으로는 답할 수 없습니다. application/json을 받아 주세요.",
            "The answer is not available in the requested media type. Accept application/json.",
        ),
        Code::SoldOut => (
            "남은 좌석이 요청한 수보다 적습니다. 취소된 좌석은 다시 나올 수 있습니다.",
            "Fewer tickets are left than you requested. Cancelled tickets come back on sale.",
        ),
        Code::PurchaseLimitExceeded => (
            "한 사람이 살 수 있는 매수를 넘었습니다.",
            "With this booking you would hold more tickets than one person may hold.",
        ),
        Code::SaleNotOpen => (
            "아직 예매가 시작되지 않았습니다. 서버 시각을 기준으로 열립니다.",
            "The sale has not opened yet. The server's clock decides when it opens.",
        ),
        Code::SaleClosed => ("예매가 끝났습니다.", "The sale is over."),
        Code::SalePaused => (
            "예매가 잠시 멈췄습니다. 잠시 뒤 다시 시도하세요.",
            "The sale is paused for a while. Try again later.",
        ),
        Code::PriceChanged => (
            "가격이 바뀌었습니다. 예매된 것은 없습니다. 새 가격을 확인하고 다시 예매하세요.",
            "The price has changed. Nothing was booked. Check the new price, then book again.",
        ),
        Code::NotCancellable => (
            "이미 시작된 공연은 취소할 수 없습니다.",
            "The event has started, so the reservation cannot be cancelled any more.",
        ),
        Code::EventCancelled => {
            ("취소된 공연은 더 바꿀 수 없습니다.", "The event is cancelled and cannot be changed any more.")
        }
        Code::CapacityBelowSold => (
            "이미 팔린 수보다 좌석을 줄일 수 없습니다. sold에 팔린 수가 있습니다.",
            "A ticket type cannot have fewer seats than are sold. The member sold is the number of tickets sold.",
        ),
        Code::EventHasReservations => (
            "예매가 있는 공연이나 등급은 지울 수 없습니다. 공연을 취소하세요.",
            "An event or a ticket type with reservations cannot be deleted. Cancel the event instead.",
        ),
        Code::LedgerBusy => (
            "처리 중인 예매가 있어 아무것도 바꾸지 않았습니다. 잠시 뒤 다시 시도하세요.",
            "Bookings are in progress, so nothing was changed. Try again in a moment.",
        ),
        Code::LedgerNotLoaded => (
            "이 공연의 원장이 지금 올라와 있지 않습니다.",
            "The event has no ledger at this moment, so nothing was changed.",
        ),
        Code::EditConflict => (
            "그 사이 다른 사람이 바꿨습니다. 다시 읽고 판단하세요.",
            "Somebody else has changed it meanwhile. Read it again, then decide.",
        ),
        Code::EmailTaken => ("이미 가입된 이메일입니다.", "Another account has this e-mail address."),
        Code::NicknameTaken => ("이미 쓰이는 닉네임입니다.", "Another account has this nickname."),
        Code::PayloadTooLarge => ("본문이 너무 큽니다.", "The body is larger than this operation allows."),
        Code::UnsupportedMediaType => (
            "이 형식의 본문은 받지 않습니다. Content-Type을 application/json으로 보내세요.",
            "This media type is not accepted. Send Content-Type: application/json.",
        ),
        Code::ValidationFailed => (
            "올바르지 않은 값이 있습니다. errors에 모두 적혀 있습니다.",
            "Some values are invalid. The member errors lists all of them.",
        ),
        Code::IdempotencyKeyReused => (
            "이미 다른 예매에 쓴 키입니다. 새 예매에는 새 키를 쓰세요.",
            "This idempotency key was used for another booking. Use a new key for a new booking.",
        ),
        Code::RateLimited => (
            "요청이 너무 잦습니다. Retry-After만큼 기다리세요.",
            "Too many requests. Wait for the time in Retry-After.",
        ),
        Code::Internal => (
            "서버의 잘못입니다. trace_id를 알려 주시면 원인을 찾을 수 있습니다.",
            "The server made an error. If you report the trace_id, the cause can be found.",
        ),
        Code::Overloaded => (
            "지금 요청이 너무 많습니다. 잠시 뒤 같은 키로 다시 시도하세요.",
            "The server has too many requests. Try again shortly, with the same key.",
        ),
        Code::LedgerUnavailable => (
            "잠시 예매할 수 없습니다. 같은 키로 다시 시도하면 두 번 예매되지 않습니다.",
            "Booking is briefly unavailable. Requests with the same key never book twice.",
        ),
        Code::StoreUnavailable => (
            "잠시 이용할 수 없습니다. 같은 키로 다시 시도하면 두 번 예매되지 않습니다.",
            "The service is briefly unavailable. Requests with the same key never book twice.",
        ),
        Code::ImageStoreUnavailable => (
            "이미지 저장소가 잠시 응답하지 않습니다. 아무것도 저장되지 않았습니다.",
            "The image store does not answer. Nothing was stored. Try again later.",
        ),
    }
}
