//! Configuration: read once, typed, from defaults < `NETICKET_*` environment. Unset means embedded.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Where the server runs, which decides what it insists on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    Development,
    /// Refuses to start with what is fine only at home; see [`Config::production_faults`].
    Production,
}

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// `NETICKET_LISTEN`, default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// `NETICKET_DATA_DIR`, default `./data`: the embedded store, the images, the token secret.
    pub data_dir: PathBuf,
    /// `NETICKET_DATABASE_URL`, `sqlite:…` or `mysql://…`; default: SQLite in the data folder.
    pub database_url: String,
    /// `NETICKET_REDIS_URL`; unset: the ledger lives in this process.
    pub redis_url: Option<String>,
    /// `NETICKET_REDIS_PREFIX`, default `neticket`: what every key starts with.
    pub redis_prefix: String,
    /// `NETICKET_JWT_SECRET`, at least 32 bytes; unset: made once and kept in the data folder.
    pub jwt_secret: Option<String>,
    /// `NETICKET_ENV`, `development` (default) or `production`.
    pub environment: Environment,
    /// `NETICKET_RATE_LIMIT`, `on` (default) or `off`.
    pub rate_limit: bool,
    /// `NETICKET_TRUSTED_PROXIES`, addresses separated by commas: whose `X-Forwarded-For` is believed. Default: none.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// `NETICKET_WEB_DIR`: the built client; unset: `web` beside the binary if it is there, else no client.
    pub web_dir: Option<PathBuf>,
    /// `NETICKET_PUBLIC_URL`, how browsers reach the server; `https` is required in production.
    pub public_url: Option<String>,
    /// How the booking engine batches, waits and retries.
    pub engine: EngineConfig,
}

/// The booking engine's limits.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Most wishes waiting to be admitted (and, apart, to be committed, and to be cancelled).
    pub queue_len_max: usize,
    /// Most wishes in one batch.
    pub batch_len_max: usize,
    /// Batches in flight at the ledger.
    pub admit_batches_max: usize,
    /// Batches in flight at the store.
    pub commit_batches_max: usize,
    /// How long a booking waits for COMMIT before the answer is `pending`.
    pub ack_deadline_ms: u64,
    /// Most entries of one event's journal.
    pub journal_len_max: usize,
    /// How old a journal entry or an outbox row is before any node takes care of it. Longer than a node that lives keeps
    /// anyone waiting: recovery that races the owners would only make a slow store slower.
    pub grace_ms: i64,
    /// How long before its opening an event's ledger is loaded.
    pub preload_lead_ms: i64,
    /// Pause between two runs of each background task.
    pub task_interval_ms: u64,
    /// Time-out of every call to the ledger.
    pub ledger_timeout_ms: u64,
    /// Time-out of every call to the store.
    pub store_timeout_ms: u64,
    /// Connections to a shared store.
    pub store_connections_max: u32,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            queue_len_max: 20_000,
            batch_len_max: 500,
            admit_batches_max: 4,
            commit_batches_max: 2,
            ack_deadline_ms: 5_000,
            journal_len_max: neticket_ledger::JOURNAL_LEN_MAX_DEFAULT,
            grace_ms: 30_000,
            preload_lead_ms: 600_000,
            task_interval_ms: 1_000,
            ledger_timeout_ms: 1_000,
            store_timeout_ms: 10_000,
            store_connections_max: 16,
        }
    }
}

/// A variable that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct ConfigError {
    pub variable: &'static str,
    pub problem: String,
}

