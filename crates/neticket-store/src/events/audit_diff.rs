//! Events as the audit log records them.

use serde_json::{Map, Value, json};

use super::records::EventRecord;

/// All fields of `event` that an administrator can change.
pub(super) fn whole(event: &EventRecord) -> Value {
    Value::Object(members(event))
}

/// The fields that differ between `before` and `after`, with their old and their new values.
pub(super) fn changes(before: &EventRecord, after: &EventRecord) -> (Value, Value) {
    let (mut before, mut after) = (members(before), members(after));
    let same: Vec<String> = before
        .iter()
        .filter(|(name, value)| after.get(*name) == Some(*value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in same {
        before.remove(&name);
        after.remove(&name);
    }
    (Value::Object(before), Value::Object(after))
}

fn members(event: &EventRecord) -> Map<String, Value> {
    let ticket_types = event.ticket_types.iter().map(|ticket_type| {
        json!({
            "id": ticket_type.id.0,
            "name": ticket_type.name,
            "price": ticket_type.price,
            "capacity": ticket_type.capacity,
        })
    });
    let fields: [(&str, Value); 11] = [
        ("title", json!(event.title)),
        ("place", json!(event.place)),
        ("description", json!(event.description)),
        ("starts_at", json!(event.starts_at.to_string())),
        ("opens_at", json!(event.window.opens_at.to_string())),
        ("closes_at", json!(event.window.closes_at.to_string())),
        ("max_per_user", json!(event.max_per_user)),
        ("image_key", json!(event.image_key)),
        ("paused", json!(event.paused)),
        ("cancelled_at", json!(event.cancelled_at.map(|at| at.to_string()))),
        ("ticket_types", ticket_types.collect()),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use neticket_domain::{Epoch, EventId, SaleWindow, TicketTypeId, Timestamp};

    use super::*;
    use crate::TicketTypeRecord;

    fn event() -> EventRecord {
        let at = Timestamp::from_millis;
        EventRecord {
            id: EventId(1),
            title: "햄릿".to_owned(),
            place: "Seoul".to_owned(),
            description: String::new(),
            starts_at: at(10_000),
            window: SaleWindow { opens_at: at(1_000), closes_at: at(9_000) },
            max_per_user: 4,
            paused: false,
            cancelled_at: None,
            image_key: None,
            version: 1,
            created_at: at(1),
            updated_at: at(1),
            ticket_types: vec![TicketTypeRecord {
                id: TicketTypeId(7),
                name: "R".to_owned(),
                price: 5,
                capacity: 10,
                left: 3,
                epoch: Epoch(2),
            }],
        }
    }

    #[test]
    fn the_audit_diff_contains_only_changed_fields() {
        let mut after = event();
        assert_eq!(changes(&event(), &after), (json!({}), json!({})));
        after.title = "Hamlet".to_owned();
        after.ticket_types[0].capacity = 11;
        after.ticket_types[0].left = 4;
        let ticket_type = |capacity| json!([{ "id": 7, "name": "R", "price": 5, "capacity": capacity }]);
        assert_eq!(
            changes(&event(), &after),
            (
                json!({ "title": "햄릿", "ticket_types": ticket_type(10) }),
                json!({ "title": "Hamlet", "ticket_types": ticket_type(11) }),
            )
        );
    }
}
