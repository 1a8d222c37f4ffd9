//! Dates and numbers as a language writes them (Unicode CLDR, by ICU4X), and the time zones that they
//! are told in. On the server only: the browser shows what it is sent.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use domain::zones;
use icu_calendar::Gregorian;
use icu_datetime::fieldsets::{E, MD, T, YMD, YMDT};
use icu_datetime::input::{Date, DateTime, Time};
use icu_datetime::{FixedCalendarDateTimeFormatter, NoCalendarFormatter};
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_locale_core::Locale as Conventions;
use jiff::tz::TimeZone;
use jiff::{ZonedDateTime, civil};
use leptos::prelude::{provide_context, use_context};
use model::Timestamp;

use crate::words::locale;

/// The time zones of a page or a mail: the one in which its reader is told when something is, and the
/// one in which days end that somebody chose.
#[derive(Clone, Debug)]
pub(crate) struct Zones {
    reader: TimeZone,
    /// Whether the reader's is named beside times of day.
    named: bool,
    days: TimeZone,
    /// Days of the year in which this is go without their year.
    now: Option<Timestamp>,
}

impl Zones {
    /// Of a page: the reader's is the first of these names that is a time zone's, and goes without
    /// saying. If none is, it is the one in which days end.
    pub(crate) fn of_page<'a>(own: impl IntoIterator<Item = &'a str>, days: TimeZone) -> Self {
        let own = own.into_iter().find_map(zones::known);
        let named = own.is_none();
        Self { reader: own.unwrap_or_else(|| days.clone()), named, days, now: None }
    }

    /// Of a mail, which may be read anywhere.
    pub(crate) fn of_mail(own: Option<&str>, days: TimeZone) -> Self {
        Self { named: true, ..Self::of_page(own, days) }
    }

    /// Read at this moment.
    pub(crate) fn read_at(self, now: Timestamp) -> Self {
        Self { now: Some(now), ..self }
    }

    /// Has all that is told from now on told in these.
    pub(crate) fn provide(self) {
        provide_context(self);
    }

    /// Those in which things are told; UTC where nobody said.
    pub(crate) fn here() -> Self {
        use_context().unwrap_or_else(|| Self::of_page([], TimeZone::UTC))
    }

    /// The one in which the reader is told when something is.
    pub(crate) fn reader(&self) -> &TimeZone {
        &self.reader
    }

    /// Whether a day is of the year in which it is read.
    fn is_this_year(&self, date: civil::Date) -> bool {
        self.now.is_some_and(|now| zoned(now, &self.reader).year() == date.year())
    }
}

fn zoned(at: Timestamp, zone: &TimeZone) -> ZonedDateTime {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    at.to_zoned_datetime(zone.clone())
}

/// The day on which something happened, such as "24 November 2026".
pub(crate) fn day(at: Timestamp) -> String {
    plain_day(zoned(at, &Zones::here().reader).date())
}

/// A day that is one of the calendar, stored as its beginning in UTC: "24 November 2026".
pub(crate) fn calendar_day(at: Timestamp) -> String {
    plain_day(zoned(at, &TimeZone::UTC).date())
}

/// The day on which something happened, with its day of the week: "Tuesday, 24 November".
pub(crate) fn own_day(at: Timestamp) -> String {
    weekday(zoned(at, &Zones::here().reader).date())
}

/// The last day of what ends at this moment: "Tuesday, 24 November".
pub(crate) fn last_day(until: Timestamp) -> String {
    let last = until.before(std::time::Duration::from_micros(1));
    weekday(zoned(last, &Zones::here().days).date())
}

/// The first day of what begins at this moment, where days end: "Tuesday, 24 November".
pub(crate) fn first_day(from: Timestamp) -> String {
    weekday(zoned(from, &Zones::here().days).date())
}

/// When something ends: its last day, or the minute where it doesn't end with a day.
pub(crate) fn end(until: Timestamp) -> String {
    let zones = Zones::here();
    let at = zoned(until, &zones.days);
    if at.start_of_day().is_ok_and(|begin| begin == at) {
        return last_day(until);
    }
    let day = weekday(zoned(until, &zones.reader).date());
    words!(when.at, day = day, time = time_of_day(until))
}

/// A day of the calendar such as `2027-01-31`, with its day of the week; as it is, if it is none.
pub(crate) fn civil_day(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), weekday)
}

