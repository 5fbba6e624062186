//! The actions of the inventory page, and their texts before and after.

use neticket_contract::InventoryEntry;

use super::super::api::LedgerAction;
use crate::i18n::{I18n, Msg};

/// One action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InventoryAction {
    Ledger(LedgerAction),
    Reconcile,
    ClearEvent,
    ClearAll,
}

/// The action that a dialog asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PendingAction {
    pub(crate) action: InventoryAction,
    /// The event. `None` if the action concerns the whole service.
    pub(crate) entry: Option<InventoryEntry>,
}

/// The name of an event on the inventory page. It includes the id, because several events can have one title.
pub(crate) fn name(entry: &InventoryEntry) -> String {
    format!("{} (#{})", entry.title, entry.event_id)
}

impl PendingAction {
    pub(crate) fn title(&self) -> String {
        self.entry.as_ref().map(name).unwrap_or_default()
    }

    pub(crate) fn event_id(&self) -> i64 {
        self.entry.as_ref().map_or(0, |entry| entry.event_id)
    }
}

impl InventoryAction {
    /// The text of its button.
    pub(crate) fn button(self) -> Msg {
        match self {
            Self::Ledger(LedgerAction::Load) => Msg::RoomLoad,
            Self::Ledger(LedgerAction::Evict) => Msg::RoomEvict,
            Self::Ledger(LedgerAction::Pause) => Msg::RoomPause,
            Self::Ledger(LedgerAction::Resume) => Msg::RoomResume,
            Self::Reconcile => Msg::RoomReconcile,
            Self::ClearEvent => Msg::RoomClearEvent,
            Self::ClearAll => Msg::RoomClearAll,
        }
    }

    /// The question of its dialog.
    pub(crate) fn question(self) -> Msg {
        match self {
            Self::Ledger(LedgerAction::Load) => Msg::RoomLoadAsk,
            Self::Ledger(LedgerAction::Evict) => Msg::RoomEvictAsk,
            Self::Ledger(LedgerAction::Pause) => Msg::RoomPauseAsk,
            Self::Ledger(LedgerAction::Resume) => Msg::RoomResumeAsk,
            Self::Reconcile => Msg::RoomReconcileAsk,
            Self::ClearEvent => Msg::RoomClearEventAsk,
            Self::ClearAll => Msg::RoomClearAllAsk,
        }
    }

    /// What will happen.
    pub(crate) fn consequence(self) -> Msg {
        match self {
            Self::Ledger(LedgerAction::Load) => Msg::RoomLoadConsequence,
            Self::Ledger(LedgerAction::Evict) => Msg::RoomEvictConsequence,
            Self::Ledger(LedgerAction::Pause) => Msg::RoomPauseConsequence,
            Self::Ledger(LedgerAction::Resume) => Msg::RoomResumeConsequence,
            Self::Reconcile => Msg::RoomReconcileConsequence,
            Self::ClearEvent | Self::ClearAll => Msg::RoomClearConsequence,
        }
    }
}

/// The result of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ActionResult {
    /// Whether the wanted state is reached.
    pub(crate) done: bool,
    pub(crate) text: String,
}

/// Describes the result by the state of the ledger that the server answered. It never says "done" for
/// something that was not done.
pub(crate) fn describe_result(
    i18n: I18n,
    action: LedgerAction,
    before: &InventoryEntry,
    now: &InventoryEntry,
) -> ActionResult {
    let title = name(now);
    let epoch = now.ledger.epoch.map_or_else(|| "–".to_owned(), |epoch| epoch.to_string());
    let key = match action {
        LedgerAction::Load if now.ledger.loaded => Msg::RoomLoadDone,
        LedgerAction::Load => Msg::RoomLoadNot,
        LedgerAction::Evict if !now.ledger.loaded && !before.ledger.loaded => Msg::RoomEvictNothing,
        LedgerAction::Evict if !now.ledger.loaded => Msg::RoomEvictDone,
        LedgerAction::Evict => Msg::RoomEvictBack,
        LedgerAction::Pause if !now.ledger.paused => Msg::RoomPauseNot,
        LedgerAction::Pause if before.ledger.paused => Msg::RoomPauseNothing,
        LedgerAction::Pause => Msg::RoomPauseDone,
        LedgerAction::Resume if now.ledger.paused => Msg::RoomResumeNot,
        LedgerAction::Resume if !before.ledger.paused => Msg::RoomResumeNothing,
        LedgerAction::Resume => Msg::RoomResumeDone,
    };
    let done = !matches!(key, Msg::RoomLoadNot | Msg::RoomEvictBack | Msg::RoomPauseNot | Msg::RoomResumeNot);
    ActionResult { done, text: i18n.fill(key, &[("title", &title), ("epoch", &epoch)]) }
}
