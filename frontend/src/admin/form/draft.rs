//! The content of the form of an event: the texts as they were typed. Pure.

use neticket_contract::{
    AdminEvent, EventCreateRequest, EventUpdateRequest, TicketTypeCreateRequest, TicketTypeUpdateRequest,
};
use neticket_domain::{MAX_PER_USER_DEFAULT, Timestamp};

/// Converts timestamps to and from the texts of the form.
#[derive(Clone, Copy)]
pub(crate) struct DateTimeCodec {
    pub(crate) write: fn(Timestamp) -> String,
    pub(crate) read: fn(&str) -> Option<Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) title: String,
    pub(crate) place: String,
    pub(crate) description: String,
    pub(crate) starts_at: String,
    pub(crate) opens_at: String,
    /// Empty: the sale closes when the event starts.
    pub(crate) closes_at: String,
    pub(crate) max_per_user: String,
    pub(crate) image: Option<DraftImage>,
    pub(crate) ticket_types: Vec<DraftTicketType>,
}

/// An image that is uploaded already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DraftImage {
    pub(crate) key: String,
    pub(crate) url: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DraftTicketType {
    /// Identifies the row, wherever it is moved. Negative if the server does not know the ticket type yet.
    pub(crate) row: i64,
    /// `None` for a new one.
    pub(crate) id: Option<i64>,
    pub(crate) name: String,
    pub(crate) price: String,
    pub(crate) capacity: String,
    /// Tickets sold when the event was loaded.
    pub(crate) sold: u32,
}

impl Draft {
    /// The initial content for a new event.
    pub(crate) fn empty() -> Self {
        Self {
            max_per_user: MAX_PER_USER_DEFAULT.to_string(),
            ticket_types: vec![DraftTicketType { row: -1, ..DraftTicketType::default() }],
            ..Self::default()
        }
    }

    pub(crate) fn of(event: &AdminEvent, times: DateTimeCodec) -> Self {
        let detail = &event.detail;
        let summary = &detail.summary;
        let ticket_type = |ticket_type: &neticket_contract::TicketType| DraftTicketType {
            row: ticket_type.id,
            id: Some(ticket_type.id),
            name: ticket_type.name.clone(),
            price: ticket_type.price.to_string(),
            capacity: ticket_type.capacity.to_string(),
            sold: ticket_type.capacity.saturating_sub(ticket_type.left),
        };
        Self {
            title: summary.title.clone(),
            place: summary.place.clone(),
            description: detail.description.clone(),
            starts_at: (times.write)(summary.starts_at),
            opens_at: (times.write)(summary.opens_at),
            closes_at: if summary.closes_at == summary.starts_at {
                String::new()
            } else {
                (times.write)(summary.closes_at)
            },
            max_per_user: detail.max_per_user.to_string(),
            image: event
                .image_key
                .clone()
                .map(|key| DraftImage { key, url: summary.image_url.clone().unwrap_or_default() }),
            ticket_types: detail.ticket_types.iter().map(ticket_type).collect(),
        }
    }

    /// The ticket types as a request would send them. Tickets sold in the meantime are not a change of the
    /// form.
    fn ticket_type_changes(&self) -> Vec<(Option<i64>, &str, &str, &str)> {
        self.ticket_types
            .iter()
            .map(|ticket_type| {
                (
                    ticket_type.id,
                    ticket_type.name.trim(),
                    ticket_type.price.as_str(),
                    ticket_type.capacity.as_str(),
                )
            })
            .collect()
    }

    /// Without a closing time of its own, the sale closes when the event starts.
    fn closes(&self) -> &str {
        if self.closes_at.is_empty() { &self.starts_at } else { &self.closes_at }
    }

    fn image_key(&self) -> Option<&str> {
        self.image.as_ref().map(|image| image.key.as_str())
    }

