//! Assembles the parts of the application, starts them, and shuts them down in order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use neticket_domain::Timestamp;
use neticket_ledger::{Difference, Ledger, MemoryLedger, RedisLedger, RedisOptions};
use neticket_media::Media;
use neticket_store::{SharedEventCache, Store, StoreOptions};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::accounts::{Passwords, Tokens, token_secret};
use crate::booking::{
    AdmissionStage, BookingService, CancelService, Committer, ConnectionBudget, Loader, Rejections,
};
use crate::clock::LedgerClock;
use crate::config::{Config, Environment};
use crate::deployment::Deployment;
use crate::error::AppError;
use crate::events::{EventCache, READER_TIMEOUT};
use crate::inventory::{INSPECTIONS_CONCURRENT_MAX, Inspector};
use crate::metrics::Metrics;
use crate::monitoring::{NodeStats, Readiness};
use crate::start_error::StartError;
use crate::tasks::{TaskContext, Tasks};

/// The only `maxmemory-policy` of Redis that never evicts a key.
const NOEVICTION: &str = "noeviction";

/// The running application. Use cases are its methods.
pub struct App {
    config: Config,
    pub(crate) store: Store,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) media: Arc<Media>,
    pub(crate) event_cache: Arc<EventCache>,
    pub(crate) inspector: Arc<Inspector>,
    pub(crate) loader: Arc<Loader>,
    pub(crate) booking_service: Arc<BookingService>,
    pub(crate) cancel_service: Arc<CancelService>,
    pub(crate) stats: Arc<NodeStats>,
    pub(crate) passwords: Passwords,
    pub(crate) tokens: Tokens,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) rejections: Arc<Rejections>,
    pub(crate) budget: Arc<ConnectionBudget>,
    clock: Arc<LedgerClock>,
    readiness: Readiness,
    /// `None` in commands, and if the ledger lives in this process.
    deployment: Option<Arc<Deployment>>,
    /// `None` in commands, which run no background tasks.
    tasks: Option<Tasks>,
    draining: AtomicBool,
    stopping: CancellationToken,
}

impl App {
    /// Connects the store, the ledger and the image storage, and starts the background tasks. An embedded
    /// store is migrated.
    ///
    /// # Errors
    /// [`StartError`] says in one sentence what is missing. After an error nothing keeps running.
    pub async fn start(config: Config) -> Result<Arc<Self>, StartError> {
        let store = Self::open_store(&config).await?;
        let ledger = Self::open_ledger(&config)?;
        if config.environment == Environment::Production
            && let Some(policy) = Self::redis_eviction_policy(&config).await?
            && policy != NOEVICTION
        {
            return Err(StartError::Evicting(policy));
        }
        if config.environment == Environment::Production
            && Self::redis_persists(&config).await? == Some(false)
        {
            return Err(StartError::NotPersistent);
        }
        Self::start_with(config, store, ledger).await
    }

