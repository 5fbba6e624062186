//! The faults, and how each is repaired.

use std::sync::atomic::Ordering;
use std::time::Duration;

use neticket_testkit::Weather;
use neticket_testkit::domain::EventId;
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::time::sleep;

use crate::buttons::press_all;
use crate::disk::fill_mariadbs;
use crate::house::{House, Roads};
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
    pub(crate) fn roads(self) -> Roads {
        match self {
            Self::RedisLate | Self::RedisRoadBroken | Self::MariaDbRoadBroken => Roads::Proxied,
            _ => Roads::Direct,
        }
    }

    /// The size of MariaDB's own disk in megabytes, if the fault needs one.
    pub(crate) fn disk_mb(self) -> Option<u32> {
        (self == Self::MariaDbDiskFull).then_some(96)
    }

    /// Causes the fault, and returns when it is repaired.
    pub(crate) async fn strike(
        self,
        house: &mut House,
        (sale, event): (&Sale, EventId),
        options: Options,
        dice: &mut StdRng,
    ) {
        let standstill = options.standstill();
        match self {
            Self::None => {}
            Self::ButtonsPressed => {
                sale.pauses.store(true, Ordering::Relaxed);
                press_all(house, event, 2 * options.blows(), dice).await;
            }
            Self::NodePaused => {
                let node = &house.nodes[dice.random_range(0..house.nodes.len())];
                node.pause();
                sleep(standstill).await;
                node.resume();
            }
            Self::RedisPaused => {
                house.redis.pause().expect("it runs");
                sleep(standstill).await;
                house.redis.resume().expect("it runs");
            }
            Self::MariaDbPaused => {
                house.mariadb.pause().expect("it runs");
                sleep(standstill).await;
                house.mariadb.resume().expect("it runs");
            }
            Self::MariaDbDiskFull => fill_mariadbs(house, standstill).await,
            Self::RedisLate => {
                house.to_redis.set(Weather::Slow(700)).await;
                sleep(standstill).await;
                house.to_redis.set(Weather::Fair).await;
            }
            Self::RedisRoadBroken | Self::MariaDbRoadBroken => self.storm(house, standstill, dice).await,
            _ => {
                for _ in 0..options.blows() {
                    self.blow(house, sale, dice).await;
                    sale.answered(ANSWERS).await;
                }
            }
        }
    }

    /// Kills something and starts it again.
    async fn blow(self, house: &mut House, sale: &Sale, dice: &mut StdRng) {
        match self {
            Self::NodeKilled => {
                let index = dice.random_range(0..house.nodes.len());
                house.nodes[index].kill();
                sleep(DEATH).await;
                house.nodes[index].start();
            }
            Self::RedisKilled | Self::RedisEmptied | Self::RedisSetBack => {
                let older = house.copy_aof();
                if self == Self::RedisSetBack {
                    sale.answered(ANSWERS).await; // Redis will have lost these
                }
                house.kill_redis();
                match self {
                    Self::RedisEmptied => house.replace_aof(None),
                    Self::RedisSetBack => house.replace_aof(Some(&older)),
                    _ => {}
                }
                sleep(DEATH).await;
                house.start_redis();
            }
            Self::MariaDbKilled => house.restart_mariadb(),
            other => panic!("{other:?} is no blow"),
        }
    }

    async fn storm(self, house: &mut House, standstill: Duration, dice: &mut StdRng) {
        let (road, late) = match self {
            Self::RedisRoadBroken => (&mut house.to_redis, Weather::Slow(700)),
            _ => (&mut house.to_mariadb, Weather::Slow(300)),
        };
        let end = tokio::time::Instant::now() + standstill;
        while tokio::time::Instant::now() < end {
            road.set(Weather::Cut(dice.random_range(1..3_000))).await;
            sleep(GUST).await;
        }
        for weather in [late, Weather::Swallowing] {
            road.set(weather).await;
            sleep(standstill / 2).await;
        }
        road.set(Weather::Fair).await;
    }
}