    /// Whether both would make the same event.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        let texts = |draft: &Self| {
            [
                draft.title.clone(),
                draft.place.clone(),
                draft.description.clone(),
                draft.starts_at.clone(),
                draft.opens_at.clone(),
                draft.closes_at.clone(),
                draft.max_per_user.clone(),
            ]
        };
        texts(self) == texts(other)
            && self.image_key() == other.image_key()
            && self.ticket_type_changes() == other.ticket_type_changes()
    }

    /// The request for a new event. `None` while a field cannot be parsed.
    pub(crate) fn create(&self, times: DateTimeCodec) -> Option<EventCreateRequest> {
        let closes_at = match self.closes_at.as_str() {
            "" => None,
            text => Some((times.read)(text)?),
        };
        let ticket_type = |ticket_type: &DraftTicketType| {
            Some(TicketTypeCreateRequest {
                name: ticket_type.name.trim().to_owned(),
                price: number(&ticket_type.price)?,
                capacity: u32::try_from(number(&ticket_type.capacity)?).ok()?,
            })
        };
        Some(EventCreateRequest {
            title: self.title.trim().to_owned(),
            place: self.place.trim().to_owned(),
            description: self.description.clone(),
            starts_at: (times.read)(&self.starts_at)?,
            opens_at: (times.read)(&self.opens_at)?,
            closes_at,
            max_per_user: Some(u32::try_from(number(&self.max_per_user)?).ok()?),
            image_key: self.image_key().map(str::to_owned),
            ticket_types: self.ticket_types.iter().map(ticket_type).collect::<Option<_>>()?,
        })
    }

    /// The differences from `base`. `None` while a field cannot be parsed.
    pub(crate) fn update(&self, base: &Self, times: DateTimeCodec) -> Option<EventUpdateRequest> {
        let text = |new: &str, old: &str| (new != old).then(|| new.trim().to_owned());
        let moment = |new: &str, old: &str| {
            if new == old { Some(None) } else { (times.read)(new).map(Some) }
        };
        let ticket_type = |ticket_type: &DraftTicketType| {
            Some(TicketTypeUpdateRequest {
                id: ticket_type.id,
                name: ticket_type.name.trim().to_owned(),
                price: number(&ticket_type.price)?,
                capacity: u32::try_from(number(&ticket_type.capacity)?).ok()?,
            })
        };
        let ticket_types = if self.ticket_type_changes() == base.ticket_type_changes() {
            None
        } else {
            Some(self.ticket_types.iter().map(ticket_type).collect::<Option<Vec<_>>>()?)
        };
        let max_per_user = if self.max_per_user == base.max_per_user {
            None
        } else {
            Some(u32::try_from(number(&self.max_per_user)?).ok()?)
        };
        Some(EventUpdateRequest {
            title: text(&self.title, &base.title),
            place: text(&self.place, &base.place),
            description: (self.description != base.description).then(|| self.description.clone()),
            starts_at: moment(&self.starts_at, &base.starts_at)?,
            opens_at: moment(&self.opens_at, &base.opens_at)?,
            closes_at: moment(self.closes(), base.closes())?,
            max_per_user,
            image_key: (self.image_key() != base.image_key()).then(|| self.image_key().map(str::to_owned)),
            ticket_types,
        })
    }

    /// The input since `base`, applied to the version that another person has saved.
    pub(crate) fn rebased(&self, base: &Self, remote_version: &Self) -> Self {
        let text = |mine: &String, base: &String, remote_version: &String| {
            if mine == base { remote_version.clone() } else { mine.clone() }
        };
        let image = if self.image_key() == base.image_key() { &remote_version.image } else { &self.image };
        let ticket_types = if self.ticket_type_changes() == base.ticket_type_changes() {
            remote_version.ticket_types.clone()
        } else {
            self.rebased_ticket_types(base, remote_version)
        };
        Self {
            title: text(&self.title, &base.title, &remote_version.title),
            place: text(&self.place, &base.place, &remote_version.place),
            description: text(&self.description, &base.description, &remote_version.description),
            starts_at: text(&self.starts_at, &base.starts_at, &remote_version.starts_at),
            opens_at: text(&self.opens_at, &base.opens_at, &remote_version.opens_at),
            closes_at: text(&self.closes_at, &base.closes_at, &remote_version.closes_at),
            max_per_user: text(&self.max_per_user, &base.max_per_user, &remote_version.max_per_user),
            image: image.clone(),
            ticket_types,
        }
    }

    /// Takes over the numbers of tickets sold.
    pub(crate) fn learn_sold(&mut self, now: &Self) {
        for ticket_type in &mut self.ticket_types {
            if let Some(now) =
                now.ticket_types.iter().find(|now| now.id.is_some() && now.id == ticket_type.id)
            {
                ticket_type.sold = now.sold;
            }
        }
    }

    /// The draft with the ids that the ticket types got which were new in `sent`.
    pub(crate) fn numbered(&self, sent: &Self, saved: &Self) -> Self {
        let id = |ticket_type: &DraftTicketType| {
            let place = sent.ticket_types.iter().position(|own| own.row == ticket_type.row)?;
            saved.ticket_types.get(place)?.id
        };
        let ticket_types =
            self.ticket_types.iter().map(|g| DraftTicketType { id: g.id.or_else(|| id(g)), ..g.clone() });
        Self { ticket_types: ticket_types.collect(), ..self.clone() }
    }

    /// Merges the ticket types one by one. Fields that were typed stay, the others are taken from
    /// `remote_version`. Ticket types that only `remote_version` has come last.
    fn rebased_ticket_types(&self, base: &Self, remote_version: &Self) -> Vec<DraftTicketType> {
        let find = |draft: &Self, id: Option<i64>| {
            draft.ticket_types.iter().find(|ticket_type| id.is_some() && ticket_type.id == id).cloned()
        };
        // Both added it, or it was saved and the answer was lost. It is the same ticket type.
        let twin = |mine: &DraftTicketType| {
            let is_new = |ticket_type: &&DraftTicketType| find(base, ticket_type.id).is_none();
            let is_twin = |ticket_type: &&DraftTicketType| {
                mine.id.is_none() && ticket_type.name.trim() == mine.name.trim()
            };
            remote_version.ticket_types.iter().filter(is_new).find(is_twin).cloned()
        };
        let mut rebased = Self::default();
        for mine in &self.ticket_types {
            if let Some(twin) = twin(mine) {
                rebased.ticket_types.push(DraftTicketType { id: twin.id, sold: twin.sold, ..mine.clone() });
                continue;
            }
            let (was, is) = (find(base, mine.id), find(remote_version, mine.id));
            match (was, is) {
                (Some(was), Some(is)) => rebased.ticket_types.push(mine.over(&was, is)),
                // The other person has removed it. If it was typed into, it becomes a new one.
                (Some(was), None) if was.says_the_same_as(mine) => {}
                _ => {
                    let row = self.free_row().min(rebased.free_row());
                    let row = if mine.id.is_none() { mine.row } else { row };
                    rebased.ticket_types.push(DraftTicketType { id: None, row, sold: 0, ..mine.clone() });
                }
            }
        }
        let is_new = |ticket_type: &&DraftTicketType| {
            find(base, ticket_type.id).is_none() && find(&rebased, ticket_type.id).is_none()
        };
        let new: Vec<DraftTicketType> = remote_version.ticket_types.iter().filter(is_new).cloned().collect();
        rebased.ticket_types.extend(new);
        rebased.ticket_types
    }

    /// A row number that no other row has.
    pub(crate) fn free_row(&self) -> i64 {
        self.ticket_types.iter().map(|ticket_type| ticket_type.row).min().unwrap_or(0).min(0) - 1
    }
}

