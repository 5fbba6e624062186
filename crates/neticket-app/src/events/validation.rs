//! The fields that administrators fill in for a new event or a change: all their faults, and their form for
//! the store.

use neticket_domain::{MAX_PER_USER_DEFAULT, QUANTITY_MAX, Schedule, TicketTypeId, Timestamp};
use neticket_store::{EventEdit, EventRecord, NewEvent, NewTicketType, TicketTypeEdit};

use crate::App;
use crate::error::{AppError, InvalidField};
use crate::views::{EventChange, EventDraft, TicketTypeChange};

impl App {
    /// All faults of `draft`, for a caller that has found other faults already and reports all of them at
    /// once.
    ///
    /// # Errors
    /// `ImageStoreUnavailable`.
    pub async fn event_draft_faults(&self, draft: &EventDraft) -> Result<Vec<InvalidField>, AppError> {
        self.faults_of_new(draft, self.now()).await
    }

    pub(super) async fn faults_of_new(
        &self,
        draft: &EventDraft,
        now: Timestamp,
    ) -> Result<Vec<InvalidField>, AppError> {
        let mut faults: Vec<InvalidField> =
            draft_schedule(draft).faults_of_new(now).into_iter().map(InvalidField::from).collect();
        faults.extend(limit_fault(draft.max_per_user));
        faults.extend(self.image_fault(draft.image_key.as_deref()).await?);
        faults.extend(repeated_names(draft.ticket_types.iter().map(|ticket_type| ticket_type.name.as_str())));
        Ok(faults)
    }

    /// All faults of `change`, applied to the event as it is.
    pub(super) async fn faults_of_change(
        &self,
        before: &EventRecord,
        change: &EventChange,
        now: Timestamp,
    ) -> Result<Vec<InvalidField>, AppError> {
        let edit = edit_of(before, change);
        let of = |edit: &EventEdit| Schedule {
            opens_at: edit.opens_at,
            closes_at: edit.closes_at,
            starts_at: edit.starts_at,
        };
        let schedule = of(&edit).faults_of_change(of(&EventEdit::of(before)), now);
        let mut faults: Vec<InvalidField> = schedule.into_iter().map(InvalidField::from).collect();
        faults.extend(limit_fault(change.max_per_user));
        faults.extend(self.image_fault(new_image(before, change)).await?);
        if let Some(ticket_types) = &change.ticket_types {
            faults.extend(repeated_names(ticket_types.iter().map(|ticket_type| ticket_type.name.as_str())));
            faults.extend(wrong_ids(before, ticket_types));
        }
        Ok(faults)
    }

    async fn image_fault(&self, key: Option<&str>) -> Result<Option<InvalidField>, AppError> {
        match key {
            Some(key) if !self.media.contains(key).await? => Ok(Some(no_such_image())),
            _ => Ok(None),
        }
    }
}

pub(crate) fn no_such_image() -> InvalidField {
    InvalidField::new("image_key", "not_found", "names no uploaded image")
}

/// The image that `change` names and the event does not have yet. The event's present image may stay, even if
/// it no longer exists.
pub(super) fn new_image<'a>(before: &EventRecord, change: &'a EventChange) -> Option<&'a str> {
    change.image_key.as_ref().filter(|key| **key != before.image_key).and_then(Option::as_deref)
}

fn draft_schedule(draft: &EventDraft) -> Schedule {
    Schedule {
        opens_at: draft.opens_at,
        closes_at: draft.closes_at.unwrap_or(draft.starts_at),
        starts_at: draft.starts_at,
    }
}

fn limit_fault(max_per_user: Option<u32>) -> Option<InvalidField> {
    let is_wrong = max_per_user.is_some_and(|max| !(1..=QUANTITY_MAX).contains(&max));
    is_wrong.then(|| InvalidField::new("max_per_user", "out_of_range", "must be between 1 and 100"))
}

fn repeated_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<InvalidField> {
    let names: Vec<&str> = names.map(str::trim).collect();
    let repeated = names.iter().enumerate().filter(|(index, name)| names[..*index].contains(name));
    repeated
        .map(|(index, _)| {
            let field = format!("ticket_types[{index}].name");
            InvalidField::new(&field, "duplicate", "must differ from the other ticket types")
        })
        .collect()
}

fn wrong_ids(before: &EventRecord, ticket_types: &[TicketTypeChange]) -> Vec<InvalidField> {
    let mut seen: Vec<TicketTypeId> = Vec::new();
    let mut faults = Vec::new();
    for (index, id) in
        ticket_types.iter().enumerate().filter_map(|(index, ticket_type)| Some((index, ticket_type.id?)))
    {
        let field = format!("ticket_types[{index}].id");
        if !before.ticket_types.iter().any(|ticket_type| ticket_type.id == id) {
            faults.push(InvalidField::new(&field, "not_found", "names no ticket type of this event"));
        } else if seen.contains(&id) {
            faults.push(InvalidField::new(&field, "duplicate", "must differ from the other ticket types"));
        }
        seen.push(id);
    }
    faults
}

/// The event that `draft` describes. `draft` has no faults.
pub(super) fn new_event(draft: EventDraft) -> NewEvent {
    let Schedule { opens_at, closes_at, starts_at } = draft_schedule(&draft);
    let ticket_types = draft.ticket_types.into_iter();
    NewEvent {
        title: draft.title.trim().to_owned(),
        place: draft.place.trim().to_owned(),
        description: draft.description,
        starts_at,
        opens_at,
        closes_at,
        max_per_user: draft.max_per_user.unwrap_or(MAX_PER_USER_DEFAULT),
        image_key: draft.image_key,
        ticket_types: ticket_types
            .map(|ticket_type| NewTicketType {
                name: ticket_type.name.trim().to_owned(),
                price: ticket_type.price,
                capacity: ticket_type.capacity,
            })
            .collect(),
    }
}

/// The edit that applies `change` to the event.
pub(super) fn edit_of(before: &EventRecord, change: &EventChange) -> EventEdit {
    let as_it_is = EventEdit::of(before);
    let text = |new: &Option<String>, old: String| new.as_ref().map_or(old, |new| new.trim().to_owned());
    EventEdit {
        version: as_it_is.version,
        title: text(&change.title, as_it_is.title),
        place: text(&change.place, as_it_is.place),
        description: change.description.clone().unwrap_or(as_it_is.description),
        starts_at: change.starts_at.unwrap_or(as_it_is.starts_at),
        opens_at: change.opens_at.unwrap_or(as_it_is.opens_at),
        closes_at: change.closes_at.unwrap_or(as_it_is.closes_at),
        max_per_user: change.max_per_user.unwrap_or(as_it_is.max_per_user),
        image_key: change.image_key.clone().unwrap_or(as_it_is.image_key),
        ticket_types: change.ticket_types.as_ref().map_or(as_it_is.ticket_types, |ticket_types| {
            let edit = |ticket_type: &TicketTypeChange| TicketTypeEdit {
                id: ticket_type.id,
                name: ticket_type.name.trim().to_owned(),
                price: ticket_type.price,
                capacity: ticket_type.capacity,
            };
            ticket_types.iter().map(edit).collect()
        }),
    }
}