/// A day of the calendar with its day of the week and its year: "Tuesday, 24 November 2026".
pub(crate) fn full_day(date: civil::Date) -> String {
    let weekday = date_in(date, |formats, date| formats.weekday.format(date).to_string());
    words!(when.weekday, weekday = weekday, day = plain_day(date))
}

/// The same without the year where that is the present one.
fn weekday(date: civil::Date) -> String {
    if !Zones::here().is_this_year(date) {
        return full_day(date);
    }
    let weekday = date_in(date, |formats, date| formats.weekday.format(date).to_string());
    let day = date_in(date, |formats, date| formats.day_of_year.format(date).to_string());
    words!(when.weekday, weekday = weekday, day = day)
}

fn plain_day(date: civil::Date) -> String {
    date_in(date, |formats, date| formats.day.format(date).to_string())
}

/// Day and time to the minute, such as "24 November 2026 at 10:05", and of which time zone that is,
/// where it isn't obvious.
pub(crate) fn minute(at: Timestamp) -> String {
    let zoned = zoned(at, &Zones::here().reader);
    let written = formats().and_then(|formats| {
        let moment = DateTime { date: date(zoned.date())?, time: time(&zoned)? };
        Some(formats.minute.format(&moment).to_string())
    });
    with_zone(written.unwrap_or_default(), &zoned)
}

/// The time of day to the minute, such as "10:05", and of which time zone that is, where it isn't
/// obvious.
pub(crate) fn time_of_day(at: Timestamp) -> String {
    let zoned = zoned(at, &Zones::here().reader);
    let written =
        formats().and_then(|formats| Some(formats.time.format(&time(&zoned)?).to_string()));
    with_zone(written.unwrap_or_default(), &zoned)
}

/// Names the time zone behind a time, unless the reader knows it. An hour that there is twice, as the
/// clocks go back, is named to everybody.
fn with_zone(written: String, zoned: &ZonedDateTime) -> String {
    let twice = zoned.time_zone().to_ambiguous_timestamp(zoned.datetime()).is_ambiguous();
    if !Zones::here().named && !twice {
        return written;
    }
    words!(when.exact, moment = written, zone = offset(zoned.offset().seconds()))
}

/// How far a time zone is from UTC: "UTC", "UTC+1", "UTC+5:45". Shorter names of zones mean another
/// one elsewhere.
fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '−' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
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
    day_of_year: FixedCalendarDateTimeFormatter<Gregorian, MD>,
    weekday: FixedCalendarDateTimeFormatter<Gregorian, E>,
    minute: FixedCalendarDateTimeFormatter<Gregorian, YMDT>,
    time: NoCalendarFormatter<T>,
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
    let like = || conventions.clone().into();
    Some(Formats {
        day: FixedCalendarDateTimeFormatter::try_new(like(), YMD::long()).ok()?,
        day_of_year: FixedCalendarDateTimeFormatter::try_new(like(), MD::long()).ok()?,
        weekday: FixedCalendarDateTimeFormatter::try_new(like(), E::long()).ok()?,
        minute: FixedCalendarDateTimeFormatter::try_new(like(), YMD::long().with_time_hm()).ok()?,
        time: NoCalendarFormatter::try_new(like(), T::hm()).ok()?,
        number: DecimalFormatter::try_new(conventions.into(), Default::default()).ok()?,
    })
}

fn date_in(day: civil::Date, write: impl Fn(&Formats, &Date<Gregorian>) -> String) -> String {
    formats().and_then(|formats| Some(write(&formats, &date(day)?))).unwrap_or_default()
}

fn date(day: civil::Date) -> Option<Date<Gregorian>> {
    let part = |part: i8| u8::try_from(part).ok();
    Date::try_new_gregorian(day.year().into(), part(day.month())?, part(day.day())?).ok()
}

