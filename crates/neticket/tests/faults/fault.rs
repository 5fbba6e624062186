//! The faults, and how each is repaired.

use std::sync::atomic::Ordering;
use std::time::Duration;

use neticket_testkit::NetworkFault;
use neticket_testkit::domain::EventId;
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::time::sleep;

use crate::cluster::{Cluster, Routing};
use crate::disk::fill_mariadbs;
use crate::inventory_actions::use_all_actions;
use crate::options::Options;
use crate::person::Sale;

/// How long a killed process stays down.
const DOWNTIME: Duration = Duration::from_millis(700);
/// How long each kind of network fault lasts.
const NETWORK_FAULT_DURATION: Duration = Duration::from_millis(250);
/// How many definite answers are awaited between two faults.
pub(crate) const ANSWERS: u64 = 150;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// For the negative controls.
    None,
    /// Administrators use every inventory action again and again. People should notice only the pauses.
    InventoryActions,
    NodeKilled,
    NodePaused,
    /// Redis is killed and starts again with its data.
    RedisKilled,
    RedisPaused,
    /// Redis starts again without data.
    RedisEmptied,
    /// Redis starts again with older data.
    RedisRolledBack,
    /// The answers of Redis arrive after the timeouts of the nodes.
    RedisLate,
    /// The answers of Redis are cut off, delayed and lost.
    RedisConnectionBroken,
    MariaDbKilled,
    MariaDbPaused,
    /// MariaDB cannot store anything for a while.
    MariaDbDiskFull,
    /// The answers of MariaDB are cut off, delayed and lost.
    MariaDbConnectionBroken,
}

impl Fault {
    pub(crate) fn routing(self) -> Routing {
        match self {
            Self::RedisLate | Self::RedisConnectionBroken | Self::MariaDbConnectionBroken => Routing::Proxied,
            _ => Routing::Direct,
        }
    }

    /// The size of MariaDB's own disk in megabytes, if the fault needs one.
    pub(crate) fn disk_mb(self) -> Option<u32> {
        (self == Self::MariaDbDiskFull).then_some(96)
    }

    /// Causes the fault, and returns when it is repaired.
    pub(crate) async fn inject(
        self,
        cluster: &mut Cluster,
        (sale, event): (&Sale, EventId),
        options: Options,
        rng: &mut StdRng,
    ) {
        let outage = options.outage();
        match self {
            Self::None => {}
            Self::InventoryActions => {
                sale.pauses.store(true, Ordering::Relaxed);
                use_all_actions(cluster, event, 2 * options.repetitions(), rng).await;
            }
            Self::NodePaused => {
                let node = &cluster.nodes[rng.random_range(0..cluster.nodes.len())];
                node.pause();
                sleep(outage).await;
                node.resume();
            }
            Self::RedisPaused => {
                cluster.redis.pause().expect("the process runs");
                sleep(outage).await;
                cluster.redis.resume().expect("the process runs");
            }
            Self::MariaDbPaused => {
                cluster.mariadb.pause().expect("the process runs");
                sleep(outage).await;
                cluster.mariadb.resume().expect("the process runs");
            }
            Self::MariaDbDiskFull => fill_mariadbs(cluster, outage).await,
            Self::RedisLate => {
                cluster.to_redis.set(NetworkFault::Slow(700)).await;
                sleep(outage).await;
                cluster.to_redis.set(NetworkFault::Healthy).await;
            }
            Self::RedisConnectionBroken | Self::MariaDbConnectionBroken => {
                self.break_connection(cluster, outage, rng).await;
            }
            _ => {
                for _ in 0..options.repetitions() {
                    self.inject_once(cluster, sale, rng).await;
                    sale.answered(ANSWERS).await;
                }
            }
        }
    }

    /// Kills something and starts it again.
    async fn inject_once(self, cluster: &mut Cluster, sale: &Sale, rng: &mut StdRng) {
        match self {
            Self::NodeKilled => {
                let index = rng.random_range(0..cluster.nodes.len());
                cluster.nodes[index].kill();
                sleep(DOWNTIME).await;
                cluster.nodes[index].start();
            }
            Self::RedisKilled | Self::RedisEmptied | Self::RedisRolledBack => {
                let older = cluster.copy_aof();
                if self == Self::RedisRolledBack {
                    sale.answered(ANSWERS).await; // Redis will have lost these
                }
                cluster.kill_redis();
                match self {
                    Self::RedisEmptied => cluster.replace_aof(None),
                    Self::RedisRolledBack => cluster.replace_aof(Some(&older)),
                    _ => {}
                }
                sleep(DOWNTIME).await;
                cluster.start_redis();
            }
            Self::MariaDbKilled => cluster.restart_mariadb(),
            other => panic!("{other:?} is not a single fault"),
        }
    }

    async fn break_connection(self, cluster: &mut Cluster, outage: Duration, rng: &mut StdRng) {
        let (link, late) = match self {
            Self::RedisConnectionBroken => (&mut cluster.to_redis, NetworkFault::Slow(700)),
            _ => (&mut cluster.to_mariadb, NetworkFault::Slow(300)),
        };
        let end = tokio::time::Instant::now() + outage;
        while tokio::time::Instant::now() < end {
            link.set(NetworkFault::Cut(rng.random_range(1..3_000))).await;
            sleep(NETWORK_FAULT_DURATION).await;
        }
        for fault in [late, NetworkFault::Swallowing] {
            link.set(fault).await;
            sleep(outage / 2).await;
        }
        link.set(NetworkFault::Healthy).await;
    }
}
