//! Configuration: typed, and read once from the `NETICKET_*` environment variables. A variable that is not
//! set has its default. Without any variable, the store and the ledger are embedded.

mod engine;
mod error;
mod s3;

use std::net::SocketAddr;
use std::path::PathBuf;

use neticket_media::S3Options;

pub use engine::EngineConfig;
pub(crate) use engine::VIEW_AGE_MAX_MS;
pub use error::ConfigError;
use error::bad;

/// Default of `NETICKET_DRAIN_S` in production, in seconds: the time that common load balancers need to
/// notice that a node is not ready.
const DRAIN_S_PRODUCTION: u64 = 5;

/// Default of `NETICKET_STREAMS_MAX`. Each stream needs one connection.
const STREAMS_MAX_USUAL: usize = 10_000;

/// The environment of the server. It decides which settings are required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    Development,
    /// The server refuses to start with settings that are safe only in development; see
    /// [`Config::production_faults`].
    Production,
}

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// `NETICKET_LISTEN`, default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// `NETICKET_DATA_DIR`, default `./data`: the embedded store, the images, the token secret.
    pub data_dir: PathBuf,
    /// `NETICKET_DATABASE_URL`, `sqlite:…` or `mysql://…`; default: SQLite in the data folder.
    pub database_url: String,
    /// `NETICKET_S3_BUCKET`, `NETICKET_S3_ENDPOINT`, `NETICKET_S3_PUBLIC_URL`; unset: images in the data
    /// folder.
    pub s3: Option<S3Options>,
    /// `NETICKET_REDIS_URL`; unset: the ledger lives in this process.
    pub redis_url: Option<String>,
    /// `NETICKET_REDIS_PREFIX`, default `neticket`: the beginning of every key in Redis.
    pub redis_prefix: String,
    /// `NETICKET_JWT_SECRET`, at least 32 bytes; unset: generated once and kept in the data folder.
    pub jwt_secret: Option<String>,
    /// `NETICKET_ENV`, `development` (default) or `production`.
    pub environment: Environment,
    /// `NETICKET_RATE_LIMIT`, `on` (default) or `off`.
    pub rate_limit: bool,
    /// `NETICKET_TRUSTED_PROXIES`, addresses separated by commas: the proxies whose `X-Forwarded-For` header
    /// is trusted. Default: none.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// `NETICKET_WEB_DIR`: the folder of the built client; unset: `web` beside the binary if it exists, else
    /// no client is served.
    pub web_dir: Option<PathBuf>,
    /// `NETICKET_PUBLIC_URL`: the address at which browsers reach the server. Must be `https` in production.
    pub public_url: Option<String>,
    /// `NETICKET_DRAIN_S`, in seconds, default 5 in production and 0 otherwise: how long the node serves
    /// after SIGTERM, with `503` on `/readyz`, before it stops accepting connections.
    pub drain_s: u64,
    /// `NETICKET_METRICS_LISTEN`: address and port of a separate listener for `/metrics`; unset: metrics are
    /// not served.
    pub metrics_listen: Option<SocketAddr>,
    /// `NETICKET_STREAMS_MAX`, default 10,000: maximum number of availability streams that are open on this
    /// node. A request for a further stream is refused, and its client polls instead.
    pub streams_max: usize,
    /// The limits and timeouts of the booking engine.
    pub engine: EngineConfig,
}

