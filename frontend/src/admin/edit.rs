//! The page of one event, and the page for a new one.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use neticket_contract::ProblemCode;

use super::api::use_admin_api;
use super::form::EventForm;
use super::nav::go;
use crate::components::Failure;
use crate::i18n::{Msg, tr, use_i18n};
use crate::load::{Load, Loader};
use crate::pages::NotFoundPage;
use crate::title::page_title;

/// The id of the event that was just created. Its page says so, once.
#[derive(Clone, Copy, Default)]
pub(crate) struct JustMade(StoredValue<Option<i64>>);

impl JustMade {
    /// Whether the event just created is the one with this id. Clears the value.
    fn take(self, id: Option<i64>) -> bool {
        let made = self.0.try_update_value(Option::take).flatten();
        made.is_some() && made == id
    }
}

#[component]
pub(crate) fn NewPage() -> impl IntoView {
    let i18n = use_i18n();
    page_title(move || i18n.text(Msg::EventsNew).to_owned());
    let created = created();
    view! {
        <div class="page page--admin-form">
            <h1>{tr(Msg::EventsNew)}</h1>
            <EventForm event=None made=false created deleted=|| {} />
        </div>
    }
}

#[component]
pub(crate) fn EditPage() -> impl IntoView {
    let i18n = use_i18n();
    let api = use_admin_api();
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|map| map.get("id")).and_then(|id| id.parse::<i64>().ok()));
    let event = Loader::new(move || id.get(), move |id| api.admin_event_view(id));
    page_title(move || match event.state.get() {
        Load::Ready(event) => event.value.detail.summary.title,
        Load::Loading | Load::Failed(_) => i18n.text(Msg::EventsEdit).to_owned(),
    });
    let deleted = deleted();
    let made: JustMade = expect_context();
    move || {
        if id.get().is_none() {
            return NotFoundPage().into_any();
        }
        match event.state.get() {
            Load::Loading => skeleton().into_any(),
            Load::Failed(error) if error.code() == Some(ProblemCode::NotFound) => NotFoundPage().into_any(),
            Load::Failed(error) => {
                view! { <div class="page"><Failure error retry=move || event.reload() /></div> }.into_any()
            }
            Load::Ready(event) => view! {
                <div class="page page--admin-form">
                    <h1>{tr(Msg::EventsEdit)}</h1>
                    <EventForm event=Some(event) made=made.take(id.get_untracked()) created=|_| {} deleted />
                </div>
            }
            .into_any(),
        }
    }
}

/// The page of the new event replaces the form in the history.
fn created() -> impl Fn(i64) + Copy + Send + Sync + 'static {
    let go = go();
    let made: JustMade = expect_context();
    move |id| {
        made.0.set_value(Some(id));
        go(format!("/admin/events/{id}"));
    }
}

fn deleted() -> impl Fn() + Copy + Send + Sync + 'static {
    let go = go();
    move || go("/admin/events".to_owned())
}

fn skeleton() -> impl IntoView {
    view! {
        <div class="page page--admin-form" aria-busy="true">
            <p class="visually-hidden" role="status">{tr(Msg::Loading)}</p>
            <span class="skeleton skeleton--headline"></span>
            <div class="skeleton skeleton--panel"></div>
        </div>
    }
}
