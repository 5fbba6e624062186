//! The state of a form: what is typed, what the server has, and what is wrong.

use std::collections::{HashMap, HashSet};

use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::{AdminEvent, Problem};
use neticket_domain::Timestamp;
use wasm_bindgen::JsCast as _;

use super::super::api::Tagged;
use super::super::local_time;
use super::check::{Fault, ValidationContext, faults, refusals};
use super::draft::{DateTimeCodec, Draft};
use crate::browser;
use crate::clock::Clock;
use crate::i18n::Msg;

/// How long after the last key a fault is shown, in milliseconds.
const PAUSE_MS: i64 = 700;

pub(crate) const LOCAL_TIMES: DateTimeCodec =
    DateTimeCodec { write: local_time::to_input, read: local_time::from_input };

/// The id of the button that saves.
pub(crate) const SAVE: &str = "save";
/// The id of the element that gets the focus when a form was refused.
pub(crate) const SUMMARY: &str = "form-summary";
/// The id of the text which says that the event is cancelled.
pub(crate) const CANCELLED: &str = "event-cancelled";

/// The result of the last action on the form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Nothing,
    /// The server has saved the form.
    Saved,
    /// The form was not saved. Holds the reason.
    Refused(Fault),
    /// Another person has changed the event in the meantime.
    Conflict(Box<RemoteVersion>),
}

/// The version of the event that another person saved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RemoteVersion {
    pub(crate) event: Tagged<AdminEvent>,
    /// Their nickname, if it is known.
    pub(crate) who: Option<String>,
}

#[derive(Clone, Copy)]
pub(crate) struct Form {
    pub(crate) draft: RwSignal<Draft>,
    /// The content that the server has, as far as this page knows.
    pub(crate) base: RwSignal<Draft>,
    /// The event as it was loaded. `None` for a new one.
    pub(crate) event: RwSignal<Option<Tagged<AdminEvent>>>,
    pub(crate) outcome: RwSignal<Outcome>,
    /// Whether a request of the form is under way.
    pub(crate) busy: RwSignal<bool>,
    /// Whether an image is being uploaded. Saving before the end would save the form without it.
    pub(crate) uploading: RwSignal<bool>,
    revealed: RwSignal<HashSet<String>>,
    refused: RwSignal<HashMap<String, Fault>>,
    faults: Memo<Vec<(String, Fault)>>,
}

impl Form {
    pub(crate) fn start(event: Option<Tagged<AdminEvent>>, clock: Clock) -> Self {
        let draft = event.as_ref().map_or_else(Draft::empty, |event| Draft::of(&event.value, LOCAL_TIMES));
        let (draft, base) = (RwSignal::new(draft.clone()), RwSignal::new(draft));
        let event = RwSignal::new(event);
        let faults = Memo::new(move |_| {
            let exists = event.with(Option::is_some);
            let at = ValidationContext { now: clock.read(), exists, times: LOCAL_TIMES };
            draft.with(|draft| base.with(|base| faults(draft, base, at)))
        });
        Self {
            draft,
            base,
            event,
            outcome: RwSignal::new(Outcome::Nothing),
            busy: RwSignal::new(false),
            uploading: RwSignal::new(false),
            revealed: RwSignal::default(),
            refused: RwSignal::default(),
            faults,
        }
    }

    /// Whether leaving would lose something. Tracked.
    pub(crate) fn unsaved(self) -> bool {
        self.uploading.get() || self.draft.with(|draft| self.base.with(|base| !draft.says_the_same_as(base)))
    }

    /// Tickets sold when the event was loaded. Tracked.
    pub(crate) fn sold(self) -> u64 {
        self.event.with(|event| event.as_ref().map_or(0, |event| sold(&event.value)))
    }

    /// Records what was typed into the field at `path`. Its fault is shown after a pause.
    pub(crate) fn typed(self, path: String, change: impl FnOnce(&mut Draft)) {
        self.draft.update(change);
        self.refused.update(|refused| {
            refused.remove(&path);
        });
        let past = match self.outcome.get_untracked() {
            Outcome::Saved => true,
            // The list of faults stays until there are none.
            Outcome::Refused(fault) => fault.text != Msg::FormFaults,
            Outcome::Nothing | Outcome::Conflict(_) => false,
        };
        if past {
            self.outcome.set(Outcome::Nothing);
        }
        let seen = self.draft.get_untracked();
        spawn_local(async move {
            browser::sleep(PAUSE_MS).await;
            if self.draft.try_with_untracked(|now| *now == seen) == Some(true) {
                self.reveal(&path);
            }
        });
    }

    /// Adds, removes or moves ticket types. The faults of their old positions are dropped, because other
    /// ticket types are there now.
    pub(crate) fn rearranged(self, change: impl FnOnce(&mut Draft)) {
        self.draft.update(change);
        self.refused.update(|refused| refused.retain(|path, _| !path.starts_with("ticket_types")));
        self.revealed.update(|revealed| revealed.retain(|path| !path.starts_with("ticket_types[")));
        if self.outcome.get_untracked() == Outcome::Saved {
            self.outcome.set(Outcome::Nothing);
        }
    }

    pub(crate) fn reveal(self, path: &str) {
        if self.revealed.try_with_untracked(|revealed| revealed.contains(path)) == Some(false) {
            self.revealed.update(|revealed| {
                revealed.insert(path.to_owned());
            });
        }
    }

