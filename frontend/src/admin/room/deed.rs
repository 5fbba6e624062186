//! What an administrator can do in the control room, and how it is said before and after.

use neticket_contract::InventoryEntry;

use super::super::api::LedgerDeed;
use crate::i18n::{I18n, T};

/// One thing that can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Ledger(LedgerDeed),
    Reconcile,
    ClearEvent,
    ClearAll,
}

/// What is being asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) deed: Deed,
    /// The event; the whole service where there is none.
    pub(crate) entry: Option<InventoryEntry>,
}

/// What an event is called here: a show has many dates, all of one title.
pub(crate) fn name(entry: &InventoryEntry) -> String {
    format!("{} (#{})", entry.title, entry.event_id)
}

impl Asked {
    pub(crate) fn title(&self) -> String {
        self.entry.as_ref().map(name).unwrap_or_default()
    }

    pub(crate) fn event_id(&self) -> i64 {
        self.entry.as_ref().map_or(0, |entry| entry.event_id)
    }
}

impl Deed {
    /// What its button says.
    pub(crate) fn action(self) -> T {
        match self {
            Self::Ledger(LedgerDeed::Load) => T::RoomLoad,
            Self::Ledger(LedgerDeed::Evict) => T::RoomEvict,
            Self::Ledger(LedgerDeed::Pause) => T::RoomPause,
            Self::Ledger(LedgerDeed::Resume) => T::RoomResume,
            Self::Reconcile => T::RoomReconcile,
            Self::ClearEvent => T::RoomClearEvent,
            Self::ClearAll => T::RoomClearAll,
        }
    }

    /// What its dialog asks.
    pub(crate) fn question(self) -> T {
        match self {
            Self::Ledger(LedgerDeed::Load) => T::RoomLoadAsk,
            Self::Ledger(LedgerDeed::Evict) => T::RoomEvictAsk,
            Self::Ledger(LedgerDeed::Pause) => T::RoomPauseAsk,
            Self::Ledger(LedgerDeed::Resume) => T::RoomResumeAsk,
            Self::Reconcile => T::RoomReconcileAsk,
            Self::ClearEvent => T::RoomClearEventAsk,
            Self::ClearAll => T::RoomClearAllAsk,
        }
    }

    /// What will happen.
    pub(crate) fn consequence(self) -> T {
        match self {
            Self::Ledger(LedgerDeed::Load) => T::RoomLoadConsequence,
            Self::Ledger(LedgerDeed::Evict) => T::RoomEvictConsequence,
            Self::Ledger(LedgerDeed::Pause) => T::RoomPauseConsequence,
            Self::Ledger(LedgerDeed::Resume) => T::RoomResumeConsequence,
            Self::Reconcile => T::RoomReconcileConsequence,
            Self::ClearEvent | Self::ClearAll => T::RoomClearConsequence,
        }
    }
}

/// What has come of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Whether it is as it was wanted.
    pub(crate) done: bool,
    pub(crate) text: String,
}

/// What has come of it, by what the server says the ledger is like now: never "done" for what was not.
pub(crate) fn came_of(i18n: I18n, deed: LedgerDeed, before: &InventoryEntry, now: &InventoryEntry) -> Told {
    let title = name(now);
    let epoch = now.ledger.epoch.map_or_else(|| "–".to_owned(), |epoch| epoch.to_string());
    let key = match deed {
        LedgerDeed::Load if now.ledger.loaded => T::RoomLoadDone,
        LedgerDeed::Load => T::RoomLoadNot,
        LedgerDeed::Evict if !now.ledger.loaded && !before.ledger.loaded => T::RoomEvictNothing,
        LedgerDeed::Evict if !now.ledger.loaded => T::RoomEvictDone,
        LedgerDeed::Evict => T::RoomEvictBack,
        LedgerDeed::Pause if !now.ledger.paused => T::RoomPauseNot,
        LedgerDeed::Pause if before.ledger.paused => T::RoomPauseNothing,
        LedgerDeed::Pause => T::RoomPauseDone,
        LedgerDeed::Resume if now.ledger.paused => T::RoomResumeNot,
        LedgerDeed::Resume if !before.ledger.paused => T::RoomResumeNothing,
        LedgerDeed::Resume => T::RoomResumeDone,
    };
    let done = !matches!(key, T::RoomLoadNot | T::RoomEvictBack | T::RoomPauseNot | T::RoomResumeNot);
    Told { done, text: i18n.fill(key, &[("title", &title), ("epoch", &epoch)]) }
}