impl Config {
    /// Reads the configuration. `variable` returns the value of one environment variable.
    ///
    /// # Errors
    /// Names the first variable whose value is not valid, and says which values are.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|v| !v.is_empty());
        let data_dir = PathBuf::from(get("NETICKET_DATA_DIR").unwrap_or_else(|| "./data".to_owned()));
        let database_url = get("NETICKET_DATABASE_URL")
            .unwrap_or_else(|| format!("sqlite:{}", data_dir.join("neticket.db").display()));
        if !["sqlite:", "mysql://"].iter().any(|scheme| database_url.starts_with(scheme)) {
            return Err(bad("NETICKET_DATABASE_URL", "must start with sqlite: or mysql://"));
        }
        let redis_url = get("NETICKET_REDIS_URL");
        let is_redis = |url: &str| url.split(',').all(|url| url.trim().starts_with("redis://"));
        if redis_url.as_deref().is_some_and(|url| !is_redis(url)) {
            return Err(bad("NETICKET_REDIS_URL", "must start with redis://, in a cluster each address"));
        }
        let jwt_secret = get("NETICKET_JWT_SECRET");
        if jwt_secret.as_deref().is_some_and(|secret| secret.len() < 32) {
            return Err(bad("NETICKET_JWT_SECRET", "must be at least 32 bytes"));
        }
        let environment = match get("NETICKET_ENV").as_deref() {
            None | Some("development") => Environment::Development,
            Some("production") => Environment::Production,
            Some(_) => return Err(bad("NETICKET_ENV", "must be development or production")),
        };
        let listen =
            address("NETICKET_LISTEN", &get("NETICKET_LISTEN").unwrap_or("127.0.0.1:8080".to_owned()))?;
        Ok(Self {
            listen,
            data_dir,
            database_url,
            s3: s3::read(&get)?,
            redis_url,
            redis_prefix: get("NETICKET_REDIS_PREFIX").unwrap_or_else(|| "neticket".to_owned()),
            jwt_secret,
            environment,
            rate_limit: match get("NETICKET_RATE_LIMIT").as_deref() {
                None | Some("on") => true,
                Some("off") => false,
                Some(_) => return Err(bad("NETICKET_RATE_LIMIT", "must be on or off")),
            },
            trusted_proxies: addresses(&get("NETICKET_TRUSTED_PROXIES").unwrap_or_default())?,
            web_dir: get("NETICKET_WEB_DIR").map(PathBuf::from),
            public_url: get("NETICKET_PUBLIC_URL"),
            drain_s: engine::number(&get, "NETICKET_DRAIN_S", drain_s_usual(environment), 0..=300)?,
            metrics_listen: metrics_listen(&get, listen)?,
            streams_max: engine::number(&get, "NETICKET_STREAMS_MAX", STREAMS_MAX_USUAL, 0..=1_000_000)?,
            engine: EngineConfig::read(&get)?,
        })
    }

    /// Whether the store is embedded: an SQLite file of this node.
    pub fn embedded_store(&self) -> bool {
        self.database_url.starts_with("sqlite:")
    }

    /// The file of an embedded store. `None` for a shared store.
    pub fn embedded_store_file(&self) -> Option<PathBuf> {
        let path = self.database_url.strip_prefix("sqlite:")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        Some(PathBuf::from(path.split('?').next().unwrap_or_default()))
    }

    /// The reasons why this configuration is not fit for production, one sentence each. Empty in other
    /// environments.
    pub fn production_faults(&self) -> Vec<String> {
        if self.environment != Environment::Production {
            return Vec::new();
        }
        let mut faults = Vec::new();
        if self.jwt_secret.is_none() {
            faults.push(
                "NETICKET_JWT_SECRET must be set in production, to at least 32 random bytes.".to_owned(),
            );
        }
        if !self.embedded_store() && self.redis_url.is_none() {
            faults.push(
                "NETICKET_REDIS_URL must be set if the database is shared: otherwise the nodes share no ledger."
                    .to_owned(),
            );
        }
        if self.embedded_store() && self.redis_url.is_some() {
            faults.push(
                "NETICKET_DATABASE_URL must name a shared database (mysql://) if NETICKET_REDIS_URL is set: \
                 otherwise each node sells from its own database."
                    .to_owned(),
            );
        }
        if !self.public_url.as_deref().is_some_and(|url| url.starts_with("https://")) {
            faults.push("NETICKET_PUBLIC_URL must be set to an https:// address in production.".to_owned());
        }
        faults.extend(self.s3.as_ref().and_then(s3::production_fault));
        if !self.rate_limit {
            faults.push("NETICKET_RATE_LIMIT must not be off in production.".to_owned());
        }
        faults
    }

    /// Warnings about settings that are allowed outside production but are correct only for a single node,
    /// one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.environment != Environment::Production && self.embedded_store() && self.redis_url.is_some() {
            warnings.push(
                "NETICKET_REDIS_URL is set without a shared database in NETICKET_DATABASE_URL: run one node \
                 only, or each node sells from its own database."
                    .to_owned(),
            );
        }
        warnings
    }
}

