//! The middleware around every request. It sets the request id, runs the handler in a task of its own, turns
//! refusals into problems, adds the security headers, and writes the log line.

use std::future::Future;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName,
    HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse};
use neticket_contract::{PROBLEM_CONTENT_TYPE, Problem};
use prometheus_client::metrics::counter::Counter;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::csp;
use crate::error::ApiError;
use crate::extract::caller::Disconnected;
use crate::metrics::{OTHER, RouteMetrics, route_metrics};
use crate::state::{State, state};

/// Answers that took longer than this are logged.
const SLOW: Duration = Duration::from_secs(1);
/// Two years, as the HSTS preload list requires.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000");
static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost middleware.
pub(crate) async fn envelope(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    // The id is always generated here. An id from a client could be that of another request.
    let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
    let mut buffer = Uuid::encode_buffer();
    let id: &str = id.hyphenated().encode_lower(&mut buffer);
    let unanswered = Unanswered::new(&req);
    let mut response = run_detached(next.call(req), unanswered).await?.map_into_boxed_body();
    let cause = problem_out_of(&mut response, id);
    let State { https, app, .. } = state(response.request());
    let (https, is_draining) = (*https, app.is_draining());
    if is_draining {
        // The node is draining. A proxy that keeps connections alive then sends its next request to another
        // node.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let not_modified = response.status() == StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    // `compression.rs` sets this header to prevent compression. The header carries no information for the
    // client, so it is removed.
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding == "identity") {
        headers.remove(CONTENT_ENCODING);
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(X_REQUEST_ID.clone(), id);
    }
    set_if_absent(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set_if_absent(headers, REFERRER_POLICY, "strict-origin-when-cross-origin");
    // A 304 answer must not carry this policy: the browser would replace the policy of its cached page by it.
    if !not_modified {
        set_if_absent(headers, CONTENT_SECURITY_POLICY, csp::NOTHING);
    }
    if https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    log_request(&response, id, started, cause.as_deref());
    Ok(response)
}

/// A request that has no answer yet. actix drops it when the connection is reset.
struct Unanswered {
    disconnected: CancellationToken,
    disconnects: Counter,
    is_answered: bool,
}

impl Unanswered {
    /// Gives the handler a token that tells whether the client is still connected.
    fn new(req: &ServiceRequest) -> Self {
        let disconnected = CancellationToken::new();
        req.extensions_mut().insert(Disconnected(disconnected.clone()));
        Self { disconnected, disconnects: state(req.request()).http.disconnects.clone(), is_answered: false }
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if !self.is_answered {
            self.disconnected.cancel();
            self.disconnects.inc();
        }
    }
}

/// Runs the handler in its own task, so that a client disconnect cannot cancel it half-way. The handler
/// itself may stop at a point where it has not begun anything.
async fn run_detached<T: 'static>(
    handler: impl Future<Output = T> + 'static,
    mut unanswered: Unanswered,
) -> T {
    let done = actix_web::rt::spawn(handler).await;
    unanswered.is_answered = true;
    match done {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

pub(super) fn set_if_absent(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if !headers.contains_key(&name) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Turns every refusal that is not a problem yet into one. Returns the cause, for the log.
fn problem_out_of(response: &mut ServiceResponse<BoxBody>, id: &str) -> Option<String> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    let refusal = response.response().error();
    let (error, cause) = match refusal.and_then(Error::as_error::<ApiError>) {
        Some(error) => (error, error.cause().map(str::to_owned)),
        // An error of actix or of a middleware. Its text goes to the log only.
        None => (&ApiError::of_status(status), refusal.map(ToString::to_string)),
    };
    state(response.request()).app.count_refusal(error.code().as_str());
    let problem = error.problem(id);
    let extra = error.headers().to_vec();
    let mut answer = problem_response(&problem);
    for (name, value) in response.headers().iter().filter(|(name, _)| is_kept_of_refusal(name)) {
        answer.headers_mut().append(name.clone(), value.clone());
    }
    for (name, value) in extra {
        answer.headers_mut().insert(name, value);
    }
    *response.response_mut() = answer;
    cause
}

/// Whether a problem keeps this header of the refusal that it replaces. It keeps all headers but those that
/// describe the body.
fn is_kept_of_refusal(name: &HeaderName) -> bool {
    ![
        CONTENT_TYPE,
        CONTENT_ENCODING,
        CONTENT_SECURITY_POLICY,
        actix_web::http::header::CONTENT_LENGTH,
        CACHE_CONTROL,
    ]
    .contains(name)
}

fn problem_response(problem: &Problem) -> HttpResponse {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, PROBLEM_CONTENT_TYPE))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(serde_json::to_vec(problem).unwrap_or_default())
}

/// Records the metrics of every request, and logs the requests that failed or were slow. Other requests are
/// logged at `debug` only, because one line for each would cost more than the check of its token. Query and
/// headers are never logged, because they may contain secrets.
fn log_request(response: &ServiceResponse<BoxBody>, request_id: &str, started: Instant, cause: Option<&str>) {
    let (request, status) = (response.request(), response.status());
    let (method, latency) = (request.method(), started.elapsed());
    let metrics = route_metrics(request);
    if let Some(metrics) = metrics {
        metrics.answered(&state(request).http, method, status, latency);
    }
    let route = metrics.map_or(OTHER, RouteMetrics::route);
    let (method, status) = (method.as_str(), status.as_u16());
    let latency_ms = latency.as_secs_f64() * 1000.0;
    if status >= 500 {
        let cause = cause.unwrap_or_default();
        tracing::error!(request_id, method, route, status, latency_ms, cause, "request failed");
    } else if latency > SLOW {
        tracing::info!(request_id, method, route, status, latency_ms, "request answered slowly");
    } else {
        tracing::debug!(request_id, method, route, status, latency_ms, "request answered");
    }
}
