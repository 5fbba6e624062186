//! The fields of the event itself: what it is, and when.

use leptos::prelude::*;

use super::super::local_time;
use super::check::DESCRIPTION_LEN_MAX;
use super::entry::{Entry, FieldBinding, Kind};
use super::state::Form;
use crate::clock::use_clock;
use crate::format;
use crate::i18n::{Msg, tr, use_i18n};

#[component]
pub(crate) fn About(form: Form) -> impl IntoView {
    let i18n = use_i18n();
    let length = Signal::derive(move || {
        let len = form.draft.with(|draft| draft.description.chars().count());
        i18n.fill(Msg::FormDescriptionHint, &[("n", &len), ("max", &DESCRIPTION_LEN_MAX)])
    });
    let title = FieldBinding::of(form, "title", |draft| &mut draft.title);
    let place = FieldBinding::of(form, "place", |draft| &mut draft.place);
    let description = FieldBinding::of(form, "description", |draft| &mut draft.description);
    view! {
        <fieldset class="form-part">
            <legend>{tr(Msg::FormAbout)}</legend>
            <Entry
                form
                part=title
                label=Msg::FormTitleLabel
                kind=Kind::Line
            />
            <Entry
                form
                part=place
                label=Msg::EventWhere
                kind=Kind::Line
            />
            <Entry
                form
                part=description
                label=Msg::EventAbout
                kind=Kind::Text
                hint=length
                optional=true
            />
        </fieldset>
    }
}

#[component]
pub(crate) fn Times(form: Form) -> impl IntoView {
    let i18n = use_i18n();
    let zone = local_time::zone();
    // The date in words, as the pages will show it.
    let spoken = move |text: String| {
        local_time::from_input(&text).map(|at| format::exact_date(i18n, at)).unwrap_or_default()
    };
    let starts = Signal::derive(move || spoken(form.draft.with(|draft| draft.starts_at.clone())));
    let opens = Signal::derive(move || spoken(form.draft.with(|draft| draft.opens_at.clone())));
    let closes = Signal::derive(move || match form.draft.with(|draft| draft.closes_at.clone()) {
        text if text.is_empty() => i18n.text(Msg::FormClosesHint).to_owned(),
        text => spoken(text),
    });
    let clock = use_clock();
    let now = move |_| {
        let now = local_time::to_input(clock.read());
        form.typed("opens_at".to_owned(), |draft| draft.opens_at = now);
    };
    let starts_at = FieldBinding::of(form, "starts_at", |draft| &mut draft.starts_at);
    let opens_at = FieldBinding::of(form, "opens_at", |draft| &mut draft.opens_at);
    let closes_at = FieldBinding::of(form, "closes_at", |draft| &mut draft.closes_at);
    view! {
        <fieldset class="form-part">
            <legend>{tr(Msg::FormTimes)}</legend>
            <p class="form-part__note">{move || i18n.fill(Msg::FormZone, &[("zone", &zone)])}</p>
            <Entry
                form
                part=starts_at
                label=Msg::FormStartsAt
                kind=Kind::Moment
                hint=starts
            />
            <div class="form-part__with-button">
                <Entry
                    form
                    part=opens_at
                    label=Msg::FormOpensAt
                    kind=Kind::Moment
                    hint=opens
                />
                <button type="button" class="button button--small" on:click=now>{tr(Msg::FormOpensNow)}</button>
            </div>
            <Entry
                form
                part=closes_at
                label=Msg::FormClosesAt
                kind=Kind::Moment
                hint=closes
                optional=true
            />
        </fieldset>
    }
}
