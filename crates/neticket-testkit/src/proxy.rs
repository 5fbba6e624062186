//! A proxy between nodes and a server that delays, cuts and swallows data: `noxious`, a port of Toxiproxy, in
//! this process.

use neticket_testservers::free_port;
use noxious::proxy::{ProxyConfig, ProxyRunner, Runner, Toxics};
use noxious::signal::{Close, Stop, Stopper};
use noxious::socket::TcpListener;
use noxious::toxic::{StreamDirection, Toxic, ToxicKind};

/// The network fault of the proxy. A change cuts the connections that are open.
#[derive(Clone, Copy, Debug)]
pub enum NetworkFault {
    /// No fault: everything passes.
    Healthy,
    /// Delays every piece of an answer by this many milliseconds.
    Slow(u64),
    /// Closes each connection after this many bytes of answers.
    Cut(u64),
    /// Requests get through, answers do not.
    Swallowing,
}

/// A port of this machine that forwards to another.
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
    /// Forwards to `upstream`, a port of this machine, without a fault.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start(upstream: u16) -> Self {
        let mut proxy = Self { port: free_port().expect("a port"), upstream, running: None };
        proxy.set(NetworkFault::Healthy).await;
        proxy
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts all connections. New ones get this fault.
    ///
    /// # Panics
    /// If another process has taken the port meanwhile.
    pub async fn set(&mut self, fault: NetworkFault) {
        if let Some(Running { stopper, closed }) = self.running.take() {
            stopper.stop();
            // An error means that the proxy has ended already.
            let _ = closed.recv().await;
        }
        let config = ProxyConfig {
            name: self.port.to_string(),
            listen: format!("127.0.0.1:{}", self.port),
            upstream: format!("127.0.0.1:{}", self.upstream),
            enabled: true,
            rand_seed: None,
        };
        let toxics = Toxics { upstream: Vec::new(), downstream: fault.toxic().into_iter().collect() };
        let listening = ProxyRunner::initialize_proxy::<TcpListener>(config, toxics).await;
        let (listener, shared) = listening.expect("the port is free");
        // Toxics never change while a proxy runs: a new proxy starts with the others.
        let (_, changes) = bmrng::channel(1);
        let (stop, stopper) = Stop::new();
        let (closed, when_closed) = Close::new();
        tokio::spawn(ProxyRunner::run_proxy(listener, shared, changes, stop, when_closed));
        self.running = Some(Running { stopper, closed });
    }
}

impl NetworkFault {
    fn toxic(self) -> Option<Toxic> {
        let kind = match self {
            Self::Healthy => return None,
            Self::Slow(latency) => ToxicKind::Latency { latency, jitter: latency / 4 },
            Self::Cut(bytes) => ToxicKind::LimitData { bytes },
            Self::Swallowing => ToxicKind::Timeout { timeout: 60_000 },
        };
        let direction = StreamDirection::Downstream;
        Some(Toxic { kind, name: format!("{self:?}"), toxicity: 1.0, direction })
    }
}
