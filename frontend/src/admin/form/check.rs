//! What is wrong with a form. The rules and the field names are those of the server, and are checked while
//! the person types. Pure.

use neticket_contract::Problem;
use neticket_domain::{QUANTITY_MAX, Timestamp};

use super::draft::{DateTimeCodec, Draft, number};
use crate::i18n::Msg;

pub(crate) const LINE_LEN_MAX: usize = 200;
pub(crate) const NAME_LEN_MAX: usize = 50;
pub(crate) const DESCRIPTION_LEN_MAX: usize = 10_000;
pub(crate) const TICKET_TYPES_MAX: usize = 20;
const PRICE_MAX: u64 = 100_000_000;
const CAPACITY_MAX: u64 = 1_000_000;

/// What is wrong with a field, and the number that the text mentions, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) text: Msg,
    pub(crate) n: Option<u64>,
}

impl Fault {
    pub(crate) fn new(text: Msg) -> Self {
        Self { text, n: None }
    }

    fn with(text: Msg, n: u64) -> Self {
        Self { text, n: Some(n) }
    }
}

/// What the rules depend on besides the form itself.
#[derive(Clone, Copy)]
pub(crate) struct ValidationContext {
    pub(crate) now: Timestamp,
    /// Whether the event exists already. Times that have not been changed may then lie in the past.
    pub(crate) exists: bool,
    pub(crate) times: DateTimeCodec,
}

/// All faults with the path of their field, from the top of the form to its end.
pub(crate) fn faults(draft: &Draft, base: &Draft, at: ValidationContext) -> Vec<(String, Fault)> {
    let mut found = Vec::new();
    let mut add = |path: &str, fault: Option<Fault>| {
        found.extend(fault.map(|fault| (path.to_owned(), fault)));
    };
    add("title", line(&draft.title, LINE_LEN_MAX));
    add("place", line(&draft.place, LINE_LEN_MAX));
    add("description", too_long(&draft.description, DESCRIPTION_LEN_MAX));
    times(draft, base, at, &mut add);
    add("max_per_user", whole(&draft.max_per_user, 1, u64::from(QUANTITY_MAX)));
    if draft.ticket_types.is_empty() || draft.ticket_types.len() > TICKET_TYPES_MAX {
        add("ticket_types", Some(Fault::new(Msg::FormTicketTypesNumber)));
    }
    for (index, ticket_type) in draft.ticket_types.iter().enumerate() {
        let path = |field: &str| format!("ticket_types[{index}].{field}");
        let name = ticket_type.name.trim();
        let twins = draft.ticket_types.iter().filter(|other| other.name.trim() == name);
        let twin = twins.count() > 1;
        let twin = twin.then(|| Fault::new(Msg::FormTicketTypeTwice));
        add(&path("name"), line(name, NAME_LEN_MAX).or(twin));
        add(&path("price"), whole(&ticket_type.price, 0, PRICE_MAX));
        let below = number(&ticket_type.capacity)
            .filter(|capacity| *capacity < u64::from(ticket_type.sold))
            .map(|_| Fault::with(Msg::FormCapacitySold, ticket_type.sold.into()));
        add(&path("capacity"), whole(&ticket_type.capacity, 1, CAPACITY_MAX).or(below));
    }
    found
}

fn times(draft: &Draft, base: &Draft, at: ValidationContext, add: &mut impl FnMut(&str, Option<Fault>)) {
    let read = |text: &str| (at.times.read)(text);
    let given = |text: &str| match (text.is_empty(), read(text)) {
        (true, _) => Some(Fault::new(Msg::FieldRequired)),
        (false, None) => Some(Fault::new(Msg::FormMomentInvalid)),
        (false, Some(_)) => None,
    };
    let starts_at = read(&draft.starts_at);
    let closes_at = if draft.closes_at.is_empty() { starts_at } else { read(&draft.closes_at) };
    let new = |text: &str, base: &str| !at.exists || text != base;
    let past = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= at.now);
    let started = new(&draft.starts_at, &base.starts_at) && past(starts_at);
    add("starts_at", given(&draft.starts_at).or(started.then(|| Fault::new(Msg::FormStartPast))));
    let late = matches!((read(&draft.opens_at), closes_at), (Some(opens), Some(closes)) if opens >= closes);
    add("opens_at", given(&draft.opens_at).or(late.then(|| Fault::new(Msg::FormOpensLate))));
    if draft.closes_at.is_empty() {
        return;
    }
    let after = matches!((closes_at, starts_at), (Some(closes), Some(starts)) if closes > starts);
    let over = !at.exists && past(closes_at);
    let fault = given(&draft.closes_at)
        .or(after.then(|| Fault::new(Msg::FormClosesLate)))
        .or(over.then(|| Fault::new(Msg::FormClosesPast)));
    add("closes_at", fault);
}

/// One line with more than white space.
fn line(text: &str, len_max: usize) -> Option<Fault> {
    if text.trim().is_empty() {
        return Some(Fault::new(Msg::FieldRequired));
    }
    too_long(text, len_max)
}

fn too_long(text: &str, len_max: usize) -> Option<Fault> {
    let len_max = u64::try_from(len_max).unwrap_or(u64::MAX);
    let len = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    (len > len_max).then(|| Fault::with(Msg::FormLong, len_max))
}

