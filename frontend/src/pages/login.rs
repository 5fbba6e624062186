//! Signing in.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::LoginRequest;

use crate::components::{Field, FieldState, FormError, checks, reveal_and_focus};
use crate::i18n::{Msg, tr, use_i18n};
use crate::problem_text::error_text;
use crate::session::use_session;
use crate::sign_in::{inherited_mark, leave_when_signed_in, next_path, sign_in_path};
use crate::title::page_title;

#[component]
pub(crate) fn LoginPage() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    page_title(move || i18n.text(Msg::LoginTitle).to_owned());
    let next = next_path();
    let signup = sign_in_path("/signup", &next);
    leave_when_signed_in(next.clone());
    let email = FieldState::new("email", checks::email);
    let password = FieldState::new("password", checks::given);
    let refusal = RwSignal::new(None::<Msg>);
    let busy = RwSignal::new(false);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() || !reveal_and_focus(&[email, password]) {
            return;
        }
        refusal.set(None);
        busy.set(true);
        let credentials = LoginRequest { email: email.text(), password: password.text() };
        spawn_local(async move {
            let answer = session.login(&credentials).await;
            busy.try_set(false);
            if let Err(error) = answer {
                refusal.try_set(Some(error_text(&error)));
            }
        });
    };
    view! {
        <div class="page page--form">
            <h1>{tr(Msg::LoginTitle)}</h1>
            {next.starts_with("/events/").then(|| view! { <p class="lead">{tr(Msg::LoginToBook)}</p> })}
            <form class="form" novalidate on:submit=submit>
                <Field state=email label=Msg::FieldEmailLabel kind="email" autocomplete="email" />
                <Field state=password label=Msg::FieldPasswordLabel kind="password" autocomplete="current-password" />
                <FormError text=refusal />
                <button
                    type="submit"
                    class="button button--main"
                    aria-busy=move || busy.get().to_string()
                >
                    {tr(Msg::LoginAction)}
                </button>
            </form>
            <p class="form__other">
                {tr(Msg::LoginNoAccount)}
                " "
                <a href=signup prop:replace=true prop:state=inherited_mark()>{tr(Msg::SignupTitle)}</a>
            </p>
        </div>
    }
}
