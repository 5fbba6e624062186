//! The result of pressing "save". The focus moves to it.

use leptos::prelude::*;

use super::conflict::Conflict;
use super::entry::fault_text;
use super::state::{Form, Outcome, SUMMARY, focus_soon};
use crate::components::{Glyph, Icon};
use crate::i18n::{I18n, Msg, tr, use_i18n};

/// The label of the field at `path`, with the number of its ticket type.
fn name_of(i18n: I18n, path: &str) -> String {
    let (ticket_type, field) = match path.strip_prefix("ticket_types[").and_then(|rest| rest.split_once("]."))
    {
        Some((index, field)) => (index.parse::<usize>().ok(), field),
        None => (None, path),
    };
    let label = i18n.text(match field {
        "title" => Msg::FormTitleLabel,
        "place" => Msg::EventWhere,
        "description" => Msg::EventAbout,
        "starts_at" => Msg::FormStartsAt,
        "opens_at" => Msg::FormOpensAt,
        "closes_at" => Msg::FormClosesAt,
        "max_per_user" => Msg::FormMaxPerUser,
        "image_key" => Msg::FormImage,
        "name" => Msg::FormTicketTypeName,
        "price" => Msg::FormTicketTypePrice,
        "capacity" => Msg::FormTicketTypeCapacity,
        _ => Msg::EventTicketTypes,
    });
    match ticket_type {
        Some(index) => format!("{} · {label}", i18n.fill(Msg::FormTicketTypeNumber, &[("n", &(index + 1))])),
        None => label.to_owned(),
    }
}

#[component]
pub(crate) fn Summary(form: Form) -> impl IntoView {
    let i18n = use_i18n();
    let faults = Memo::new(move |_| form.shown_faults());
    let refused = Memo::new(move |_| match form.outcome.get() {
        // Faults that were corrected leave the list. Without any, the summary disappears.
        Outcome::Refused(fault) if fault.text == Msg::FormFaults && faults.with(Vec::is_empty) => None,
        Outcome::Refused(fault) => Some(fault),
        _ => None,
    });
    let jumps = move || {
        faults
            .get()
            .into_iter()
            .map(|(path, fault)| {
                let href = format!("#{path}");
                let name = name_of(i18n, &path);
                view! {
                    <li>
                        <a
                            href=href
                            on:click=move |event| {
                                event.prevent_default();
                                focus_soon(path.clone());
                            }
                        >
                            {format!("{}: {}", name, fault_text(i18n, fault))}
                        </a>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        // Not a live region, because the focus moves here.
        <div>
            {move || {
                refused
                    .get()
                    .map(|fault| {
                        view! {
                            <div class="form-summary" id=SUMMARY tabindex="-1">
                                <p>
                                    <Icon glyph=Glyph::Alert />
                                    {fault_text(i18n, fault)}
                                </p>
                                <ul>{jumps}</ul>
                            </div>
                        }
                    })
            }}
            {move || match form.outcome.get() {
                Outcome::Conflict(remote_version) => Some(view! { <Conflict form remote_version=*remote_version /> }),
                _ => None,
            }}
        </div>
        <div role="status">
            {move || {
                (form.outcome.get() == Outcome::Saved)
                    .then(|| {
                        let id = form
                            .event
                            .with_untracked(|event| event.as_ref().map(|event| event.value.detail.summary.id));
                        view! {
                            <p class="form-done" data-testid="saved">
                                <Icon glyph=Glyph::Check />
                                <span>
                                    {tr(Msg::FormSaved)} " "
                                    {id.map(|id| view! { <a href=format!("/events/{id}")>{tr(Msg::FormPublic)}</a> })}
                                </span>
                            </p>
                        }
                    })
            }}
        </div>
    }
}