fn time(at: &ZonedDateTime) -> Option<Time> {
    let part = |part: i8| u8::try_from(part).ok();
    Time::try_new(part(at.hour())?, part(at.minute())?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use leptos::prelude::Owner;

    use super::*;
    use crate::Locale;

    fn at(text: &str) -> Timestamp {
        let at: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_micros(at.as_microsecond())
    }

    /// What is told in this language and in these time zones.
    fn told(locale: Locale, zones: Zones, say: impl Fn() -> String) -> String {
        Owner::new().with(|| {
            provide_context(locale);
            zones.provide();
            say()
        })
    }

    fn zone(name: &str) -> TimeZone {
        zones::known(name).unwrap()
    }

    #[test]
    fn each_language_has_its_own_days_of_the_week() {
        let moment = at("2026-12-05T12:00:00Z");
        let cases = [
            (Locale::en, "Saturday, 5 December", "Saturday, 5 December 2026"),
            (Locale::nb, "lørdag 5. desember", "lørdag 5. desember 2026"),
            (Locale::de, "Samstag, 5. Dezember", "Samstag, 5. Dezember 2026"),
        ];
        for (locale, this_year, another_year) in cases {
            let zones = Zones::of_page([], TimeZone::UTC);
            let now = zones.clone().read_at(at("2026-11-28T12:00:00Z"));
            assert_eq!(told(locale, now, || own_day(moment)), this_year);
            let later = zones.clone().read_at(at("2027-01-01T00:00:00Z"));
            assert_eq!(told(locale, later, || own_day(moment)), another_year);
            assert_eq!(told(locale, zones, || own_day(moment)), another_year, "nobody said when");
        }
    }

    #[test]
    fn moments_are_told_in_the_readers_zone() {
        let cases = [
            ("Europe/Oslo", "2026-11-28T23:30:00Z", "29 November 2026 at 00:30"),
            ("America/St_Johns", "2026-11-28T02:00:00Z", "27 November 2026 at 22:30"),
            ("Asia/Kathmandu", "2026-11-28T18:15:00Z", "29 November 2026 at 00:00"),
            ("Pacific/Kiritimati", "2026-11-28T10:00:00Z", "29 November 2026 at 00:00"),
            // The clocks go forward at 2, and back at 3: an hour that there is twice is named.
            ("Europe/Oslo", "2026-03-29T01:30:00Z", "29 March 2026 at 03:30"),
            ("Europe/Oslo", "2026-10-25T00:30:00Z", "25 October 2026 at 02:30 UTC+2"),
            ("Europe/Oslo", "2026-10-25T01:30:00Z", "25 October 2026 at 02:30 UTC+1"),
        ];
        for (own, moment, words) in cases {
            let zones = Zones::of_page([own], TimeZone::UTC);
            assert_eq!(told(Locale::en, zones, || minute(at(moment))), words, "{own}");
        }
    }

    #[test]
    fn a_zone_that_isnt_the_readers_own_is_named() {
        let moment = at("2026-11-28T12:00:00Z");
        let cases = [
            (None, "UTC", "28 November 2026 at 12:00 UTC"),
            (None, "Europe/Oslo", "28 November 2026 at 13:00 UTC+1"),
            (None, "America/St_Johns", "28 November 2026 at 08:30 UTC−3:30"),
            (Some("Mars/Olympus"), "Asia/Kathmandu", "28 November 2026 at 17:45 UTC+5:45"),
            (Some("Asia/Tokyo"), "Europe/Oslo", "28 November 2026 at 21:00"),
        ];
        for (own, days, words) in cases {
            let zones = Zones::of_page(own, zone(days));
            assert_eq!(told(Locale::en, zones, || minute(moment)), words, "{own:?} {days}");
        }
        let mail = Zones::of_mail(Some("Asia/Tokyo"), zone("Europe/Oslo"));
        assert_eq!(told(Locale::en, mail, || time_of_day(moment)), "21:00 UTC+9");
    }

    #[test]
    fn a_chosen_day_ends_where_the_account_is_and_is_told_as_that_day() {
        let now = at("2026-11-28T12:00:00Z");
        let zones = Zones::of_page(["Asia/Tokyo"], zone("Europe/Oslo")).read_at(now);
        let cases = [
            ("2026-12-05T23:00:00Z", "Saturday, 5 December"),
            ("2026-12-31T23:00:00Z", "Thursday, 31 December"),
            ("2027-01-01T23:00:00Z", "Friday, 1 January 2027"),
            // This is the end of no day there.
            ("2026-12-05T22:30:00Z", "Sunday, 6 December at 07:30"),
        ];
        for (until, words) in cases {
            assert_eq!(told(Locale::en, zones.clone(), || end(at(until))), words, "{until}");
        }
        let from = || first_day(at("2026-12-05T23:00:00Z"));
        assert_eq!(told(Locale::en, zones, from), "Sunday, 6 December");
    }
}
