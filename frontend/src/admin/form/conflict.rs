//! The choice after two people have changed the same event.

use leptos::prelude::*;

use super::state::{Form, RemoteVersion, SAVE, SUMMARY, focus_soon};
use crate::components::{Glyph, Icon};
use crate::format;
use crate::i18n::{Msg, tr, use_i18n};

#[component]
pub(crate) fn Conflict(form: Form, remote_version: RemoteVersion) -> impl IntoView {
    let i18n = use_i18n();
    let at = remote_version.event.value.updated_at;
    let who = remote_version.who;
    let text = move || {
        let at = format::brief_date(i18n, at);
        match &who {
            Some(who) => i18n.fill(Msg::ConflictBy, &[("who", who), ("date", &at)]),
            None => i18n.fill(Msg::ConflictSomebody, &[("date", &at)]),
        }
    };
    let event = StoredValue::new(remote_version.event);
    // The button that was pressed disappears.
    let keep_mine = move || {
        form.keep_mine(event.get_value());
        focus_soon(SAVE.to_owned());
    };
    let take_remote = move || {
        form.take(event.get_value());
        focus_soon(SAVE.to_owned());
    };
    view! {
        <div class="form-summary" id=SUMMARY tabindex="-1" data-testid="conflict">
            <p>
                <Icon glyph=Glyph::Alert />
                {text}
            </p>
            <p>{tr(Msg::ConflictText)}</p>
            <div class="dialog__actions">
                <button type="button" class="button" on:click=move |_| keep_mine()>
                    {tr(Msg::ConflictMine)}
                </button>
                <button type="button" class="button button--quiet" on:click=move |_| take_remote()>
                    {tr(Msg::ConflictTheirs)}
                </button>
            </div>
        </div>
    }
}
