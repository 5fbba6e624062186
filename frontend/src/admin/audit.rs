//! The audit log: who did what.

use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};
use neticket_contract::{AuditEntry, Page};
use neticket_domain::Timestamp;

use super::api::use_admin_api;
use super::audit_diff::{Change, changes};
use super::list_query::ListQuery;
use super::nav::in_place;
use crate::components::{Failure, Glyph, Notice, Pagination};
use crate::format;
use crate::i18n::{I18n, Msg, tr, use_i18n};
use crate::load::{Load, Loader, last_if_past};
use crate::title::page_title;

const PATH: &str = "/admin/audit";
const SKELETONS: usize = 5;

#[component]
pub(crate) fn AuditPage() -> impl IntoView {
    let i18n = use_i18n();
    let api = use_admin_api();
    let map = use_query_map();
    // Only the page number. This list has no filters.
    let query = Memo::new(move |_| ListQuery { page: map.with(ListQuery::read).page, ..Default::default() });
    let log =
        Loader::new(move || Some(query.get()), move |query| async move { api.audit_list(&query).await });
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(last) = log.value().and_then(|page| last_if_past(&page)) {
            navigate(&query.get_untracked().turned_to(last.into()).at(PATH), in_place());
        }
    });
    page_title(move || i18n.text(Msg::AuditTitle).to_owned());
    view! {
        <div class="page admin-list">
            <h1>{tr(Msg::AuditTitle)}</h1>
            <p class="lead">{tr(Msg::AuditLead)}</p>
            <div aria-busy=move || log.busy.get().to_string()>
                {move || match log.state.get() {
                    Load::Loading => skeletons().into_any(),
                    Load::Failed(error) => view! { <Failure error retry=move || log.reload() /> }.into_any(),
                    Load::Ready(page) if last_if_past(&page).is_some() => skeletons().into_any(),
                    Load::Ready(page) if page.items.is_empty() => {
                        let title = Signal::derive(move || i18n.text(Msg::AuditNone).to_owned());
                        view! { <Notice glyph=Glyph::Clock title /> }.into_any()
                    }
                    Load::Ready(page) => list(page, query.get_untracked()).into_any(),
                }}
            </div>
        </div>
    }
}

fn list(page: Page<AuditEntry>, query: ListQuery) -> impl IntoView {
    let rows = page.items.into_iter().map(|entry| view! { <Row entry /> }).collect_view();
    let link = move |number: u64| query.turned_to(number).at(PATH);
    view! {
        <ol class="audit">{rows}</ol>
        <Pagination page=page.page.into() total=page.total_pages link />
    }
}

#[component]
fn Row(entry: AuditEntry) -> impl IntoView {
    let i18n = use_i18n();
    let AuditEntry { at, actor, action, target, detail, before, after, ip, .. } = entry;
    let found = changes(before.as_ref(), after.as_ref());
    let who = move || match &actor {
        None => i18n.text(Msg::AuditCommandLine).to_owned(),
        Some(actor) => match &actor.nickname {
            Some(nickname) => nickname.clone(),
            None => i18n.fill(Msg::AuditGone, &[("id", &actor.id)]),
        },
    };
    let what = {
        let action = action.clone();
        move || action_text(&action).map_or_else(|| action.clone(), |text| i18n.text(text).to_owned())
    };
    view! {
        <li class="audit__entry" data-testid="audit-entry" data-action=action>
            <p class="audit__what">
                <strong>{what}</strong>
                " "
                {link_to(&target)}
            </p>
            {(!detail.is_empty()).then(|| view! { <p>{detail}</p> })}
            <p class="audit__who">
                <time datetime=at.to_string()>{move || format::exact_date(i18n, at)}</time>
                " · "
                <span>{who}</span>
                {ip.map(|ip| view! { " · " <code>{ip}</code> })}
            </p>
            {(!found.is_empty()).then(|| view! { <Changes found /> })}
        </li>
    }
}

/// The target of the action. It is a link if the target has a page.
fn link_to(target: &str) -> AnyView {
    let event = target.strip_prefix("event/").and_then(|id| id.parse::<i64>().ok());
    match event {
        Some(id) => view! {
            <a href=format!("/admin/events/{id}") rel="external"><code>{target.to_owned()}</code></a>
        }
        .into_any(),
        None => view! { <code>{target.to_owned()}</code> }.into_any(),
    }
}

#[component]
fn Changes(found: Vec<Change>) -> impl IntoView {
    let i18n = use_i18n();
    let len = found.len();
    let rows = found
        .into_iter()
        .map(|Change { path, before, after }| {
            let class = before.is_some().then_some("audit__before");
            view! {
                <tr>
                    <th scope="row"><code>{path}</code></th>
                    <td class=class>{value(i18n, before)}</td>
                    <td class="audit__after">{value(i18n, after)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <details class="audit__changes">
            <summary>{move || i18n.fill(Msg::AuditChanges, &[("n", &len)])}</summary>
            <table>
                <thead>
                    <tr>
                        <th scope="col">{tr(Msg::AuditField)}</th>
                        <th scope="col">{tr(Msg::AuditBefore)}</th>
                        <th scope="col">{tr(Msg::AuditAfter)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </details>
    }
}

/// Timestamps are written as dates, everything else as it is.
fn value(i18n: I18n, text: Option<String>) -> impl Fn() -> String {
    let moment = text.as_deref().and_then(|text| Timestamp::parse(text).ok());
    move || match (moment, &text) {
        (Some(moment), _) => format::exact_date(i18n, moment),
        (None, Some(text)) => text.clone(),
        (None, None) => "–".to_owned(),
    }
}

/// The name of an action. `None` if this client does not know the action yet.
fn action_text(action: &str) -> Option<Msg> {
    Some(match action {
        "event_create" => Msg::ActionEventCreate,
        "event_update" => Msg::ActionEventUpdate,
        "event_delete" => Msg::ActionEventDelete,
        "event_cancel" => Msg::ActionEventCancel,
        "image_upload" => Msg::ActionImageUpload,
        "ledger_load" => Msg::ActionLoad,
        "ledger_evict" => Msg::ActionEvict,
        "sale_pause" => Msg::ActionPause,
        "sale_resume" => Msg::ActionResume,
        "ledger_reconcile" => Msg::ActionReconcile,
        "cache_clear" => Msg::ActionCacheClear,
        "cache_clear_event" => Msg::ActionCacheClearEvent,
        "admin_create" => Msg::ActionAdminCreate,
        "admin_grant" => Msg::ActionAdminGrant,
        "admin_revoke" => Msg::ActionAdminRevoke,
        "account_password_reset" => Msg::ActionAccountPasswordReset,
        _ => return None,
    })
}

fn skeletons() -> impl IntoView {
    let row = |_| view! { <li class="audit__entry skeleton" aria-hidden="true"></li> };
    view! {
        <p class="visually-hidden" role="status">{tr(Msg::Loading)}</p>
        <ol class="audit">{(0..SKELETONS).map(row).collect_view()}</ol>
    }
}
