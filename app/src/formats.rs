//! Dates and numbers as a language writes them (Unicode CLDR, by ICU4X). On the server only: the
//! browser shows what it is sent.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use icu_calendar::Gregorian;
use icu_datetime::fieldsets::{YMD, YMDT};
use icu_datetime::input::{Date, DateTime, Time};
use icu_datetime::{FixedCalendarDateTimeFormatter, fieldsets};
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_locale_core::Locale as Conventions;
use leptos::prelude::{provide_context, use_context};
use model::Timestamp;

use crate::words::locale;

/// The day, such as "24 November 2026", in UTC.
pub(crate) fn day(at: Timestamp) -> String {
    let written = formats().and_then(|formats| {
        let moment = utc(at)?;
        Some(formats.day.format(&moment.date).to_string())
    });
    written.unwrap_or_default()
}

/// The time zone in which days end for the present reader: their account's, or else the provider's.
#[derive(Clone, Debug)]
pub(crate) struct Zone(jiff::tz::TimeZone);

impl Zone {
    /// The first of these names that is a time zone's.
    pub(crate) fn provide<'a>(names: impl IntoIterator<Item = &'a str>) {
        let known = |name| jiff::tz::TimeZone::get(name).ok();
        let zone = names.into_iter().find_map(known).unwrap_or(jiff::tz::TimeZone::UTC);
        provide_context(Self(zone));
    }

    fn here() -> jiff::tz::TimeZone {
        use_context::<Self>().map_or(jiff::tz::TimeZone::UTC, |zone| zone.0)
    }
}

/// The day that a moment is in for the present reader.
pub(crate) fn own_day(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).ok();
    at.map(|at| civil(at.to_zoned_datetime(Zone::here()).date())).unwrap_or_default()
}

/// The last day of what ends at this moment.
pub(crate) fn last_day(until: Timestamp) -> String {
    own_day(until.before(std::time::Duration::from_micros(1)))
}

/// When something ends: its last day, or the minute where it doesn't end with a day.
pub(crate) fn end(until: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(until.as_micros()).ok();
    let zoned = at.map(|at| at.to_zoned_datetime(Zone::here()));
    let ends_a_day = |at: &jiff::ZonedDateTime| at.start_of_day().is_ok_and(|begin| begin == *at);
    match zoned.filter(ends_a_day) {
        Some(_) => last_day(until),
        None => crate::when::server::exact(until),
    }
}

/// A day of the calendar such as `2027-01-31`; as it is, if it is none.
pub(crate) fn civil_day(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), civil)
}

fn civil(date: jiff::civil::Date) -> String {
    let begin = date.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok();
    let begin = begin.map(|begin| Timestamp::from_micros(begin.timestamp().as_microsecond()));
    begin.map(day).unwrap_or_default()
}

/// Day and time to the minute, such as "24 November 2026 at 10:05", in UTC.
pub(crate) fn minute(at: Timestamp) -> String {
    let written = formats().and_then(|formats| Some(formats.minute.format(&utc(at)?).to_string()));
    written.unwrap_or_default()
}

/// A number of hundredths with two decimals, such as "12,450.00".
pub(crate) fn hundredths(number: i64) -> String {
    let mut decimal = Decimal::from(number);
    decimal.multiply_pow10(-2);
    formats()
        .map_or_else(|| decimal.to_string(), |formats| formats.number.format(&decimal).to_string())
}

struct Formats {
    day: FixedCalendarDateTimeFormatter<Gregorian, YMD>,
    minute: FixedCalendarDateTimeFormatter<Gregorian, YMDT>,
    number: DecimalFormatter,
}

thread_local! {
    /// By the language's conventions. Making them takes longer than using them.
    static MADE: RefCell<HashMap<&'static str, Option<Rc<Formats>>>> = RefCell::default();
}

fn formats() -> Option<Rc<Formats>> {
    let conventions = leptos_i18n::td_string!(locale(), language.conventions);
    MADE.with_borrow_mut(|made| {
        made.entry(conventions).or_insert_with(|| make(conventions).map(Rc::new)).clone()
    })
}

/// None for a tag in a language file that is none; a test looks at them all.
fn make(conventions: &str) -> Option<Formats> {
    let conventions: Conventions = conventions.parse().ok()?;
    let minute = fieldsets::YMD::long().with_time_hm();
    Some(Formats {
        day: FixedCalendarDateTimeFormatter::try_new(conventions.clone().into(), YMD::long())
            .ok()?,
        minute: FixedCalendarDateTimeFormatter::try_new(conventions.clone().into(), minute).ok()?,
        number: DecimalFormatter::try_new(conventions.into(), Default::default()).ok()?,
    })
}

fn utc(at: Timestamp) -> Option<DateTime<Gregorian>> {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
    let at = at.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let part = |part: i8| u8::try_from(part).ok();
    let date =
        Date::try_new_gregorian(at.year().into(), part(at.month())?, part(at.day())?).ok()?;
    let time = Time::try_new(part(at.hour())?, part(at.minute())?, 0, 0).ok()?;
    Some(DateTime { date, time })
}