fn address(variable: &'static str, text: &str) -> Result<SocketAddr, ConfigError> {
    text.parse().map_err(|_| bad(variable, &format!("`{text}` is not an address and a port")))
}

fn addresses(text: &str) -> Result<Vec<std::net::IpAddr>, ConfigError> {
    let unfit = |_| bad("NETICKET_TRUSTED_PROXIES", "must be addresses separated by commas");
    let addresses = text.split(',').map(str::trim).filter(|address| !address.is_empty());
    addresses.map(|address| address.parse().map_err(unfit)).collect()
}

fn drain_s_usual(environment: Environment) -> u64 {
    match environment {
        Environment::Development => 0,
        Environment::Production => DRAIN_S_PRODUCTION,
    }
}

fn metrics_listen(
    get: &impl Fn(&str) -> Option<String>,
    listen: SocketAddr,
) -> Result<Option<SocketAddr>, ConfigError> {
    const VARIABLE: &str = "NETICKET_METRICS_LISTEN";
    let Some(metrics) = get(VARIABLE).map(|text| address(VARIABLE, &text)).transpose()? else {
        return Ok(None);
    };
    if metrics == listen && metrics.port() != 0 {
        return Err(bad(VARIABLE, "must differ from NETICKET_LISTEN"));
    }
    Ok(Some(metrics))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_node_without_settings_is_embedded() {
        let config = read(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert!(config.embedded_store() && config.redis_url.is_none() && config.rate_limit);
        assert!(config.production_faults().is_empty());
    }

    #[test]
    fn an_error_names_the_invalid_variable() {
        for (name, value) in [
            ("NETICKET_LISTEN", "here"),
            ("NETICKET_DATABASE_URL", "postgres://x"),
            ("NETICKET_REDIS_URL", "localhost"),
            ("NETICKET_JWT_SECRET", "short"),
            ("NETICKET_ENV", "prod"),
            ("NETICKET_RATE_LIMIT", "maybe"),
            ("NETICKET_TRUSTED_PROXIES", "proxy"),
            ("NETICKET_METRICS_LISTEN", "9090"),
            ("NETICKET_METRICS_LISTEN", "127.0.0.1:8080"),
            ("NETICKET_S3_BUCKET", "Images"),
            ("NETICKET_S3_ENDPOINT", "http://s3"),
            ("NETICKET_S3_PUBLIC_URL", "https://cdn"),
            ("NETICKET_DRAIN_S", "301"),
            ("NETICKET_DRAIN_S", "-1"),
            ("NETICKET_STREAMS_MAX", "1000001"),
            ("NETICKET_GRACE_MS", "999"),
            ("NETICKET_ACK_DEADLINE_MS", "999"),
            ("NETICKET_TASK_INTERVAL_MS", "9"),
            ("NETICKET_LEDGER_TIMEOUT_MS", "1s"),
            ("NETICKET_STORE_TIMEOUT_MS", "99"),
            ("NETICKET_QUEUE_LEN_MAX", "0"),
            ("NETICKET_BATCH_LEN_MAX", "5001"),
            ("NETICKET_ADMIT_BATCHES_MAX", "0"),
            ("NETICKET_COMMIT_BATCHES_MAX", "17"),
            ("NETICKET_JOURNAL_LEN_MAX", "1.5"),
            ("NETICKET_STORE_CONNECTIONS_MAX", "0"),
        ] {
            assert_eq!(read(&[(name, value)]).unwrap_err().variable, name);
        }
    }

    #[test]
    fn the_engine_reads_its_variables_and_lists_its_settings() {
        let set = [
            ("NETICKET_ACK_DEADLINE_MS", "2000"),
            ("NETICKET_GRACE_MS", "2001"),
            ("NETICKET_TASK_INTERVAL_MS", "10"),
            ("NETICKET_LEDGER_TIMEOUT_MS", "500"),
            ("NETICKET_STORE_TIMEOUT_MS", "3000"),
            ("NETICKET_STORE_CONNECTIONS_MAX", "4"),
            ("NETICKET_QUEUE_LEN_MAX", "7"),
            ("NETICKET_BATCH_LEN_MAX", "6"),
            ("NETICKET_ADMIT_BATCHES_MAX", "3"),
            ("NETICKET_COMMIT_BATCHES_MAX", "1"),
            ("NETICKET_JOURNAL_LEN_MAX", "5"),
        ];
        let said = read(&set).unwrap().engine.settings();
        assert_eq!(said, set.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn contradictory_settings_are_refused() {
        let racing = [("NETICKET_GRACE_MS", "5000"), ("NETICKET_ACK_DEADLINE_MS", "5000")];
        let error = read(&racing).unwrap_err().to_string();
        assert!(error.contains("NETICKET_GRACE_MS") && error.contains("NETICKET_ACK_DEADLINE_MS"), "{error}");
        let long = [("NETICKET_QUEUE_LEN_MAX", "10"), ("NETICKET_BATCH_LEN_MAX", "11")];
        assert_eq!(read(&long).unwrap_err().variable, "NETICKET_BATCH_LEN_MAX");
    }

    #[test]
    fn a_node_drains_by_default_only_in_production() {
        assert_eq!(read(&[]).unwrap().drain_s, 0);
        assert_eq!(read(&[("NETICKET_ENV", "production")]).unwrap().drain_s, 5);
        let set = [("NETICKET_ENV", "production"), ("NETICKET_DRAIN_S", "0")];
        assert_eq!(read(&set).unwrap().drain_s, 0);
    }

    #[test]
    fn production_refuses_settings_that_only_development_allows() {
        let faults = read(&[
            ("NETICKET_ENV", "production"),
            ("NETICKET_DATABASE_URL", "mysql://db/neticket"),
            ("NETICKET_RATE_LIMIT", "off"),
        ])
        .unwrap()
        .production_faults();
        assert_eq!(faults.len(), 4, "{faults:?}");
    }

    #[test]
    fn production_refuses_redis_without_a_shared_database_and_development_warns() {
        let redis = ("NETICKET_REDIS_URL", "redis://cache");
        let production = [
            redis,
            ("NETICKET_ENV", "production"),
            ("NETICKET_JWT_SECRET", "0123456789abcdef0123456789abcdef"),
            ("NETICKET_PUBLIC_URL", "https://tickets.example"),
        ];
        let shared = ("NETICKET_DATABASE_URL", "mysql://db/neticket");
        let misspelt = ("NETICKET_DATABASE_URI", "mysql://db/neticket");
        let embedded = ("NETICKET_DATABASE_URL", "sqlite:other.db");
        for database in [misspelt, embedded] {
            let faults = read(&[&production[..], &[database]].concat()).unwrap().production_faults();
            assert!(faults.len() == 1 && faults[0].starts_with("NETICKET_DATABASE_URL "), "{faults:?}");
            assert_eq!(read(&[redis, database]).unwrap().warnings().len(), 1);
        }
        let sound = read(&[&production[..], &[shared]].concat()).unwrap();
        assert_eq!((sound.production_faults(), sound.warnings()), (vec![], vec![]));
        assert_eq!(read(&[redis, shared]).unwrap().warnings(), Vec::<String>::new());
        assert_eq!(read(&[]).unwrap().warnings(), Vec::<String>::new());
    }
}
