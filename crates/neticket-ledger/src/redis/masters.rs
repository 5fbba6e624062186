//! Which masters there are, and in which state. A scan of all masters reads this before and after, to see
//! whether anything has changed.

use std::collections::{BTreeMap, BTreeSet};

use super::connection::{Connections, Node};
use super::reply::Reply;
use crate::LedgerError;

/// The masters of a cluster. A single server is named `None`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Masters(BTreeMap<Option<Node>, Master>);

/// This state changes if keys may have come to this master, or left it, in another way than by commands.
#[derive(Debug, Default, PartialEq, Eq)]
struct Master {
    /// Identifies the server run; see `lua/prelude.lua`.
    replication_id: String,
    slots: Vec<String>,
}

impl Masters {
    /// The masters that there are now. `replication_ids`: what each of them answers to `INFO`.
    ///
    /// # Errors
    /// If a master does not answer. Also if a master with slots is missing, was demoted or is not known to
    /// the connection, or if slots are being moved, because then not all keys can be found.
    pub(super) async fn find(
        connections: &Connections,
        replication_ids: Vec<(Option<Node>, String)>,
    ) -> Result<Self, LedgerError> {
        let mut masters = BTreeMap::new();
        for (node, replication_id) in replication_ids {
            masters.insert(node, Master { replication_id, ..Master::default() });
        }
        if !connections.is_cluster() {
            return Ok(Self(masters));
        }
        let mut texts = BTreeMap::new();
        for (node, answer) in connections.query_each(::redis::cmd("CLUSTER").arg("NODES")).await? {
            texts.insert(node, Reply::new("CLUSTER NODES", answer).text()?);
        }
        match slots_by_master(&texts) {
            Ok(slots) => {
                for (node, slots) in slots {
                    masters.entry(node).or_default().slots = slots;
                }
                Ok(Self(masters))
            }
            Err(reason) => {
                if matches!(reason, Unsettled::Unknown(_) | Unsettled::Demoted) {
                    connections.renew().await;
                }
                Err(LedgerError::Unavailable(Box::new(reason)))
            }
        }
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = Option<&Node>> {
        self.0.keys().map(Option::as_ref)
    }
}

/// Why not all keys of a cluster can be found now.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Unsettled {
    #[error("the master {0} does not answer")]
    Down(String),
    #[error("the master {0} is not known to this connection yet")]
    Unknown(String),
    #[error("slots are being moved to or from the master {0}")]
    Moving(String),
    #[error("a server is no longer a master")]
    Demoted,
}

/// The slots of each master that answered `CLUSTER NODES`, in the notation of that command. An error if these
/// masters do not have all slots that are assigned to masters.
fn slots_by_master<K: Clone + Ord>(
    texts: &BTreeMap<K, String>,
) -> Result<BTreeMap<K, Vec<String>>, Unsettled> {
    let mut ids = BTreeSet::new();
    let mut slots = BTreeMap::new();
    for (node, text) in texts {
        let own = lines(text).find(|line| line.has("myself")).filter(|line| line.has("master"));
        let own = own.ok_or(Unsettled::Demoted)?;
        if own.slots.iter().any(|slots| slots.starts_with('[')) {
            return Err(Unsettled::Moving(own.id.to_owned()));
        }
        ids.insert(own.id);
        slots.insert(node.clone(), own.slots.iter().map(|&slots| slots.to_owned()).collect());
    }
    let mut others = texts.values().flat_map(|text| lines(text));
    match others.find(|line| line.has("master") && !line.slots.is_empty() && !ids.contains(line.id)) {
        Some(line) if line.has("fail") || line.has("fail?") => Err(Unsettled::Down(line.id.to_owned())),
        Some(line) => Err(Unsettled::Unknown(line.id.to_owned())),
        None => Ok(slots),
    }
}

/// A line of `CLUSTER NODES`.
struct Line<'a> {
    id: &'a str,
    flags: &'a str,
    slots: Vec<&'a str>,
}

impl Line<'_> {
    fn has(&self, flag: &str) -> bool {
        self.flags.split(',').any(|word| word == flag)
    }
}

/// Each line has, in this order: id, address, flags, master, ping time, pong time, epoch, link state, slots.
fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (id, flags) = (words.next()?, words.nth(1)?);
        Some(Line { id, flags, slots: words.skip(5).collect() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "a 127.0.0.1:1@11 myself,master - 0 0 1 connected 0-5460 9000";
    const B: &str = "b 127.0.0.1:2@12 myself,master - 0 0 2 connected 5461-8999 9001-16383";
    const B_SEEN: &str = "b 127.0.0.1:2@12 master - 0 1760000000000 2 connected 5461-8999 9001-16383";
    const REPLICA: &str = "c 127.0.0.1:3@13,host slave b 0 1760000000000 2 connected";
    const OLD: &str = "d 127.0.0.1:4@14 master,fail - 0 1760000000000 1 disconnected";

    fn found(texts: &[&[&str]]) -> Result<BTreeMap<usize, Vec<String>>, Unsettled> {
        slots_by_master(&texts.iter().map(|lines| lines.join("\n")).enumerate().collect())
    }

    #[test]
    fn the_slots_of_all_masters_are_found() {
        let slots = found(&[&[A, B_SEEN, REPLICA, OLD], &[REPLICA, B]]).unwrap();
        assert_eq!(slots[&0], ["0-5460", "9000"]);
        assert_eq!(slots[&1], ["5461-8999", "9001-16383"]);
    }

    #[test]
    fn a_master_with_slots_that_did_not_answer_is_reported() {
        assert_eq!(found(&[&[A, B_SEEN]]), Err(Unsettled::Unknown("b".to_owned())));
        let failed = B_SEEN.replace("master", "master,fail");
        assert_eq!(found(&[&[A, &failed]]), Err(Unsettled::Down("b".to_owned())));
        let suspected = B_SEEN.replace("master", "master,fail?");
        assert_eq!(found(&[&[A, &suspected]]), Err(Unsettled::Down("b".to_owned())));
    }

    #[test]
    fn slots_that_are_being_moved_are_reported() {
        let importing = format!("{A} [5461-<-b]");
        assert_eq!(found(&[&[&importing, B_SEEN], &[B]]), Err(Unsettled::Moving("a".to_owned())));
    }

    #[test]
    fn a_replica_does_not_count_as_a_master() {
        let demoted = A.replace("myself,master - ", "myself,slave b ");
        assert_eq!(found(&[&[&demoted, B_SEEN], &[B]]), Err(Unsettled::Demoted));
        assert_eq!(found(&[&[""]]), Err(Unsettled::Demoted));
    }
}