    /// The fault to show beside a field. Tracked.
    pub(crate) fn shown_fault(self, path: &str) -> Option<Fault> {
        if let Some(refused) = self.refused.with(|refused| refused.get(path).copied()) {
            return Some(refused);
        }
        if !self.revealed.with(|revealed| revealed.contains(path)) {
            return None;
        }
        self.faults.with(|faults| faults.iter().find(|(own, _)| own == path).map(|(_, fault)| *fault))
    }

    /// All faults that are shown, in the order of the form. Tracked.
    pub(crate) fn shown_faults(self) -> Vec<(String, Fault)> {
        let mut shown: Vec<(String, Fault)> =
            self.faults.get().into_iter().filter(|(path, _)| self.shown_fault(path).is_some()).collect();
        self.refused.with(|refused| {
            let mut rest: Vec<_> =
                refused.iter().filter(|(path, _)| !shown.iter().any(|(own, _)| own == *path)).collect();
            rest.sort_unstable_by_key(|(path, _)| path.as_str());
            shown.extend(rest.into_iter().map(|(path, fault)| (path.clone(), *fault)));
        });
        shown
    }

    /// Shows all faults. Returns true if there are none.
    pub(crate) fn reveal_all(self) -> bool {
        let faults = self.faults.get_untracked();
        self.revealed.update(|revealed| revealed.extend(faults.iter().map(|(path, _)| path.clone())));
        faults.is_empty()
    }

    /// Shows the server's objections beside their fields. Returns false if there are none about fields.
    pub(crate) fn refuse(self, problem: &Problem) -> bool {
        let refused = refusals(problem);
        let any = !refused.is_empty();
        self.refused.set(refused.into_iter().collect());
        any
    }

    pub(crate) fn refuse_field(self, path: &str, fault: Fault) {
        self.refused.update(|refused| {
            refused.insert(path.to_owned(), fault);
        });
    }

    /// Takes over the server's answer. Input that is newer than `sent` stays, and is unsaved.
    pub(crate) fn saved(self, sent: &Draft, event: Tagged<AdminEvent>) {
        if self.draft.with_untracked(|draft| draft == sent) {
            self.take(event);
            self.outcome.set(Outcome::Saved);
        } else {
            let saved = Draft::of(&event.value, LOCAL_TIMES);
            self.base.set(sent.numbered(sent, &saved));
            self.draft.update(|draft| *draft = draft.numbered(sent, &saved));
            self.keep_mine(event);
        }
    }

    /// Whether no date is typed only in part. Such a field has no value, and would be taken for an empty one.
    pub(crate) fn times_are_complete(self) -> bool {
        let half = Fault::new(Msg::FormMomentInvalid);
        self.refused.update(|refused| refused.retain(|_, fault| *fault != half));
        let mut whole = true;
        for path in ["starts_at", "opens_at", "closes_at"].into_iter().filter(|path| half_typed(path)) {
            self.refuse_field(path, half);
            whole = false;
        }
        whole
    }

    /// Replaces the content of the form by the event as the server has it.
    pub(crate) fn take(self, event: Tagged<AdminEvent>) {
        let draft = Draft::of(&event.value, LOCAL_TIMES);
        self.base.set(draft.clone());
        self.draft.set(draft);
        self.event.set(Some(event));
        self.revealed.update(HashSet::clear);
        self.refused.update(HashMap::clear);
        self.outcome.set(Outcome::Nothing);
    }

    /// Takes over the number of tickets sold of each ticket type. The input and the tag stay.
    pub(crate) fn sold_now(self, event: &AdminEvent) {
        let now = Draft::of(event, LOCAL_TIMES);
        for draft in [self.base, self.draft] {
            draft.update(|draft| draft.learn_sold(&now));
        }
    }

    /// Keeps the input, and applies it to the version that another person has saved.
    pub(crate) fn keep_mine(self, event: Tagged<AdminEvent>) {
        let remote_version = Draft::of(&event.value, LOCAL_TIMES);
        let mine = self.base.with_untracked(|base| self.draft.get_untracked().rebased(base, &remote_version));
        self.base.set(remote_version);
        self.draft.set(mine);
        self.event.set(Some(event));
        self.refused.update(HashMap::clear);
        self.outcome.set(Outcome::Nothing);
    }
}

fn half_typed(id: &str) -> bool {
    let field = document().get_element_by_id(id);
    field.is_some_and(|field| field.unchecked_into::<web_sys::HtmlInputElement>().validity().bad_input())
}

/// The number of tickets sold of an event.
pub(crate) fn sold(event: &AdminEvent) -> u64 {
    event
        .detail
        .ticket_types
        .iter()
        .map(|ticket_type| u64::from(ticket_type.capacity.saturating_sub(ticket_type.left)))
        .sum()
}

/// Whether the event has started at `now`.
pub(crate) fn started(event: &AdminEvent, now: Timestamp) -> bool {
    event.detail.summary.starts_at <= now
}

/// Moves the focus to the element with this id at the next frame, when it is rendered.
pub(crate) fn focus_soon(id: String) {
    request_animation_frame(move || {
        if let Some(element) = document().get_element_by_id(&id) {
            let _ = element.unchecked_into::<web_sys::HtmlElement>().focus();
        }
    });
}
