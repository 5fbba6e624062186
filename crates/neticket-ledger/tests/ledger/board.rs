//! The node registry: all nodes of one ledger share it, and it drops nodes that stay silent.

use std::time::Duration;

use neticket_ledger::{BOARD_NODES_MAX, BOARD_NOTE_LEN_MAX};
use uuid::Uuid;

use crate::support::{Kind, on_every_ledger};

/// Longer than any case takes.
const LONG_MS: u32 = 50_000;

on_every_ledger! {
    the_last_note_of_every_node_is_on_the_board,
    a_note_that_is_too_old_is_not_told,
    a_board_is_of_one_prefix,
    there_are_never_more_notes_than_there_may_be,
    a_note_that_is_too_long_is_refused,
}

fn node(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

async fn the_last_note_of_every_node_is_on_the_board(kind: Kind) {
    let ledger = kind.ledger();
    let board = ledger.board();
    assert_eq!(board.notes(LONG_MS).await.unwrap(), []);
    board.post(node(1), b"old").await.unwrap();
    board.post(node(2), b"\0\xff, any bytes").await.unwrap();
    board.post(node(1), b"").await.unwrap();
    let mut notes = board.notes(LONG_MS).await.unwrap();
    notes.sort();
    assert_eq!(notes, [(node(1), b"".to_vec()), (node(2), b"\0\xff, any bytes".to_vec())]);
}

async fn a_note_that_is_too_old_is_not_told(kind: Kind) {
    let ledger = kind.ledger();
    let board = ledger.board();
    board.post(node(1), b"a").await.unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !board.notes(1).await.unwrap().is_empty() {
        assert!(tokio::time::Instant::now() < deadline, "it grows old");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(board.notes(LONG_MS).await.unwrap().len(), 1, "and is there for who is content with it");
}

async fn a_board_is_of_one_prefix(kind: Kind) {
    let (one, other) = (kind.ledger(), kind.ledger());
    one.board().post(node(1), b"a").await.unwrap();
    assert_eq!(other.board().notes(LONG_MS).await.unwrap(), []);
}

async fn there_are_never_more_notes_than_there_may_be(kind: Kind) {
    let ledger = kind.ledger();
    for number in 0..BOARD_NODES_MAX + 2 {
        ledger.board().post(node(number.try_into().unwrap()), b"a").await.unwrap();
    }
    ledger.board().post(node(3), b"b").await.unwrap();
    let notes = ledger.board().notes(LONG_MS).await.unwrap();
    assert_eq!(notes.len(), BOARD_NODES_MAX);
    assert!(notes.contains(&(node(3), b"b".to_vec())), "whoever has a place keeps it");
}

async fn a_note_that_is_too_long_is_refused(kind: Kind) {
    let ledger = kind.ledger();
    let note = vec![b'a'; BOARD_NOTE_LEN_MAX + 1];
    assert!(ledger.board().post(node(1), &note).await.is_err());
    ledger.board().post(node(1), &note[1..]).await.unwrap();
    assert_eq!(ledger.board().notes(LONG_MS).await.unwrap()[0].1.len(), BOARD_NOTE_LEN_MAX);
}
