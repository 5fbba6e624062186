//! A calendar entry (RFC 5545) for a reservation.

use std::fmt::Write as _;

use neticket_contract::Reservation;
use neticket_domain::Timestamp;

/// The longest line, in bytes, before it is folded (RFC 5545, section 3.1).
const LINE_MAX: usize = 75;

/// The text of the file. `note` describes the reservation in the person's language. `url` is the address of
/// its page.
pub(crate) fn calendar(reservation: &Reservation, note: &str, url: &str, now: Timestamp) -> String {
    let event = &reservation.event;
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//NETicket//NETicket//KO".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}@neticket", reservation.id),
        format!("DTSTAMP:{}", moment(now)),
        format!("DTSTART:{}", moment(event.starts_at)),
        format!("SUMMARY:{}", escape(&event.title)),
        format!("LOCATION:{}", escape(&event.place)),
        format!("DESCRIPTION:{}", escape(note)),
        format!("URL:{url}"),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    let mut file = String::new();
    for line in &lines {
        fold(line, &mut file);
    }
    file
}

/// `20261224T103000Z`.
fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    let seconds = text.get(..19).unwrap_or(&text);
    let mut compact: String = seconds.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    compact.push('Z');
    compact
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\n' => escaped.push_str("\\n"),
            '\r' => {}
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Writes `line` and its line end. A line that is too long is folded between two characters.
fn fold(line: &str, file: &mut String) {
    let mut length = 0;
    for c in line.chars() {
        if length + c.len_utf8() > LINE_MAX {
            file.push_str("\r\n ");
            length = 1;
        }
        // Writing to a string cannot fail.
        let _ = write!(file, "{c}");
        length += c.len_utf8();
    }
    file.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use neticket_contract::{ReservationEvent, ReservationStatus, ReservationTicketType};
    use uuid::Uuid;

    use super::*;

    fn reservation(title: &str) -> Reservation {
        Reservation {
            id: Uuid::nil(),
            status: ReservationStatus::Confirmed,
            event: ReservationEvent {
                id: 1,
                title: title.into(),
                place: "서울, 예술의전당".into(),
                starts_at: Timestamp::parse("2026-12-24T10:30:00Z").unwrap(),
                image_url: None,
                cancelled: false,
            },
            ticket_type: ReservationTicketType { id: 1, name: "R석".into() },
            quantity: 2,
            unit_price: 1,
            total_price: 2,
            currency: "KRW".into(),
            created_at: Timestamp::from_millis(0),
            cancelled_at: None,
            cancellable: true,
        }
    }

    #[test]
    fn a_calendar_entry_has_utc_times_and_escaped_texts() {
        let file = calendar(&reservation("햄릿; 1부"), "두\n줄", "https://x/y", Timestamp::from_millis(5));
        assert!(file.contains("DTSTART:20261224T103000Z\r\n"), "{file}");
        assert!(file.contains("DTSTAMP:19700101T000000Z\r\n"), "{file}");
        assert!(file.contains("SUMMARY:햄릿\\; 1부\r\n"), "{file}");
        assert!(file.contains("LOCATION:서울\\, 예술의전당\r\n"), "{file}");
        assert!(file.contains("DESCRIPTION:두\\n줄\r\n"), "{file}");
    }

    #[test]
    fn long_lines_are_folded_without_loss() {
        let title = "가나다라마바사".repeat(20);
        let file = calendar(&reservation(&title), "", "", Timestamp::from_millis(0));
        assert!(file.split("\r\n").all(|line| line.len() <= LINE_MAX));
        assert!(file.replace("\r\n ", "").contains(&title));
    }
}