fn whole(text: &str, min: u64, max: u64) -> Option<Fault> {
    if text.trim().is_empty() {
        return Some(Fault::new(Msg::FieldRequired));
    }
    match number(text) {
        None => Some(Fault::new(Msg::FormWhole)),
        Some(n) if n < min => Some(Fault::with(Msg::FormLeast, min)),
        Some(n) if n > max => Some(Fault::with(Msg::FormMost, max)),
        Some(_) => None,
    }
}

/// The server's objections to the form.
pub(crate) fn refusals(problem: &Problem) -> Vec<(String, Fault)> {
    problem.errors.iter().map(|error| (error.field.clone(), refusal(&error.field, &error.code))).collect()
}

fn refusal(field: &str, code: &str) -> Fault {
    Fault::new(match (field, code) {
        (_, "required") => Msg::FieldRequired,
        (_, "too_long") => Msg::FieldLong,
        (_, "invalid_text") => Msg::FormInvisible,
        (_, "duplicate") => Msg::FormTicketTypeTwice,
        (_, "event_started") => Msg::FormStarted,
        ("image_key", _) => Msg::FormImageGone,
        ("starts_at", _) => Msg::FormStartPast,
        ("opens_at", _) => Msg::FormOpensLate,
        ("closes_at", _) => Msg::FormClosesLate,
        ("ticket_types", _) => Msg::FormTicketTypesNumber,
        _ => Msg::FieldInvalid,
    })
}

#[cfg(test)]
mod tests {
    use super::super::draft::DraftTicketType;
    use super::*;

    const LOCAL_TIMES: DateTimeCodec =
        DateTimeCodec { write: |moment| moment.to_string(), read: |text| Timestamp::parse(text).ok() };

    fn good() -> Draft {
        Draft {
            title: "햄릿".into(),
            place: "국립극장".into(),
            starts_at: "2030-01-02T10:00:00Z".into(),
            opens_at: "2029-01-01T10:00:00Z".into(),
            max_per_user: "4".into(),
            ticket_types: vec![DraftTicketType {
                name: "R".into(),
                price: "0".into(),
                capacity: "1".into(),
                ..DraftTicketType::default()
            }],
            ..Draft::default()
        }
    }

    fn found(draft: &Draft, exists: bool) -> Vec<(String, Msg)> {
        let now = Timestamp::parse("2029-06-01T00:00:00Z").unwrap();
        faults(draft, &good(), ValidationContext { now, exists, times: LOCAL_TIMES })
            .into_iter()
            .map(|(path, fault)| (path, fault.text))
            .collect()
    }

    #[test]
    fn a_valid_form_has_no_errors() {
        assert_eq!(found(&good(), false), []);
    }

    #[test]
    fn all_errors_are_listed_in_the_order_of_the_form() {
        let paths: Vec<String> =
            found(&Draft { ticket_types: vec![DraftTicketType::default()], ..Draft::default() }, false)
                .into_iter()
                .map(|(path, _)| path)
                .collect();
        assert_eq!(
            paths,
            [
                "title",
                "place",
                "starts_at",
                "opens_at",
                "max_per_user",
                "ticket_types[0].name",
                "ticket_types[0].price",
                "ticket_types[0].capacity"
            ]
        );
    }

    #[test]
    fn a_sale_opens_before_it_closes_and_closes_before_the_start() {
        let late = Draft { opens_at: "2030-01-02T10:00:00Z".into(), ..good() };
        assert_eq!(found(&late, false), [("opens_at".to_owned(), Msg::FormOpensLate)]);
        let after = Draft { closes_at: "2030-01-02T10:00:01Z".into(), ..good() };
        assert_eq!(found(&after, false), [("closes_at".to_owned(), Msg::FormClosesLate)]);
        let past = Draft { closes_at: "2029-05-01T00:00:00Z".into(), ..good() };
        assert_eq!(found(&past, false), [("closes_at".to_owned(), Msg::FormClosesPast)]);
        // The sale of an existing event may get a closing time in the past, which ends the sale now.
        assert_eq!(found(&past, true), []);
    }

    #[test]
    fn an_unchanged_start_may_be_in_the_past() {
        let past = Draft { starts_at: "2029-05-01T00:00:00Z".into(), ..good() };
        assert_eq!(found(&past, false)[0], ("starts_at".to_owned(), Msg::FormStartPast));
        let now = Timestamp::parse("2031-01-01T00:00:00Z").unwrap();
        assert_eq!(faults(&good(), &good(), ValidationContext { now, exists: true, times: LOCAL_TIMES }), []);
    }

    #[test]
    fn a_ticket_type_keeps_its_sold_seats() {
        let mut draft = good();
        draft.ticket_types[0].sold = 3;
        draft.ticket_types[0].capacity = "2".into();
        assert_eq!(found(&draft, true), [("ticket_types[0].capacity".to_owned(), Msg::FormCapacitySold)]);
    }

    #[test]
    fn ticket_types_have_different_names() {
        let mut draft = good();
        draft.ticket_types.push(DraftTicketType { name: " R ".into(), ..draft.ticket_types[0].clone() });
        let names = ["ticket_types[0].name", "ticket_types[1].name"];
        assert_eq!(found(&draft, false), names.map(|name| (name.to_owned(), Msg::FormTicketTypeTwice)));
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let fits = Draft { title: "가".repeat(LINE_LEN_MAX), ..good() };
        assert_eq!(found(&fits, false), []);
        let long = Draft { title: "가".repeat(LINE_LEN_MAX + 1), ..good() };
        assert_eq!(found(&long, false), [("title".to_owned(), Msg::FormLong)]);
    }
}