    /// As [`Self::start`], but without background tasks. For commands, which may run while a server runs.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn open(config: Config) -> Result<Self, StartError> {
        let store = Self::open_store(&config).await?;
        let ledger = Self::open_ledger(&config)?;
        let secret = token_secret::read_or_generate(&config)?;
        Self::assemble(config, secret, store, ledger, None, |_| None).await
    }

    /// The `maxmemory-policy` of Redis. `None` without Redis. Any policy other than `noeviction` can lose
    /// seats.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn redis_eviction_policy(config: &Config) -> Result<Option<String>, StartError> {
        let Some(options) = Self::redis_options(config) else { return Ok(None) };
        let ledger = RedisLedger::connect(options).map_err(StartError::Ledger)?;
        ledger.maxmemory_policy().await.map(Some).map_err(StartError::Ledger)
    }

    /// Whether Redis writes an append-only file (AOF). `None` without Redis.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn redis_persists(config: &Config) -> Result<Option<bool>, StartError> {
        let Some(options) = Self::redis_options(config) else { return Ok(None) };
        let ledger = RedisLedger::connect(options).map_err(StartError::Ledger)?;
        ledger.persists().await.map(Some).map_err(StartError::Ledger)
    }

    /// How this configuration differs from the nodes that use the same ledger now. `None` if there is nothing
    /// to compare, because Redis is not configured or the database is not migrated yet. The token secret is
    /// not compared if the first start has yet to generate it. Changes nothing.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn deployment_difference(config: &Config) -> Result<Option<Difference>, StartError> {
        if config.redis_url.is_none() || config.embedded_store_file().is_some_and(|file| !file.exists()) {
            return Ok(None);
        }
        let store = Store::connect(&Self::store_options(config)).await.map_err(StartError::Store)?;
        if !store.migrations_pending().await.map_err(StartError::Store)?.is_empty() {
            return Ok(None);
        }
        let (ledger, token_secret) = (Self::open_ledger(config)?, token_secret::read(config)?);
        Deployment::difference(&store, &*ledger, token_secret.as_deref()).await
    }

    /// As [`Self::start`], with a store and a ledger that are open already.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(
        config: Config,
        store: Store,
        ledger: Arc<dyn Ledger>,
    ) -> Result<Arc<Self>, StartError> {
        let secret = token_secret::read_or_generate(&config)?;
        let deployment = Deployment::join(&store, &*ledger, &secret).await?.map(Arc::new);
        let tasks = |context: &Arc<TaskContext>| Some(Tasks::start(context));
        Self::assemble(config, secret, store, ledger, deployment, tasks).await.map(Arc::new)
    }

    async fn assemble(
        config: Config,
        secret: String,
        store: Store,
        ledger: Arc<dyn Ledger>,
        deployment: Option<Arc<Deployment>>,
        tasks: impl FnOnce(&Arc<TaskContext>) -> Option<Tasks>,
    ) -> Result<Self, StartError> {
        let media = Arc::new(Self::open_media(&config)?);
        let engine = &config.engine;
        let metrics = Arc::new(Metrics::default());
        let clock = Arc::new(LedgerClock::new());
        if let Err(error) = clock.measure(&*ledger).await {
            tracing::warn!(%error, "cannot read the ledger's clock, using this node's clock for now");
        }
        let shared_cache = Self::open_shared_event_cache(&config)?;
        let event_cache =
            Arc::new(EventCache::new(store.clone(), Arc::clone(&ledger), shared_cache, &metrics));
        let budget = Arc::new(ConnectionBudget::new(engine.store_connections_max));
        let inspector = Self::inspector(&store, &ledger, &clock, &budget, &metrics, engine.batch_len_max);
        let loader = Arc::clone(&inspector.loader);
        let rejections = Arc::clone(&loader.rejections);
        let admission = Arc::new(AdmissionStage {
            ledger: Arc::clone(&ledger),
            store: store.clone(),
            loader: Arc::clone(&loader),
            event_cache: Arc::clone(&event_cache),
            preload_lead_ms: engine.preload_lead_ms,
            clock: Arc::clone(&clock),
            rejections: Arc::clone(&rejections),
            metrics: Arc::clone(&metrics),
        });
        let committer = Arc::new(Committer::new(
            store.clone(),
            Arc::clone(&ledger),
            Arc::clone(&admission),
            Arc::clone(&metrics),
            Arc::clone(&budget),
        ));
        let passwords = Passwords::new()?;
        let booking_service =
            Arc::new(BookingService::start(engine, admission, Arc::clone(&committer), Arc::clone(&budget)));
        let cancel_service = Arc::new(CancelService::start(
            engine,
            store.clone(),
            Arc::clone(&ledger),
            Arc::clone(&clock),
            Arc::clone(&metrics),
            Arc::clone(&budget),
        ));
        let stats = Arc::new(NodeStats::new());
        let tasks = tasks(&Arc::new(TaskContext {
            store: store.clone(),
            ledger: Arc::clone(&ledger),
            loader: Arc::clone(&loader),
            inspector: Arc::clone(&inspector),
            committer,
            rejections: Arc::clone(&rejections),
            media: Arc::clone(&media),
            clock: Arc::clone(&clock),
            engine: engine.clone(),
            metrics: Arc::clone(&metrics),
            budget: Arc::clone(&budget),
            samples: Mutex::default(),
            booking_service: Arc::clone(&booking_service),
            cancel_service: Arc::clone(&cancel_service),
            stats: Arc::clone(&stats),
            deployment: deployment.clone(),
            stop: CancellationToken::new(),
        }));
        Ok(Self {
            booking_service,
            cancel_service,
            stats,
            loader,
            inspector,
            passwords,
            tokens: Tokens::new(&secret),
            metrics,
            rejections,
            budget,
            draining: AtomicBool::new(false),
            stopping: CancellationToken::new(),
            config,
            store,
            ledger,
            media,
            event_cache,
            clock,
            readiness: Readiness::new(),
            deployment,
            tasks,
        })
    }

    /// Builds the reconciler, together with the loader and the record of rejections that it uses.
    fn inspector(
        store: &Store,
        ledger: &Arc<dyn Ledger>,
        clock: &Arc<LedgerClock>,
        budget: &Arc<ConnectionBudget>,
        metrics: &Arc<Metrics>,
        batch_len_max: usize,
    ) -> Arc<Inspector> {
        let rejections = Arc::new(Rejections {
            store: store.clone(),
            clock: Arc::clone(clock),
            budget: Arc::clone(budget),
            metrics: Arc::clone(metrics),
            batch_len_max,
            unwritten: Mutex::default(),
        });
        let loader = Arc::new(Loader {
            ledger: Arc::clone(ledger),
            store: store.clone(),
            rejections,
            budget: Arc::clone(budget),
            metrics: Arc::clone(metrics),
            locks: Loader::locks(),
        });
        let inspection_permits = Semaphore::new(INSPECTIONS_CONCURRENT_MAX);
        Arc::new(Inspector { ledger: Arc::clone(ledger), store: store.clone(), loader, inspection_permits })
    }

    /// Checks whether the configuration is fit for its environment. Opens nothing.
    ///
    /// # Errors
    /// [`StartError::Production`].
    pub fn check(config: &Config) -> Result<(), StartError> {
        let faults = config.production_faults();
        if faults.is_empty() { Ok(()) } else { Err(StartError::Production(faults)) }
    }

    /// Opens the store. An embedded store is migrated. A shared store must be up to date.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn open_store(config: &Config) -> Result<Store, StartError> {
        Self::check(config)?;
        let store = Store::connect(&Self::store_options(config)).await.map_err(StartError::Store)?;
        if config.embedded_store() {
            store.migrate().await.map_err(StartError::Store)?;
        }
        let pending = store.migrations_pending().await.map_err(StartError::Store)?;
        if pending.is_empty() { Ok(store) } else { Err(StartError::Behind(pending)) }
    }

    /// The store options that the configuration asks for.
    pub fn store_options(config: &Config) -> StoreOptions {
        StoreOptions {
            url: config.database_url.clone(),
            connections_max: config.engine.store_connections_max,
            timeout_ms: config.engine.store_timeout_ms,
        }
    }

    /// Opens the ledger.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn open_ledger(config: &Config) -> Result<Arc<dyn Ledger>, StartError> {
        match Self::redis_options(config) {
            Some(options) => Ok(Arc::new(RedisLedger::connect(options).map_err(StartError::Ledger)?)),
            None => Ok(Arc::new(MemoryLedger::new().with_journal_len_max(config.engine.journal_len_max))),
        }
    }

    fn redis_options(config: &Config) -> Option<RedisOptions> {
        config.redis_url.as_ref().map(|url| RedisOptions {
            prefix: config.redis_prefix.clone(),
            timeout_ms: config.engine.ledger_timeout_ms,
            journal_len_max: config.engine.journal_len_max,
            ..RedisOptions::new(url)
        })
    }

    /// Opens the cache of events that all nodes share. `None` without Redis.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn open_shared_event_cache(config: &Config) -> Result<Option<SharedEventCache>, StartError> {
        let Some(url) = &config.redis_url else { return Ok(None) };
        SharedEventCache::connect(url, &config.redis_prefix, READER_TIMEOUT)
            .map(Some)
            .map_err(StartError::EventCache)
    }

    /// Opens the image folder, or configures the S3 bucket. Sends no request to the bucket yet.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn open_media(config: &Config) -> Result<Media, StartError> {
        if let Some(s3) = &config.s3 {
            return Ok(Media::in_bucket(s3.clone()));
        }
        let folder = config.data_dir.join("images");
        Media::in_folder(&folder).map_err(|error| StartError::Files {
            what: format!("the image folder {} cannot be used", folder.display()),
            source: std::io::Error::other(error),
        })
    }

    /// Makes this node not ready, so that load balancers stop sending requests. Requests that still arrive
    /// are answered.
    pub fn begin_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether this node is about to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Ends all streams and refuses new ones. Call it when the node accepts no more connections: clients then
    /// reconnect to another node.
    pub fn end_streams(&self) {
        self.stopping.cancel();
    }

    /// The token that is cancelled when streams have to end.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Finishes all work that was accepted. Call it when no more requests arrive.
    pub async fn shut_down(&self) {
        self.begin_draining();
        self.end_streams();
        if let Some(tasks) = &self.tasks {
            tasks.stop().await;
        }
        self.booking_service.drain().await;
        self.cancel_service.drain().await;
        if let Err(error) = self.rejections.write_unwritten().await {
            tracing::error!(%error, "cannot record rejections at shutdown, clients will not find these bookings");
        }
        if let Some(deployment) = &self.deployment {
            deployment.leave(&*self.ledger).await;
        }
    }

    /// Whether this node should receive requests. Answers within 2 s, independently of the timeouts of the
    /// store and the ledger.
    ///
    /// # Errors
    /// `Overloaded` while draining. `StoreUnavailable` or `LedgerUnavailable` if one of them does not answer.
    pub async fn ready(&self) -> Result<(), AppError> {
        if self.is_draining() {
            return Err(AppError::Overloaded);
        }
        self.readiness.check(self.store.clone(), Arc::clone(&self.ledger)).await
    }

    /// The time of the ledger's clock, as last measured by this node.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The metrics. Queue lengths and connections are current. Values about journals come from the last run
    /// of `sample_journals`, about one second ago.
    pub fn metrics(&self) -> &Metrics {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let (admit, commit) = self.booking_service.queue_lens();
        self.metrics.queued.admit.set(count(admit));
        self.metrics.queued.commit.set(count(commit));
        self.metrics.queued.cancel.set(count(self.cancel_service.queue_len()));
        let store = self.store.connections();
        self.metrics.store_connections.set(store.open, store.idle);
        if let Some(ledger) = self.ledger.connections() {
            self.metrics.ledger_connections.set(ledger.open, ledger.idle);
        }
        &self.metrics
    }

    pub fn config(&self) -> &Config {
        &self.config
    }
}
