//! The scripts, the arguments of each, and the names of the keys that they use.

use std::sync::LazyLock;

use neticket_domain::EventId;
use redis::cluster_routing::Slot;
use redis::{Cmd, ToRedisArgs};
use uuid::Uuid;

/// A part of every key's name. Increase it with every change of what the keys contain. A ledger of another
/// layout is then absent, and the event is loaded again.
const LAYOUT: &str = "2";

/// What the server stores for an event. A script's header names the keys that it gets, in the spelling of
/// `word`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Ledger,
    Holders,
    Journal,
    StagedHolders,
    Loads,
    Lease,
    /// One key for all events, not one per event. The same holds for the next two.
    Loaded,
    Complete,
    Scan,
    /// Belongs to no event.
    Nodes,
    /// Belongs to no event and to no layout, because nodes of all versions compare themselves there.
    Claims,
}

impl Key {
    fn word(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Holders => "holders",
            Self::Journal => "journal",
            Self::StagedHolders => "staged_holders",
            Self::Loads => "loads",
            Self::Lease => "lease",
            Self::Loaded => "loaded",
            Self::Complete => "complete",
            Self::Scan => "scan",
            Self::Nodes => "nodes",
            Self::Claims => "claims",
        }
    }
}

/// The keys of one event.
pub(super) struct EventKeys {
    prefix: String,
    event: EventId,
    /// Distinguishes the staged keys of one load from those of another.
    stage: Uuid,
}

impl EventKeys {
    pub(super) fn new(prefix: &str, event: EventId) -> Self {
        Self { prefix: prefix.to_owned(), event, stage: Uuid::nil() }
    }

    pub(super) fn staged_as(self, stage: Uuid) -> Self {
        Self { stage, ..self }
    }

    pub(super) fn name(&self, key: Key) -> String {
        let Self { prefix, event, stage } = self;
        let word = key.word();
        // Redis Cluster keeps all keys with the same text between the braces in one slot.
        match key {
            Key::StagedHolders => format!("{prefix}:{LAYOUT}:{{{event}}}:{word}:{stage}"),
            Key::Loaded => loaded_key(prefix),
            Key::Complete | Key::Scan => beside_list(prefix, word),
            Key::Nodes => format!("{prefix}:{LAYOUT}:{word}"),
            Key::Claims => format!("{prefix}:{word}"),
            _ => format!("{prefix}:{LAYOUT}:{{{event}}}:{word}"),
        }
    }
}

/// The name of the list of loaded events.
fn loaded_key(prefix: &str) -> String {
    format!("{prefix}:{LAYOUT}:{}", Key::Loaded.word())
}

/// The name of a key that Redis Cluster keeps in the slot of the list of loaded events. That slot is the one
/// of the hash tag in the list's name or, if it has none, of the whole name. The key begins with the prefix,
/// like every key, because access rules depend on the prefix.
fn beside_list(prefix: &str, word: &str) -> String {
    let name = loaded_key(prefix);
    let tag = name.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
    if tag.is_some_and(|tag| !tag.is_empty()) {
        format!("{name}:{word}")
    } else {
        format!("{prefix}:{LAYOUT}:{{{name}}}:{word}")
    }
}

/// Whether a cluster keeps the list of loaded events and the keys beside it in one slot. It does not if the
/// prefix has an unpaired or empty brace.
pub(super) fn list_is_in_one_slot(prefix: &str) -> bool {
    let keys = EventKeys::new(prefix, EventId(0));
    let slot = |key| Slot::for_key(keys.name(key));
    slot(Key::Loaded) == slot(Key::Complete) && slot(Key::Loaded) == slot(Key::Scan)
}

/// Finds the ledgers of all events: the pattern for `SCAN`, and the event of a key that matches it.
pub(super) struct LedgerKeys {
    before: String,
    after: String,
}

impl LedgerKeys {
    pub(super) fn new(prefix: &str) -> Self {
        Self { before: format!("{prefix}:{LAYOUT}:{{"), after: format!("}}:{}", Key::Ledger.word()) }
    }

