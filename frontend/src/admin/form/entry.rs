//! A labelled field of the form, with its fault beside it.

use leptos::html::Input;
use leptos::prelude::*;

use super::check::Fault;
use super::draft::Draft;
use super::state::Form;
use crate::components::{Glyph, Icon};
use crate::i18n::{I18n, Msg, tr, use_i18n};

/// The type of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Line,
    /// Several lines.
    Text,
    Moment,
    Number,
}

/// A field, and the part of the form that it edits.
#[derive(Clone, Copy)]
pub(crate) struct FieldBinding {
    /// The field's name in the API, also the element's id. It changes when ticket types are moved.
    pub(crate) path: Signal<String>,
    pub(crate) value: Signal<String>,
    pub(crate) change: Callback<(String,)>,
}

impl FieldBinding {
    /// A field of the event itself.
    pub(crate) fn of(form: Form, name: &'static str, part: fn(&mut Draft) -> &mut String) -> Self {
        Self {
            path: Signal::stored(name.to_owned()),
            // A copy, because `part` needs a mutable draft.
            value: Signal::derive(move || part(&mut form.draft.get()).clone()),
            change: Callback::new(move |(text,): (String,)| {
                form.typed(name.to_owned(), |draft| *part(draft) = text);
            }),
        }
    }
}

/// The text of a fault.
pub(crate) fn fault_text(i18n: I18n, fault: Fault) -> String {
    match fault.n {
        Some(n) => i18n.fill(fault.text, &[("n", &n)]),
        None => i18n.text(fault.text).to_owned(),
    }
}

#[component]
pub(crate) fn Entry(
    form: Form,
    part: FieldBinding,
    label: Msg,
    kind: Kind,
    /// Shown below the field.
    #[prop(optional, into)]
    hint: Option<Signal<String>>,
    #[prop(optional)] optional: bool,
) -> impl IntoView {
    let FieldBinding { path, value, change } = part;
    let shown = Memo::new(move |_| form.shown_fault(&path.get()));
    let invalid = move || shown.get().is_some().to_string();
    let described = move || format!("{0}-hint {0}-error", path.get());
    let id = move || path.get();
    let input = NodeRef::<Input>::new();
    Effect::new(move |_| {
        let text = value.get();
        // A date that is typed only in part has no value yet. Writing that empty value back would delete the
        // part.
        if let Some(input) = input.get()
            && input.value() != text
        {
            input.set_value(&text);
        }
    });
    let field = match kind {
        Kind::Text => view! {
            <textarea
                id=id
                rows="6"
                aria-describedby=described
                aria-invalid=invalid
                prop:value=move || value.get()
                on:input:target=move |event| change.run((event.target().value(),))
                on:change=move |_| form.reveal(&path.get_untracked())
            ></textarea>
        }
        .into_any(),
        Kind::Line | Kind::Moment | Kind::Number => view! {
            <input
                id=id
                node_ref=input
                type=if kind == Kind::Moment { "datetime-local" } else { "text" }
                // Allows seconds, because a sale may open at any second.
                step=(kind == Kind::Moment).then_some("1")
                inputmode=(kind == Kind::Number).then_some("numeric")
                autocomplete="off"
                required=!optional
                aria-describedby=described
                aria-invalid=invalid
                on:input:target=move |event| change.run((event.target().value(),))
                on:change=move |_| form.reveal(&path.get_untracked())
            />
        }
        .into_any(),
    };
    view! {
        <div class="field">
            <label for=id>
                {tr(label)}
                {optional.then(|| view! { <span class="field__optional">{tr(Msg::FormOptional)}</span> })}
            </label>
            {field}
            <p class="field__hint" id=move || format!("{}-hint", path.get())>
                {move || hint.map(|hint| hint.get())}
            </p>
            <FieldFault form path />
        </div>
    }
}

/// The fault of the field at `path`. Screen readers announce it when it appears.
#[component]
pub(crate) fn FieldFault(form: Form, #[prop(into)] path: Signal<String>) -> impl IntoView {
    let i18n = use_i18n();
    let shown = Memo::new(move |_| form.shown_fault(&path.get()));
    view! {
        <p class="field__error" id=move || format!("{}-error", path.get()) aria-live="polite">
            {move || {
                shown.get().map(|fault| view! { <Icon glyph=Glyph::Alert /> {fault_text(i18n, fault)} })
            }}
        </p>
    }
}
