//! A proxy between nodes and a server that delays, cuts and swallows: `noxious`, a port of Toxiproxy, in this process.

use neticket_testservers::free_port;
use noxious::proxy::{ProxyConfig, ProxyRunner, Runner, Toxics};
use noxious::signal::{Close, Stop, Stopper};
use noxious::socket::TcpListener;
use noxious::toxic::{StreamDirection, Toxic, ToxicKind};

/// What happens to connections. A change cuts those that are open.
#[derive(Clone, Copy, Debug)]
pub enum Weather {
    /// Everything passes.
    Fair,
    /// Every piece of an answer comes so much later, in milliseconds.
    Slow(u64),
    /// After so many bytes of answers a connection is closed.
    Cut(u64),
    /// Questions get through, answers do not.
    Swallowing,
}

/// A port of this machine that leads to another.
pub struct Proxy {
    port: u16,
    upstream: u16,
    running: Option<Running>,
}

struct Running {
    stopper: Stopper,
    closed: Close,
}

impl Proxy {
    /// Leads to `upstream`, a port of this machine, in fair weather.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start(upstream: u16) -> Self {
        let mut proxy = Self { port: free_port().expect("a port"), upstream, running: None };
        proxy.set(Weather::Fair).await;
        proxy
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts all connections; new ones meet this weather.
    ///
    /// # Panics
    /// If somebody else has taken the port meanwhile.
    pub async fn set(&mut self, weather: Weather) {
        if let Some(Running { stopper, closed }) = self.running.take() {
            stopper.stop();
            // An error says that it has ended already.
            let _ = closed.recv().await;
        }
        let config = ProxyConfig {
            name: self.port.to_string(),
            listen: format!("127.0.0.1:{}", self.port),
            upstream: format!("127.0.0.1:{}", self.upstream),
            enabled: true,
            rand_seed: None,
        };
        let toxics = Toxics { upstream: Vec::new(), downstream: weather.toxic().into_iter().collect() };
        let listening = ProxyRunner::initialize_proxy::<TcpListener>(config, toxics).await;
        let (listener, shared) = listening.expect("the port is free");
        // Toxics are never changed while a proxy runs: it is started anew with others.
        let (_, changes) = bmrng::channel(1);
        let (stop, stopper) = Stop::new();
        let (closed, when_closed) = Close::new();
        tokio::spawn(ProxyRunner::run_proxy(listener, shared, changes, stop, when_closed));
        self.running = Some(Running { stopper, closed });
    }
}

impl Weather {
    fn toxic(self) -> Option<Toxic> {
        let kind = match self {
            Self::Fair => return None,
            Self::Slow(latency) => ToxicKind::Latency { latency, jitter: latency / 4 },
            Self::Cut(bytes) => ToxicKind::LimitData { bytes },
            Self::Swallowing => ToxicKind::Timeout { timeout: 60_000 },
        };
        let direction = StreamDirection::Downstream;
        Some(Toxic { kind, name: format!("{self:?}"), toxicity: 1.0, direction })
    }
}