    pub(super) fn pattern(&self) -> String {
        let mut pattern = String::new();
        for character in self.before.chars() {
            if matches!(character, '*' | '?' | '[' | ']' | '\\') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        format!("{pattern}*{}", self.after)
    }

    pub(super) fn event_of(&self, key: &[u8]) -> Option<EventId> {
        let number = key.strip_prefix(self.before.as_bytes())?.strip_suffix(self.after.as_bytes())?;
        std::str::from_utf8(number).ok()?.parse().ok().map(EventId)
    }
}

/// One script and its contract. A test checks that the contract matches the script's header.
pub(super) struct Script {
    name: &'static str,
    keys: &'static [Key],
    args: &'static [&'static str],
    source: &'static str,
    /// The digest by which a server finds a script that it has run before.
    hash: String,
}

macro_rules! source {
    ($file:literal) => {
        concat!(include_str!("../lua/prelude.lua"), include_str!(concat!("../lua/", $file)))
    };
}

macro_rules! scripts {
    ($($name:ident = $file:literal [$($key:ident),*] [$($arg:literal),*];)*) => {
        $(pub(super) static $name: LazyLock<Script> = LazyLock::new(|| Script {
            name: $file,
            keys: &[$(Key::$key),*],
            args: &[$($arg),*],
            source: source!($file),
            hash: redis::Script::new(source!($file)).get_hash().to_owned(),
        });)*

        #[cfg(test)]
        static ALL: &[(&LazyLock<Script>, &str)] =
            &[$((&$name, include_str!(concat!("../lua/", $file)))),*];
    };
}

scripts! {
    ADMIT = "admit.lua" [Ledger, Holders, Journal] ["epoch_min", "journal_len_max", "reservations_max", "requests"];
    SETTLE = "settle.lua" [Ledger, Journal] ["epoch", "ids"];
    RELEASE = "release.lua" [Ledger, Holders, Journal] ["releases"];
    STAGE = "stage.lua" [StagedHolders] ["expiry_ms", "reservations"];
    BEGIN_LOAD = "begin_load.lua" [Ledger, Loads] ["token", "expiry_ms"];
    LOAD = "load.lua" [Ledger, Holders, Journal, StagedHolders, Loads]
        ["epoch", "paused_at", "opens_at", "closes_at", "max_per_user", "reservations_len", "refused", "ticket_types", "token", "window_since"];
    EVICT = "evict.lua" [Ledger, Holders, Journal, Loads] ["epoch"];
    DELETE = "delete.lua" [Ledger, Holders, Journal, Loads] [];
    UNLIST = "unlist.lua" [Loaded] ["event", "epoch"];
    LOADED = "loaded.lua" [Loaded, Complete] ["rescan_ms"];
    BEGIN_SCAN = "begin_scan.lua" [Complete, Scan] ["scan", "lease_ms", "rescan_ms"];
    END_SCAN = "end_scan.lua" [Complete, Scan] ["scan"];
    VIEW = "view.lua" [Ledger, Journal] [];
    EXAMINE = "examine.lua" [Ledger, Journal] [];
    PENDING_OF = "pending_of.lua" [Ledger, Holders, Journal] ["user"];
    JOURNAL_OLDER_THAN = "journal_older_than.lua" [Ledger, Journal] ["age_ms", "limit"];
    JOURNAL_ENTRY = "journal_entry.lua" [Ledger, Journal] ["id"];
    PUBLISH_STATUS = "publish_status.lua" [Nodes] ["node", "status", "expiry_ms", "nodes_max"];
    STATUSES = "statuses.lua" [Nodes] ["age_ms"];
    CLAIM = "claim.lua" [Claims] ["node", "database", "token_secret", "age_max_ms", "claims_max"];
}

/// One call of a script, with its keys and arguments.
pub(super) struct Call {
    script: &'static Script,
    command: Cmd,
    args_len: usize,
}

impl Call {
    pub(super) fn new(script: &'static Script, keys: &EventKeys) -> Self {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&script.hash).arg(script.keys.len());
        for key in script.keys {
            command.arg(keys.name(*key));
        }
        Self { script, command, args_len: 0 }
    }

    /// Adds the next argument. `name` is its name in the contract.
    pub(super) fn arg(mut self, name: &'static str, value: impl ToRedisArgs) -> Self {
        let expected = self.script.args.get(self.args_len);
        debug_assert_eq!(Some(&name), expected, "argument {} of {}", self.args_len + 1, self.script.name);
        self.command.arg(value);
        self.args_len += 1;
        self
    }

