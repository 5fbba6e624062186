//! Timestamps as `<input type="datetime-local">` writes them, in the browser's time zone.

use js_sys::{Array, Date, Intl, Object, Reflect};
use neticket_domain::Timestamp;
use wasm_bindgen::JsValue;

use crate::browser;

/// In the shortest form, as browsers write it: without seconds if they are 0.
pub(crate) fn to_input(moment: Timestamp) -> String {
    let date = Date::new(&JsValue::from_f64(browser::number(moment.as_millis())));
    let day = format!("{:04}-{:02}-{:02}", date.get_full_year(), date.get_month() + 1, date.get_date());
    let time = format!("{:02}:{:02}", date.get_hours(), date.get_minutes());
    match date.get_seconds() {
        0 => format!("{day}T{time}"),
        seconds => format!("{day}T{time}:{seconds:02}"),
    }
}

/// `None` if `text` is not a date.
pub(crate) fn from_input(text: &str) -> Option<Timestamp> {
    let millis = Date::parse(text);
    (!text.is_empty() && millis.is_finite()).then(|| Timestamp::from_millis(browser::whole(millis)))
}

/// The browser's time zone, like `Asia/Seoul (UTC+9)`.
pub(crate) fn zone() -> String {
    let options = Intl::DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
    let name = Reflect::get(&options, &"timeZone".into()).ok().and_then(|name| name.as_string());
    let behind = browser::whole(Date::new_0().get_timezone_offset());
    format!("{} ({})", name.unwrap_or_default(), offset(-behind))
}

/// The name of an offset, given in minutes ahead of UTC.
fn offset(minutes: i64) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
    if minutes == 0 { format!("UTC{sign}{hours}") } else { format!("UTC{sign}{hours}:{minutes:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_offsets_are_formatted_for_people() {
        assert_eq!(offset(540), "UTC+9");
        assert_eq!(offset(-210), "UTC-3:30");
        assert_eq!(offset(0), "UTC+0");
    }
}
