//! Which Redis commands the ledger sends, read from its scripts and its code. None of them goes through all
//! keys of a server, with one exception: `SCAN`, in steps, rebuilds the list of ledgers after the server has
//! lost data (`listing.rs`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The text before a command's name, in scripts and in Rust. In scripts, one function takes the name as an
/// argument.
const CALLS: [&str; 4] = ["redis.call('", "redis.pcall('", "write('", "cmd(\""];
/// Commands that work on all keys of the server.
const FORBIDDEN: [&str; 4] = ["KEYS", "SCAN", "RANDOMKEY", "DBSIZE"];
/// The one file that may send `SCAN`.
const MAY_SCAN: &str = "redis/loaded.rs";

/// The Lua and Rust files below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found = Vec::new();
    for path in entries {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "lua" || extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The commands named in `text`.
fn commands(text: &str) -> BTreeSet<String> {
    for (at, call) in text.match_indices("redis.call(").chain(text.match_indices("redis.pcall(")) {
        let argument = &text[at + call.len()..];
        let is_spelt_out = argument.starts_with('\'') || argument.starts_with("command, ");
        assert!(is_spelt_out, "the command name must be a literal: {argument:.40}");
    }
    let named = |call: &'static str| text.match_indices(call).map(move |(at, _)| &text[at + call.len()..]);
    let spelt_out = CALLS.into_iter().flat_map(named).filter_map(|rest| rest.split(['\'', '"']).next());
    spelt_out.map(str::to_ascii_uppercase).collect()
}

#[test]
fn only_the_rebuild_of_the_ledger_list_scans_keys() {
    let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut found = BTreeSet::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(!text.contains(".scan(") && !text.contains(".scan_match("), "{}", file.display());
        let mut sent = commands(&text);
        if file.ends_with(MAY_SCAN) {
            assert!(sent.remove("SCAN"), "the file sends SCAN, but the check did not find it: {sent:?}");
        }
        found.extend(sent);
    }
    for known in ["HGET", "HSET", "EVALSHA", "ZRANGE", "INFO"] {
        assert!(found.contains(known), "{known} is sent, but the check did not find it: {found:?}");
    }
    for forbidden in FORBIDDEN {
        assert!(!found.contains(forbidden), "{forbidden} is sent");
    }
}
