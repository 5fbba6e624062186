//! A client of the server, as an administrator or a visitor. It creates the event, waits for its sale, and
//! reads the seats left.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Uri};
use neticket_contract::{Availability, EventCreateRequest, EventDetail, TicketTypeCreateRequest};
use neticket_domain::{EventStatus, Timestamp};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use crate::connection::{Connection, HttpRequest, Route, http_request};
use crate::token::now_ms;
use crate::worker_config::Target;

const TIMEOUT: Duration = Duration::from_secs(30);
/// How long a new event may take until it is on sale.
const SALE_WITHIN: Duration = Duration::from_mins(1);
const HOUR_MS: i64 = 3_600_000;

/// Resolves `http://host:port`.
pub(crate) async fn resolve(url: &str) -> Result<Target> {
    let uri: Uri = url.trim_end_matches('/').parse().with_context(|| format!("{url} is not an address"))?;
    let (Some("http"), Some(host)) = (uri.scheme_str(), uri.host()) else {
        bail!("{url}: a target must have the form http://host:port");
    };
    let port = uri.port_u16().unwrap_or(80);
    let mut addresses = tokio::net::lookup_host((host.trim_matches(['[', ']']), port))
        .await
        .with_context(|| format!("cannot resolve {host}"))?;
    let address = addresses.next().with_context(|| format!("{host} has no address"))?;
    Ok(Target { address, host: format!("{host}:{port}") })
}

/// An address of this machine from which worker `n` connects, if all targets are on this machine too. One
/// address has only some 28,000 ports, and a closed connection keeps its port for a minute, so the address
/// also depends on `run`.
pub(crate) fn source(targets: &[Target], run: [u8; 2], n: u8) -> Option<IpAddr> {
    let local = targets.iter().all(|target| target.address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST));
    local.then(|| IpAddr::V4(Ipv4Addr::new(127, run[0].clamp(1, 254), run[1], n.saturating_add(1))))
}

/// One server, for requests that are not part of the load.
pub(crate) struct ApiClient {
    target: Target,
    connection: Connection,
}

impl ApiClient {
    pub(crate) fn new(target: Target) -> Self {
        let connection = Connection::new(Route { target: target.address, source: None });
        Self { target, connection }
    }

    /// Creates an event that has been on sale for a minute. Its `ticket_types` ticket types share `seats`
    /// evenly.
    pub(crate) async fn event_create(
        &mut self,
        admin: HeaderValue,
        seats: u32,
        ticket_types: u32,
        max_per_user: u32,
    ) -> Result<i64> {
        let now = Timestamp::from_millis(i64::try_from(now_ms())?);
        let share = |n: u32| seats / ticket_types + u32::from(n < seats % ticket_types);
        let event = EventCreateRequest {
            title: "Load test".to_owned(),
            place: "Here".to_owned(),
            description: "Created by neticket-loadtest.".to_owned(),
            starts_at: now.plus_millis(48 * HOUR_MS),
            opens_at: now.plus_millis(-60_000),
            closes_at: None,
            max_per_user: Some(max_per_user),
            image_key: None,
            ticket_types: (0..ticket_types)
                .map(|n| TicketTypeCreateRequest {
                    name: format!("Type {}", n + 1),
                    price: 50_000,
                    capacity: share(n),
                })
                .collect(),
        };
        let host = self.host()?;
        let http_request = http_request(
            Method::POST,
            Uri::from_static("/api/v1/admin/events"),
            &host,
            [(AUTHORIZATION, admin), (CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            serde_json::to_vec(&event)?.into(),
        );
        let created: EventDetail = self.read(&http_request, 201).await.context("cannot create the event")?;
        Ok(created.summary.id)
    }

    /// Waits until the event is on sale, and returns it. A sold-out event is accepted too.
    pub(crate) async fn event_on_sale(&mut self, event: i64) -> Result<EventDetail> {
        let deadline = Instant::now() + SALE_WITHIN;
        loop {
            let detail: EventDetail = self.get(&format!("/api/v1/events/{event}")).await?;
            if matches!(detail.summary.status, EventStatus::OnSale | EventStatus::SoldOut) {
                return Ok(detail);
            }
            if Instant::now() >= deadline {
                bail!("event {event} is not on sale: its status is {:?}", detail.summary.status);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) async fn availability(&mut self, event: i64) -> Result<Availability> {
        self.get(&format!("/api/v1/events/{event}/availability")).await
    }

    /// Reads one metric without labels from the server's `/metrics`.
    pub(crate) async fn number(&mut self, metric: &str) -> Result<f64> {
        let http_request =
            http_request(Method::GET, Uri::from_static("/metrics"), &self.host()?, [], Bytes::new());
        let asked = self.connection.ask(&http_request, Instant::now() + TIMEOUT).await;
        let answer = asked.map_err(|lost| anyhow::anyhow!("cannot read the metrics: {}", lost.name()))?;
        let text = String::from_utf8_lossy(&answer.body);
        let value = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
        value
            .with_context(|| format!("/metrics has no {metric}"))?
            .parse()
            .context("the metric is not a number")
    }

    async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T> {
        let http_request = http_request(Method::GET, path.parse()?, &self.host()?, [], Bytes::new());
        self.read(&http_request, 200).await
    }

    async fn read<T: DeserializeOwned>(&mut self, http_request: &HttpRequest, status: u16) -> Result<T> {
        let asked = self.connection.ask(http_request, Instant::now() + TIMEOUT).await;
        let host = &self.target.host;
        let answer = asked.map_err(|lost| anyhow::anyhow!("{host} does not answer: {}", lost.name()))?;
        if answer.status != status {
            bail!("{host} answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        serde_json::from_slice(&answer.body).with_context(|| format!("{host} sent an unexpected answer"))
    }

    fn host(&self) -> Result<HeaderValue> {
        Ok(HeaderValue::try_from(&self.target.host)?)
    }
}
