//! The faults, and how each is repaired.

use std::sync::atomic::Ordering;
use std::time::Duration;

use neticket_testkit::NetworkFault;
use neticket_testkit::domain::EventId;
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::time::sleep;

use crate::buttons::press_all;
use crate::cluster::{Cluster, Routing};
use crate::disk::fill_mariadbs;
use crate::options::Options;
use crate::person::Sale;

/// How long a killed process stays down.
const DEATH: Duration = Duration::from_millis(700);
/// How long each kind of network fault lasts.
const GUST: Duration = Duration::from_millis(250);
/// How many definite answers are awaited between two blows.
pub(crate) const ANSWERS: u64 = 150;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// For the negative controls.
    None,
    /// Administrators use every inventory action again and again. People should notice only the pauses.
    ButtonsPressed,
    NodeKilled,
    NodePaused,
    /// Redis is killed and starts again with its data.
    RedisKilled,
    RedisPaused,
    /// Redis starts again without data.
    RedisEmptied,
    /// Redis starts again with older data.
    RedisSetBack,
    /// The answers of Redis arrive after the timeouts of the nodes.
    RedisLate,
    /// The answers of Redis are cut off, delayed and lost.
    RedisRoadBroken,
    MariaDbKilled,
    MariaDbPaused,
    /// MariaDB cannot store anything for a while.
    MariaDbDiskFull,
    /// The answers of MariaDB are cut off, delayed and lost.
    MariaDbRoadBroken,
}

impl Fault {
    pub(crate) fn routing(self) -> Routing {
        match self {
            Self::RedisLate | Self::RedisRoadBroken | Self::MariaDbRoadBroken => Routing::Proxied,
            _ => Routing::Direct,
        }
    }

    /// The size of MariaDB's own disk in megabytes, if the fault needs one.
    pub(crate) fn disk_mb(self) -> Option<u32> {
        (self == Self::MariaDbDiskFull).then_some(96)
    }

    /// Causes the fault, and returns when it is repaired.
    pub(crate) async fn strike(
        self,
        cluster: &mut Cluster,
        (sale, event): (&Sale, EventId),
        options: Options,
        dice: &mut StdRng,
    ) {
        let standstill = options.standstill();
        match self {
            Self::None => {}
            Self::ButtonsPressed => {
                sale.pauses.store(true, Ordering::Relaxed);
                press_all(cluster, event, 2 * options.blows(), dice).await;
            }
            Self::NodePaused => {
                let node = &cluster.nodes[dice.random_range(0..cluster.nodes.len())];
                node.pause();
                sleep(standstill).await;
                node.resume();
            }
            Self::RedisPaused => {
                cluster.redis.pause().expect("the process runs");
                sleep(standstill).await;
                cluster.redis.resume().expect("the process runs");
            }
            Self::MariaDbPaused => {
                cluster.mariadb.pause().expect("the process runs");
                sleep(standstill).await;
                cluster.mariadb.resume().expect("the process runs");
            }
            Self::MariaDbDiskFull => fill_mariadbs(cluster, standstill).await,
            Self::RedisLate => {
                cluster.to_redis.set(NetworkFault::Slow(700)).await;
                sleep(standstill).await;
                cluster.to_redis.set(NetworkFault::Fair).await;
            }
            Self::RedisRoadBroken | Self::MariaDbRoadBroken => self.storm(cluster, standstill, dice).await,
            _ => {
                for _ in 0..options.blows() {
                    self.blow(cluster, sale, dice).await;
                    sale.answered(ANSWERS).await;
                }
            }
        }
    }

    /// Kills something and starts it again.
    async fn blow(self, cluster: &mut Cluster, sale: &Sale, dice: &mut StdRng) {
        match self {
            Self::NodeKilled => {
                let index = dice.random_range(0..cluster.nodes.len());
                cluster.nodes[index].kill();
                sleep(DEATH).await;
                cluster.nodes[index].start();
            }
            Self::RedisKilled | Self::RedisEmptied | Self::RedisSetBack => {
                let older = cluster.copy_aof();
                if self == Self::RedisSetBack {
                    sale.answered(ANSWERS).await; // Redis will have lost these
                }
                cluster.kill_redis();
                match self {
                    Self::RedisEmptied => cluster.replace_aof(None),
                    Self::RedisSetBack => cluster.replace_aof(Some(&older)),
                    _ => {}
                }
                sleep(DEATH).await;
                cluster.start_redis();
            }
            Self::MariaDbKilled => cluster.restart_mariadb(),
            other => panic!("{other:?} is not a single fault"),
        }
    }

    async fn storm(self, cluster: &mut Cluster, standstill: Duration, dice: &mut StdRng) {
        let (link, late) = match self {
            Self::RedisRoadBroken => (&mut cluster.to_redis, NetworkFault::Slow(700)),
            _ => (&mut cluster.to_mariadb, NetworkFault::Slow(300)),
        };
        let end = tokio::time::Instant::now() + standstill;
        while tokio::time::Instant::now() < end {
            link.set(NetworkFault::Cut(dice.random_range(1..3_000))).await;
            sleep(GUST).await;
        }
        for fault in [late, NetworkFault::Swallowing] {
            link.set(fault).await;
            sleep(standstill / 2).await;
        }
        link.set(NetworkFault::Fair).await;
    }
}
