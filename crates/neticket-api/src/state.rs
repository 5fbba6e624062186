//! The state that all workers of the server share.

use std::io;
use std::path::Path;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::{Bytes, Data};
use neticket_app::{App, Environment};

use crate::limits::Limits;
use crate::metrics::HttpMetrics;
use crate::rendered_events::RenderedEvents;
use crate::streams::Streams;
use crate::web_client::Client;

pub(crate) struct State {
    pub(crate) app: Arc<App>,
    pub(crate) limits: Limits,
    /// `None`: no client was built, so the server serves only the API.
    pub(crate) client: Option<Client>,
    /// The OpenAPI document.
    pub(crate) document: Bytes,
    /// Whether browsers use HTTPS. If so, cookies are sent over HTTPS only, and an HSTS header tells browsers
    /// to stay with HTTPS.
    pub(crate) https: bool,
    pub(crate) http: HttpMetrics,
    pub(crate) rendered_events: RenderedEvents,
    pub(crate) streams: Streams,
    /// Whether `/metrics` is on the public listener.
    pub(crate) metrics_public: bool,
}

impl State {
    /// `document`: the OpenAPI document.
    ///
    /// # Errors
    /// The files of the client cannot be read.
    pub(crate) fn new(app: Arc<App>, document: Bytes) -> io::Result<Self> {
        let config = app.config();
        let images_url = config.s3.as_ref().and_then(|s3| s3.public_url.as_deref());
        let client = config.web_dir.as_deref().map(|folder| load_client(folder, images_url)).transpose()?;
        let https = config.environment == Environment::Production
            || config.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
        let limits = Limits::new(config.rate_limit);
        let metrics_public =
            config.metrics_listen.is_none() && config.environment == Environment::Development;
        Ok(Self {
            streams: Streams::new(Arc::clone(&app)),
            app,
            limits,
            client,
            document,
            https,
            http: HttpMetrics::default(),
            rendered_events: RenderedEvents::new(),
            metrics_public,
        })
    }
}

fn load_client(folder: &Path, images_url: Option<&str>) -> io::Result<Client> {
    Client::load(folder, images_url).map_err(|error| {
        io::Error::new(error.kind(), format!("the client in {} cannot be read: {error}", folder.display()))
    })
}

/// The state of the server that handles the request. Every server has one, because [`crate::server`] is the
/// only way to build a server.
pub(crate) fn state(req: &HttpRequest) -> &State {
    match req.app_data::<Data<State>>() {
        Some(state) => state,
        None => unreachable!("the server always has its state"),
    }
}
