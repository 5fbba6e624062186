//! The server: its settings, and the layers around the routes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App as WebApp, HttpServer, web};
use neticket_app::App;

use crate::metrics::metrics_private;
use crate::state::State;
use crate::{frame, routes};

/// Connections that wait to be accepted: 50,000 people press the button in the same second.
const BACKLOG: u32 = 8192;
/// Longer than the idle time-outs of common load balancers (60 s), so that it is they who close.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a client may take to send a request's head.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests in flight may take to finish after a stop.
const SHUTDOWN_TIMEOUT_S: u64 = 30;

/// A server that has its address. It serves once `server` is awaited or spawned.
pub struct Bound {
    /// Where it listens; the port is real also if any was asked for.
    pub address: SocketAddr,
    pub server: Server,
    /// The listener of `/metrics`, if it has one of its own: to be awaited or spawned, and stopped, like `server`.
    pub metrics: Option<BoundMetrics>,
}

/// A listener for `/metrics` and nothing else.
pub struct BoundMetrics {
    pub address: SocketAddr,
    pub server: Server,
}

/// Makes a server of `workers` threads for `app` at `address`. It does not listen to signals: stop it by its handle,
/// then shut the application down.
///
/// # Errors
/// The address is not to be had, or the built client of the configuration cannot be read.
pub fn server(app: Arc<App>, address: SocketAddr, workers: usize) -> io::Result<Bound> {
    let state = web::Data::new(State::new(app)?);
    let metrics = metrics_listener(&state)?;
    let connections = state.clone();
    let server = HttpServer::new(move || {
        WebApp::new().app_data(state.clone()).configure(routes::configure).wrap(from_fn(frame::frame))
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
