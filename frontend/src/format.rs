//! Dates and amounts of money as people write them. Events are in Korea, so every time is Korean time.

use std::cell::RefCell;

use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use neticket_domain::Timestamp;
use wasm_bindgen::{JsCast as _, JsValue};

use crate::browser;
use crate::i18n::{I18n, Language, Msg};

const ZONE: &str = "Asia/Seoul";
/// Minutes that UTC is ahead of Korean time, as `getTimezoneOffset` counts them.
const ZONE_OFFSET_MIN: i64 = -540;
const ZONE_OFFSET_MS: i64 = 9 * 60 * 60 * 1000;

/// How much of a date is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Style {
    /// Year, month, day, weekday, time.
    Full,
    /// To the second.
    Exact,
    /// Without the year.
    Brief,
    Money,
    /// Hours, minutes, seconds.
    Clock,
}

/// Year, month, day, weekday and time.
pub(crate) fn full_date(i18n: I18n, moment: Timestamp) -> String {
    with_zone(i18n, moment, format_date(i18n.language(), Style::Full, moment))
}

/// As [`full_date`], with the seconds where there are any.
pub(crate) fn exact_date(i18n: I18n, moment: Timestamp) -> String {
    let whole_minute = moment.as_millis().rem_euclid(60_000) < 1_000;
    let style = if whole_minute { Style::Full } else { Style::Exact };
    with_zone(i18n, moment, format_date(i18n.language(), style, moment))
}

/// As [`full_date`], but without the year if it is the present one.
pub(crate) fn brief_date(i18n: I18n, moment: Timestamp) -> String {
    let this_year = year(Timestamp::from_millis(browser::now_ms())) == year(moment);
    let style = if this_year { Style::Brief } else { Style::Full };
    with_zone(i18n, moment, format_date(i18n.language(), style, moment))
}

/// The time of day, to the second.
pub(crate) fn clock(i18n: I18n, moment: Timestamp) -> String {
    format_date(i18n.language(), Style::Clock, moment)
}

/// An amount in won.
pub(crate) fn money(i18n: I18n, won: u64) -> String {
    if won == 0 {
        return i18n.text(Msg::MoneyFree).to_owned();
    }
    i18n.fill(Msg::Money, &[("amount", &count(i18n, won))])
}

/// A number with its digits grouped.
pub(crate) fn count(i18n: I18n, number: u64) -> String {
    let value = i64::try_from(number).map_or(JsValue::NULL, |n| JsValue::from_f64(browser::number(n)));
    apply(i18n.language(), Style::Money, &value)
}

/// Names the time zone for people whose browser is in another one.
fn with_zone(i18n: I18n, moment: Timestamp, text: String) -> String {
    let at = Date::new(&JsValue::from_f64(browser::number(moment.as_millis())));
    if browser::whole(at.get_timezone_offset()) == ZONE_OFFSET_MIN {
        text
    } else {
        i18n.fill(Msg::DateZone, &[("date", &text)])
    }
}

fn year(moment: Timestamp) -> u32 {
    let millis = browser::number(moment.plus_millis(ZONE_OFFSET_MS).as_millis());
    Date::new(&JsValue::from_f64(millis)).get_utc_full_year()
}

fn format_date(language: Language, style: Style, moment: Timestamp) -> String {
    let text = apply(language, style, &JsValue::from_f64(browser::number(moment.as_millis())));
    // A no-break space, because a line must not end within the time of day, which comes last.
    match text.rsplit_once(' ') {
        Some((date, time)) => format!("{date}\u{a0}{time}"),
        None => text,
    }
}

thread_local! {
    // Formatters are slow to make and quick to use.
    static FORMATTERS: RefCell<Vec<(Language, Style, Function)>> = RefCell::default();
}

fn apply(language: Language, style: Style, value: &JsValue) -> String {
    let formatter = FORMATTERS.with_borrow_mut(|made| {
        let known = made.iter().find(|(tongue, kind, _)| (*tongue, *kind) == (language, style));
        if let Some((_, _, known)) = known {
            return known.clone();
        }
        let new = make(language, style);
        made.push((language, style, new.clone()));
        new
    });
    formatter.call1(&JsValue::UNDEFINED, value).ok().and_then(|text| text.as_string()).unwrap_or_default()
}

fn make(language: Language, style: Style) -> Function {
    let locales = Array::of1(&language.tag().into());
    let options = Object::new();
    let set = |name: &str, value: &str| {
        // Fails only on frozen objects.
        let _ = Reflect::set(&options, &name.into(), &value.into());
    };
    if style == Style::Money {
        return Intl::NumberFormat::new(&locales, &options).format().unchecked_into();
    }
    set("timeZone", ZONE);
    set("hour", "numeric");
    set("minute", "2-digit");
    if style == Style::Clock {
        set("second", "2-digit");
        return Intl::DateTimeFormat::new(&locales, &options).format().unchecked_into();
    }
    set("month", "short");
    set("day", "numeric");
    set("weekday", "short");
    if style != Style::Brief {
        set("year", "numeric");
    }
    if style == Style::Exact {
        set("second", "2-digit");
    }
    Intl::DateTimeFormat::new(&locales, &options).format().unchecked_into()
}
