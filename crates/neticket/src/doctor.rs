//! `neticket doctor`: prints the configuration without its secrets, and checks that each backend answers. The
//! only thing that it creates is the image folder.

use std::path::Path;

use anyhow::{Context as _, bail};
use neticket_app::{App, Config, Environment, StartError};
use neticket_media::S3Options;
use neticket_store::Store;

use crate::error_text::one_sentence;
use crate::open_files;

/// How long one call of a check may take, in milliseconds. It is short, because an operator waits for the
/// result.
const CALL_TIMEOUT_MAX_MS: u64 = 2_000;
/// The only eviction policy under which Redis never deletes a ledger.
const NOEVICTION: &str = "noeviction";
const NO_PROXIES: &str = "NETICKET_TRUSTED_PROXIES is not set: behind a proxy, all clients would share its address and \
                          its rate limit";

pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    for (what, value) in configured(config) {
        println!("  {what:<16} {value}");
    }
    for (variable, value) in config.engine.settings() {
        println!("  {variable:<32} {value}");
    }
    println!();
    let config = &impatient(config.clone());
    let mut failures = 0;
    let mut report = |part: &str, result: anyhow::Result<String>| match result {
        Ok(said) => println!("  ok      {part}: {said}"),
        Err(error) => {
            failures += 1;
            println!("  FAILED  {part}: {}", one_sentence(&error));
        }
    };
    report("configuration", fit(config));
    let (store, ledger) = (store(config).await, ledger(config).await);
    let can_compare = store.is_ok() && ledger.is_ok();
    report("store", store);
    report("ledger", ledger);
    if config.redis_url.is_some() {
        report("eviction", eviction(config).await);
        report("persistence", persistence(config).await);
        if can_compare {
            report("deployment", deployment(config).await);
        }
    }
    report("open files", open_files());
    report("images", images(config).await);
    report("client", client(config.web_dir.as_deref()));
    if config.environment == Environment::Production && config.trusted_proxies.is_empty() {
        println!("  WARNING proxies: {NO_PROXIES}");
    }
    for warning in config.warnings() {
        println!("  WARNING {warning}");
    }
    if failures > 0 {
        bail!("{failures} checks failed");
    }
    Ok(())
}

fn configured(config: &Config) -> Vec<(&'static str, String)> {
    let or = |value: Option<String>, otherwise: &str| value.unwrap_or_else(|| otherwise.to_owned());
    let proxies: Vec<_> = config.trusted_proxies.iter().map(ToString::to_string).collect();
    vec![
        ("environment", format!("{:?}", config.environment).to_lowercase()),
        ("listen", config.listen.to_string()),
        ("public url", or(config.public_url.clone(), "none")),
        ("data folder", config.data_dir.display().to_string()),
        ("store", without_password(&config.database_url)),
        ("ledger", or(config.redis_url.as_deref().map(without_password), "in this process")),
        ("images", or(config.s3.as_ref().map(bucket), "in the data folder")),
        (
            "token secret",
            or(
                config.jwt_secret.as_ref().map(|_| "set".to_owned()),
                "generated and stored in the data folder",
            ),
        ),
        ("rate limit", if config.rate_limit { "on" } else { "off" }.to_owned()),
        ("drain", format!("{} s", config.drain_s)),
        ("metrics", or(config.metrics_listen.map(|address| address.to_string()), "no separate listener")),
        ("trusted proxies", or((!proxies.is_empty()).then(|| proxies.join(", ")), "none")),
        (
            "client",
            or(
                config.web_dir.as_ref().map(|folder| folder.display().to_string()),
                "next to the binary, if it exists",
            ),
        ),
    ]
}

fn bucket(s3: &S3Options) -> String {
    let at = s3.endpoint.as_deref().unwrap_or("Amazon S3");
    let shown = s3.public_url.as_deref().map(|url| format!(", served from {url}")).unwrap_or_default();
    format!("bucket {} at {at}{shown}", s3.bucket)
}