impl Config {
    /// Reads the configuration; `variable` looks one environment variable up.
    ///
    /// # Errors
    /// Names the first variable that cannot be understood, and what it may be.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|v| !v.is_empty());
        let data_dir = PathBuf::from(get("NETICKET_DATA_DIR").unwrap_or_else(|| "./data".to_owned()));
        let database_url = get("NETICKET_DATABASE_URL")
            .unwrap_or_else(|| format!("sqlite:{}", data_dir.join("neticket.db").display()));
        if !["sqlite:", "mysql://"].iter().any(|scheme| database_url.starts_with(scheme)) {
            return Err(bad("NETICKET_DATABASE_URL", "must start with sqlite: or mysql://"));
        }
        let redis_url = get("NETICKET_REDIS_URL");
        if redis_url.as_deref().is_some_and(|url| !url.starts_with("redis://")) {
            return Err(bad("NETICKET_REDIS_URL", "must start with redis://"));
        }
        let jwt_secret = get("NETICKET_JWT_SECRET");
        if jwt_secret.as_deref().is_some_and(|secret| secret.len() < 32) {
            return Err(bad("NETICKET_JWT_SECRET", "must be at least 32 bytes"));
        }
        Ok(Self {
            listen: parse(
                "NETICKET_LISTEN",
                get("NETICKET_LISTEN"),
                "127.0.0.1:8080",
                "an address and a port",
            )?,
            data_dir,
            database_url,
            redis_url,
            redis_prefix: get("NETICKET_REDIS_PREFIX").unwrap_or_else(|| "neticket".to_owned()),
            jwt_secret,
            environment: match get("NETICKET_ENV").as_deref() {
                None | Some("development") => Environment::Development,
                Some("production") => Environment::Production,
                Some(_) => return Err(bad("NETICKET_ENV", "must be development or production")),
            },
            rate_limit: match get("NETICKET_RATE_LIMIT").as_deref() {
                None | Some("on") => true,
                Some("off") => false,
                Some(_) => return Err(bad("NETICKET_RATE_LIMIT", "must be on or off")),
            },
            trusted_proxies: get("NETICKET_TRUSTED_PROXIES")
                .unwrap_or_default()
                .split(',')
                .map(str::trim)
                .filter(|address| !address.is_empty())
                .map(|address| {
                    address
                        .parse()
                        .map_err(|_| bad("NETICKET_TRUSTED_PROXIES", "must be addresses separated by commas"))
                })
                .collect::<Result<_, _>>()?,
            web_dir: get("NETICKET_WEB_DIR").map(PathBuf::from),
            public_url: get("NETICKET_PUBLIC_URL"),
            engine: EngineConfig::default(),
        })
    }

    /// Whether the store is a file of this node's own.
    pub fn embedded_store(&self) -> bool {
        self.database_url.starts_with("sqlite:")
    }

    /// What makes this configuration unfit for production, a sentence each; empty outside production.
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
                "NETICKET_REDIS_URL must be set beside a shared database: nodes would not share a ledger."
                    .to_owned(),
            );
        }
        if !self.public_url.as_deref().is_some_and(|url| url.starts_with("https://")) {
            faults.push("NETICKET_PUBLIC_URL must be set to an https:// address in production.".to_owned());
        }
        if !self.rate_limit {
            faults.push("NETICKET_RATE_LIMIT must not be off in production.".to_owned());
        }
        faults
    }
}

fn bad(variable: &'static str, problem: &str) -> ConfigError {
    ConfigError { variable, problem: problem.to_owned() }
}

fn parse<T: std::str::FromStr>(
    variable: &'static str,
    value: Option<String>,
    default: &str,
    what: &str,
) -> Result<T, ConfigError> {
    let text = value.unwrap_or_else(|| default.to_owned());
    text.parse().map_err(|_| ConfigError { variable, problem: format!("`{text}` is not {what}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn unset_means_embedded() {
        let config = read(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert!(config.embedded_store() && config.redis_url.is_none() && config.rate_limit);
        assert!(config.production_faults().is_empty());
    }

    #[test]
    fn a_variable_that_cannot_be_understood_is_named() {
        for (name, value) in [
            ("NETICKET_LISTEN", "here"),
            ("NETICKET_DATABASE_URL", "postgres://x"),
            ("NETICKET_REDIS_URL", "localhost"),
            ("NETICKET_JWT_SECRET", "short"),
            ("NETICKET_ENV", "prod"),
            ("NETICKET_RATE_LIMIT", "maybe"),
            ("NETICKET_TRUSTED_PROXIES", "proxy"),
        ] {
            assert_eq!(read(&[(name, value)]).unwrap_err().variable, name);
        }
    }

    #[test]
    fn production_refuses_what_is_fine_only_at_home() {
        let faults = read(&[
            ("NETICKET_ENV", "production"),
            ("NETICKET_DATABASE_URL", "mysql://db/neticket"),
            ("NETICKET_RATE_LIMIT", "off"),
        ])
        .unwrap()
        .production_faults();
        assert_eq!(faults.len(), 4, "{faults:?}");
    }
}