    pub(super) fn name(&self) -> &'static str {
        self.script.name
    }

    pub(super) fn command(&self) -> &Cmd {
        &self.command
    }

    /// The same call with the source of the script, for a server that does not know the script. The server
    /// then remembers it.
    pub(super) fn with_source(&self) -> Cmd {
        let mut command = redis::cmd("EVAL");
        command.arg(self.script.source);
        for arg in self.command.args_iter().skip(2) {
            if let redis::Arg::Simple(bytes) = arg {
                command.arg(bytes);
            }
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The `KEYS` and `ARGV` of a script's header.
    #[derive(Debug, Default, PartialEq)]
    struct Header {
        keys: Vec<String>,
        args: Vec<String>,
    }

    fn parse(source: &str) -> Header {
        let header = source.split("]]").next().unwrap();
        let (keys, rest) = header.split_once("\n  KEYS").unwrap().1.split_once("\n  ARGV").unwrap();
        let (args, returns) = rest.split_once("\n  RETURNS").unwrap();
        assert!(returns.contains("ne script") || returns.contains("A script"), "says why it is one script");
        Header { keys: numbered(keys), args: numbered(args) }
    }

    /// The names in lines such as `2 name what it is`, which are numbered from 1.
    fn numbered(lines: &str) -> Vec<String> {
        let mut names = vec![];
        for line in lines.lines() {
            let mut words = line.split_whitespace();
            if let Some(number) = words.next().and_then(|word| word.parse::<usize>().ok()) {
                names.push(words.next().unwrap().to_owned());
                assert_eq!(number, names.len(), "{line}");
            }
        }
        names
    }

    #[test]
    fn every_script_is_called_as_its_header_says() {
        for (script, source) in ALL {
            let expected = Header {
                keys: script.keys.iter().map(|key| key.word().to_owned()).collect(),
                args: script.args.iter().map(|&name| name.to_owned()).collect(),
            };
            assert_eq!(parse(source), expected, "{}", script.name);
        }
    }

    #[test]
    fn no_script_uses_keys_or_arguments_beyond_its_header() {
        for (script, source) in ALL {
            for number in 1..20 {
                let key = source.contains(&format!("KEYS[{number}]"));
                assert_eq!(key, number <= script.keys.len(), "KEYS[{number}] of {}", script.name);
                let argument = source.contains(&format!("ARGV[{number}]"));
                assert!(!argument || number <= script.args.len(), "ARGV[{number}] of {}", script.name);
            }
        }
    }

    #[test]
    fn all_keys_of_an_event_share_one_hash_tag() {
        let keys = EventKeys::new("neticket", EventId(7)).staged_as(Uuid::max());
        assert_eq!(keys.name(Key::Ledger), "neticket:2:{7}:ledger");
        assert_eq!(
            keys.name(Key::StagedHolders),
            "neticket:2:{7}:staged_holders:ffffffff-ffff-ffff-ffff-ffffffffffff"
        );
    }

    #[test]
    fn the_keys_next_to_the_event_list_share_its_slot() {
        for prefix in ["neticket", "t_1:", "{app}", "a{b}c{d}", "{app}:{x"] {
            assert!(list_is_in_one_slot(prefix), "{prefix}");
            for key in [Key::Loaded, Key::Complete, Key::Scan] {
                assert!(EventKeys::new(prefix, EventId(7)).name(key).starts_with(prefix), "{prefix}");
            }
        }
        for prefix in ["a{b", "a}b", "{}{x}"] {
            assert!(!list_is_in_one_slot(prefix), "{prefix}");
        }
        let keys = EventKeys::new("neticket", EventId(7));
        assert_eq!(keys.name(Key::Complete), "neticket:2:{neticket:2:loaded}:complete");
    }

    #[test]
    fn the_ledger_keys_of_a_prefix_are_recognised() {
        let keys = LedgerKeys::new("a*[b]");
        assert_eq!(keys.pattern(), r"a\*\[b\]:2:{*}:ledger");
        assert_eq!(keys.event_of(b"a*[b]:2:{-8}:ledger"), Some(EventId(-8)));
        let ledger = EventKeys::new("a*[b]", EventId(7)).name(Key::Ledger);
        assert_eq!(keys.event_of(ledger.as_bytes()), Some(EventId(7)));
        for other in ["a*[b]:2:{7}:holders", "a*[b]:1:{7}:ledger", "ax[b]:2:{7}:ledger", "a*[b]:2:{x}:ledger"]
        {
            assert_eq!(keys.event_of(other.as_bytes()), None, "{other}");
        }
    }
}
