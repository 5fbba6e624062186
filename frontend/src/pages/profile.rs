//! Changing the nickname and the password.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::{PasswordChangeRequest, ProblemCode, ProfileUpdateRequest, User};

use crate::components::{Field, FieldState, FormError, Glyph, Icon, checks, refuse_fields, reveal_and_focus};
use crate::i18n::{Msg, tr};
use crate::operations::use_api;
use crate::problem_text::{error_text, problem_text};
use crate::session::use_session;

#[component]
pub(crate) fn NicknameForm(user: User) -> impl IntoView {
    let api = use_api();
    let session = use_session();
    let nickname = FieldState::new("nickname", checks::nickname);
    nickname.value.set(user.nickname);
    let refusal = RwSignal::new(None::<Msg>);
    let done = RwSignal::new(false);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        done.set(false);
        refusal.set(None);
        if !reveal_and_focus(&[nickname]) {
            return;
        }
        let change = ProfileUpdateRequest { nickname: Some(nickname.text()) };
        spawn_local(async move {
            match api.profile_update(&change).await {
                Ok(user) => {
                    session.update_user(user);
                    done.try_set(true);
                }
                Err(error) => match error.problem() {
                    Some(problem) if problem.code == ProblemCode::NicknameTaken => {
                        nickname.refuse(problem_text(problem.code));
                    }
                    Some(problem) if refuse_fields(problem, &[nickname]) => {}
                    _ => drop(refusal.try_set(Some(error_text(&error)))),
                },
            }
        });
    };
    view! {
        <form class="form" novalidate on:submit=submit>
            <Field
                state=nickname
                label=Msg::FieldNicknameLabel
                kind="text"
                autocomplete="nickname"
                hint=Msg::FieldNicknameHint
            />
            <FormError text=refusal />
            <Done done text=Msg::ProfileNicknameDone />
            <button type="submit" class="button">{tr(Msg::ProfileNicknameAction)}</button>
        </form>
    }
}

#[component]
pub(crate) fn PasswordForm() -> impl IntoView {
    let api = use_api();
    let current = FieldState::new("current_password", checks::given);
    let new = FieldState::new("new_password", checks::password);
    let refusal = RwSignal::new(None::<Msg>);
    let done = RwSignal::new(false);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        done.set(false);
        refusal.set(None);
        if !reveal_and_focus(&[current, new]) {
            return;
        }
        let change = PasswordChangeRequest { current_password: current.text(), new_password: new.text() };
        spawn_local(async move {
            match api.password_change(&change).await {
                Ok(()) => {
                    current.clear();
                    new.clear();
                    done.try_set(true);
                }
                Err(error) => match error.problem() {
                    Some(problem) if problem.code == ProblemCode::BadCredentials => {
                        current.refuse(Msg::FieldCurrentWrong);
                    }
                    Some(problem) if refuse_fields(problem, &[current, new]) => {}
                    _ => drop(refusal.try_set(Some(error_text(&error)))),
                },
            }
        });
    };
    view! {
        <form class="form" novalidate on:submit=submit>
            <Field
                state=current
                label=Msg::FieldCurrentLabel
                kind="password"
                autocomplete="current-password"
            />
            <Field
                state=new
                label=Msg::FieldNewLabel
                kind="password"
                autocomplete="new-password"
                hint=Msg::FieldPasswordHint
            />
            <FormError text=refusal />
            <Done done text=Msg::ProfilePasswordDone />
            <button type="submit" class="button">{tr(Msg::ProfilePasswordAction)}</button>
        </form>
    }
}

/// Says that a change was made.
#[component]
fn Done(done: RwSignal<bool>, text: Msg) -> impl IntoView {
    let text = tr(text);
    view! {
        <div role="status">
            {move || done.get().then(|| view! { <p class="form-done"><Icon glyph=Glyph::Check />{text()}</p> })}
        </div>
    }
}