/// `scheme://user:…@host` for `scheme://user:password@host`.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((user_info, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    let user = user_info.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:…@{host}")
}

/// The same configuration, with short timeouts.
fn impatient(mut config: Config) -> Config {
    let engine = &mut config.engine;
    engine.store_timeout_ms = engine.store_timeout_ms.min(CALL_TIMEOUT_MAX_MS);
    engine.ledger_timeout_ms = engine.ledger_timeout_ms.min(CALL_TIMEOUT_MAX_MS);
    config
}

fn fit(config: &Config) -> anyhow::Result<String> {
    let faults = config.production_faults();
    if faults.is_empty() { Ok("valid for its environment".to_owned()) } else { bail!("{}", faults.join(" ")) }
}

async fn store(config: &Config) -> anyhow::Result<String> {
    if config.embedded_store_file().is_some_and(|file| !file.exists()) {
        return Ok("is created at the first start".to_owned());
    }
    let store = Store::connect(&App::store_options(config)).await?;
    store.ping().await?;
    let pending = store.migrations_pending().await?;
    if !pending.is_empty() && !config.embedded_store() {
        bail!("answers, but lacks {} migrations: run `neticket migrate`", pending.len());
    }
    Ok("answers".to_owned())
}

async fn ledger(config: &Config) -> anyhow::Result<String> {
    let ledger = App::open_ledger(config)?;
    ledger.ping().await?;
    Ok("answers".to_owned())
}

async fn images(config: &Config) -> anyhow::Result<String> {
    App::open_media(config)?.ping().await?;
    Ok(if config.s3.is_some() { "the bucket answers" } else { "the folder exists" }.to_owned())
}

async fn eviction(config: &Config) -> anyhow::Result<String> {
    let Some(policy) = App::redis_eviction_policy(config).await? else {
        return Ok("the ledger is in this process".to_owned());
    };
    if policy != NOEVICTION && config.environment == Environment::Production {
        bail!(
            "maxmemory-policy is {policy}: it must be {NOEVICTION}, or Redis can delete ledgers during a sale when its memory is full"
        );
    }
    Ok(format!("maxmemory-policy is {policy}"))
}

async fn persistence(config: &Config) -> anyhow::Result<String> {
    let persists = App::redis_persists(config).await?.unwrap_or(false);
    if !persists && config.environment == Environment::Production {
        bail!("appendonly is off: it must be on, or a restart of Redis loses pending bookings");
    }
    Ok(format!("appendonly is {}", if persists { "on" } else { "off" }))
}

async fn deployment(config: &Config) -> anyhow::Result<String> {
    match App::deployment_difference(config).await? {
        None => Ok("not compared with other nodes, because the database is not migrated yet".to_owned()),
        Some(difference) if difference.is_none() => {
            Ok("every running node has the same database and token secret".to_owned())
        }
        Some(difference) => Err(StartError::OtherDeployment(difference).into()),
    }
}

fn open_files() -> anyhow::Result<String> {
    let limit = open_files::raise().context("cannot read the limit of open files")?;
    let advice = if limit < open_files::ADVISED { ", which is low for a sale" } else { "" };
    Ok(format!("the limit is {limit}{advice}"))
}

fn client(folder: Option<&Path>) -> anyhow::Result<String> {
    let Some(folder) = folder else { return Ok("not configured".to_owned()) };
    let page = folder.join("index.html");
    std::fs::metadata(&page).with_context(|| format!("cannot read {}", page.display()))?;
    Ok("is built".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden() {
        assert_eq!(without_password("mysql://app:s3cret@db:3306/neticket"), "mysql://app:…@db:3306/neticket");
        assert_eq!(without_password("redis://:p@ss@cache"), "redis://:…@cache");
        assert_eq!(without_password("redis://cache:6379"), "redis://cache:6379");
        assert_eq!(without_password("sqlite:data/x.db"), "sqlite:data/x.db");
    }
}
