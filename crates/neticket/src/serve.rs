//! `neticket serve`: starts the server, runs it and shuts it down.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use neticket_app::{App, Config, Environment};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::open_files;
use crate::server_lock::ServerLock;

/// Serves until SIGTERM or Ctrl-C. Then stops accepting connections, finishes the requests in flight, and
/// returns.
///
/// After SIGTERM it first continues to serve for `NETICKET_DRAIN_S` seconds with `/readyz` at 503, so that
/// load balancers stop sending requests before it stops accepting them. A second signal ends this time.
pub(crate) async fn run(mut config: Config) -> anyhow::Result<()> {
    config.web_dir = config.web_dir.or_else(client_beside_binary);
    let listen = config.listen;
    match open_files::raise() {
        Ok(limit) if limit < open_files::ADVISED => {
            tracing::warn!(
                limit,
                advised = open_files::ADVISED,
                "the limit of open files is low and limits the number of connections"
            );
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files cannot be raised"),
    }
    let public_url = config.public_url.clone();
    let drain = Duration::from_secs(config.drain_s);
    let production = config.environment == Environment::Production;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);

    App::check(&config)?;
    for warning in config.warnings() {
        tracing::warn!(%warning, "the configuration is valid only for a single node");
    }
    // The lock is acquired before the store is opened, so that this server does not migrate a database that
    // another one uses. It is held until the end.
    let lock = ServerLock::acquire(&config)?;
    let app = App::start(config).await?;
    let bound = match neticket_api::server(app.clone(), listen, workers) {
        Ok(bound) => bound,
        Err(error) => {
            app.shut_down().await;
            return Err(error).with_context(|| format!("cannot listen on {listen}"));
        }
    };
    let handle = bound.server.handle();
    let mut serving = tokio::spawn(bound.server);
    let metrics = bound.metrics.map(|metrics| {
        tracing::info!(address = %metrics.address, "serving metrics");
        (metrics.server.handle(), tokio::spawn(metrics.server))
    });
    if metrics.is_none() && production {
        tracing::info!("metrics are not served, because NETICKET_METRICS_LISTEN is not set");
    }
    let at = public_url.unwrap_or_else(|| format!("http://{}", bound.address));
    lock.set_address(&format!("http://{}", bound.address));
    println!("NETicket is ready at {at}");

    let mut ended = None;
    let drain = tokio::select! {
        () = next(&mut terminate) => drain,
        () = next(&mut interrupt) => Duration::ZERO,
        end = &mut serving => {
            ended = Some(end);
            Duration::ZERO
        }
    };
    app.begin_draining();
    if !drain.is_zero() {
        tracing::info!(
            drain_s = drain.as_secs(),
            "draining: the node is not ready any more but still serves requests"
        );
        tokio::select! {
            () = tokio::time::sleep(drain) => {}
            () = next(&mut terminate) => {}
            () = next(&mut interrupt) => {}
            end = &mut serving => ended = Some(end),
        }
    }
    tracing::info!("stopping: finishing requests in flight");
    let ended = if let Some(ended) = ended {
        ended
    } else {
        // The server stops accepting connections first, and then ends the streams. A client whose stream ends
        // therefore connects to another node.
        let stopping = handle.stop(true);
        app.end_streams();
        stopping.await;
        serving.await
    };
    app.shut_down().await;
    // Metrics are served until the last, so that the shutdown can be monitored.
    if let Some((handle, serving)) = metrics {
        handle.stop(false).await;
        let _ = serving.await;
    }
    tracing::info!("stopped");
    ended.context("the server failed")?.context("the server failed")
}

async fn next(signal: &mut Signal) {
    signal.recv().await;
}

/// The folder of the client in a release: `web` next to the binary.
fn client_beside_binary() -> Option<PathBuf> {
    let folder = std::env::current_exe().ok()?.parent()?.join("web");
    folder.join("index.html").is_file().then_some(folder)
}
