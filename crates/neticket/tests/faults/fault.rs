//! What breaks, and how it is mended again.

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

/// How long what was killed stays dead.
const DEATH: Duration = Duration::from_millis(700);
/// How long one kind of cut lasts before the next.
const GUST: Duration = Duration::from_millis(250);
/// How many answers there are between two blows.
pub(crate) const ANSWERS: u64 = 150;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// For the negative controls.
    None,
    /// Administrators press every button, again and again. Nobody should feel it but for the pauses.
    ButtonsPressed,
    NodeKilled,
    NodePaused,
    /// It finds its data again.
    RedisKilled,
    RedisPaused,
    /// It starts again and knows nothing.
    RedisEmptied,
    /// It starts again and knows what it knew a while ago.
    RedisSetBack,
    /// Its answers come after the nodes' patience has ended.
    RedisLate,
    /// Its answers are cut off, late, and swallowed.
    RedisRoadBroken,
    MariaDbKilled,
    MariaDbPaused,
    /// It can store nothing more for a while.
    MariaDbDiskFull,
    /// Its answers are cut off, late, and swallowed.
    MariaDbRoadBroken,
}

impl Fault {
    pub(crate) fn roads(self) -> Roads {
        match self {
            Self::RedisLate | Self::RedisRoadBroken | Self::MariaDbRoadBroken => Roads::Proxied,
            _ => Roads::Direct,
        }
    }

    /// How large MariaDB's own disk is, in megabytes, if it has one.
    pub(crate) fn disk_mb(self) -> Option<u32> {
        (self == Self::MariaDbDiskFull).then_some(96)
    }

    /// Breaks it, and returns when it is mended.
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
                    sale.answered(ANSWERS).await; // which it will have forgotten
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
