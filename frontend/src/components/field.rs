//! A labelled field of a form that shows its fault beside it while the person types.

use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::Problem;
use wasm_bindgen::JsCast as _;

use super::{Glyph, Icon};
use crate::browser;
use crate::i18n::{Msg, tr, use_i18n};
use crate::problem_text::field_text;

/// How long after the last key a fault is shown, in milliseconds.
const PAUSE_MS: i64 = 700;

/// The value of a field, and what is wrong with it.
#[derive(Clone, Copy)]
pub(crate) struct FieldState {
    /// The field's name in the API. Also the element's id.
    pub(crate) name: &'static str,
    pub(crate) value: RwSignal<String>,
    check: fn(&str) -> Option<Msg>,
    /// Whether faults are shown yet. Not before the person had time to finish typing.
    revealed: RwSignal<bool>,
    /// The server's objection to the present value.
    refused: RwSignal<Option<Msg>>,
}

impl FieldState {
    pub(crate) fn new(name: &'static str, check: fn(&str) -> Option<Msg>) -> Self {
        Self {
            name,
            value: RwSignal::new(String::new()),
            check,
            revealed: RwSignal::new(false),
            refused: RwSignal::new(None),
        }
    }

    pub(crate) fn text(self) -> String {
        self.value.get_untracked()
    }

    /// Empties the field and hides its faults.
    pub(crate) fn clear(self) {
        self.value.set(String::new());
        self.revealed.set(false);
        self.refused.set(None);
    }

    pub(crate) fn refuse(self, text: Msg) {
        self.refused.set(Some(text));
    }

    fn fault(self) -> Option<Msg> {
        self.refused.get().or_else(|| self.value.with(|text| (self.check)(text)))
    }

    fn shown_fault(self) -> Option<Msg> {
        let fault = self.fault();
        if self.revealed.get() || self.refused.get().is_some() { fault } else { None }
    }

    fn typed(self, text: String) {
        self.refused.set(None);
        self.value.set(text.clone());
        spawn_local(async move {
            browser::sleep(PAUSE_MS).await;
            let paused = self.value.try_with_untracked(|now| *now == text && !now.is_empty());
            if paused == Some(true) {
                self.revealed.try_set(true);
            }
        });
    }
}

/// Shows all faults. Returns true if there are none. Otherwise it focuses the first faulty field.
pub(crate) fn reveal_and_focus(fields: &[FieldState]) -> bool {
    for field in fields {
        field.revealed.set(true);
    }
    let faulty = untrack(|| fields.iter().find(|field| field.fault().is_some()).copied());
    if let Some(field) = faulty {
        focus(field);
    }
    faulty.is_none()
}

/// Shows the server's objections beside their fields. Returns false if there are none, or if one concerns
/// another field.
pub(crate) fn refuse_fields(problem: &Problem, fields: &[FieldState]) -> bool {
    let mut all = !problem.errors.is_empty();
    for error in problem.errors.iter().rev() {
        match fields.iter().find(|field| field.name == error.field) {
            Some(field) => {
                field.refuse(field_text(&error.field, &error.code));
                focus(*field);
            }
            None => all = false,
        }
    }
    all
}

fn focus(field: FieldState) {
    if let Some(element) = document().get_element_by_id(field.name) {
        let _ = element.unchecked_into::<web_sys::HtmlElement>().focus();
    }
}

/// A label, a field, a hint and a fault. `kind` is the input's type.
#[component]
pub(crate) fn Field(
    state: FieldState,
    label: Msg,
    kind: &'static str,
    autocomplete: &'static str,
    #[prop(optional)] hint: Option<Msg>,
) -> impl IntoView {
    let i18n = use_i18n();
    let name = state.name;
    let hint_id = format!("{name}-hint");
    let error_id = format!("{name}-error");
    let described = format!("{hint_id} {error_id}");
    let secret = kind == "password";
    let readable = RwSignal::new(false);
    let kind = move || if readable.get() { "text" } else { kind };
    view! {
        <div class="field">
            <label for=name>{tr(label)}</label>
            <div class="field__box">
                <input
                    id=name
                    name=name
                    type=kind
                    autocomplete=autocomplete
                    autocapitalize="none"
                    spellcheck="false"
                    required
                    aria-describedby=described
                    aria-invalid=move || state.shown_fault().is_some().to_string()
                    prop:value=move || state.value.get()
                    on:input:target=move |event| state.typed(event.target().value())
                    on:blur=move |_| {
                        if !state.value.with_untracked(String::is_empty) {
                            state.revealed.set(true);
                        }
                    }
                />
                {secret
                    .then(|| {
                        view! {
                            <button
                                type="button"
                                class="icon-button field__eye"
                                aria-pressed=move || readable.get().to_string()
                                aria-label=tr(Msg::FieldShow)
                                on:click=move |_| readable.update(|readable| *readable = !*readable)
                            >
                                <Icon glyph=Glyph::Eye />
                            </button>
                        }
                    })}
            </div>
            <p class="field__hint" id=hint_id>{hint.map(tr)}</p>
            <p class="field__error" id=error_id aria-live="polite">
                {move || {
                    state
                        .shown_fault()
                        .map(|fault| view! { <Icon glyph=Glyph::Alert /> {i18n.text(fault)} })
                }}
            </p>
        </div>
    }
}

/// The checks of fields. The rules are those of the server.
pub(crate) mod checks {
    use neticket_domain::{Email, FieldError, Nickname, Password};

    use super::field_text;
    use crate::i18n::Msg;

    fn rule<V>(field: &str, text: &str, parsed: Result<V, FieldError>) -> Option<Msg> {
        if text.is_empty() {
            return Some(Msg::FieldRequired);
        }
        parsed.err().map(|error| field_text(field, error.code))
    }

    pub(crate) fn email(text: &str) -> Option<Msg> {
        rule("email", text, Email::check(text))
    }

    pub(crate) fn password(text: &str) -> Option<Msg> {
        rule("password", text, Password::parse(text))
    }

    pub(crate) fn nickname(text: &str) -> Option<Msg> {
        rule("nickname", text, Nickname::parse(text))
    }

    /// The field must not be empty.
    pub(crate) fn given(text: &str) -> Option<Msg> {
        text.is_empty().then_some(Msg::FieldRequired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_that_the_server_would_refuse_gets_its_reason_in_the_form() {
        assert_eq!(checks::email("hong"), Some(Msg::FieldEmail));
        assert_eq!(checks::email("hong@example.com"), None);
        assert_eq!(checks::password("abc"), Some(Msg::FieldPasswordShort));
        assert_eq!(checks::password("abcdefgh"), Some(Msg::FieldPasswordWeak));
        assert_eq!(checks::nickname("홍"), Some(Msg::FieldNicknameLength));
        assert_eq!(checks::nickname("홍 길동"), Some(Msg::FieldNickname));
        assert_eq!(checks::given(""), Some(Msg::FieldRequired));
    }
}
