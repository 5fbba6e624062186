//! Builds the server: its settings, and the middleware around the routes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App as WebApp, HttpServer, web};
use neticket_app::App;

use crate::routes::metrics::metrics_private;
use crate::state::State;
use crate::{middleware, openapi, routes};

/// The length of the accept queue. At an opening, 50,000 people press the button in the same second.
const BACKLOG: u32 = 8192;
/// Longer than the idle timeouts of common load balancers (60 s), so that the load balancer closes idle
/// connections, not this server.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a client may take to send the head of a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests in flight may take to finish after a stop.
const SHUTDOWN_TIMEOUT_S: u64 = 30;

/// A server that is bound to its address. It serves when `server` is awaited or spawned.
pub struct Bound {
    /// The address on which it listens. If port 0 was asked for, this is the real port.
    pub address: SocketAddr,
    pub server: Server,
    /// The listener of `/metrics`, if it has its own. Await or spawn it, and stop it, like `server`.
    pub metrics: Option<BoundMetrics>,
}

/// A listener that serves only `/metrics`.
pub struct BoundMetrics {
    pub address: SocketAddr,
    pub server: Server,
}

/// Builds a server of `workers` threads for `app` at `address`. It does not handle signals: the caller stops
/// it by its handle, and then shuts the application down.
///
/// # Errors
/// The address cannot be bound, or the files of the client that the configuration names cannot be read.
pub fn server(app: Arc<App>, address: SocketAddr, workers: usize) -> io::Result<Bound> {
    let state = web::Data::new(State::new(app, openapi::document_text().into())?);
    let metrics = metrics_listener(&state)?;
    let connections = state.clone();
    let server = HttpServer::new(move || {
        WebApp::new()
            .app_data(state.clone())
            .configure(routes::configure)
            .wrap(from_fn(middleware::envelope::envelope))
    })
    .on_connect(move |_, connection| {
        connection.insert(connections.http.connected());
    })
    .workers(workers)
    .backlog(BACKLOG)
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(REQUEST_TIMEOUT)
    .shutdown_timeout(SHUTDOWN_TIMEOUT_S)
    .disable_signals()
    .bind(address)?;
    let address = server.addrs().first().copied().unwrap_or(address);
    Ok(Bound { address, server: server.run(), metrics })
}

fn metrics_listener(state: &web::Data<State>) -> io::Result<Option<BoundMetrics>> {
    let Some(listen) = state.app.config().metrics_listen else { return Ok(None) };
    let state = state.clone();
    let server = HttpServer::new(move || {
        WebApp::new().app_data(state.clone()).route("/metrics", web::get().to(metrics_private))
    })
    .workers(1)
    .disable_signals()
    .bind(listen)?;
    let address = server.addrs().first().copied().unwrap_or(listen);
    Ok(Some(BoundMetrics { address, server: server.run() }))
}
