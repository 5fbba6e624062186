//! The ticket types, one row each, in the order in which they are shown.

use leptos::prelude::*;

use super::check::GRADES_MAX;
use super::draft::{Draft, DraftGrade, number};
use super::entry::{Entry, FieldBinding, FieldFault, Kind};
use super::state::{Form, focus_soon};
use crate::components::{Glyph, Icon};
use crate::format;
use crate::i18n::{Msg, tr, use_i18n};

#[component]
pub(crate) fn Grades(form: Form) -> impl IntoView {
    let rows = Memo::new(move |_| {
        form.draft.with(|draft| draft.grades.iter().map(|grade| grade.row).collect::<Vec<_>>())
    });
    let add = move |_| {
        form.rearranged(|draft| {
            let row = draft.free_row();
            draft.grades.push(DraftGrade { row, ..DraftGrade::default() });
        });
        let index = form.draft.with_untracked(|draft| draft.grades.len().saturating_sub(1));
        focus_soon(format!("ticket_types[{index}].name"));
    };
    let max_per_user = FieldBinding::of(form, "max_per_user", |draft| &mut draft.max_per_user);
    let full = move || rows.with(Vec::len) >= GRADES_MAX;
    view! {
        <fieldset class="form-part">
            <legend>{tr(Msg::EventGrades)}</legend>
            <Entry
                form
                part=max_per_user
                label=Msg::FormMaxPerUser
                kind=Kind::Number
            />
            <ol class="grade-rows" id="ticket_types" tabindex="-1">
                <For each=move || rows.get() key=|row| *row let:row>
                    <Row form row />
                </For>
            </ol>
            <FieldFault form path=Signal::stored("ticket_types".to_owned()) />
            <button
                type="button"
                class="button"
                disabled=full
                on:click=add
            >
                <Icon glyph=Glyph::Plus />
                {tr(Msg::FormGradeAdd)}
            </button>
        </fieldset>
    }
}

/// A field of the ticket type in row `row`, wherever the row is now.
fn binding(
    form: Form,
    row: i64,
    field: &'static str,
    part: fn(&mut DraftGrade) -> &mut String,
) -> FieldBinding {
    let path = Signal::derive(move || path(form, row, field));
    FieldBinding {
        path,
        value: Signal::derive(move || {
            let grade = form.draft.with(|draft| find(draft, row).cloned());
            grade.map(|mut grade| part(&mut grade).clone()).unwrap_or_default()
        }),
        change: Callback::new(move |(text,): (String,)| {
            form.typed(path.get_untracked(), |draft| {
                if let Some(grade) = draft.grades.iter_mut().find(|grade| grade.row == row) {
                    *part(grade) = text;
                }
            });
        }),
    }
}

fn find(draft: &Draft, row: i64) -> Option<&DraftGrade> {
    draft.grades.iter().find(|grade| grade.row == row)
}

/// The path of a field of row `row`. Tracked.
fn path(form: Form, row: i64, field: &str) -> String {
    let index = form.draft.with(|draft| draft.grades.iter().position(|grade| grade.row == row));
    format!("ticket_types[{}].{field}", index.unwrap_or(0))
}

#[component]
fn Row(form: Form, row: i64) -> impl IntoView {
    let i18n = use_i18n();
    let index = Memo::new(move |_| {
        form.draft.with(|draft| draft.grades.iter().position(|grade| grade.row == row)).unwrap_or(0)
    });
    let last = Memo::new(move |_| form.draft.with(|draft| draft.grades.len()).saturating_sub(1));
    let grade = Memo::new(move |_| form.draft.with(|draft| find(draft, row).cloned()).unwrap_or_default());
    let name = move || match grade.with(|grade| grade.name.trim().to_owned()) {
        name if name.is_empty() => i18n.fill(Msg::FormGradeNumber, &[("n", &(index.get() + 1))]),
        name => name,
    };
    let price = Signal::derive(move || {
        number(&grade.with(|grade| grade.price.clone()))
            .map(|won| format::money(i18n, won))
            .unwrap_or_default()
    });
    let sold = Signal::derive(move || match grade.with(|grade| grade.sold) {
        0 => String::new(),
        sold => i18n.fill(Msg::FormGradeSold, &[("n", &format::count(i18n, sold.into()))]),
    });
    let step = move |up: bool| {
        let from = index.get_untracked();
        let to = if up { from.saturating_sub(1) } else { (from + 1).min(last.get_untracked()) };
        form.rearranged(|draft| draft.grades.swap(from, to));
        // At either end of the list the button is disabled, so the other one gets the focus.
        let is_end = to == if up { 0 } else { last.get_untracked() };
        let word = if up == is_end { "down" } else { "up" };
        focus_soon(format!("grade-{row}-{word}"));
    };
    let remove = move |_| {
        form.rearranged(|draft| draft.grades.retain(|grade| grade.row != row));
        form.reveal("ticket_types");
        focus_soon("ticket_types".to_owned());
    };
    let name_slot = binding(form, row, "name", |grade| &mut grade.name);
    let price_slot = binding(form, row, "price", |grade| &mut grade.price);
    let capacity_slot = binding(form, row, "capacity", |grade| &mut grade.capacity);
    let kept = move || last.get() == 0 || grade.with(|grade| grade.sold > 0);
    view! {
        <li class="grade-row">
            <div class="grade-row__head" role="group" aria-label=name>
                <strong>{name}</strong>
                <button
                    type="button"
                    class="icon-button"
                    id=format!("grade-{row}-up")
                    disabled=move || index.get() == 0
                    aria-label=move || i18n.fill(Msg::FormGradeUp, &[("name", &name())])
                    on:click=move |_| step(true)
                >
                    <Icon glyph=Glyph::Up />
                </button>
                <button
                    type="button"
                    class="icon-button"
                    id=format!("grade-{row}-down")
                    disabled=move || index.get() == last.get()
                    aria-label=move || i18n.fill(Msg::FormGradeDown, &[("name", &name())])
                    on:click=move |_| step(false)
                >
                    <Icon glyph=Glyph::Down />
                </button>
                <button
                    type="button"
                    class="icon-button"
                    disabled=kept
                    aria-label=move || i18n.fill(Msg::FormGradeRemove, &[("name", &name())])
                    on:click=remove
                >
                    <Icon glyph=Glyph::Cross />
                </button>
            </div>
            <div class="grade-row__fields">
                <Entry form part=name_slot label=Msg::FormGradeName kind=Kind::Line />
                <Entry
                    form
                    part=price_slot
                    label=Msg::FormGradePrice
                    kind=Kind::Number
                    hint=price
                />
                <Entry
                    form
                    part=capacity_slot
                    label=Msg::FormGradeCapacity
                    kind=Kind::Number
                    hint=sold
                />
            </div>
        </li>
    }
}