impl DraftTicketType {
    /// The input since `was`, applied to `is`.
    fn over(&self, was: &Self, is: Self) -> Self {
        let text = |mine: &String, was: &String, is: String| if mine == was { is } else { mine.clone() };
        Self {
            name: text(&self.name, &was.name, is.name),
            price: text(&self.price, &was.price, is.price),
            capacity: text(&self.capacity, &was.capacity, is.capacity),
            row: self.row,
            ..is
        }
    }

    fn says_the_same_as(&self, other: &Self) -> bool {
        (&self.name, &self.price, &self.capacity) == (&other.name, &other.price, &other.capacity)
    }
}

/// A whole number as people type it, with or without grouped digits.
pub(crate) fn number(text: &str) -> Option<u64> {
    let digits: String = text.trim().chars().filter(|c| !matches!(c, ',' | ' ' | '_')).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL_TIMES: DateTimeCodec =
        DateTimeCodec { write: |moment| moment.to_string(), read: |text| Timestamp::parse(text).ok() };

    fn draft() -> Draft {
        let ticket_type = DraftTicketType {
            row: 7,
            id: Some(7),
            name: "R".into(),
            price: "50,000".into(),
            capacity: "10".into(),
            sold: 3,
        };
        Draft {
            title: "햄릿".into(),
            starts_at: "2030-01-01T10:00:00Z".into(),
            opens_at: "2029-01-01T10:00:00Z".into(),
            max_per_user: "4".into(),
            ticket_types: vec![ticket_type],
            ..Draft::default()
        }
    }

    #[test]
    fn input_typed_during_a_save_stays_and_new_ticket_types_get_their_ids() {
        let mut sent = draft();
        sent.ticket_types.push(DraftTicketType { row: -1, name: "S".into(), ..DraftTicketType::default() });
        let mut saved = sent.clone();
        (saved.ticket_types[1].row, saved.ticket_types[1].id) = (9, Some(9));
        let mut typed = sent.clone();
        typed.description = "더 쓴 글".into();
        typed.ticket_types[1].name = "스탠딩".into();
        let mine = typed.numbered(&sent, &saved).rebased(&sent.numbered(&sent, &saved), &saved);
        assert_eq!(mine.description, "더 쓴 글");
        let ticket_types: Vec<_> =
            mine.ticket_types.iter().map(|ticket_type| (ticket_type.id, ticket_type.name.as_str())).collect();
        assert_eq!(ticket_types, [(Some(7), "R"), (Some(9), "스탠딩")]);
    }

    #[test]
    fn continuing_keeps_the_changes_of_others_to_other_ticket_types() {
        let base = draft();
        let mut remote_version = base.clone();
        remote_version.ticket_types[0].price = "60,000".into();
        remote_version.ticket_types.push(DraftTicketType {
            row: 9,
            id: Some(9),
            name: "S".into(),
            ..DraftTicketType::default()
        });
        let mut mine = base.clone();
        mine.ticket_types[0].capacity = "20".into();
        mine.ticket_types.push(DraftTicketType { row: -1, name: "A".into(), ..DraftTicketType::default() });
        let merged = mine.rebased(&base, &remote_version);
        let ticket_type = |g: &DraftTicketType| (g.id, g.name.clone(), g.price.clone(), g.capacity.clone());
        assert_eq!(ticket_type(&merged.ticket_types[0]), (Some(7), "R".into(), "60,000".into(), "20".into()));
        let others: Vec<_> = merged.ticket_types[1..]
            .iter()
            .map(|ticket_type| (ticket_type.id, ticket_type.name.as_str()))
            .collect();
        assert_eq!(others, [(None, "A"), (Some(9), "S")]);
        // A ticket type that the other person has removed goes, unless it was typed into.
        let removed = Draft { ticket_types: Vec::new(), ..base.clone() };
        let twice =
            Draft { ticket_types: remote_version.ticket_types[1..].to_vec(), ..remote_version.clone() };
        let mut again = base.clone();
        again.ticket_types.push(DraftTicketType {
            row: -1,
            name: " S ".into(),
            ..DraftTicketType::default()
        });
        let ids =
            |draft: Draft| draft.ticket_types.iter().map(|ticket_type| ticket_type.id).collect::<Vec<_>>();
        assert_eq!(
            ids(again.rebased(&base, &remote_version)),
            [Some(7), Some(9)],
            "the same ticket type must not be added twice"
        );
        assert_eq!(ids(again.rebased(&base, &twice)), [Some(9)]);
        let mut other = base.clone();
        other.ticket_types.push(DraftTicketType { row: -1, name: "A".into(), ..DraftTicketType::default() });
        assert_eq!(other.rebased(&base, &removed).ticket_types.len(), 1);
        let rows: Vec<i64> =
            mine.rebased(&base, &removed).ticket_types.iter().map(|ticket_type| ticket_type.row).collect();
        assert_eq!(rows.iter().collect::<std::collections::BTreeSet<_>>().len(), 2, "rows differ: {rows:?}");
    }

    #[test]
    fn only_changed_fields_are_sent() {
        let base = Draft { closes_at: "2030-01-01T10:00:00Z".into(), ..draft() };
        let nothing = base.update(&base, LOCAL_TIMES).unwrap();
        assert_eq!(serde_json::to_string(&nothing).unwrap(), "{}");
        let mut changed = base.clone();
        changed.title = " 맥베스 ".into();
        changed.ticket_types[0].capacity = "20".into();
        let update = changed.update(&base, LOCAL_TIMES).unwrap();
        assert_eq!(update.title.as_deref(), Some("맥베스"));
        let ticket_type = &update.ticket_types.unwrap()[0];
        assert_eq!((ticket_type.id, ticket_type.price, ticket_type.capacity), (Some(7), 50_000, 20));
        assert!(update.place.is_none() && update.starts_at.is_none() && update.image_key.is_none());
    }

    #[test]
    fn a_sale_that_closes_at_the_start_moves_with_it() {
        let moved = Draft { starts_at: "2030-01-01T11:00:00Z".into(), ..draft() };
        let update = moved.update(&draft(), LOCAL_TIMES).unwrap();
        assert_eq!(update.closes_at, update.starts_at);
        assert!(update.closes_at.is_some() && update.opens_at.is_none());
    }

    #[test]
    fn seats_sold_meanwhile_are_not_a_change() {
        let mut later = draft();
        later.ticket_types[0].sold = 9;
        assert!(later.says_the_same_as(&draft()));
        later.ticket_types[0].name = "S".into();
        assert!(!later.says_the_same_as(&draft()));
    }

    #[test]
    fn a_removed_image_is_sent_as_null() {
        let base = Draft { image: Some(DraftImage { key: "k".into(), url: "u".into() }), ..draft() };
        assert_eq!(draft().update(&base, LOCAL_TIMES).unwrap().image_key, Some(None));
    }

    #[test]
    fn changes_of_two_people_to_different_fields_are_merged() {
        let mine = Draft { title: "내 제목".into(), ..draft() };
        let mut remote_version = Draft { place: "그들의 장소".into(), ..draft() };
        remote_version.ticket_types[0].sold = 5;
        let both = mine.rebased(&draft(), &remote_version);
        assert_eq!((both.title.as_str(), both.place.as_str()), ("내 제목", "그들의 장소"));
        assert_eq!(both.ticket_types, remote_version.ticket_types);
    }

    #[test]
    fn a_ticket_type_removed_by_another_person_becomes_a_new_one() {
        let mut mine = draft();
        mine.ticket_types[0].name = "VIP".into();
        let remote_version = Draft { ticket_types: Vec::new(), ..draft() };
        let both = mine.rebased(&draft(), &remote_version);
        assert_eq!((both.ticket_types[0].id, both.ticket_types[0].name.as_str()), (None, "VIP"));
        assert!(both.ticket_types[0].row < 0);
    }

    #[test]
    fn numbers_may_have_group_separators_and_no_other_characters() {
        assert_eq!(number(" 1,200,000 "), Some(1_200_000));
        assert_eq!(number("12.5"), None);
        assert_eq!(number("-1"), None);
        assert_eq!(number(""), None);
    }

    #[test]
    fn every_row_has_a_unique_number() {
        let mut draft = draft();
        for _ in 0..3 {
            draft.ticket_types.push(DraftTicketType { row: draft.free_row(), ..DraftTicketType::default() });
        }
        let rows: Vec<i64> = draft.ticket_types.iter().map(|ticket_type| ticket_type.row).collect();
        assert_eq!(rows, [7, -1, -2, -3]);
    }
}
