//! A server that speaks S3 and checks signatures, in the process of the test. Tests can stop and freeze it by
//! its "door".

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use neticket_media::{S3Credentials, S3Options};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

const BUCKET: &str = "tickets";
const ACCESS_KEY: &str = "tests";
const SECRET_KEY: &str = "a secret for tests";

/// How the server treats requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServerState {
    Open,
    /// The server accepts no connections and cuts the open ones.
    Stopped,
    /// The server reads requests and does not answer them.
    Frozen,
}

/// The state that the handle shares with the serving tasks.
struct Shared {
    service: S3Service,
    state: watch::Sender<ServerState>,
    /// How many more writes the server serves. The next request that writes stops the server.
    writes_left: AtomicUsize,
    requests: AtomicUsize,
}

/// A running server with one bucket.
pub struct S3 {
    shared: Arc<Shared>,
    address: SocketAddr,
    folder: TempDir,
    serving: tokio::task::JoinHandle<()>,
}

impl S3 {
    /// Starts a server on a free port.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join(BUCKET)).expect("a bucket");
        let files = FileSystem::new(folder.path()).expect("a folder of objects");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let shared = Arc::new(Shared {
            service: builder.build(),
            state: watch::Sender::new(ServerState::Open),
            writes_left: AtomicUsize::new(usize::MAX),
            requests: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let serving = tokio::spawn(serve(Arc::clone(&shared), listener, address));
        Self { shared, address, folder, serving }
    }

    /// The options for a client of its bucket.
    pub fn options(&self) -> S3Options {
        S3Options {
            bucket: BUCKET.to_owned(),
            endpoint: Some(format!("http://{}", self.address)),
            public_url: None,
            credentials: Some(S3Credentials {
                access_key: ACCESS_KEY.to_owned(),
                secret_key: SECRET_KEY.to_owned(),
            }),
        }
    }

    /// Like [`Self::options`], with a secret that the server does not know.
    pub fn options_with_a_wrong_secret(&self) -> S3Options {
        let credentials =
            S3Credentials { access_key: ACCESS_KEY.to_owned(), secret_key: "guessed".to_owned() };
        S3Options { credentials: Some(credentials), ..self.options() }
    }

    /// Stops the server: it cuts and refuses connections.
    pub fn stop(&self) {
        self.shared.state.send_replace(ServerState::Stopped);
    }

    /// Freezes the server: it reads requests and answers none.
    pub fn freeze(&self) {
        self.shared.state.send_replace(ServerState::Frozen);
    }

    /// Makes the server answer again.
    pub fn resume(&self) {
        self.shared.writes_left.store(usize::MAX, Ordering::SeqCst);
        self.shared.state.send_replace(ServerState::Open);
    }

    /// Serves this many more writes, and stops at the next one.
    pub fn stop_after_writes(&self, writes: usize) {
        self.shared.writes_left.store(writes, Ordering::SeqCst);
    }

    /// Requests that have arrived so far.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// The keys of all objects, in order.
    pub fn objects(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.bucket()).expect("a bucket");
        let mut keys: Vec<String> = entries
            .map(|entry| entry.expect("an object").file_name().into_string().expect("a key"))
            .collect();
        keys.sort();
        keys
    }

    /// What the server stores beside each object, in its own format: the content type, for example.
    pub fn metadata(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("a folder of objects");
        let paths = entries.map(|entry| entry.expect("a file").path());
        let metadata_files = paths.filter(|path| path.to_string_lossy().ends_with(".metadata.json"));
        metadata_files.map(|path| std::fs::read_to_string(path).expect("metadata")).collect()
    }

    /// Makes an object appear to have been stored this long ago.
    pub fn age(&self, key: &str, by: Duration) {
        age(&self.bucket().join(key), by);
    }

    /// Stores an object that the application did not store.
    pub fn put_foreign(&self, key: &str) {
        std::fs::write(self.bucket().join(key), key).expect("an object");
    }

    /// Deletes an object behind the application's back.
    pub fn delete(&self, key: &str) {
        std::fs::remove_file(self.bucket().join(key)).expect("an object");
    }

    fn bucket(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A file to upload: a PNG of 800 × 400 pixels. Each `n` gives a different file.
pub fn picture(n: u8) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_pixel(800, 400, image::Rgb([n, 100, 200]));
    image.write_to(&mut file, image::ImageFormat::Png).expect("an image");
    file.into_inner()
}

/// Makes a file appear to have been written this long ago.
pub fn age(path: &std::path::Path, by: Duration) {
    let file = std::fs::File::options().write(true).open(path).expect("a file");
    file.set_modified(SystemTime::now() - by).expect("a time");
}

/// Listens while the door is not shut, and serves each connection until it shuts.
async fn serve(shared: Arc<Shared>, listener: TcpListener, address: SocketAddr) {
    let mut state = shared.state.subscribe();
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let Some(listening) = &listener else {
            let gone = state.wait_for(|state| *state != ServerState::Stopped).await.is_err();
            if gone {
                return;
            }
            listener = Some(TcpListener::bind(address).await.expect("the same port"));
            continue;
        };
        tokio::select! {
            accepted = listening.accept() => {
                let (stream, _) = accepted.expect("a connection");
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    let service = service_fn(|request| answer(&shared, request));
                    // Some tests break connections on purpose.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
            gone = async { state.wait_for(|state| *state == ServerState::Stopped).await.is_err() } => {
                if gone {
                    return;
                }
                listener = None;
                connections.shutdown().await;
            }
        }
    }
}

async fn answer(
    shared: &Shared,
    request: hyper::Request<hyper::body::Incoming>,
) -> Result<s3s::HttpResponse, Box<dyn Error + Send + Sync>> {
    shared.requests.fetch_add(1, Ordering::SeqCst);
    let writes = request.method() == hyper::Method::PUT;
    let left = |writes: usize| if writes == usize::MAX { Some(writes) } else { writes.checked_sub(1) };
    if writes && shared.writes_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err() {
        shared.state.send_replace(ServerState::Stopped);
        return Err("shut".into());
    }
    let mut state = shared.state.subscribe();
    state.wait_for(|state| *state != ServerState::Frozen).await?;
    Ok(shared.service.call(request.map(s3s::Body::from)).await?)
}
