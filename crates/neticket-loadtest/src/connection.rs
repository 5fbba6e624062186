//! One HTTP/1.1 connection: that of hyper without a client on top. Client and server share a machine, so what
//! the client costs is not available to the server.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};

pub(crate) type HttpRequest = Request<Full<Bytes>>;

/// The address of the server, and the address from which to connect.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) target: SocketAddr,
    /// An address of this machine. `None`: the system chooses. One address has only some 28,000 ports.
    pub(crate) source: Option<IpAddr>,
}

/// A connection that is opened when it is needed, and again after the server has closed it.
pub(crate) struct Connection {
    route: Route,
    sender: Option<SendRequest<Full<Bytes>>>,
    opened: u64,
}

/// A completely read answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) replayed: bool,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// Nothing was sent.
    NotConnected,
    /// The request was sent, or may have been, and the server may have carried it out.
    Broken,
    /// As [`Self::Broken`], and the deadline has passed.
    TimedOut,
}

impl Lost {
    /// Its name in the counts of errors.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotConnected => "not connected",
            Self::Broken => "connection broken",
            Self::TimedOut => "timed out",
        }
    }
}

impl Connection {
    pub(crate) fn new(route: Route) -> Self {
        Self { route, sender: None, opened: 0 }
    }

    /// Whether the connection is open, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        self.sender.as_ref().is_some_and(|sender| !sender.is_closed())
    }

    /// How often the connection has been opened.
    pub(crate) fn opened(&self) -> u64 {
        self.opened
    }

    /// Opens the connection unless it is open.
    pub(crate) async fn open(&mut self, deadline: Instant) -> Result<(), Lost> {
        if self.is_open() {
            return Ok(());
        }
        self.sender = None;
        let stream = timeout_at(deadline, connect(&self.route)).await.map_err(|_| Lost::NotConnected)?;
        let stream = stream.map_err(|_| Lost::NotConnected)?;
        let (sender, driver) = handshake(TokioIo::new(stream)).await.map_err(|_| Lost::NotConnected)?;
        tokio::spawn(driver);
        self.opened += 1;
        self.sender = Some(sender);
        Ok(())
    }

    /// Sends a request and reads the answer. If the request could not be sent because the server had just
    /// closed the connection, it is sent once more on a new one, as browsers do.
    pub(crate) async fn ask(
        &mut self,
        http_request: &HttpRequest,
        deadline: Instant,
    ) -> Result<Answer, Lost> {
        let mut http_request = http_request.clone();
        for _ in 0..2 {
            self.open(deadline).await?;
            let Some(sender) = self.sender.as_mut() else { return Err(Lost::NotConnected) };
            match timeout_at(deadline, exchange(sender, http_request)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Some(unsent))) => {
                    self.sender = None;
                    http_request = unsent;
                }
                Ok(Err(None)) => {
                    self.sender = None;
                    return Err(Lost::Broken);
                }
                Err(_) => {
                    self.sender = None;
                    return Err(Lost::TimedOut);
                }
            }
        }
        Err(Lost::NotConnected)
    }
}

impl Connection {
    /// Sends a request with an endless answer. Returns its head, and a body that yields data as it comes.
    pub(crate) async fn listen(
        &mut self,
        http_request: HttpRequest,
        deadline: Instant,
    ) -> Result<Response<Incoming>, Lost> {
        self.open(deadline).await?;
        let Some(sender) = self.sender.as_mut() else { return Err(Lost::NotConnected) };
        match timeout_at(deadline, sender.send_request(http_request)).await {
            Ok(answer) => answer.map_err(|_| Lost::Broken),
            Err(_) => Err(Lost::TimedOut),
        }
    }
}

async fn connect(route: &Route) -> std::io::Result<TcpStream> {
    let socket = if route.target.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(source) = route.source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    let stream = socket.connect(route.target).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// `Err(Some(_))`: no part of the request was sent. Contains the request.
async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    http_request: HttpRequest,
) -> Result<Answer, Option<HttpRequest>> {
    if sender.ready().await.is_err() {
        return Err(Some(http_request));
    }
    let response = sender.try_send_request(http_request).await.map_err(|mut error| error.take_message())?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(|_| None)?.to_bytes();
    let seconds = |value: &HeaderValue| value.to_str().ok()?.parse().ok();
    Ok(Answer {
        status: head.status.as_u16(),
        retry_after: head.headers.get(RETRY_AFTER).and_then(seconds).map(Duration::from_secs),
        replayed: head.headers.contains_key("idempotency-replayed"),
        body,
    })
}

/// Makes a request. This is cheap, because its parts share their bytes.
pub(crate) fn http_request<const N: usize>(
    method: Method,
    uri: Uri,
    host: &HeaderValue,
    headers: [(HeaderName, HeaderValue); N],
    body: Bytes,
) -> HttpRequest {
    let mut http_request = Request::new(Full::new(body));
    *http_request.method_mut() = method;
    *http_request.uri_mut() = uri;
    let map = http_request.headers_mut();
    map.reserve(N + 1);
    map.insert(HOST, host.clone());
    for (name, value) in headers {
        map.insert(name, value);
    }
    http_request
}
