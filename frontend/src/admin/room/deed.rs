//! The actions of the inventory page, and their texts before and after.

use neticket_contract::InventoryEntry;

use super::super::api::LedgerDeed;
use crate::i18n::{I18n, T};

/// One action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Ledger(LedgerDeed),
    Reconcile,
    ClearEvent,
    ClearAll,
}

/// The action that a dialog asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) deed: Deed,
    /// The event. `None` if the action concerns the whole service.
    pub(crate) entry: Option<InventoryEntry>,
}

/// The name of an event on the inventory page. It includes the id, because several events can have one title.
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
    /// The text of its button.
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

    /// The question of its dialog.
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

/// The result of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Whether the wanted state is reached.
    pub(crate) done: bool,
    pub(crate) text: String,
}

/// Describes the result by the state of the ledger that the server answered. It never says "done" for
/// something that was not done.
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
