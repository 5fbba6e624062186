//! Creating an account, and signing in right after.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::{LoginRequest, ProblemCode, SignupRequest};

use crate::api::ApiError;
use crate::components::{Field, FieldState, FormError, checks, refuse_fields, reveal_and_focus};
use crate::i18n::{Msg, tr, use_i18n};
use crate::operations::use_api;
use crate::problem_text::{error_text, problem_text};
use crate::session::use_session;
use crate::sign_in::{inherited_mark, leave_when_signed_in, next_path, sign_in_path};
use crate::title::page_title;

#[component]
pub(crate) fn SignupPage() -> impl IntoView {
    let i18n = use_i18n();
    let api = use_api();
    let session = use_session();
    page_title(move || i18n.text(Msg::SignupTitle).to_owned());
    let next = next_path();
    let login = sign_in_path("/login", &next);
    leave_when_signed_in(next);
    let email = FieldState::new("email", checks::email);
    let password = FieldState::new("password", checks::password);
    let nickname = FieldState::new("nickname", checks::nickname);
    let fields = [email, nickname, password];
    let refusal = RwSignal::new(None::<Msg>);
    let busy = RwSignal::new(false);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() || !reveal_and_focus(&fields) {
            return;
        }
        refusal.set(None);
        busy.set(true);
        let account =
            SignupRequest { email: email.text(), password: password.text(), nickname: nickname.text() };
        spawn_local(async move {
            let answer = match api.signup(&account).await {
                Ok(_) => {
                    let credentials = LoginRequest { email: account.email, password: account.password };
                    session.login(&credentials).await
                }
                Err(error) => Err(error),
            };
            // After a success the page may be gone already.
            busy.try_set(false);
            if let Err(error) = answer
                && !refuse(&error, &fields)
            {
                refusal.try_set(Some(error_text(&error)));
            }
        });
    };
    view! {
        <div class="page page--form">
            <h1>{tr(Msg::SignupTitle)}</h1>
            <form class="form" novalidate on:submit=submit>
                <Field state=email label=Msg::FieldEmailLabel kind="email" autocomplete="email" />
                <Field
                    state=nickname
                    label=Msg::FieldNicknameLabel
                    kind="text"
                    autocomplete="nickname"
                    hint=Msg::FieldNicknameHint
                />
                <Field
                    state=password
                    label=Msg::FieldPasswordLabel
                    kind="password"
                    autocomplete="new-password"
                    hint=Msg::FieldPasswordHint
                />
                <FormError text=refusal />
                <button type="submit" class="button button--main" aria-busy=move || busy.get().to_string()>
                    {tr(Msg::SignupAction)}
                </button>
            </form>
            <p class="form__other">
                {tr(Msg::SignupHasAccount)}
                " "
                <a href=login prop:replace=true prop:state=inherited_mark()>{tr(Msg::LoginTitle)}</a>
            </p>
        </div>
    }
}

/// Shows a refusal beside its field. Returns false if it concerns no field.
fn refuse(error: &ApiError, fields: &[FieldState; 3]) -> bool {
    let [email, nickname, _] = fields;
    let Some(problem) = error.problem() else { return false };
    match problem.code {
        ProblemCode::EmailTaken => email.refuse(problem_text(problem.code)),
        ProblemCode::NicknameTaken => nickname.refuse(problem_text(problem.code)),
        ProblemCode::ValidationFailed => return refuse_fields(problem, fields),
        _ => return false,
    }
    reveal_and_focus(fields);
    true
}
