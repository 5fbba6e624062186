//! Nodes of an earlier version and of this one on the same Redis, as during the rollout of a release. The
//! earlier scripts (`old_scripts/`) compare the run id of the server process and do not know its replication
//! id.

use neticket_domain::Epoch;
use neticket_ledger::LoadAnswer;
use redis::{FromRedisValue, Script};

use crate::support::{
    EVENT, HOUR_MS, Kind, REPLACED, VIP, VIP_PRICE, admitted, journal_ids, load, request, snapshot,
};

macro_rules! old_script {
    ($file:literal) => {
        Script::new(concat!(
            include_str!("old_scripts/prelude.lua"),
            include_str!(concat!("old_scripts/", $file))
        ))
    };
}

/// A node of the earlier version, and its prefix of keys.
struct OldNode {
    connection: redis::aio::MultiplexedConnection,
    prefix: String,
}

impl OldNode {
    async fn new(prefix: String) -> Self {
        let client = redis::Client::open(Kind::Redis.url()).unwrap();
        Self { connection: client.get_multiplexed_async_connection().await.unwrap(), prefix }
    }

    async fn run<T: FromRedisValue>(&self, script: &Script, keys: &[&str], args: &[&[u8]]) -> T {
        let mut call = script.prepare_invoke();
        for key in keys {
            call.key(format!("{}:2:{{{EVENT}}}:{key}", self.prefix));
        }
        for arg in args {
            call.arg(*arg);
        }
        call.invoke_async(&mut self.connection.clone()).await.unwrap()
    }

    /// The epoch of the ledger that the node sees.
    async fn view(&self) -> Option<i64> {
        let answer: Vec<redis::Value> = self.run(&old_script!("view.lua"), &["ledger", "journal"], &[]).await;
        answer.get(1).map(|epoch| redis::from_redis_value(epoch.clone()).unwrap())
    }

    /// The token that the node's load must send. `own` is used if there is no token yet.
    async fn begin_load(&self, own: [u8; 16]) -> Vec<u8> {
        let script = old_script!("begin_load.lua");
        let answer: Vec<Vec<u8>> = self.run(&script, &["ledger", "loads"], &[&own[..], &b"60000"[..]]).await;
        answer[0].clone()
    }

    /// The first word of the answer to a load with 10 VIP tickets.
    async fn load(&self, token: &[u8], epoch: i64, now: i64) -> String {
        let ticket_type =
            [&VIP.0.to_be_bytes()[..], &VIP_PRICE.to_be_bytes(), &10_u32.to_be_bytes()].concat();
        let text = |number: i64| number.to_string().into_bytes();
        let args = [text(epoch), vec![], text(now - HOUR_MS), text(now + HOUR_MS), text(4), text(0), vec![]];
        let mut args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let never = text(i64::MAX);
        args.extend([&ticket_type, token, &never]);
        let keys = ["ledger", "holders", "journal", "staged_holders:none", "loads"];
        let answer: Vec<Vec<u8>> = self.run(&old_script!("load.lua"), &keys, &args).await;
        String::from_utf8(answer[0].clone()).unwrap()
    }
}

#[tokio::test]
async fn each_load_by_an_earlier_version_causes_one_load_by_this_version() {
    let (ledger, prefix) = Kind::Redis.ledger_and_prefix();
    let old = OldNode::new(prefix).await;
    let now = ledger.now().await.unwrap().as_millis();
    let entry = request(1, 1, VIP, 2);
    for epoch in [1, 3, 5] {
        let token = old.begin_load([7; 16]).await;
        assert_eq!(old.load(&token, epoch, now).await, "replaced");
        assert_eq!(old.view().await, Some(epoch));
        assert_eq!(
            ledger.view(EVENT).await.unwrap(),
            None,
            "a ledger of the earlier version names no server run"
        );

        assert_eq!(ledger.current_epoch(EVENT).await.unwrap(), Epoch(epoch));
        load(&*ledger, &snapshot(&*ledger, epoch + 1).await).await;
        assert_eq!(ledger.view(EVENT).await.unwrap().map(|view| view.epoch), Some(Epoch(epoch + 1)));
        assert_eq!(old.view().await, Some(epoch + 1), "the earlier version has no reason to load");
        admitted(&*ledger, &[entry]).await;
        assert_eq!(journal_ids(&*ledger).await, [entry.id], "the journal is carried over each time");
    }
}

#[tokio::test]
async fn a_load_by_an_earlier_version_starts_over_once_beside_one_by_this_version() {
    let (ledger, prefix) = Kind::Redis.ledger_and_prefix();
    let old = OldNode::new(prefix).await;
    let now = ledger.now().await.unwrap().as_millis();
    let first = old.begin_load([7; 16]).await;
    assert_eq!(first, [7; 16]);
    let begun = ledger.begin_load(EVENT).await.unwrap();
    assert_eq!(old.load(&first, 1, now).await, "again");
    let shared = old.begin_load([8; 16]).await;
    assert_ne!(shared, [8; 16], "both versions have the same token now");
    assert_eq!(old.load(&shared, 2, now).await, "replaced");
    assert_eq!(ledger.load(begun.token, &snapshot(&*ledger, 3).await).await.unwrap(), REPLACED);
    assert_eq!(ledger.begin_load(EVENT).await.unwrap().token, begun.token);

    // Losing the ledger deletes the token for both versions.
    ledger.drop_for_test(EVENT).await.unwrap();
    assert_eq!(old.load(&shared, 4, now).await, "again");
    let late = ledger.load(begun.token, &snapshot(&*ledger, 4).await).await.unwrap();
    assert_eq!(late, LoadAnswer::Again);
}
